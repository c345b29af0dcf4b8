/* SPDX-License-Identifier: MIT */
/*
 * All threads' events of a trace as one sequence in the order of time; how,
 * include/memtrace/merge.h says.
 */
#ifndef ANALYZER_MERGE_H
#define ANALYZER_MERGE_H

#include <memtrace/merge.h>

#include "cursor.h"

/* Tell whether an event may come next, as far as `heap` knows. */
typedef bool merge_fits(const void *heap, const struct mt_event *e);

struct merge {
	struct mt_merge threads;
	struct trace *trace;
	struct cursor *cursors; /* one a thread */
	struct cursor_pool pool;
};

/* Events of one thread that come next, before those of any other. */
struct merge_run {
	const struct mt_event *event;
	uint32_t count;
	uint32_t thread; /* place in trace->threads */
	uint64_t number; /* of the first among the thread's events */
	uint64_t tick;	 /* clock units - 1 that an event's time covers */
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
