/* SPDX-License-Identifier: MIT */
/*
 * What each site allocated when, and what of it is left: the evidence on
 * whether it grows without end. A listener of the replay, to which the owners
 * belong; verdict.h judges.
 *
 * Time is the allocation clock, bytes allocated so far: it runs when the
 * program works, and stands still when it sleeps. The run is divided into steps
 * of it; the first tenth is the warm-up, the rest are 32 epochs of four steps
 * each. The blocks that began in an epoch are its generation; what a realloc
 * gives is as old as what it took. Memory is
 * proportional to sites, for a block's generation follows from its birth.
 *
 * Of a bounded trace there are two views: of its history alone; and of the
 * whole run (growth_carry()), as the history may be too short for what leaks
 * slowly. Of the time before it the heap image tells which blocks are left and
 * when each began, so their generations are exact; what was freed, and the
 * troughs, are known from the epoch `seen` on only.
 *
 * Many programs free what they have as they end. So the end is where the last
 * step begins: what was live then and is freed in it counts as left.
 */
#ifndef ANALYZER_GROWTH_H
#define ANALYZER_GROWTH_H

#include "map.h"
#include "replay.h"

#define GROWTH_EPOCHS 32
#define GROWTH_EPOCH_STEPS 4
#define GROWTH_WARMUP_STEPS 14
#define GROWTH_STEPS (GROWTH_WARMUP_STEPS + GROWTH_EPOCHS * GROWTH_EPOCH_STEPS)

/* So many blocks are kept of a site, to be shown. */
#define GROWTH_SHOWN 3

/* By generation, or by epoch: 0 is the warm-up. Bytes are as requested. */
struct growth_epoch {
	uint64_t births;
	uint64_t left, left_bytes;     /* of the generation, at the end */
	uint64_t trough, trough_bytes; /* live at the least in the epoch */
	/* What reallocs added to blocks that were two epochs old, modulo 2^64:
	 * to be read as a signed number. */
	uint64_t swell_bytes;
};

struct growth_site {
	uint64_t live, live_bytes;
	unsigned int open; /* growth.c's own: the epoch of the last event */
	uint64_t freed[GROWTH_STEPS]; /* by the age they got, in steps */
	struct growth_epoch epoch[GROWTH_EPOCHS + 1];
	uint64_t stacks; /* that left blocks */
	/* Bit by generation: one of the stacks that left blocks of it left some
	 * of another, too, which is not its neighbour. */
	uint64_t kin;
	/* Of the time that was folded: births, frees, and how long these lived,
	 * together, in clock units. */
	uint64_t folded_births, folded_frees, folded_lifetimes;
	/* What is left, the oldest first, of the warm-up only when there is no
	 * other; and the largest first. Address 0: there are fewer. The owner
	 * is the node. */
	struct heap_block oldest[GROWTH_SHOWN], largest[GROWTH_SHOWN];
};

/* Return the number of a stack's site; numbers are dense. Asked once a node. */
typedef uint32_t growth_site_of(void *context, uint32_t node);

struct growth {
	struct growth_site *site; /* by number */
	size_t count;
	uint64_t allocated_bytes, live_bytes;
	/* What was allocated, by epoch; what a realloc gives is, too. */
	uint64_t allocations[GROWTH_EPOCHS + 1];
	uint64_t step_bytes;
	/* The clock at which each step began; of later ones UINT64_MAX. */
	uint64_t began[GROWTH_STEPS];
	uint64_t ended;		/* clock of the last event */
	uint64_t carried_bytes; /* of them: before the history; not when that is
				   all that is looked at */
	unsigned int seen; /* the first epoch that is in the history; 0: all */
	bool is_short;	   /* too little time, or too few allocations in too few
			   epochs, to say anything */

	/* The rest is growth.c's own. */
	uint64_t from; /* clock: blocks that began before do not count */
	unsigned int step, epoch; /* the current ones */
	uint64_t step_ends;	  /* when so many bytes are allocated */
	uint64_t folded_bytes;	  /* the same, until go_on() */
	uint64_t folded_clock;	  /* where that begins */
	growth_site_of *site_of;
	void *context;
	uint32_t *known; /* by node: its site + 1 */
	size_t node_count, room;
	struct map left_of; /* node -> generations that it left blocks of */
};

/*
 * Begin. `allocated_bytes` is what will be allocated from the clock value
 * `from` on, which fixes the steps; nodes are below `node_count`.
 */
void growth_begin(struct growth *g, uint64_t from, uint64_t allocated_bytes,
		  size_t node_count, growth_site_of *site_of, void *context);

/*
 * Count what was before the history, too: `bytes`, which are in those of
 * growth_begin(), were allocated until the clock value `clock`; and what a
 * stack's row of the heap image says. To be called before the replay.
 */
void growth_carry(struct growth *g, uint64_t bytes, uint64_t clock);
void growth_carry_row(struct growth *g, uint32_t node, uint64_t births,
		      uint64_t frees, uint64_t lifetimes);

struct replay_listener growth_listener(struct growth *g);

/* End after the replay. `is_brief`: it was too short a time to say more. */
void growth_end(struct growth *g, bool is_brief);

/* Return the clock at which an epoch began; GROWTH_EPOCHS + 1: the end. */
uint64_t growth_epoch_began(const struct growth *g, unsigned int epoch);

void growth_free(struct growth *g);

#endif
