/* SPDX-License-Identifier: MIT */
/*
 * Names for roots: the variable, the thread's stack, the mapping that a
 * pointer was found in.
 */
#ifndef ANALYZER_ROOTNAME_H
#define ANALYZER_ROOTNAME_H

#include "graph.h"

/*
 * Name what holds a root, NULL: what the loader allocates. All words of one
 * variable, stack or mapping have the same name. Free it.
 */
char *rootname_text(struct stacks *s, const struct trace *t,
		    const struct graph_root *root);

/* Set how far into what is so named the pointer is; false: it says nothing. */
bool rootname_offset(struct stacks *s, const struct trace *t,
		     const struct graph_root *root, uint64_t *offset);

#endif
