/* SPDX-License-Identifier: MIT */
/*
 * A behaviour as a bounded trace has it: the first part of the run is folded
 * into what a heap image keeps of it, the rest is history.
 */
#ifndef TESTS_FOLDED_H
#define TESTS_FOLDED_H

#include "behaviours.h"
#include "map.h"

struct folded_block {
	struct heap_block block;
	uint64_t before; /* bytes that had been allocated */
};

struct folded {
	struct growth *growth;
	struct replay_listener to;
	uint64_t bytes, until; /* allocated, and where the history begins */
	bool over;	       /* it has begun */
	struct map live;       /* address -> number in `block`, plus 1 */
	struct folded_block *block;
	size_t count, room;
	uint64_t births[NODES], frees[NODES], lifetimes[NODES];
};

/* The history begins. */
static inline void folded_go_on(struct folded *f, uint64_t clock)
{
	growth_carry(f->growth, f->bytes, clock);
	for (uint32_t i = 0; i < NODES; i++)
		growth_carry_row(f->growth, i, f->births[i], f->frees[i],
				 f->lifetimes[i]);
	for (size_t i = 0; i < f->live.slots; i++) {
		const struct map_entry *entry = &f->live.entry[i];

		if (!entry->used || !entry->value)
			continue;

		struct folded_block *b = &f->block[entry->value - 1];
		struct mt_event event = {.time = b->block.born,
					 .stack = b->block.owner};
		struct replay_event e = {.event = &event, .before = b->before};

		f->to.carries(f->growth, &b->block, &e);
	}
	f->over = true;
}

static inline void folded_begins(void *context, struct heap_block *b,
				 const struct replay_event *e,
				 const struct heap_block *from)
{
	struct folded *f = context;
	uint32_t node = e->event->stack;

	if (!f->over && f->bytes >= f->until)
		folded_go_on(f, e->event->time);
	if (f->over) {
		f->to.begins(f->growth, b, e, from);
		return;
	}
	b->owner = node;
	f->block = util_grow(f->block, f->count, &f->room, sizeof(*f->block));
	f->block[f->count++] = (struct folded_block){*b, f->bytes};
	*map_put(&f->live, b->address, NULL) = f->count;
	f->bytes += b->size;
	f->births[node]++;
}

static inline void folded_ends(void *context, const struct heap_block *b,
			       const struct replay_event *e,
			       enum replay_end why, bool temporary)
{
	struct folded *f = context;

	if (f->over) {
		f->to.ends(f->growth, b, e, why, temporary);
		return;
	}
	*map_put(&f->live, b->address, NULL) = 0;
	f->frees[b->owner]++;
	f->lifetimes[b->owner] += e->event->time - b->born;
}

static inline void folded_left(void *context, const struct heap_block *b)
{
	struct folded *f = context;

	f->to.left(f->growth, b);
}

/* behaviour_measure(), of which a share of what is allocated is folded. */
static inline void folded_measure(const struct behaviour *b, uint64_t seed,
				  double share, struct growth *g)
{
	uint64_t sum = behaviour_run(b, seed, NULL);
	struct folded f = {
		.growth = g,
		.to = growth_listener(g),
		.until = (uint64_t)(share * (double)sum),
	};
	struct replay_listener l = {
		.context = &f,
		.begins = folded_begins,
		.ends = folded_ends,
		.left = folded_left,
	};

	growth_begin(g, 0, sum, NODES, behaviour_site, NULL);
	behaviour_run(b, seed, &l);
	growth_end(g, false);
	map_free(&f.live);
	free(f.block);
}

#endif
