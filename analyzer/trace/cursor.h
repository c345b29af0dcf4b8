/* SPDX-License-Identifier: MIT */
/*
 * A thread's events in order, decoded a batch at a time.
 *
 * Until its next segment is opened a cursor holds no memory for it: only the
 * time before which no event of it can be.
 */
#ifndef ANALYZER_CURSOR_H
#define ANALYZER_CURSOR_H

#include <memtrace/merge.h>

#include "trace.h"

/* Events decoded at once. */
#define CURSOR_BATCH 128

/* What a segment that is being read needs; kept for the next one to use. */
struct cursor_work {
	struct mt_model model;
	struct trace_buffer buffer;
	struct mt_event event[CURSOR_BATCH];
	struct cursor_work *next; /* in the pool */
};

struct cursor {
	struct mt_source source; /* the first member: what is decoded */
	struct trace_thread *thread;
	size_t segment; /* the next one to open, or the open one */
	uint64_t done;	/* number of the next event of the thread */
	uint32_t left;	/* events not decoded in the open segment */
	struct mt_columns columns;
	struct cursor_work *work; /* NULL: no segment is open */
};

/* Those that no cursor uses now. */
struct cursor_pool {
	struct cursor_work *free;
};

/*
 * Decode the next batch; `source` says what of it there is. False:
 * the open segment (if any) is at its end, and is closed; opens none.
 */
bool cursor_fill(struct trace *t, struct cursor *c, struct cursor_pool *pool);

/*
 * Open the next segment that has events. False: there is none left.
 */
bool cursor_open(struct trace *t, struct cursor *c, struct cursor_pool *pool);

/* Return a time that no event behind the closed segments is before. */
bool cursor_next_time(const struct cursor *c, uint64_t *time);

void cursor_pool_free(struct cursor_pool *pool);

#endif
