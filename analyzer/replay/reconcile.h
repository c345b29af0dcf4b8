/* SPDX-License-Identifier: MIT */
/*
 * The resident set, reconciled with the live blocks: at each moment that the
 * recorder noted what the kernel counts, the blocks that were live then are
 * laid over the mappings that they are in. What is resident there beyond them
 * is what the allocator keeps.
 *
 *     resident = requested + overhead + kept - absent
 *              + mapped + stacks + program + files + own + other
 */
#ifndef ANALYZER_RECONCILE_H
#define ANALYZER_RECONCILE_H

#include "replay.h"

/* What there was at a moment; bytes. */
struct reconciled {
	const struct trace_memory *note;
	bool known; /* the blocks: it is not before the history */
	uint64_t blocks;
	uint64_t requested; /* of the live blocks, as asked for */
	uint64_t overhead;  /* of them: headers, rounding; glibc's only */
	uint64_t kept;	    /* by the allocator, beyond live blocks */
	uint64_t absent;    /* of live blocks, never touched or swapped out */
	uint64_t mapped;    /* anonymous, not the allocator's */
	uint64_t other;	    /* not told apart */
};

struct reconciliation {
	struct reconciled *at; /* in the order of time */
	size_t count;
	bool is_glibc; /* else overhead is in `kept` */
};

/*
 * Replay a trace for all notes of memory that it has. `progress` may be NULL.
 * Takes a pass over the live blocks for each.
 */
void reconcile(struct reconciliation *r, struct trace *t,
	       replay_progress *progress);

void reconcile_free(struct reconciliation *r);

#endif
