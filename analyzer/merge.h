/* SPDX-License-Identifier: MIT */
/*
 * All threads' events as one sequence in the order of time.
 *
 * A time is exact to the tick of its segment only, so the events at the heads
 * of several threads may be tied. Then the heap decides: the first of them,
 * by time and thread, that fits it (a free of a live block, an allocation
 * where no block is) comes next, for in the program each address was given
 * and taken in turn. When none fits, the one whose tick ends first comes next.
 * So the order of one address's events is exact unless three of them fall
 * into one tick.
 */
#ifndef ANALYZER_MERGE_H
#define ANALYZER_MERGE_H

#include "cursor.h"

/* Tell whether an event may come next, as far as `heap` knows. */
typedef bool merge_fits(const void *heap, const struct mt_event *e);

/* A thread in the heap of threads, ordered by the time of its next event. */
struct merge_entry {
	uint64_t time; /* no event of the thread is before */
	struct cursor *cursor;
};

struct merge {
	struct trace *trace;
	struct cursor *cursors; /* one a thread */
	struct merge_entry *entry;
	size_t count;
	struct cursor_pool pool;
	merge_fits *fits;
	const void *heap;
};

/* Events of one thread that come next, before those of any other. */
struct merge_run {
	const struct mt_event *event;
	uint32_t count;
	uint32_t thread; /* place in trace->threads */
};

/* Start at the beginning of `t`. `fits` is asked about ties only. */
void merge_init(struct merge *m, struct trace *t, merge_fits *fits,
		const void *heap);

/*
 * Get the next events, valid until the next call; by then the heap must have
 * taken all of them. False: that was all.
 */
bool merge_next(struct merge *m, struct merge_run *run);

void merge_free(struct merge *m);

#endif
