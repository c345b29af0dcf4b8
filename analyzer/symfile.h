/* SPDX-License-Identifier: MIT */
/*
 * The file that a module was loaded from, as elfutils has it.
 *
 * elfutils' headers enter the analyzer here.
 */
#ifndef ANALYZER_SYMFILE_H
#define ANALYZER_SYMFILE_H

#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symframe.h"

/* Zeroed is closed. */
struct symfile {
	Dwfl *dwfl;
	Dwfl_Module *mod;
	Dwarf *dwarf;	     /* NULL: no debug info */
	uint64_t dwarf_bias; /* the file's address = DWARF's + bias */
};

/*
 * Open the file at `path` if it has the build-id, unless that has 0 bytes or
 * the file none. Returns what there is to know in it; SYM_MISSING and
 * SYM_MISMATCH: nothing.
 */
enum sym_state symfile_open(struct symfile *f, const char *path,
			    const uint8_t *build_id, size_t build_id_bytes);

void symfile_close(struct symfile *f);

#endif
