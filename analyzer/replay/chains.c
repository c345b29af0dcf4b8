/* SPDX-License-Identifier: MIT */
/* Chains of reallocs; see chains.h. */
#include "chains.h"

#include <stdlib.h>

/* Sizes that chains reached are kept to so many steps of a doubling. */
#define STEPS_LOG2 3

void chains_begin(struct chains *r, uint64_t from)
{
	*r = (struct chains){.from = from};
}

/* Return the sums of a stack, entered when it is new. */
static size_t stack_of(struct chains *r, uint32_t node)
{
	uint64_t *place = map_put(&r->stack_of, node, NULL);

	if (!*place) {
		r->at = util_grow(r->at, r->count, &r->room, sizeof(*r->at));
		r->at[r->count++] = (struct chains_stack){.node = node};
		*place = r->count;
	}
	return *place - 1;
}

/* Return the class of a size: an eighth of a doubling. */
static unsigned int class_of(uint64_t bytes)
{
	unsigned int log;

	if (bytes < 1u << STEPS_LOG2)
		return (unsigned int)bytes;
	log = 63 - (unsigned int)__builtin_clzll(bytes);
	return ((log - STEPS_LOG2 + 1) << STEPS_LOG2) +
	       (unsigned int)((bytes >> (log - STEPS_LOG2)) &
			      ((1u << STEPS_LOG2) - 1));
}

/* Return the largest size of a class. */
static uint64_t class_end(unsigned int c)
{
	unsigned int log;

	if (c < 1u << STEPS_LOG2)
		return c;
	log = (c >> STEPS_LOG2) + STEPS_LOG2 - 1;
	return (((c & ((1u << STEPS_LOG2) - 1)) + (1ull << STEPS_LOG2) + 1)
		<< (log - STEPS_LOG2)) -
	       1;
}

/* Return where it is counted how many chains of a stack reached a size. */
static uint64_t *reached(struct chains *r, size_t place, uint64_t bytes)
{
	return map_put(&r->reached, (uint64_t)place << 10 | class_of(bytes),
		       NULL);
}

/* Count a realloc that gave `b` for `from`. */
static void count(struct chains *r, size_t place, const struct heap_block *b,
		  const struct heap_block *from, uint64_t steps)
{
	struct chains_stack *s = &r->at[place];

	s->calls++;
	if (b->address != from->address) {
		s->moved++;
		s->copied_bytes += b->size < from->size ? b->size : from->size;
	}
	if (steps > s->longest_steps)
		s->longest_steps = steps;
	if (b->size > s->largest_bytes)
		s->largest_bytes = b->size;
	++*reached(r, place, b->size);
}

/* Keep a block's chain with it. */
static void keep(struct chains *r, struct heap_block *b, struct chain chain)
{
	uint32_t i = slots_take(&r->slots);

	r->chain = util_grow(r->chain, i, &r->chain_room, sizeof(*r->chain));
	r->chain[i] = chain;
	b->owner = i + 1;
}

static void begins(void *context, struct heap_block *b,
		   const struct replay_event *e, const struct heap_block *from)
{
	struct chains *r = context;
	struct chain before = {0};
	size_t place;

	if (!from)
		return;
	if (from->owner)
		before = r->chain[from->owner - 1];
	place = stack_of(r, e->event->stack);
	/* The chain went on: the size before was not where it ended. */
	if (before.steps)
		--*reached(r, before.place, from->size);
	if (b->born < r->from)
		return;
	count(r, place, b, from, before.steps + 1);
	keep(r, b, (struct chain){before.steps + 1, place});
}

static void ends(void *context, const struct heap_block *b,
		 const struct replay_event *e, enum replay_end why,
		 bool temporary)
{
	struct chains *r = context;

	(void)temporary;
	if (b->owner)
		slots_end(&r->slots, b->owner - 1, e->thread,
			  why == REPLAY_REALLOCATED);
}

static void resumes(void *context, const struct heap_block *b,
		    const struct replay_event *e)
{
	struct chains *r = context;

	if (b->owner)
		slots_resume(&r->slots, e->thread);
}

struct replay_listener chains_listener(struct chains *r)
{
	return (struct replay_listener){
		.context = r,
		.begins = begins,
		.ends = ends,
		.resumes = resumes,
	};
}

/* Work out what would have been enough for nine of ten chains. */
static uint64_t enough(struct chains *r, size_t place)
{
	uint64_t all = 0, sum = 0, *n;
	unsigned int c = 0;

	for (unsigned int i = 0; i < 1u << 10; i++) {
		n = map_get(&r->reached, (uint64_t)place << 10 | i);
		all += n ? *n : 0;
	}
	for (; c + 1 < 1u << 10; c++) {
		n = map_get(&r->reached, (uint64_t)place << 10 | c);
		sum += n ? *n : 0;
		if (sum * 10 >= all * 9)
			break;
	}
	return class_end(c);
}

void chains_end(struct chains *r)
{
	for (size_t i = 0; i < r->count; i++) {
		struct chains_stack *s = &r->at[i];
		uint64_t bytes = enough(r, i);

		s->reserve_bytes =
			bytes < s->largest_bytes ? bytes : s->largest_bytes;
	}
}

void chains_free(struct chains *r)
{
	map_free(&r->stack_of);
	slots_free(&r->slots);
	free(r->chain);
	map_free(&r->reached);
	free(r->at);
	*r = (struct chains){0};
}
