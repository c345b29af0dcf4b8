/* SPDX-License-Identifier: MIT */
/* All threads' events in the order of time; see merge.h. */
#include "merge.h"

#include <stdlib.h>

/*
 * Decode the next batch of a thread, or learn when its next segment begins, or
 * drop it.
 */
static enum mt_more more(void *context, struct mt_source *s, uint64_t *time)
{
	struct merge *m = context;
	struct cursor *c = (struct cursor *)s;
	bool was_open = c->work;

	if (!was_open && !cursor_open(m->trace, c, &m->pool))
		return MT_MORE_GONE;
	if (cursor_fill(m->trace, c, &m->pool))
		*time = s->event[s->at].time;
	else if (!cursor_next_time(c, time))
		return MT_MORE_GONE;
	return MT_MORE;
}

void merge_init(struct merge *m, struct trace *t, merge_fits *fits,
		const void *heap)
{
	*m = (struct merge){
		.trace = t,
		.threads = {.context = m,
			    .more = more,
			    .fits = fits,
			    .heap = heap},
		.cursors = util_alloc(t->thread_count, sizeof(*m->cursors)),
	};
	m->threads.entry =
		util_alloc(t->thread_count, sizeof(*m->threads.entry));
	for (size_t i = 0; i < t->thread_count; i++) {
		struct cursor *c = &m->cursors[i];
		uint64_t time;

		c->thread = &t->threads[i];
		c->done = t->threads[i].folded;
		c->source.thread = (uint32_t)i;
		if (cursor_next_time(c, &time))
			mt_merge_add(&m->threads, &c->source, time);
	}
}

bool merge_next(struct merge *m, struct merge_run *run)
{
	const struct cursor *c;
	struct mt_merge_run next;

	if (!mt_merge_next(&m->threads, UINT32_MAX, &next))
		return false;
	c = (const struct cursor *)next.source;
	run->number = c->done - next.source->count +
		      (uint64_t)(next.event - next.source->event);
	run->event = next.event;
	run->count = next.count;
	run->thread = next.source->thread;
	run->tick = next.source->tick;
	return true;
}

void merge_free(struct merge *m)
{
	for (size_t i = 0; i < m->threads.count; i++) {
		struct cursor *c = (struct cursor *)m->threads.entry[i].source;

		if (c->work) {
			c->work->next = m->pool.free;
			m->pool.free = c->work;
		}
	}
	cursor_pool_free(&m->pool);
	free(m->cursors);
	free(m->threads.entry);
}
