/* SPDX-License-Identifier: MIT */
/* What is live and new of threads and sizes; see tally.h. */
#include "tally.h"

#include <stdlib.h>
#include <string.h>

static struct tally_row *size_row(struct tally *t, uint64_t size)
{
	return &t->size[size > 1 ? 64 - __builtin_clzll(size - 1) : 0];
}

static struct tally_row *thread_row(struct tally *t, uint32_t place)
{
	uint32_t index = t->trace->threads[place].index;
	bool fresh;
	uint64_t *at = map_put(&t->thread_of, index, &fresh);

	if (fresh) {
		*at = t->threads;
		t->thread = util_grow(t->thread, t->threads, &t->thread_room,
				      sizeof(*t->thread));
		t->index = util_grow(t->index, t->threads, &t->index_room,
				     sizeof(*t->index));
		t->index[t->threads] = index;
		t->thread[t->threads++] = (struct tally_row){0};
	}
	return &t->thread[*at];
}

/* Count a block in or out. */
static void count(struct tally *t, const struct heap_block *b, int64_t sign)
{
	struct tally_row *row[] = {size_row(t, b->size),
				   thread_row(t, b->thread)};

	for (int i = 0; i < 2; i++) {
		row[i]->live_bytes += b->size * (uint64_t)sign;
		row[i]->live_blocks += (uint64_t)sign;
	}
}

static void begins(void *context, struct heap_block *b,
		   const struct replay_event *e, const struct heap_block *from)
{
	struct tally *t = context;

	(void)from;
	count(t, b, 1);
	if (e->event->time < t->since)
		return;
	size_row(t, b->size)->allocations++;
	thread_row(t, b->thread)->allocations++;
}

static void ends(void *context, const struct heap_block *b,
		 const struct replay_event *e, enum replay_end why,
		 bool temporary)
{
	struct tally *t = context;

	(void)why;
	count(t, b, -1);
	if (e->event->time < t->since || !temporary)
		return;
	size_row(t, b->size)->temporary++;
	thread_row(t, b->thread)->temporary++;
}

static void resumes(void *context, const struct heap_block *b,
		    const struct replay_event *e)
{
	(void)e;
	count(context, b, 1);
}

static void carries(void *context, struct heap_block *b,
		    const struct replay_event *e)
{
	(void)e;
	count(context, b, 1);
}

struct replay_listener tally_begin(struct tally *t, const struct trace *trace)
{
	t->trace = trace;
	return (struct replay_listener){
		.context = t,
		.begins = begins,
		.ends = ends,
		.resumes = resumes,
		.carries = carries,
	};
}

/* Begin to count what is new. */
static void renew(struct tally_row *row, size_t n)
{
	for (size_t i = 0; i < n; i++)
		row[i].allocations = row[i].temporary = 0;
}

void tally_move(struct tally *t, const struct trace *trace, uint64_t since)
{
	t->trace = trace;
	t->since = since;
	renew(t->size, TALLY_SIZES);
	renew(t->thread, t->threads);
}

void tally_free(struct tally *t)
{
	free(t->thread);
	free(t->index);
	map_free(&t->thread_of);
	*t = (struct tally){0};
}
