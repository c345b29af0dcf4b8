/* SPDX-License-Identifier: MIT */
/*
 * Stacks as one tree, from the innermost frames outward or from the outermost
 * inward; each node sums up what went through it.
 */
#ifndef ANALYZER_EXPORT_STACKTREE_H
#define ANALYZER_EXPORT_STACKTREE_H

#include "number.h"

/* Nodes below each other; further frames are left out. */
#define STACKTREE_MAX_DEPTH 4096

struct stacktree_node {
	const struct frame *frame; /* of the root: NULL */
	uint64_t value;		   /* of all stacks through it */
	uint32_t parent, child, next;
	uint32_t children, depth;
};

struct stacktree {
	struct stacktree_node
		*at; /* the root is number 0, which also means none */
	size_t count, room;

	/* The rest is stacktree.c's own. */
	struct map child_of;
	struct number places;
};

void stacktree_begin(struct stacktree *t);

/* Add a stack; returns the node where it ends. Frames of one function, file
 * and line are one. */
uint32_t stacktree_add(struct stacktree *t, const struct stacks_list *list,
		       bool outermost, uint64_t value);

/* Sort all siblings by value, the largest first, ties by name. */
void stacktree_sort(struct stacktree *t);

void stacktree_free(struct stacktree *t);

#endif
