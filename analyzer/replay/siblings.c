/* SPDX-License-Identifier: MIT */
/* The freed siblings of leaked blocks; see siblings.h. */
#include "siblings.h"

#include <stdlib.h>

/* Return the bucket of a span: its leading one and the three bits behind. */
static unsigned int bucket_of(uint64_t span)
{
	unsigned int top;

	if (span < 8)
		return (unsigned int)span;
	top = 63 - (unsigned int)__builtin_clzll(span);
	return (top - 2) * 8 + (span >> (top - 3) & 7);
}

/* Return the first span that is above a bucket. */
static uint64_t bound_of(unsigned int bucket)
{
	if (bucket < 8)
		return bucket + 1;
	return (uint64_t)(bucket % 8 + 9) << (bucket / 8 - 1);
}

static void begins(void *context, struct heap_block *b,
		   const struct replay_event *e, const struct heap_block *from)
{
	const struct siblings *s = context;
	uint32_t node = e->event->stack;

	(void)from;
	b->owner = node < s->node_count ? s->site_of[node] : 0;
}

static void ends(void *context, const struct heap_block *b,
		 const struct replay_event *e, enum replay_end why,
		 bool temporary)
{
	struct siblings *s = context;

	(void)temporary;
	if (!b->owner || why == REPLAY_LOST)
		return;
	s->at[b->owner - 1].freed++;
	s->at[b->owner - 1].lived[bucket_of(e->event->time - b->born)]++;
}

/* Take the end of a block back. */
static void resumes(void *context, const struct heap_block *b,
		    const struct replay_event *e)
{
	struct siblings *s = context;

	if (!b->owner)
		return;
	s->at[b->owner - 1].freed--;
	s->at[b->owner - 1].lived[bucket_of(e->ended - b->born)]--;
}

void siblings_run(struct siblings *s, struct trace *t, const uint32_t *site_of,
		  size_t count, replay_progress *progress)
{
	const struct replay_listener l = {
		.context = s,
		.begins = begins,
		.ends = ends,
		.resumes = resumes,
	};
	struct replay r;

	*s = (struct siblings){
		.at = util_alloc(count, sizeof(*s->at)),
		.site_of = site_of,
		.node_count = t->node_count,
	};
	replay_run(&r, t, UINT64_MAX, &l, 1, progress);
	replay_free(&r);
}

uint64_t siblings_median(const struct siblings *s, size_t site)
{
	const struct siblings_site *at = &s->at[site];
	uint64_t sum = 0;

	for (unsigned int i = 0; i < SIBLINGS_BUCKETS && at->freed; i++) {
		sum += at->lived[i];
		if (sum * 2 >= at->freed)
			return bound_of(i);
	}
	return 0;
}

void siblings_free(struct siblings *s)
{
	free(s->at);
	*s = (struct siblings){0};
}
