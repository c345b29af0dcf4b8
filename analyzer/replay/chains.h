/* SPDX-License-Identifier: MIT */
/*
 * Chains of reallocs: blocks that grew step by step, what was copied on the
 * way, and what size from the start would have spared it. A listener of the
 * replay, to which the owners belong.
 */
#ifndef ANALYZER_CHAINS_H
#define ANALYZER_CHAINS_H

#include "map.h"
#include "replay.h"
#include "slots.h"

/* What the reallocs called from one stack did. */
struct chains_stack {
	uint32_t node;
	uint64_t calls, moved;	/* moved: to another address */
	uint64_t copied_bytes;	/* by those that moved, the smaller size */
	uint64_t longest_steps; /* of the chains that went through it */
	uint64_t largest_bytes; /* that a chain reached */
	uint64_t reserve_bytes; /* enough for 90 % of its chains; see end */
};

/* Where a live block's chain is: steps so far, and where the last was. */
struct chain {
	uint64_t steps;
	size_t place; /* in `at` */
};

struct chains {
	struct chains_stack *at;
	size_t count;

	/* The rest is chains.c's own. */
	uint64_t from; /* clock: calls before do not count */
	size_t room;
	struct map stack_of; /* node -> place + 1 */
	struct slots slots;
	struct chain *chain; /* by slot; the owner is its number + 1 */
	size_t chain_room;
	struct map reached; /* place and log2 of the size -> chains */
};

void chains_begin(struct chains *r, uint64_t from);

struct replay_listener chains_listener(struct chains *r);

/* End after the replay: what would have been enough. */
void chains_end(struct chains *r);

void chains_free(struct chains *r);

#endif
