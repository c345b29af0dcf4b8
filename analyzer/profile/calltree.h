/* SPDX-License-Identifier: MIT */
/*
 * A profile as a tree of frames: from the sites upward to their callers, or
 * from the outermost frame downward.
 *
 * A node's sums are those of all stacks that go through it, so its children's
 * add up to them, but for what is its own: downward, what it allocated
 * itself; upward, stacks that begin there. Frames are told apart by name.
 * Recursion is gone round once: of a function that calls itself, or of up to
 * 16 that call each other in turn, every round but one is left out.
 */
#ifndef ANALYZER_CALLTREE_H
#define ANALYZER_CALLTREE_H

#include "profile.h"

struct calltree_node {
	const struct frame *frame; /* NULL: the root, which is all */
	struct profile_totals totals;
	uint32_t parent;
	uint32_t child, next; /* 0: none */
};

struct calltree {
	struct calltree_node *at; /* the root is number 0 */
	size_t count, room;
	struct map *number; /* parent and name -> number */
};

/* Build the tree: from `upward` sites to callers, or downward. */
void calltree_build(struct calltree *t, struct profile *p, bool upward);

void calltree_free(struct calltree *t);

/*
 * List a node's children by a key, largest first, ties by name; those of
 * which it is 0 are left out. Returns their count; free the list.
 */
size_t calltree_children(const struct calltree *t, uint32_t node,
			 uint64_t (*key)(const struct profile_totals *t),
			 uint32_t **list);

#endif
