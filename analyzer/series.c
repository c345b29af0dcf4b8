/* SPDX-License-Identifier: MIT */
/* The heap over time; see series.h. */
#include "series.h"

#include <stdlib.h>

void series_begin(struct series *t, uint64_t from, uint64_t to, size_t count)
{
	*t = (struct series){
		.at = util_alloc(count, sizeof(*t->at)),
		.count = count,
		.from = from,
		.to = to > from ? to : from + 1,
	};
}

/* Return the bucket of a clock value. */
static size_t bucket_of(const struct series *t, uint64_t clock)
{
	unsigned __int128 at = clock > t->from ? clock - t->from : 0;
	uint64_t i = (uint64_t)(at * t->count / (t->to - t->from));

	return i < t->count ? i : t->count - 1;
}

/* Take note of what is live, as the most of the open bucket. */
static void note_live(struct series *t, uint64_t clock)
{
	struct series_bucket *b = &t->at[t->open];

	b->last_bytes = t->live_bytes;
	b->last_blocks = t->live_blocks;
	if (t->live_bytes > b->max_bytes)
		b->max_bytes = t->live_bytes;
	if (t->live_blocks > b->max_blocks)
		b->max_blocks = t->live_blocks;
	if (t->live_bytes > t->peak_bytes && clock >= t->from) {
		t->peak_bytes = t->live_bytes;
		t->peak_blocks = t->live_blocks;
		t->peak_clock = clock;
	}
}

/* Open the bucket of a clock value; those before it have what is live. */
static struct series_bucket *open_bucket(struct series *t, uint64_t clock)
{
	size_t i = bucket_of(t, clock);

	while (t->open < i) {
		t->open++;
		note_live(t, clock);
	}
	return &t->at[t->open];
}

static void begins(void *context, struct heap_block *b,
		   const struct replay_event *e, const struct heap_block *from)
{
	struct series *t = context;
	struct series_bucket *bucket = open_bucket(t, e->event->time);

	(void)from;
	if (e->event->time >= t->from) {
		bucket->allocations++;
		bucket->allocated_bytes += b->size;
	}
	t->live_bytes += b->size;
	t->live_blocks++;
	note_live(t, e->event->time);
}

static void ends(void *context, const struct heap_block *b,
		 const struct replay_event *e, enum replay_end why,
		 bool temporary)
{
	struct series *t = context;
	struct series_bucket *bucket = open_bucket(t, e->event->time);

	(void)why;
	(void)temporary;
	bucket->frees += e->event->time >= t->from;
	t->live_bytes -= b->size;
	t->live_blocks--;
	/* Before the span only what it begins with counts. */
	if (e->event->time < t->from)
		t->at[0].max_bytes = t->at[0].max_blocks = 0;
	note_live(t, e->event->time);
}

static void resumes(void *context, const struct heap_block *b,
		    const struct replay_event *e)
{
	struct series *t = context;
	struct series_bucket *bucket = open_bucket(t, e->event->time);

	if (bucket->frees)
		bucket->frees--;
	t->live_bytes += b->size;
	t->live_blocks++;
	note_live(t, e->event->time);
}

struct replay_listener series_listener(struct series *t)
{
	return (struct replay_listener){
		.context = t,
		.begins = begins,
		.ends = ends,
		.resumes = resumes,
	};
}

void series_end(struct series *t)
{
	while (t->open + 1 < t->count) {
		t->open++;
		note_live(t, t->to);
	}
}

void series_free(struct series *t)
{
	free(t->at);
	*t = (struct series){0};
}
