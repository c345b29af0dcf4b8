/* SPDX-License-Identifier: MIT */
/*
 * A thread's events in order: open a segment, decode it batch by batch.
 */
#include "cursor.h"

#include <stdlib.h>

/* Take what a segment needs from the pool. */
static struct cursor_work *take_work(struct cursor_pool *pool)
{
	struct cursor_work *w = pool->free;

	if (w)
		pool->free = w->next;
	else
		w = util_alloc(1, sizeof(*w));
	return w;
}

/* Close the open segment. */
static void close_segment(struct trace *t, struct cursor *c,
			  struct cursor_pool *pool)
{
	trace_forget(t, &c->thread->segments.at[c->segment++]);
	c->work->next = pool->free;
	pool->free = c->work;
	c->work = NULL;
	c->left = 0;
}

/* Decode up to `n` events into the batch; return how many were sound. */
static uint32_t decode(struct cursor *c, unsigned int shift, uint32_t n)
{
	struct mt_columns columns = c->columns;
	struct mt_model *m = &c->work->model;
	struct mt_event *e = c->work->event;
	uint32_t i;

	for (i = 0; i < n; i++)
		if (!mt_decode(m, &columns, shift, &e[i]))
			break;
	c->columns = columns;
	return i;
}

bool cursor_fill(struct trace *t, struct cursor *c, struct cursor_pool *pool)
{
	while (c->work) {
		struct trace_segment *s = &c->thread->segments.at[c->segment];
		uint64_t number = s->first + (s->count - c->left);
		uint32_t n = c->left < CURSOR_BATCH ? c->left : CURSOR_BATCH;

		c->source.count = decode(c, s->tick_shift, n);
		c->left -= c->source.count;
		c->source.at = 0;
		if (c->source.count < n) {
			trace_note_missing(t, s, c->left,
					   "events do not decode");
			c->left = 0;
		}
		/* Those that an earlier segment had already. */
		while (c->source.at < c->source.count &&
		       number + c->source.at < c->done)
			c->source.at++;
		if (c->source.at < c->source.count) {
			c->done = number + c->source.count;
			return true;
		}
		if (!c->left)
			close_segment(t, c, pool);
	}
	return false;
}

/*
 * Note the events that should be in front of a segment but are nowhere: the
 * recorder could not write them and counted them as lost, or this is damage.
 */
static void note_gap(struct trace *t, struct cursor *c,
		     const struct trace_segment *s)
{
	uint64_t gap = s->first > c->done ? s->first - c->done : 0;
	uint64_t told = t->lost.events - t->lost_found;

	if (told > gap)
		told = gap;
	t->lost_found += told;
	if (gap > told)
		trace_note_missing(t, s, gap - told,
				   "events before this segment are gone");
}

bool cursor_open(struct trace *t, struct cursor *c, struct cursor_pool *pool)
{
	struct trace_segments *list = &c->thread->segments;

	for (; c->segment < list->count; c->segment++) {
		struct trace_segment *s = &list->at[c->segment];
		uint64_t end;

		if (__builtin_add_overflow(s->first, s->count, &end) ||
		    end <= c->done)
			continue;
		note_gap(t, c, s);
		c->work = take_work(pool);
		c->source.event = c->work->event;
		if (trace_read_columns(t, s, &c->work->buffer, &c->columns)) {
			trace_note_missing(t, s, s->count, "damaged segment");
			c->done = end;
			c->work->next = pool->free;
			pool->free = c->work;
			c->work = NULL;
			continue;
		}
		mt_model_reset(&c->work->model, s->base_time >> s->tick_shift);
		c->left = s->count;
		c->source.tick = (1ull << s->tick_shift) - 1;
		return true;
	}
	return false;
}

bool cursor_next_time(const struct cursor *c, uint64_t *time)
{
	if (c->segment >= c->thread->segments.count)
		return false;
	*time = c->thread->segments.at[c->segment].base_time;
	return true;
}

void cursor_pool_free(struct cursor_pool *pool)
{
	struct cursor_work *w;

	while ((w = pool->free)) {
		pool->free = w->next;
		free(w->buffer.bytes);
		free(w);
	}
}
