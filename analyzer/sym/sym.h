/* SPDX-License-Identifier: MIT */
/*
 * Names for code addresses: function, file and line, with the frames of
 * inlined functions, from the ELF and DWARF data of the modules; and names for
 * variables.
 */
#ifndef ANALYZER_SYM_H
#define ANALYZER_SYM_H

#include "symframe.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sym;

/* Where names are looked for; strings may be NULL. */
struct sym_options {
	const char *sysroot;	/* modules are below it first */
	const char *debug_path; /* directories of debug info: DIR[:DIR] */
	bool cache;		/* keep answers for the next run */
};

/* `o` is copied; NULL: the usual places only, with the cache. */
struct sym *sym_new(const struct sym_options *o);

/* Write what was looked up into the cache, and free all. */
void sym_free(struct sym *s);

/*
 * Make a module known and return its number, counted from 0. Its file is
 * opened at the first lookup. `path` is copied, and so is the build-id,
 * which must be the file's unless it has 0 bytes. The same again has the same
 * number.
 */
size_t sym_add(struct sym *s, const char *path, const uint8_t *build_id,
	       size_t build_id_bytes);

/* Say what is known about a module; opens it. */
enum sym_state sym_module_state(struct sym *s, size_t module);

/*
 * Look up an address as the module's file has it. Fills `frame`, innermost
 * first, and returns their count: 0 when nothing is known. Strings live as
 * long as `s`.
 */
size_t sym_lookup(struct sym *s, size_t module, uint64_t address,
		  struct sym_frame frame[SYM_MAX_FRAMES]);

/*
 * Return the name of the variable that an address is in, NULL when none is
 * known; `*offset` is that into it. Lives as long as `s`.
 */
const char *sym_variable(struct sym *s, size_t module, uint64_t address,
			 uint64_t *offset);

/*
 * Look up many addresses, so that sym_lookup() has them at hand: in the order
 * in which it is least work. Where there are some thousand, in a program with
 * much debug info, this is faster by far.
 */
void sym_prefetch(struct sym *s, size_t module, const uint64_t *addresses,
		  size_t n);

/* Tell whether a module defines a function of a NULL-terminated list of
 * linkage names; false when its file is not to be had. */
bool sym_defines(struct sym *s, size_t module, const char *const *names);

#endif
