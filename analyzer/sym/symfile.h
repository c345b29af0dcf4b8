/* SPDX-License-Identifier: MIT */
/*
 * The files that belong to a module, as elfutils has them: the one that was
 * loaded, and the one with its debug info.
 *
 * A file counts only when its build-id is the one that was recorded. It is
 * looked for under the sysroot, at its path, in the build-id directories and
 * last, when DEBUGINFOD_URLS is set, on the servers named there. The debug
 * file is found by build-id or by .gnu_debuglink, whose CRC must be right;
 * .gnu_debugdata adds to the symbols.
 *
 * elfutils' headers enter the analyzer here.
 */
#ifndef ANALYZER_SYMFILE_H
#define ANALYZER_SYMFILE_H

#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symframe.h"

/* Where files are looked for; stays where it is while one is open. */
struct symfile_search {
	char *sysroot;	  /* absolute, or NULL */
	char *debug_path; /* as libdwfl wants it */
	Dwfl_Callbacks callbacks;
};

/* Zeroed is closed. */
struct symfile {
	const struct symfile_search *search;
	const uint8_t *build_id; /* that was recorded; 0 bytes: any */
	size_t build_id_bytes;
	Dwfl *dwfl;
	Dwfl_Module *mod;    /* NULL: nothing was found */
	Dwarf *dwarf;	     /* NULL: no debug info */
	uint64_t dwarf_bias; /* the file's address = DWARF's + bias */
};

/*
 * Say where to look: below `sysroot`, and for debug info in the directories
 * `debug_path` (separated by colons) before the usual ones. Either may be
 * NULL.
 */
void symfile_search_init(struct symfile_search *s, const char *sysroot,
			 const char *debug_path);

void symfile_search_free(struct symfile_search *s);

/*
 * Open the file of the module that was loaded from `path` and had the
 * build-id (0 bytes: any will do), which stays yours. "[vdso]" is the running
 * kernel's. Returns what there is to know in it; SYM_MISSING and
 * SYM_MISMATCH: nothing.
 */
enum sym_state symfile_open(struct symfile *f, const struct symfile_search *s,
			    const char *path, const uint8_t *build_id,
			    size_t build_id_bytes);

void symfile_close(struct symfile *f);

/*
 * Return a fresh handle of the debug info, NULL when there is none. All that
 * libdw decodes for it goes with dwarf_end().
 */
Dwarf *symfile_begin_dwarf(const struct symfile *f);

/* Tell whether what is known is of a file apart, which has no code. */
bool symfile_is_apart(const struct symfile *f);

/* Give the memory behind the files' mappings back to the kernel. */
void symfile_forget(const struct symfile *f);

#endif
