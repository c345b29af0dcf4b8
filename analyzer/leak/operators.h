/* SPDX-License-Identifier: MIT */
/*
 * Programs with an operator new or delete of their own. The recorder sees the
 * malloc or free in it, if the compiler left it a frame; else only that the
 * operator's caller called malloc. So what a block was taken from is told by
 * its stack where that shows, and modules that have their own operators are
 * not judged.
 */
#ifndef ANALYZER_OPERATORS_H
#define ANALYZER_OPERATORS_H

#include "kinds.h"
#include "map.h"
#include "stacks.h"

struct operators {
	struct stacks *stacks;

	/* The rest is operators.c's own. */
	struct map own; /* module -> 1: no, 2: yes */
	struct stacks_list list;
};

void operators_begin(struct operators *o, struct stacks *s);
void operators_end(struct operators *o);

/* Return the family of an event: of its stack where that shows an operator
 * around malloc or free, else of its kind. */
enum kinds_family operators_family(struct operators *o, unsigned int kind,
				   uint32_t node);

/*
 * Return the path of the module that has operators of its own and called at a
 * stack, or is the program itself, whose operators serve all modules. NULL:
 * there is none that is known.
 */
const char *operators_own(struct operators *o, uint32_t node);

#endif
