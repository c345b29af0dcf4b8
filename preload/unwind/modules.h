/* SPDX-License-Identifier: MIT */
/*
 * The loaded modules that stacks pass through: found when a pc of theirs is
 * first met, dropped when the loader is seen to have unloaded them.
 *
 * The loader's lock is never taken: it may be held by this very thread, or
 * by one that waits for a lock of ours. A module whose code is on the stack
 * cannot go away while we read its headers.
 */
#ifndef PRELOAD_MODULES_H
#define PRELOAD_MODULES_H

#include <stdbool.h>
#include <stdint.h>

#include "cfi.h"
#include "config.h"

#define MT_BUILD_ID_BYTES 64

struct mt_module {
	uint32_t id;	     /* MT_NO_MODULE: code without a file (a JIT) */
	bool loader;	     /* ld.so: a free from it may be a dlclose */
	uint64_t start, end; /* addresses */
	uint64_t bias;	     /* address in memory - address in the file */
	uint64_t inode;
	struct mt_cfi_table cfi;
	uint32_t build_id_bytes;
	uint8_t build_id[MT_BUILD_ID_BYTES];
	char path[MT_PATH_BYTES];
};

/* Called once for each new module that has a file. Context: hook, locked. */
typedef void mt_module_loaded(const struct mt_module *module);

/* Find the loader. Context: init, once a process image. */
void mt_modules_init(void);

/* Forget all modules; `loaded` hears of new ones. Context: init. */
void mt_modules_reset(mt_module_loaded *loaded);

/*
 * Return the module that holds `pc`, NULL when that is no code or memory is
 * short. Stays valid for good. Context: hook, the caller's lock held.
 */
const struct mt_module *mt_module_find(uint64_t pc);

/* Whether a module is libc, the loader or this library: what the program
 * calls, not the program. Context: hook, the caller's lock held. */
bool mt_module_is_own(const struct mt_module *m);

/*
 * Drop the modules that are not loaded any more; calls `gone` for each.
 * Returns how many. Context: hook, the caller's lock held.
 */
unsigned int mt_modules_check(void (*gone)(const struct mt_module *module));

#endif
