/* SPDX-License-Identifier: MIT */
/*
 * Programs that leak and programs that do not, as streams of blocks that begin
 * and end: deterministic by a seed, and each a kind of its own. A behaviour
 * serves requests; what it is known for, it allocates at SITE, the rest,
 * which is never a leak, at OTHER.
 *
 * A header, for the test and the bench.
 */
#ifndef TESTS_UNIT_BEHAVIOURS_H
#define TESTS_UNIT_BEHAVIOURS_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "growth.h"

/* Nodes; those behind SITE are of other stacks at that site. */
enum { OTHER, SITE, NODES = 100 };

#define REQUESTS 12000u
#define NONE UINT32_MAX
#define FOREVER UINT32_MAX

/* A block, and the one that is due at the same time. */
struct item {
	struct heap_block block;
	uint32_t next;
};

/* A program that runs. */
struct play {
	const struct replay_listener *to; /* NULL: only the sum is wanted */
	uint64_t random, clock, allocated_bytes, address;
	uint32_t now; /* the request that is served */
	uint32_t due[REQUESTS];
	struct item *item;
	size_t room;
	uint32_t count, unused;
	uint64_t size; /* of the blocks at SITE, about */
};

/* Return a repeatable random number below `below`. */
static inline uint32_t play_random(struct play *p, uint32_t below)
{
	p->random ^= p->random << 13;
	p->random ^= p->random >> 7;
	p->random ^= p->random << 17;
	return (uint32_t)((p->random >> 20) % below);
}

/* Return one in [0, 1). */
static inline double play_part(struct play *p)
{
	return play_random(p, 1u << 30) / (double)(1u << 30);
}

/* Tell whether something of a chance happens. */
static inline bool play_chance(struct play *p, double chance)
{
	return play_part(p) < chance;
}

/* Return a random life, in requests, of a mean. */
static inline uint32_t play_life(struct play *p, double mean)
{
	return (uint32_t)(-log(1 - play_part(p)) * mean) + 1;
}

/* Return how far the run is, from 0 to 1. */
static inline double play_done(const struct play *p)
{
	return p->now / (double)REQUESTS;
}

static inline struct replay_event play_event(struct mt_event *e, struct play *p)
{
	*e = (struct mt_event){.time = p->clock};
	return (struct replay_event){.event = e};
}

/* Tell the listener that a block begins. */
static inline void play_begin(struct play *p, struct heap_block *b,
			      unsigned int site, const struct heap_block *from)
{
	struct mt_event e;
	struct replay_event at = play_event(&e, p);

	e.stack = site;
	p->allocated_bytes += b->size;
	if (p->to)
		p->to->begins(p->to->context, b, &at, from);
}

static inline void play_end(struct play *p, const struct heap_block *b,
			    enum replay_end why)
{
	struct mt_event e;
	struct replay_event at = play_event(&e, p);

	if (p->to)
		p->to->ends(p->to->context, b, &at, why, false);
}

/* Allocate a block; returns its number. */
static inline uint32_t play_alloc(struct play *p, unsigned int site,
				  uint64_t size)
{
	uint32_t i = p->unused;

	if (i != NONE) {
		p->unused = p->item[i].next;
	} else {
		i = p->count;
		p->item = util_grow(p->item, i, &p->room, sizeof(*p->item));
		p->count++;
	}
	p->clock += 100 + play_random(p, 900);
	p->item[i] = (struct item){
		.block = {.address = p->address += 64,
			  .size = size,
			  .born = p->clock},
		.next = NONE,
	};
	play_begin(p, &p->item[i].block, site, NULL);
	return i;
}

static inline void play_free(struct play *p, uint32_t i)
{
	p->clock += 10;
	play_end(p, &p->item[i].block, REPLAY_FREED);
	p->item[i].block.address = 0;
	p->item[i].next = p->unused;
	p->unused = i;
}

static inline void play_realloc(struct play *p, uint32_t i, unsigned int site,
				uint64_t size)
{
	struct heap_block from = p->item[i].block;

	p->clock += 100;
	play_end(p, &from, REPLAY_REALLOCATED);
	p->item[i].block = (struct heap_block){
		.address = from.address, .size = size, .born = p->clock};
	play_begin(p, &p->item[i].block, site, &from);
}

/* Allocate a block at SITE of about the usual size. */
static inline uint32_t play_block(struct play *p)
{
	return play_alloc(p, SITE,
			  p->size / 2 + play_random(p, (uint32_t)p->size));
}

/* Have a block freed so many requests later. */
static inline void play_later(struct play *p, uint32_t i, uint32_t requests)
{
	uint64_t when = (uint64_t)p->now + requests;

	if (when >= REQUESTS)
		return;
	p->item[i].next = p->due[when];
	p->due[when] = i;
}

/* Allocate a block at SITE that lives for so many requests. */
static inline void play_lives(struct play *p, uint32_t requests)
{
	play_later(p, play_block(p), requests);
}

/* Serve the next request: free what is due, and do what all do. */
static inline bool play_next(struct play *p)
{
	if (++p->now == REQUESTS)
		return false;
	for (uint32_t i = p->due[p->now], next; i != NONE; i = next) {
		next = p->item[i].next;
		play_free(p, i);
	}
	p->clock += 100000 + play_random(p, 900000);
	for (uint32_t n = 1 + play_random(p, 3); n; n--)
		play_later(p, play_alloc(p, OTHER, 16 + play_random(p, 500)),
			   1 + play_random(p, 4));
	return true;
}

/* ---- Leaks. ---- */

static inline void plain_leak(struct play *p)
{
	while (play_next(p)) {
		play_lives(p, 1);
		play_block(p);
	}
}

static inline void leak_only(struct play *p)
{
	while (play_next(p))
		if (play_chance(p, 0.2))
			play_block(p);
}

static inline void slow_leak(struct play *p)
{
	while (play_next(p)) {
		play_lives(p, 2);
		if (play_chance(p, 1 / 300.0))
			play_block(p);
	}
}

static inline void one_in_a_hundred(struct play *p)
{
	while (play_next(p))
		for (int i = 0; i < 3; i++)
			play_lives(p, play_chance(p, 0.01) ? FOREVER
							   : play_life(p, 50));
}

static inline void leak_in_bursts(struct play *p)
{
	uint32_t next = play_random(p, REQUESTS / 8);

	while (play_next(p)) {
		play_lives(p, 3);
		if (p->now != next)
			continue;
		for (int i = 0; i < 60; i++)
			play_block(p);
		next += REQUESTS / 16 + play_random(p, REQUESTS / 10);
	}
}

static inline void leak_from_half_on(struct play *p)
{
	while (play_next(p)) {
		play_lives(p, 3);
		if (play_done(p) > 0.5 && play_chance(p, 0.1))
			play_block(p);
	}
}

static inline void leak_from_third_on(struct play *p)
{
	while (play_next(p)) {
		play_lives(p, 3);
		if (play_done(p) > 0.33 && play_chance(p, 0.05))
			play_block(p);
	}
}

static inline void leak_beside_sessions(struct play *p)
{
	while (play_next(p))
		play_lives(p, play_chance(p, 0.03)
				      ? FOREVER
				      : play_life(p, REQUESTS / 50.0));
}

static inline void lost_cycles(struct play *p)
{
	while (play_next(p)) {
		uint32_t life = play_chance(p, 0.02) ? FOREVER : 2;

		for (int i = 0; i < 3; i++)
			play_lives(p, life);
	}
}

static inline void listeners_stay(struct play *p)
{
	while (play_next(p)) {
		if (!play_chance(p, 0.03))
			continue;
		play_lives(p, play_life(p, REQUESTS / 20.0));
		play_block(p);
	}
}

static inline void leak_by_day(struct play *p)
{
	while (play_next(p)) {
		double day = (1 + sin(play_done(p) * 6 * 2 * M_PI)) / 2;

		play_lives(p, play_life(p, 20));
		if (play_chance(p, 0.1 * day))
			play_block(p);
	}
}

static inline void leak_beside_cache(struct play *p)
{
	while (play_next(p))
		play_lives(p, play_chance(p, 0.02)  ? FOREVER
			      : play_chance(p, 0.2) ? REQUESTS / 7
						    : 1);
}

static inline void error_paths(struct play *p)
{
	uint32_t bad = 0;

	while (play_next(p)) {
		play_lives(p, 2);
		if (play_chance(p, 1 / 400.0))
			bad = play_life(p, 20);
		if (bad && bad--)
			play_block(p);
	}
}

static inline void freed_at_exit(struct play *p)
{
	uint32_t *kept = NULL;
	size_t room = 0, count = 0;

	while (play_next(p)) {
		play_lives(p, 2);
		if (!play_chance(p, 0.1))
			continue;
		kept = util_grow(kept, count, &room, sizeof(*kept));
		kept[count++] = play_block(p);
	}
	while (count)
		play_free(p, kept[--count]);
	free(kept);
}

static inline void leak_speeds_up(struct play *p)
{
	while (play_next(p)) {
		play_lives(p, 2);
		if (play_chance(p, 0.3 * play_done(p) * play_done(p)))
			play_block(p);
	}
}

static inline void new_words(struct play *p)
{
	double words = 0;

	while (play_next(p))
		while (words < 3 * pow(p->now, 0.7)) {
			play_block(p);
			words++;
		}
}

static inline void table_of_leaks(struct play *p)
{
	uint32_t table = play_alloc(p, OTHER, 64), count = 0, has = 8;

	while (play_next(p)) {
		if (!play_chance(p, 0.1))
			continue;
		play_block(p);
		if (++count > has)
			play_realloc(p, table, OTHER, 8 * (has *= 2));
	}
}

static inline void endless_log(struct play *p)
{
	uint64_t bytes = 4096;
	uint32_t log = play_alloc(p, SITE, bytes);

	while (play_next(p))
		if (p->now % 100 == 0)
			play_realloc(p, log, SITE, bytes += 4096);
}

static inline void growing_queues(struct play *p)
{
	uint64_t bytes[20];
	uint32_t queue[20];

	for (int i = 0; i < 20; i++)
		queue[i] = play_alloc(p, SITE, bytes[i] = 256);
	while (play_next(p)) {
		uint32_t i = play_random(p, 20);

		if (play_chance(p, 0.1))
			play_realloc(p, queue[i], SITE, bytes[i] += 256);
	}
}

static inline void leak_after_startup(struct play *p)
{
	while (play_next(p)) {
		if (play_done(p) < 0.15)
			for (int i = 0; i < 5; i++)
				play_block(p);
		play_lives(p, 2);
		if (play_chance(p, 0.1))
			play_block(p);
	}
}

static inline void leak_of_old_sessions(struct play *p)
{
	while (play_next(p)) {
		uint32_t life = play_life(p, REQUESTS / 30.0);

		if (play_chance(p, 0.2))
			play_lives(p, life > REQUESTS / 15 ? FOREVER : life);
	}
}

static inline void second_thread_leaks(struct play *p)
{
	while (play_next(p)) {
		play_lives(p, 1 + play_random(p, 400));
		if (p->now % 50 < 5 && play_chance(p, 0.4))
			play_block(p);
	}
}

static inline void leak_from_two_thirds_on(struct play *p)
{
	while (play_next(p)) {
		play_lives(p, 3);
		if (play_done(p) > 0.67 && play_chance(p, 0.1))
			play_block(p);
	}
}

static inline void few_survivors(struct play *p)
{
	while (play_next(p)) {
		play_lives(p, 2);
		if (p->now % (REQUESTS / 14) == 7)
			play_block(p);
	}
}

static inline void evicts_too_little(struct play *p)
{
	while (play_next(p))
		if (play_chance(p, 0.4))
			play_lives(p, play_chance(p, 0.3)
					      ? FOREVER
					      : play_life(p, REQUESTS / 20.0));
}

static inline void leak_beside_long_ring(struct play *p)
{
	while (play_next(p))
		play_lives(p, play_chance(p, 0.05)  ? FOREVER
			      : play_chance(p, 0.1) ? REQUESTS * 35 / 100
						    : 1);
}

static inline void leak_grows_larger(struct play *p)
{
	while (play_next(p)) {
		play_lives(p, 2);
		if (play_chance(p, 0.05))
			play_alloc(p, SITE, 32 + p->now / 20);
	}
}

static inline void leak_of_grown_buffers(struct play *p)
{
	while (play_next(p)) {
		uint32_t i = play_block(p);

		play_realloc(p, i, SITE, 200);
		play_realloc(p, i, SITE, 400);
		play_later(p, i, play_chance(p, 0.03) ? FOREVER : 3);
	}
}

static inline void log_beside_requests(struct play *p)
{
	uint64_t bytes = 4096;
	uint32_t log = play_alloc(p, SITE, bytes);

	while (play_next(p)) {
		play_lives(p, 3);
		if (play_chance(p, 0.05))
			play_realloc(p, log, SITE, bytes += 4096);
	}
}

/* ---- No leaks. ---- */

static inline void steady(struct play *p)
{
	while (play_next(p))
		play_lives(p, play_life(p, 10));
}

/* Put blocks in a cache of a capacity, which throws the oldest out. */
static inline void fill_cache(struct play *p, double chance, uint32_t capacity,
			      bool randomly)
{
	uint32_t *slot = util_alloc(capacity, sizeof(*slot)), count = 0, i;

	while (play_next(p)) {
		if (!play_chance(p, chance))
			continue;
		i = randomly ? play_random(p, capacity) : count % capacity;
		if (count >= capacity)
			play_free(p, slot[i]);
		else
			i = count;
		slot[i] = play_block(p);
		count++;
	}
	free(slot);
}

static inline void lru_cache(struct play *p)
{
	fill_cache(p, 0.4, (uint32_t)(0.4 * 0.3 * REQUESTS), false);
}

static inline void slow_lru_cache(struct play *p)
{
	fill_cache(p, 0.4, (uint32_t)(0.4 * 0.65 * REQUESTS), false);
}

static inline void random_cache(struct play *p)
{
	fill_cache(p, 0.6, (uint32_t)(0.6 * 0.2 * REQUESTS), true);
}

static inline void large_random_cache(struct play *p)
{
	fill_cache(p, 0.6, (uint32_t)(0.6 * 0.4 * REQUESTS), true);
}

static inline void ring_buffer(struct play *p)
{
	fill_cache(p, 0.2, 16 + play_random(p, 200), false);
}

static inline void large_ring(struct play *p)
{
	fill_cache(p, 0.3, (uint32_t)(0.3 * 0.45 * REQUESTS), false);
}

static inline void pool_at_startup(struct play *p)
{
	uint32_t want = 2000, has = 0;

	while (play_next(p)) {
		uint32_t need = (uint32_t)(want * play_done(p) / 0.2);

		while (has < need && has < want)
			for (uint32_t n = has ? has : 8; n; n--, has++)
				play_block(p);
	}
}

static inline void pool_of_ramp(struct play *p)
{
	uint32_t has = 0;

	while (play_next(p)) {
		double load = play_done(p) < 0.6 ? play_done(p) : 0.6;

		while (has < 3000 * load)
			for (uint32_t n = has ? has : 8; n; n--, has++)
				play_block(p);
	}
}

static inline void growing_table(struct play *p)
{
	uint64_t bytes = 64;
	uint32_t table = play_alloc(p, SITE, bytes);

	while (play_next(p)) {
		double full = play_done(p) < 0.3 ? play_done(p) : 0.3;

		if (1000000 * full > (double)bytes)
			play_realloc(p, table, SITE, bytes *= 2);
	}
}

static inline void sessions(struct play *p)
{
	while (play_next(p))
		if (play_chance(p, 0.3))
			play_lives(p, play_life(p, REQUESTS * 0.1));
}

static inline void long_sessions(struct play *p)
{
	while (play_next(p))
		if (play_chance(p, 0.3))
			play_lives(p, play_life(p, REQUESTS * 0.2));
}

static inline void very_long_sessions(struct play *p)
{
	while (play_next(p))
		if (play_chance(p, 0.3))
			play_lives(p, play_life(p, REQUESTS * 0.4));
}

static inline void tailed_sessions(struct play *p)
{
	while (play_next(p))
		play_lives(p,
			   (uint32_t)fmin(REQUESTS, 20 * pow(1 - play_part(p),
							     -1 / 1.3)));
}

static inline void day_and_night(struct play *p)
{
	while (play_next(p)) {
		double day = (1 + sin(play_done(p) * 4 * 2 * M_PI)) / 2;

		for (int i = 0; i < 4; i++)
			if (play_chance(p, day))
				play_lives(p, play_life(p, 200));
	}
}

static inline void half_a_day(struct play *p)
{
	while (play_next(p)) {
		double day = (1 - cos(play_done(p) * M_PI)) / 2;

		for (int i = 0; i < 4; i++)
			if (play_chance(p, day))
				play_lives(p, play_life(p, 300));
	}
}

static inline void startup_then_steady(struct play *p)
{
	while (play_next(p)) {
		if (play_done(p) < 0.2)
			for (int i = 0; i < 5; i++)
				play_block(p);
		play_lives(p, 5);
	}
}

static inline void arenas(struct play *p)
{
	uint32_t used = 0;

	while (play_next(p)) {
		if (used++ % 20)
			continue;
		/* A chunk goes when the last of its objects does. */
		uint32_t life = 1;

		for (int i = 0; i < 20; i++) {
			uint32_t l = play_life(p, 300);

			life = l > life ? l : life;
		}
		play_lives(p, life);
	}
}

static inline void log_buffers(struct play *p)
{
	uint32_t flush = REQUESTS / 40 + play_random(p, REQUESTS / 20);

	while (play_next(p))
		play_lives(p, flush - p->now % flush);
}

static inline void memtables(struct play *p)
{
	uint32_t flush = (uint32_t)(REQUESTS * (0.2 + 0.25 * play_part(p)));

	while (play_next(p))
		if (play_chance(p, 0.5))
			play_lives(p, flush - p->now % flush);
}

static inline void phases(struct play *p)
{
	uint32_t phase = REQUESTS / 6 + play_random(p, REQUESTS / 12);

	while (play_next(p))
		if (p->now % phase < phase * 2 / 3)
			play_lives(p, phase - p->now % phase);
}

static inline void connections(struct play *p)
{
	while (play_next(p))
		if (play_done(p) < 0.25 && play_chance(p, 0.1))
			play_block(p);
}

static inline void ramping_load(struct play *p)
{
	while (play_next(p))
		for (uint32_t n = (uint32_t)(10 * play_done(p)) + 1; n; n--)
			play_lives(p, play_life(p, 40));
}

static inline void ramping_sessions(struct play *p)
{
	while (play_next(p))
		for (uint32_t n = (uint32_t)(5 * play_done(p)) + 1; n; n--)
			play_lives(p, play_life(p, REQUESTS * 0.06));
}

/* Keep one block for each key that was asked for. */
static inline void memoize(struct play *p, uint32_t keys)
{
	bool *known = util_alloc(keys, sizeof(*known));

	while (play_next(p)) {
		uint32_t key = play_random(p, keys);

		if (!known[key])
			play_block(p);
		known[key] = true;
	}
	free(known);
}

static inline void few_keys(struct play *p)
{
	memoize(p, REQUESTS / 12);
}

static inline void many_keys(struct play *p)
{
	memoize(p, REQUESTS / 5);
}

static inline void fixed_at_half(struct play *p)
{
	while (play_next(p)) {
		play_lives(p, 3);
		if (play_done(p) < 0.5 && play_chance(p, 0.2))
			play_block(p);
	}
}

static inline void fixed_late(struct play *p)
{
	while (play_next(p)) {
		play_lives(p, 3);
		if (play_done(p) < 0.7 && play_chance(p, 0.2))
			play_block(p);
	}
}

static inline void reloads(struct play *p)
{
	uint32_t every = REQUESTS / 12 + play_random(p, REQUESTS / 12);

	while (play_next(p))
		if (p->now % every == 1)
			for (int i = 0; i < 500; i++)
				play_lives(p, every);
}

static inline void rare_reloads(struct play *p)
{
	uint32_t every = (uint32_t)(REQUESTS * (0.25 + 0.2 * play_part(p)));

	while (play_next(p))
		if (p->now % every == 1)
			for (int i = 0; i < 500; i++)
				play_lives(p, every + 50);
}

static inline void steps_up(struct play *p)
{
	while (play_next(p)) {
		play_lives(p, 3);
		if (p->now == REQUESTS / 2 || p->now == REQUESTS * 3 / 4)
			for (int i = 0; i < 400; i++)
				play_block(p);
	}
}

static inline void first_uses(struct play *p)
{
	bool used[60] = {false};

	while (play_next(p)) {
		/* Zipf: the rare ones come late, or not at all. */
		uint32_t path = (uint32_t)(60 * pow(play_part(p), 3));

		if (!used[path])
			for (int i = 0; i < 5; i++)
				play_block(p);
		used[path] = true;
		play_lives(p, 2);
	}
}

static inline void time_to_live(struct play *p)
{
	while (play_next(p))
		if (play_chance(p, 0.5))
			play_lives(p, REQUESTS / 4);
}

static inline void long_time_to_live(struct play *p)
{
	while (play_next(p))
		if (play_chance(p, 0.3))
			play_lives(p, REQUESTS * 6 / 10);
}

static inline void falling_load(struct play *p)
{
	while (play_next(p))
		for (uint32_t n = (uint32_t)(6 * (1 - play_done(p))) + 1; n;
		     n--)
			play_lives(p, play_life(p, 300));
}

static inline void pool_of_records(struct play *p)
{
	uint32_t has = 0;
	double load = 0;

	while (play_next(p)) {
		load = 0.99 * load + play_part(p) - 0.5;
		while (has < 100 + 20 * load)
			play_block(p), has++;
	}
}

static inline void zipf_memo(struct play *p)
{
	bool known[1000] = {false};

	while (play_next(p)) {
		uint32_t key = (uint32_t)(1000 * pow(play_part(p), 4));

		if (!known[key])
			play_block(p);
		known[key] = true;
	}
}

static inline void collector(struct play *p)
{
	uint32_t cycle = REQUESTS / 5 + play_random(p, REQUESTS / 10);

	/* What a cycle made goes at its end, a tenth of it a cycle later. */
	while (play_next(p))
		play_lives(p, cycle - p->now % cycle +
				      (play_chance(p, 0.1) ? cycle : 0));
}

static inline void compaction(struct play *p)
{
	uint32_t cycle = REQUESTS / 6, life;

	while (play_next(p)) {
		for (life = cycle - p->now % cycle; play_chance(p, 0.5);)
			life += cycle;
		play_lives(p, life);
	}
}

static inline void late_lru(struct play *p)
{
	fill_cache(p, 0.4, (uint32_t)(0.4 * 0.8 * REQUESTS), false);
}

static inline void reallocated_buffers(struct play *p)
{
	while (play_next(p)) {
		uint32_t i = play_block(p);

		for (uint32_t n = play_random(p, 5); n; n--)
			play_realloc(p, i, SITE, p->item[i].block.size * 2);
		play_later(p, i, play_life(p, 20));
	}
}

static inline void ramping_buffers(struct play *p)
{
	while (play_next(p))
		for (uint32_t n = (uint32_t)(6 * play_done(p)) + 1; n; n--) {
			uint32_t i = play_block(p);

			play_realloc(p, i, SITE, 1000 * play_done(p) + 100);
			play_later(p, i, play_life(p, 40));
		}
}

static inline void sized_to_load(struct play *p)
{
	uint32_t table = play_alloc(p, SITE, 64);

	while (play_next(p)) {
		double day = (1 + sin(play_done(p) * 3 * 2 * M_PI)) / 2;

		if (p->now % 50 == 0)
			play_realloc(p, table, SITE,
				     64 + (uint64_t)(1e5 * day));
	}
}

static inline void workers(struct play *p)
{
	/* Threads start and end, each with buffers that live as it does. */
	while (play_next(p))
		if (p->now % (REQUESTS / 30) == 0) {
			uint32_t life = play_life(p, REQUESTS / 6.0);

			for (int i = 0; i < 20; i++)
				play_lives(p, life);
		}
}

static inline void lognormal_sessions(struct play *p)
{
	while (play_next(p)) {
		double z = sqrt(-2 * log(1 - play_part(p))) *
			   cos(2 * M_PI * play_part(p));
		double life = fmin(200 * exp(1.5 * z), REQUESTS);

		play_lives(p, (uint32_t)life + 1);
	}
}

/* A service whose load changes in kind five or six times, and each kind has
 * data of its own that stays. */
static inline void changing_load(struct play *p)
{
	uint32_t phase = REQUESTS / 6 + play_random(p, REQUESTS / 30);

	while (play_next(p)) {
		play_lives(p, 2);
		if (p->now % phase < REQUESTS / 60)
			play_alloc(p, SITE + 1 + p->now / phase, p->size);
	}
}

/* ---- Written when the rule stood; it was not changed for them. ---- */

static inline void leak_on_mondays(struct play *p)
{
	while (play_next(p)) {
		play_lives(p, play_life(p, 30));
		if (p->now % (REQUESTS / 7) < REQUESTS / 40)
			play_block(p);
	}
}

static inline void queue_outruns(struct play *p)
{
	uint32_t *queue = util_alloc(2 * REQUESTS, sizeof(*queue));
	uint32_t head = 0, tail = 0;

	while (play_next(p)) {
		queue[tail++] = play_block(p);
		if (head < tail && play_chance(p, 0.85))
			play_free(p, queue[head++]);
	}
	free(queue);
}

static inline void threads_leave_some(struct play *p)
{
	while (play_next(p)) {
		uint32_t life = play_life(p, REQUESTS / 60.0);

		if (!play_chance(p, 1 / 60.0))
			continue;
		for (int i = 0; i < 20; i++)
			play_lives(p, i < 2 ? FOREVER : life);
	}
}

static inline void some_sessions_stay(struct play *p)
{
	while (play_next(p)) {
		double z = sqrt(-2 * log(1 - play_part(p))) *
			   cos(2 * M_PI * play_part(p));

		if (play_chance(p, 0.3))
			play_lives(p, play_chance(p, 0.05)
					      ? FOREVER
					      : (uint32_t)fmin(80 * exp(z),
							       REQUESTS));
	}
}

static inline void half_is_deleted(struct play *p)
{
	while (play_next(p))
		if (play_chance(p, 0.2))
			play_lives(p, play_chance(p, 0.5)
					      ? FOREVER
					      : play_life(p, REQUESTS / 8.0));
}

static inline void three_transcripts(struct play *p)
{
	uint64_t bytes[3] = {100, 100, 100};
	uint32_t text[3];

	for (int i = 0; i < 3; i++)
		text[i] = play_alloc(p, SITE, bytes[i]);
	while (play_next(p)) {
		uint32_t i = play_random(p, 3), line = play_block(p);

		play_realloc(p, line, SITE, 600);
		play_later(p, line, 2);
		if (play_chance(p, 0.1))
			play_realloc(p, text[i], SITE,
				     bytes[i] += 40 + play_random(p, 200));
	}
}

static inline void promoted(struct play *p)
{
	while (play_next(p))
		play_lives(p, play_chance(p, 0.3)
				      ? REQUESTS / 4 + play_random(p, 300)
				      : play_life(p, 100));
}

static inline void backlog_drains(struct play *p)
{
	uint32_t *queue = util_alloc(2 * REQUESTS, sizeof(*queue));
	uint32_t head = 0, tail = 0;
	uint32_t cycle = REQUESTS / 4 + play_random(p, REQUESTS / 5);

	while (play_next(p)) {
		queue[tail++] = play_block(p);
		for (int n = p->now % cycle < cycle * 0.6 ? 0 : 4;
		     n && head < tail; n--)
			play_free(p, queue[head++]);
	}
	free(queue);
}

static inline void buffers_to_a_most(struct play *p)
{
	uint64_t bytes[50];
	uint32_t buffer[50];

	for (int i = 0; i < 50; i++)
		buffer[i] = play_alloc(p, SITE, bytes[i] = 256);
	while (play_next(p)) {
		uint32_t i = play_random(p, 50);

		if (bytes[i] < 256 * 20 && play_chance(p, 0.25))
			play_realloc(p, buffer[i], SITE, bytes[i] += 256);
	}
}

static inline void stragglers(struct play *p)
{
	while (play_next(p))
		if (p->now % 10 == 0)
			play_lives(p, play_chance(p, 0.2)
					      ? REQUESTS * 15 / 100
					      : 20 + play_life(p, 50));
}

static inline void loads_to_40(struct play *p)
{
	while (play_next(p)) {
		play_lives(p, 3);
		if (play_done(p) < 0.4 && play_chance(p, 0.3))
			play_block(p);
	}
}

static inline void levels(struct play *p)
{
	/* Each level is merged into the next, four times as large. */
	while (play_next(p)) {
		uint32_t size = REQUESTS / 128;

		while (size < REQUESTS / 3 && play_chance(p, 0.5))
			size *= 4;
		play_lives(p, size - p->now % size);
	}
}

static inline void sawteeth(struct play *p)
{
	uint32_t end = 0;

	while (play_next(p)) {
		if (p->now >= end)
			end = p->now + REQUESTS / 33 +
			      play_random(p, REQUESTS / 6);
		play_lives(p, end - p->now);
	}
}

/* ---- All of them. ---- */

static const struct behaviour {
	const char *name;
	void (*run)(struct play *p);
	bool leaks;
	bool is_new; /* the rule was not tuned on it */
} behaviours[] = {
	{"plain leak", plain_leak, true, false},
	{"leak and nothing else", leak_only, true, false},
	{"slow leak", slow_leak, true, false},
	{"one block in a hundred", one_in_a_hundred, true, false},
	{"leak in bursts", leak_in_bursts, true, false},
	{"leak from half on", leak_from_half_on, true, false},
	{"leak from a third on", leak_from_third_on, true, false},
	{"leak beside sessions", leak_beside_sessions, true, false},
	{"lost cycles", lost_cycles, true, false},
	{"listeners stay", listeners_stay, true, false},
	{"leak by day", leak_by_day, true, false},
	{"leak beside a cache", leak_beside_cache, true, false},
	{"error paths", error_paths, true, false},
	{"freed at exit", freed_at_exit, true, false},
	{"leak speeds up", leak_speeds_up, true, false},
	{"new words, n^0.7", new_words, true, false},
	{"table of leaks", table_of_leaks, true, false},
	{"endless log, one block", endless_log, true, false},
	{"growing queues, 20 blocks", growing_queues, true, false},
	{"leak after startup", leak_after_startup, true, false},
	{"leak of old sessions", leak_of_old_sessions, true, false},
	{"second thread leaks", second_thread_leaks, true, false},
	{"leak from two thirds on", leak_from_two_thirds_on, true, false},
	{"14 blocks in all", few_survivors, true, false},
	{"evicts too little", evicts_too_little, true, false},
	{"leak beside a ring of 35 %", leak_beside_long_ring, true, false},
	{"leak of larger blocks", leak_grows_larger, true, false},
	{"leak of grown buffers", leak_of_grown_buffers, true, false},
	{"endless log at the site", log_beside_requests, true, false},

	{"steady", steady, false, false},
	{"LRU cache, full at 30 %", lru_cache, false, false},
	{"LRU cache, full at 65 %", slow_lru_cache, false, false},
	{"random cache, full at 20 %", random_cache, false, false},
	{"random cache, full at 40 %", large_random_cache, false, false},
	{"ring buffer", ring_buffer, false, false},
	{"ring of 45 % of the run", large_ring, false, false},
	{"pool, doubles at startup", pool_at_startup, false, false},
	{"pool, doubles to 60 %", pool_of_ramp, false, false},
	{"table, doubles to 30 %", growing_table, false, false},
	{"sessions of 10 %", sessions, false, false},
	{"sessions of 20 %", long_sessions, false, false},
	{"sessions of 40 %", very_long_sessions, false, false},
	{"sessions, Pareto 1.3", tailed_sessions, false, false},
	{"day and night", day_and_night, false, false},
	{"half a day", half_a_day, false, false},
	{"startup then steady", startup_then_steady, false, false},
	{"fragmented arenas", arenas, false, false},
	{"log buffers", log_buffers, false, false},
	{"memtables", memtables, false, false},
	{"phases", phases, false, false},
	{"connections for ever", connections, false, false},
	{"ramping load", ramping_load, false, false},
	{"ramping sessions", ramping_sessions, false, false},
	{"memo, keys of 8 %", few_keys, false, false},
	{"memo, keys of 20 %", many_keys, false, false},
	{"leak fixed at half", fixed_at_half, false, false},
	{"leak fixed at 70 %", fixed_late, false, false},
	{"reloads", reloads, false, false},
	{"rare reloads", rare_reloads, false, false},
	{"two steps up", steps_up, false, false},
	{"first uses", first_uses, false, false},
	{"time to live 25 %", time_to_live, false, false},
	{"time to live 60 %", long_time_to_live, false, false},
	{"falling load", falling_load, false, false},
	{"pool of record loads", pool_of_records, false, false},
	{"memo, Zipf", zipf_memo, false, false},
	{"collector", collector, false, false},
	{"compaction", compaction, false, false},
	{"LRU cache, full at 80 %", late_lru, false, false},
	{"reallocated buffers", reallocated_buffers, false, false},
	{"ramping buffers", ramping_buffers, false, false},
	{"table sized to the load", sized_to_load, false, false},
	{"workers' buffers", workers, false, false},
	{"sessions, log-normal", lognormal_sessions, false, false},
	{"load of 5 kinds in turn", changing_load, false, false},

	{"leak on Mondays", leak_on_mondays, true, true},
	{"queue outruns its reader", queue_outruns, true, true},
	{"threads leave some", threads_leave_some, true, true},
	{"some sessions stay", some_sessions_stay, true, true},
	{"half is deleted", half_is_deleted, true, true},
	{"three transcripts", three_transcripts, true, true},

	{"promoted, 25 %", promoted, false, true},
	{"backlog that drains", backlog_drains, false, true},
	{"buffers up to a most", buffers_to_a_most, false, true},
	{"stragglers", stragglers, false, true},
	{"loads to 40 %", loads_to_40, false, true},
	{"levels", levels, false, true},
	{"sawteeth", sawteeth, false, true},
};

#define BEHAVIOURS (sizeof(behaviours) / sizeof(*behaviours))

/* Run one, told to a listener if there is one; returns what it allocated. */
static inline uint64_t behaviour_run(const struct behaviour *b, uint64_t seed,
				     const struct replay_listener *to)
{
	struct play *p = util_alloc(1, sizeof(*p));
	uint64_t sum;

	p->to = to;
	p->random = seed * 0x9e3779b97f4a7c15u + 1;
	p->unused = NONE;
	p->address = 0x10000;
	memset(p->due, 0xff, sizeof(p->due));
	p->size = 32 + play_random(p, 400);
	b->run(p);
	for (uint32_t i = 0; to && i < p->count; i++)
		if (p->item[i].block.address)
			to->left(to->context, &p->item[i].block);
	sum = p->allocated_bytes;
	free(p->item);
	free(p);
	return sum;
}

static inline uint32_t behaviour_site(void *context, uint32_t node)
{
	(void)context;
	return node ? SITE : OTHER;
}

/* Collect what growth.h wants to know of one; to be freed. */
static inline void behaviour_measure(const struct behaviour *b, uint64_t seed,
				     struct growth *g)
{
	uint64_t sum = behaviour_run(b, seed, NULL);
	struct replay_listener l;

	growth_begin(g, 0, sum, NODES, behaviour_site, NULL);
	l = growth_listener(g);
	behaviour_run(b, seed, &l);
	growth_end(g, false);
}

#endif
