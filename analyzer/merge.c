/* SPDX-License-Identifier: MIT */
/*
 * All threads' events in the order of time: a binary heap of threads.
 *
 * The thread at the top runs on for as long as no other could come between,
 * so that a program with one busy thread costs no comparison of times.
 */
#include "merge.h"

#include <stdlib.h>

/* Tell whether entry `a` goes before `b`. */
static bool before(const struct merge_entry *a, const struct merge_entry *b)
{
	if (a->time != b->time)
		return a->time < b->time;
	return a->cursor < b->cursor;
}

/* Move the entry at `i` down to where it belongs. */
static void sift_down(struct merge *m, size_t i)
{
	struct merge_entry moved = m->entry[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= m->count)
			break;
		if (child + 1 < m->count &&
		    before(&m->entry[child + 1], &m->entry[child]))
			child++;
		if (!before(&m->entry[child], &moved))
			break;
		m->entry[i] = m->entry[child];
		i = child;
	}
	m->entry[i] = moved;
}

/* Tell whether the next event of a cursor is decoded. */
static bool is_ready(const struct cursor *c)
{
	return c->at < c->count;
}

void merge_init(struct merge *m, struct trace *t, merge_fits *fits,
		const void *heap)
{
	*m = (struct merge){.trace = t, .fits = fits, .heap = heap};
	m->cursors = util_alloc(t->thread_count, sizeof(*m->cursors));
	m->entry = util_alloc(t->thread_count, sizeof(*m->entry));
	for (size_t i = 0; i < t->thread_count; i++) {
		struct merge_entry *e = &m->entry[m->count];

		m->cursors[i].thread = &t->threads[i];
		e->cursor = &m->cursors[i];
		if (cursor_next_time(e->cursor, &e->time))
			m->count++;
	}
	for (size_t i = m->count / 2; i-- > 0;)
		sift_down(m, i);
}

/*
 * Decode the next batch of the thread at `i`, or learn when its next segment
 * begins, or drop it; its place changes.
 */
static void advance(struct merge *m, size_t i)
{
	struct merge_entry *e = &m->entry[i];
	struct cursor *c = e->cursor;
	bool was_open = c->work;

	if (!was_open && !cursor_open(m->trace, c, &m->pool)) {
		*e = m->entry[--m->count];
	} else if (cursor_fill(m->trace, c, &m->pool)) {
		e->time = c->work->event[c->at].time;
	} else if (!cursor_next_time(c, &e->time)) {
		*e = m->entry[--m->count];
	}
	if (i < m->count)
		sift_down(m, i);
}

/* Return the time before which no thread but the one at the top has any. */
static uint64_t others_time(const struct merge *m)
{
	uint64_t time = UINT64_MAX;

	for (size_t i = 1; i < 3 && i < m->count; i++)
		if (m->entry[i].time < time)
			time = m->entry[i].time;
	return time;
}

/* What a search among the tied threads has found. */
struct tie {
	uint64_t limit; /* the last clock value the tie covers */
	size_t ending;	/* the thread whose event is over by then */
	size_t unread;	/* a thread to be decoded first */
	size_t best;	/* the thread to go on with */
};

/* Find where the tie ends: the first clock value by which one must be over. */
static void limit_tie(const struct merge *m, size_t i, struct tie *tie)
{
	const struct merge_entry *e;
	uint64_t end;

	if (i >= m->count || m->entry[i].time > tie->limit)
		return;
	e = &m->entry[i];
	end = e->time + e->cursor->tick;
	if (!is_ready(e->cursor)) {
		tie->unread = i;
	} else if (end < tie->limit ||
		   (end == tie->limit && before(e, &m->entry[tie->ending]))) {
		tie->limit = end;
		tie->ending = i;
	}
	limit_tie(m, 2 * i + 1, tie);
	limit_tie(m, 2 * i + 2, tie);
}

/* Find the first of the tied threads whose next event fits the heap. */
static void search_tie(const struct merge *m, size_t i, struct tie *tie)
{
	const struct merge_entry *e;

	if (i >= m->count || m->entry[i].time > tie->limit)
		return;
	e = &m->entry[i];
	if ((tie->best == SIZE_MAX || before(e, &m->entry[tie->best])) &&
	    m->fits(m->heap, &e->cursor->work->event[e->cursor->at]))
		tie->best = i;
	search_tie(m, 2 * i + 1, tie);
	search_tie(m, 2 * i + 2, tie);
}

/* Hand out `n` events of the thread at `i`. */
static void take(struct merge *m, size_t i, uint32_t n, struct merge_run *run)
{
	struct cursor *c = m->entry[i].cursor;

	run->event = &c->work->event[c->at];
	run->count = n;
	run->thread = (uint32_t)(c - m->cursors);
	c->at += n;
	if (is_ready(c)) {
		m->entry[i].time = c->work->event[c->at].time;
		sift_down(m, i);
	}
}

/* Choose among tied threads; false: one had to be decoded first. */
static bool take_tied(struct merge *m, struct merge_run *run)
{
	struct tie tie = {.unread = SIZE_MAX, .best = SIZE_MAX};
	const struct cursor *c = m->entry[0].cursor;

	tie.limit = m->entry[0].time + c->tick;
	limit_tie(m, 0, &tie);
	if (tie.unread != SIZE_MAX) {
		advance(m, tie.unread);
		return false;
	}
	search_tie(m, 0, &tie);
	take(m, tie.best == SIZE_MAX ? tie.ending : tie.best, 1, run);
	return true;
}

bool merge_next(struct merge *m, struct merge_run *run)
{
	while (m->count) {
		struct cursor *c = m->entry[0].cursor;
		uint64_t others;
		uint32_t n = c->at;

		if (!is_ready(c)) {
			advance(m, 0);
			continue;
		}
		others = others_time(m);
		if (others == UINT64_MAX)
			n = c->count;
		while (n < c->count &&
		       c->work->event[n].time + c->tick < others)
			n++;
		if (n > c->at) {
			take(m, 0, n - c->at, run);
			return true;
		}
		if (take_tied(m, run))
			return true;
	}
	return false;
}

void merge_free(struct merge *m)
{
	for (size_t i = 0; i < m->count; i++) {
		struct cursor_work *w = m->entry[i].cursor->work;

		if (w) {
			w->next = m->pool.free;
			m->pool.free = w;
		}
	}
	cursor_pool_free(&m->pool);
	free(m->cursors);
	free(m->entry);
}
