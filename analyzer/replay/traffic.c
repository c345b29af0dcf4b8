/* SPDX-License-Identifier: MIT */
/* Sums per thread and per pair of threads; see traffic.h. */
#include "traffic.h"

#include <stdlib.h>

#include "util.h"

/* Return the pair of an allocating and a freeing thread. */
static struct traffic_pair *find_pair(struct traffic *f, uint32_t allocator,
				      uint32_t freer)
{
	bool fresh;
	uint64_t *at =
		map_put(&f->pair_of, (uint64_t)allocator << 32 | freer, &fresh);

	if (fresh) {
		*at = f->pair_count;
		f->pair = util_grow(f->pair, f->pair_count, &f->pair_room,
				    sizeof(*f->pair));
		f->pair[f->pair_count++] = (struct traffic_pair){
			.allocator = allocator,
			.freer = freer,
		};
	}
	return &f->pair[*at];
}

/* Count a block as live. */
static void enter(struct traffic_thread *t, const struct estimate *n)
{
	t->live_blocks += n->blocks;
	t->live_bytes += n->bytes;
	spread_add(&t->live, &n->spread);
	if (t->live_bytes > t->peak_bytes) {
		t->peak_bytes = t->live_bytes;
		t->peak = t->live;
	}
}

static void begins(void *context, struct heap_block *b,
		   const struct replay_event *e, const struct heap_block *from)
{
	struct traffic *f = context;
	struct traffic_thread *t = &f->thread[b->thread];
	struct estimate n = estimate_of(f->trace, b);

	(void)e;
	(void)from;
	t->allocations += n.blocks;
	t->allocated_bytes += n.bytes;
	spread_add(&t->allocated, &n.spread);
	enter(t, &n);
}

/* A block from before the history: nobody's allocation in it. */
static void carries(void *context, struct heap_block *b,
		    const struct replay_event *e)
{
	struct traffic *f = context;
	struct estimate n = estimate_of(f->trace, b);

	(void)e;
	enter(&f->thread[b->thread], &n);
}

/* Add a free to its thread and its pair. */
static void count_free(struct traffic *f, const struct estimate *n,
		       uint32_t allocator, uint32_t freer)
{
	struct traffic_pair *p = find_pair(f, allocator, freer);
	struct traffic_thread *t = &f->thread[freer];

	t->frees += n->blocks;
	t->freed_bytes += n->bytes;
	doubt_add(&t->freed, n->spread.blocks, 1);
	p->blocks += n->blocks;
	p->bytes += n->bytes;
	spread_add(&p->spread, &n->spread);
}

/* Take a free back. */
static void take_back(struct traffic *f, const struct estimate *n,
		      uint32_t allocator, uint32_t freer)
{
	struct traffic_pair *p = find_pair(f, allocator, freer);
	struct traffic_thread *t = &f->thread[freer];

	t->frees -= n->blocks;
	t->freed_bytes -= n->bytes;
	doubt_add(&t->freed, n->spread.blocks, -1);
	p->blocks -= n->blocks;
	p->bytes -= n->bytes;
	spread_subtract(&p->spread, &n->spread);
}

/* Nobody is known to have freed a block whose free was lost. */
static void ends(void *context, const struct heap_block *b,
		 const struct replay_event *e, enum replay_end why,
		 bool temporary)
{
	struct traffic *f = context;
	struct traffic_thread *t = &f->thread[b->thread];
	struct estimate n = estimate_of(f->trace, b);

	(void)temporary;
	t->live_blocks -= n.blocks;
	t->live_bytes -= n.bytes;
	spread_subtract(&t->live, &n.spread);
	if (why != REPLAY_LOST)
		count_free(f, &n, b->thread, e->thread);
}

static void resumes(void *context, const struct heap_block *b,
		    const struct replay_event *e)
{
	struct traffic *f = context;
	struct estimate n = estimate_of(f->trace, b);

	enter(&f->thread[b->thread], &n);
	take_back(f, &n, b->thread, e->thread);
}

void traffic_begin(struct traffic *f, const struct trace *t)
{
	*f = (struct traffic){
		.trace = t,
		.thread = util_alloc(t->thread_count, sizeof(*f->thread)),
		.thread_count = t->thread_count,
	};
}

struct replay_listener traffic_listener(struct traffic *f)
{
	return (struct replay_listener){
		.context = f,
		.begins = begins,
		.ends = ends,
		.resumes = resumes,
		.carries = carries,
	};
}

void traffic_free(struct traffic *f)
{
	free(f->thread);
	free(f->pair);
	map_free(&f->pair_of);
	*f = (struct traffic){0};
}
