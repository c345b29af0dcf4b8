/* SPDX-License-Identifier: MIT */
/*
 * Names as people know them, from names as the linker knows them.
 *
 * The analyzer's only use of the demangler. Strings are kept once, and live
 * as long as the struct.
 */
#ifndef ANALYZER_SYMNAME_H
#define ANALYZER_SYMNAME_H

#include "map.h"
#include "strpool.h"
#include "symframe.h"

/* Zeroed is empty. */
struct symname {
	struct strpool strings;
	struct map demangled; /* linkage name -> function name */
};

void symname_free(struct symname *s);

/* Return a copy of `text` that lives as long as `s`. */
const char *symname_keep(struct symname *s, const char *text);

/* Give a frame its linkage name, and the name that people know that by. */
void symname_set(struct symname *s, const char *linkage, struct sym_frame *f);

#endif
