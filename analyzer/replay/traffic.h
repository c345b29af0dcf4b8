/* SPDX-License-Identifier: MIT */
/*
 * What each thread allocated, and who freed it: sums per thread, and a matrix
 * of the allocating thread by the freeing one. Memory is proportional to the
 * pairs of threads that occur. Bytes are as requested.
 */
#ifndef ANALYZER_TRAFFIC_H
#define ANALYZER_TRAFFIC_H

#include "estimate.h"
#include "map.h"
#include "replay.h"

/* What a thread did, and which of the blocks it allocated live. */
struct traffic_thread {
	uint64_t allocations, allocated_bytes;
	uint64_t frees, freed_bytes; /* that it did, of any thread's blocks */
	uint64_t live_blocks, live_bytes;
	uint64_t peak_bytes;		     /* its own peak */
	struct spread allocated, live, peak; /* of estimates */
	struct doubt freed;		     /* of the number */
};

/* Blocks of one thread that another, or the same, freed. */
struct traffic_pair {
	uint32_t allocator, freer; /* places in trace->threads */
	uint64_t blocks, bytes;
	struct spread spread; /* of estimates */
};

struct traffic {
	struct traffic_thread *thread; /* as in trace->threads */
	size_t thread_count;
	struct traffic_pair *pair; /* in the order they first occurred */
	size_t pair_count;

	/* The rest is traffic.c's own. */
	const struct trace *trace;
	size_t pair_room;
	struct map pair_of; /* allocator << 32 | freer */
};

void traffic_begin(struct traffic *f, const struct trace *t);

/* Return the listener; it leaves owners alone and counts every block. */
struct replay_listener traffic_listener(struct traffic *f);

void traffic_free(struct traffic *f);

#endif
