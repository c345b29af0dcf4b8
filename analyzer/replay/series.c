/* SPDX-License-Identifier: MIT */
/* The heap over time; see series.h. */
#include "series.h"

#include <stdlib.h>

#include "image.h"

void series_begin(struct series *t, const struct trace *trace, uint64_t from,
		  uint64_t to, size_t count)
{
	*t = (struct series){
		.trace = trace,
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

/* Return the first clock value of a bucket. */
static uint64_t bucket_start(const struct series *t, size_t i)
{
	unsigned __int128 at = (unsigned __int128)i * (t->to - t->from);

	return t->from + (uint64_t)((at + t->count - 1) / t->count);
}

/* Take note of what is live, as the most of the open bucket. */
static void note_live(struct series *t, uint64_t clock)
{
	struct series_bucket *b = &t->at[t->open];

	b->last_bytes = t->live_bytes;
	b->last_blocks = t->live_blocks;
	b->last = t->live_spread;
	if (t->live_bytes > b->max_bytes) {
		b->max_bytes = t->live_bytes;
		b->most.bytes = t->live_spread.bytes;
	}
	if (t->live_blocks > b->max_blocks) {
		b->max_blocks = t->live_blocks;
		b->most.blocks = t->live_spread.blocks;
	}
	if (t->live_bytes > t->peak_bytes && clock >= t->from) {
		t->peak_bytes = t->live_bytes;
		t->peak_blocks = t->live_blocks;
		t->peak_spread = t->live_spread;
		t->peak_clock = clock;
	}
}

/* Take note that a block is live. */
static void add_live(struct series *t, const struct estimate *n, uint64_t clock)
{
	t->live_bytes += n->bytes;
	t->live_blocks += n->blocks;
	spread_add(&t->live_spread, &n->spread);
	note_live(t, clock);
}

/* Open the bucket of a clock value; those before it have what is live. */
static void open_later(struct series *t, uint64_t clock)
{
	size_t i = bucket_of(t, clock);

	while (t->open < i) {
		t->open++;
		note_live(t, clock);
	}
	t->open_until = i + 1 < t->count ? bucket_start(t, i + 1) : UINT64_MAX;
}

/* Return the bucket of an event: most are in the open one. */
static inline struct series_bucket *open_bucket(struct series *t,
						uint64_t clock)
{
	if (clock >= t->open_until)
		open_later(t, clock);
	return &t->at[t->open];
}

static void begins(void *context, struct heap_block *b,
		   const struct replay_event *e, const struct heap_block *from)
{
	struct series *t = context;
	struct series_bucket *bucket = open_bucket(t, e->event->time);
	struct estimate n = estimate_of(t->trace, b);

	(void)from;
	if (e->event->time >= t->from) {
		bucket->allocations += n.blocks;
		bucket->allocated_bytes += n.bytes;
		spread_add(&bucket->allocated, &n.spread);
	}
	add_live(t, &n, e->event->time);
}

/* A block from before the history. */
static void carries(void *context, struct heap_block *b,
		    const struct replay_event *e)
{
	struct series *t = context;
	struct estimate n = estimate_of(t->trace, b);

	(void)e;
	add_live(t, &n, t->from);
}

static void ends(void *context, const struct heap_block *b,
		 const struct replay_event *e, enum replay_end why,
		 bool temporary)
{
	struct series *t = context;
	struct series_bucket *bucket = open_bucket(t, e->event->time);
	struct estimate n = estimate_of(t->trace, b);

	(void)why;
	(void)temporary;
	if (e->event->time >= t->from) {
		bucket->frees += n.blocks;
		doubt_add(&bucket->freed, n.spread.blocks, 1);
	}
	t->live_bytes -= n.bytes;
	t->live_blocks -= n.blocks;
	spread_subtract(&t->live_spread, &n.spread);
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
	struct estimate n = estimate_of(t->trace, b);

	if (bucket->frees >= n.blocks) {
		bucket->frees -= n.blocks;
		doubt_add(&bucket->freed, n.spread.blocks, -1);
	}
	add_live(t, &n, e->event->time);
}

struct replay_listener series_listener(struct series *t)
{
	return (struct replay_listener){
		.context = t,
		.begins = begins,
		.ends = ends,
		.resumes = resumes,
		.carries = carries,
	};
}

void series_end(struct series *t)
{
	while (t->open + 1 < t->count) {
		t->open++;
		note_live(t, t->to);
	}
}

/* Part of a segment's time: [from, to) of `span` > 0. */
struct stretch {
	uint64_t from, to, span;
};

/* Return what of `n` falls into it; the parts of a whole add up to `n`. */
static uint64_t share(const struct stretch *s, uint64_t n)
{
	unsigned __int128 all = n;

	return (uint64_t)(all * s->to / s->span) -
	       (uint64_t)(all * s->from / s->span);
}

/* Add to a bucket; the live are the change in it, until all are added. */
static void add_share(struct series_bucket *b, const struct mt_segment *head,
		      const struct stretch *s)
{
	uint64_t allocations = share(s, head->allocations);
	uint64_t frees = share(s, head->frees);

	b->allocations += allocations;
	b->frees += frees;
	b->allocated_bytes += share(s, head->allocated_bytes);
	b->last_blocks += allocations - frees;
	b->last_bytes += share(s, head->allocated_usable_bytes) -
			 share(s, head->freed_usable_bytes);
}

/* Return a clock value that is in the span of the buckets. */
static uint64_t clamp(const struct series *t, uint64_t clock)
{
	return clock < t->from ? t->from : clock < t->to ? clock : t->to - 1;
}

struct index_reader {
	struct series *series;
	struct series_index *index;
};

/* A trace_entry: spread a segment over the buckets of its time. */
static void add_entry(void *context, const struct mt_segment *head,
		      const uint8_t *packed)
{
	const struct index_reader *r = context;
	struct series *t = r->series;
	uint64_t start = clamp(t, head->base_time);
	uint64_t end = clamp(t, head->last_time);
	size_t last = bucket_of(t, end > start ? end : start);
	struct stretch s = {.span = end > start ? end - start : 1};

	(void)packed;
	for (size_t i = bucket_of(t, start); i <= last; i++) {
		s.to = i == last ? s.span : bucket_start(t, i + 1) - start;
		add_share(&t->at[i], head, &s);
		s.from = s.to;
	}
	r->index->segments++;
	if (end > start && end - start > r->index->longest)
		r->index->longest = end - start;
}

/* Make the changes of what is live sums, from what was live before; none is
 * below 0. */
static void sum_up(struct series *t, uint64_t bytes, uint64_t blocks)
{
	for (size_t i = 0; i < t->count; i++) {
		struct series_bucket *b = &t->at[i];

		bytes += b->last_bytes;
		blocks += b->last_blocks;
		/* More was freed: blocks from before the recording. */
		b->last_bytes = bytes > INT64_MAX ? 0 : bytes;
		b->last_blocks = blocks > INT64_MAX ? 0 : blocks;
	}
}

void series_read_index(struct series *t, const struct trace *trace,
		       struct series_index *index)
{
	struct index_reader r = {t, index};
	uint64_t bytes = 0, blocks = 0;

	*index = (struct series_index){0};
	index->unsealed = trace_entries(trace, add_entry, &r);
	if (trace->image) {
		const struct mt_image *m = &trace->image->head;

		bytes = m->allocated_usable_bytes - m->freed_usable_bytes;
		blocks = m->allocations - m->frees;
	}
	sum_up(t, bytes, blocks);
}

void series_free(struct series *t)
{
	free(t->at);
	*t = (struct series){0};
}
