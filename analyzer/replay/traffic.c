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
static void enter(struct traffic_thread *t, const struct heap_block *b)
{
	t->live_blocks++;
	t->live_bytes += b->size;
	if (t->live_bytes > t->peak_bytes)
		t->peak_bytes = t->live_bytes;
}

static void begins(void *context, struct heap_block *b,
		   const struct replay_event *e, const struct heap_block *from)
{
	struct traffic *f = context;
	struct traffic_thread *t = &f->thread[b->thread];

	(void)e;
	(void)from;
	t->allocations++;
	t->allocated_bytes += b->size;
	enter(t, b);
}

/* A block from before the history: nobody's allocation in it. */
static void carries(void *context, struct heap_block *b,
		    const struct replay_event *e)
{
	struct traffic *f = context;

	(void)e;
	enter(&f->thread[b->thread], b);
}

/* Add a free, or with -1 take it back, to its thread and its pair. */
static void count_free(struct traffic *f, const struct heap_block *b,
		       uint32_t freer, int sign)
{
	struct traffic_pair *p = find_pair(f, b->thread, freer);
	uint64_t one = (uint64_t)(int64_t)sign, bytes = one * b->size;

	f->thread[freer].frees += one;
	f->thread[freer].freed_bytes += bytes;
	p->blocks += one;
	p->bytes += bytes;
}

/* Nobody is known to have freed a block whose free was lost. */
static void ends(void *context, const struct heap_block *b,
		 const struct replay_event *e, enum replay_end why,
		 bool temporary)
{
	struct traffic *f = context;

	(void)temporary;
	f->thread[b->thread].live_blocks--;
	f->thread[b->thread].live_bytes -= b->size;
	if (why != REPLAY_LOST)
		count_free(f, b, e->thread, 1);
}

static void resumes(void *context, const struct heap_block *b,
		    const struct replay_event *e)
{
	struct traffic *f = context;

	enter(&f->thread[b->thread], b);
	count_free(f, b, e->thread, -1);
}

void traffic_begin(struct traffic *f, size_t thread_count)
{
	*f = (struct traffic){
		.thread = util_alloc(thread_count, sizeof(*f->thread)),
		.thread_count = thread_count,
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
