/* SPDX-License-Identifier: MIT */
/*
 * Bad frees: those that no allocator has to take. A free is recorded before
 * the real one, so it is here even when the allocator ended the program over
 * it.
 *
 * A verdict stands only on what was seen. Where blocks may exist that nobody
 * saw (a forked child's from before the fork, those from before recording
 * went on, memory that a library had from the allocator past us) or events
 * were lost, a free that does not fit is counted as unknown, not as bad.
 */
#ifndef ANALYZER_BADFREE_H
#define ANALYZER_BADFREE_H

#include "replay.h"
#include "stacks.h"

enum bad_free_kind {
	BAD_FREE_DOUBLE,   /* of a block that was freed */
	BAD_FREE_INVALID,  /* of what never was a block */
	BAD_FREE_INTERIOR, /* of an address inside a block */
	BAD_FREE_MISMATCH, /* of malloc by delete, of new[] by delete... */
	BAD_FREE_SIZE,	   /* with another size or alignment than asked for */
	BAD_FREE_KINDS,
};

/* As options and JSON have them. */
extern const char *const bad_free_kind_names[BAD_FREE_KINDS];

/* One call: an allocation or a free. */
struct bad_free_call {
	uint64_t clock;
	uint32_t node;	 /* its stack */
	uint32_t thread; /* place in trace->threads */
	uint8_t kind;	 /* enum mt_kind; 0: not known */
};

/* A bad free; of several by the same stacks the first. */
struct bad_free {
	uint64_t address; /* that was freed */
	enum bad_free_kind kind;
	uint64_t times; /* that it was seen */
	bool fatal;	/* the program ended there, the last time */
	struct bad_free_call free;
	struct bad_free_call alloc; /* of the block that it is about */
	struct bad_free_call first; /* double: the free before */
	uint64_t block, size;	    /* of the block: address and bytes */
	uint64_t align;		    /* that its allocation asked for, or 0 */
	uint64_t said_size, said_align; /* by the free; 0: it did not say */
	uint64_t reused;    /* double: blocks here before the freed one */
	const char *where;  /* invalid: what is there, for people */
	const char *module; /* where that is the data of a module: its path */
	/* Double: the live block that has the memory by now. */
	struct bad_free_call holder;
	uint64_t holder_block, holder_size;
};

struct bad_frees {
	struct bad_free *at; /* in the order of time */
	size_t count, room;
	uint64_t total; /* with all their times */

	struct bad_free *noted; /* realloc(p, 0): a free in glibc only */
	size_t noted_count, noted_room;

	uint64_t unknown;	/* frees of which nothing can be said */
	const char *unsure;	/* why only little can be said, or NULL */
	const char *not_judged; /* a module with operators of its own: mismatch
				   and size are not judged in it; or NULL */
};

/* Find all bad frees of a trace. `progress` may be NULL. */
void bad_frees_find(struct bad_frees *b, struct trace *t, struct stacks *stacks,
		    replay_progress *progress);

/* Return how many there are of each kind: "2 double, 1 size". Free it. */
char *bad_frees_text(const struct bad_frees *b);

void bad_frees_free(struct bad_frees *b);

#endif
