/* SPDX-License-Identifier: MIT */
/*
 * A listener for who follows a trace: what is live of each thread and of each
 * size, and what of it is new since the last look.
 */
#ifndef ANALYZER_TALLY_H
#define ANALYZER_TALLY_H

#include "map.h"
#include "replay.h"

/* Sizes are told apart by powers of two: up to 2^i bytes. */
#define TALLY_SIZES 65

struct tally_row {
	uint64_t live_bytes, live_blocks;
	uint64_t allocations, temporary; /* since `since` */
};

struct tally {
	uint64_t since; /* a clock value */
	struct tally_row size[TALLY_SIZES];
	struct tally_row *thread;
	uint32_t *index; /* of these, as in struct trace_thread */

	/* The rest is tally.c's own. */
	const struct trace *trace;
	size_t threads, thread_room, index_room;
	struct map thread_of; /* index -> place in `thread` */
};

/* Begin, with `since` as it is. */
struct replay_listener tally_begin(struct tally *t, const struct trace *trace);

/* Go on with a later reading of the trace. */
void tally_move(struct tally *t, const struct trace *trace, uint64_t since);

void tally_free(struct tally *t);

#endif
