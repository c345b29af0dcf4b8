/* SPDX-License-Identifier: MIT */
/*
 * The events of several threads as one sequence in the order of time: a
 * binary heap of threads, for both sides.
 *
 * The thread at the top runs on for as long as no other could come between,
 * so that a program with one busy thread costs no comparison of times.
 *
 * A time is exact to the tick of its segment only, so the events at the heads
 * of several threads may be tied. Then the heap of blocks decides: the first
 * of them, by time and thread, that fits it (a free of a live block, an
 * allocation where no block is) comes next, for in the program each address
 * was given and taken in turn. When none fits, the one whose tick ends first
 * comes next. So the order of one address's events is exact unless three of
 * them fall into one tick.
 *
 * Nothing here allocates or calls out but to the functions it is given.
 */
#ifndef MEMTRACE_MERGE_H
#define MEMTRACE_MERGE_H

#include <stddef.h>

#include <memtrace/model.h>

/* A thread's events, as far as they are decoded. */
struct mt_source {
	const struct mt_event *event;
	uint32_t at, count; /* the next one of `event`, and their end */
	uint64_t tick;	    /* clock units - 1 that an event's time covers */
	uint32_t thread;    /* its order among the others */
};

/* A thread in the heap of threads. */
struct mt_merge_entry {
	uint64_t time; /* no event of the thread is before */
	struct mt_source *source;
};

/* What became of a thread that was asked for more. */
enum mt_more {
	MT_MORE,      /* it has events, or its time is later than it was */
	MT_MORE_GONE, /* it has none, and never will */
	MT_MORE_WAIT, /* it has none yet */
};

struct mt_merge {
	struct mt_merge_entry *entry; /* room for all threads */
	size_t count;
	void *context;
	/*
	 * Decode the next events of a thread whose `at` is `count`, or learn
	 * before what time it has none, which is put into `*time`.
	 */
	enum mt_more (*more)(void *context, struct mt_source *s,
			     uint64_t *time);
	/* Tell whether an event may come next; asked about ties only. */
	bool (*fits)(const void *heap, const struct mt_event *e);
	const void *heap;
};

/* Events of one thread that come next, before those of any other. */
struct mt_merge_run {
	const struct mt_event *event;
	uint32_t count;
	struct mt_source *source;
};

/* Tell whether entry `a` goes before `b`. */
static inline bool mt_merge_before(const struct mt_merge_entry *a,
				   const struct mt_merge_entry *b)
{
	if (a->time != b->time)
		return a->time < b->time;
	return a->source->thread < b->source->thread;
}

/* Move the entry at `i` down to where it belongs. */
static inline void mt_merge_down(struct mt_merge *m, size_t i)
{
	struct mt_merge_entry moved = m->entry[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= m->count)
			break;
		if (child + 1 < m->count &&
		    mt_merge_before(&m->entry[child + 1], &m->entry[child]))
			child++;
		if (!mt_merge_before(&m->entry[child], &moved))
			break;
		m->entry[i] = m->entry[child];
		i = child;
	}
	m->entry[i] = moved;
}

/* Enter a thread that has no event before `time`; there must be room. */
static inline void mt_merge_add(struct mt_merge *m, struct mt_source *s,
				uint64_t time)
{
	size_t i = m->count++;
	struct mt_merge_entry added = {time, s};

	while (i && mt_merge_before(&added, &m->entry[(i - 1) / 2])) {
		m->entry[i] = m->entry[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	m->entry[i] = added;
}

/* Tell whether the next event of a thread is decoded. */
static inline bool mt_merge_is_ready(const struct mt_source *s)
{
	return s->at < s->count;
}

/* Ask the thread at `i` for more; its place changes. False: not yet. */
static inline bool mt_merge_ask(struct mt_merge *m, size_t i)
{
	struct mt_merge_entry *e = &m->entry[i];
	struct mt_source *s = e->source;
	enum mt_more more = m->more(m->context, s, &e->time);

	if (more == MT_MORE_GONE) {
		*e = m->entry[--m->count];
		/* What takes its place stood below it, but not if it was in
		 * another branch: then it belongs higher up. */
		while (i && i < m->count &&
		       mt_merge_before(&m->entry[i], &m->entry[(i - 1) / 2])) {
			struct mt_merge_entry up = m->entry[(i - 1) / 2];

			m->entry[(i - 1) / 2] = m->entry[i];
			m->entry[i] = up;
			i = (i - 1) / 2;
		}
	}
	if (i < m->count)
		mt_merge_down(m, i);
	return more != MT_MORE_WAIT;
}

/* Return the time before which no thread but the one at the top has any. */
static inline uint64_t mt_merge_others(const struct mt_merge *m)
{
	uint64_t time = UINT64_MAX;

	for (size_t i = 1; i < 3 && i < m->count; i++)
		if (m->entry[i].time < time)
			time = m->entry[i].time;
	return time;
}

/* What a search among the tied threads has found. */
struct mt_tie {
	uint64_t limit; /* the last clock value the tie covers */
	size_t ending;	/* the thread whose event is over by then */
	size_t unread;	/* a thread to be decoded first */
	size_t best;	/* the thread to go on with */
};

/* Find where the tie ends: the first clock value by which one must be over. */
static inline void mt_merge_limit_tie(const struct mt_merge *m, size_t i,
				      struct mt_tie *tie)
{
	const struct mt_merge_entry *e;
	uint64_t end;

	if (i >= m->count || m->entry[i].time > tie->limit)
		return;
	e = &m->entry[i];
	end = e->time + e->source->tick;
	if (!mt_merge_is_ready(e->source)) {
		tie->unread = i;
	} else if (end < tie->limit ||
		   (end == tie->limit &&
		    mt_merge_before(e, &m->entry[tie->ending]))) {
		tie->limit = end;
		tie->ending = i;
	}
	mt_merge_limit_tie(m, 2 * i + 1, tie);
	mt_merge_limit_tie(m, 2 * i + 2, tie);
}

/* Find the first of the tied threads whose next event fits the heap. */
static inline void mt_merge_search_tie(const struct mt_merge *m, size_t i,
				       struct mt_tie *tie)
{
	const struct mt_merge_entry *e;

	if (i >= m->count || m->entry[i].time > tie->limit)
		return;
	e = &m->entry[i];
	if ((tie->best == SIZE_MAX ||
	     mt_merge_before(e, &m->entry[tie->best])) &&
	    m->fits(m->heap, &e->source->event[e->source->at]))
		tie->best = i;
	mt_merge_search_tie(m, 2 * i + 1, tie);
	mt_merge_search_tie(m, 2 * i + 2, tie);
}

/* Hand out `n` events of the thread at `i`. */
static inline void mt_merge_take(struct mt_merge *m, size_t i, uint32_t n,
				 struct mt_merge_run *run)
{
	struct mt_source *s = m->entry[i].source;

	run->event = &s->event[s->at];
	run->count = n;
	run->source = s;
	s->at += n;
	if (mt_merge_is_ready(s)) {
		m->entry[i].time = s->event[s->at].time;
		mt_merge_down(m, i);
	}
}

/* Find which of the tied threads comes next, or (`unread`) is to be read. */
static inline struct mt_tie mt_merge_tie(const struct mt_merge *m)
{
	struct mt_tie tie = {.unread = SIZE_MAX, .best = SIZE_MAX};

	tie.limit = m->entry[0].time + m->entry[0].source->tick;
	mt_merge_limit_tie(m, 0, &tie);
	if (tie.unread == SIZE_MAX)
		mt_merge_search_tie(m, 0, &tie);
	return tie;
}

/*
 * Get the next events, at most `most` of them, valid until the next call; by
 * then the heap must have taken all of them. False: that was all, or all
 * until a thread that was to be waited for has more.
 */
static inline bool mt_merge_next(struct mt_merge *m, uint32_t most,
				 struct mt_merge_run *run)
{
	while (m->count) {
		struct mt_source *s = m->entry[0].source;
		uint64_t others;
		uint32_t n = s->at, end;

		if (!mt_merge_is_ready(s)) {
			if (!mt_merge_ask(m, 0) && m->entry[0].source == s)
				return false;
			continue;
		}
		end = s->count - n > most ? n + most : s->count;
		others = mt_merge_others(m);
		if (others == UINT64_MAX)
			n = end;
		while (n < end && s->event[n].time + s->tick < others)
			n++;
		if (n > s->at) {
			mt_merge_take(m, 0, n - s->at, run);
			return true;
		}

		struct mt_tie tie = mt_merge_tie(m);

		if (tie.unread == SIZE_MAX) {
			mt_merge_take(
				m, tie.best == SIZE_MAX ? tie.ending : tie.best,
				1, run);
			return true;
		}
		s = m->entry[tie.unread].source;
		if (!mt_merge_ask(m, tie.unread) &&
		    mt_merge_tie(m).unread != SIZE_MAX)
			return false;
	}
	return false;
}

#endif
