/* SPDX-License-Identifier: MIT */
/*
 * What an unwinder keeps of a thread: the unwinder's own, unwind.c and path.h.
 */
#ifndef PRELOAD_UNWINDER_H
#define PRELOAD_UNWINDER_H

#include "extent.h"
#include "rules.h"
#include "stacktab.h"

struct check {
	const uint64_t *slot;
	uint64_t value;
};

/*
 * A kept frame. Its pc was found at sp - 8, which is all that nearly every
 * step read: so the frames are their own checks.
 */
struct frame {
	uint64_t sp, pc;
};

/* What else is kept of it. */
struct more {
	uint64_t bp;
	uint32_t node;
	uint16_t checks; /* the other slots of this frame's step and of those
			    outward: so many, from the first on */
	bool bp_live;	 /* a CFA from here outward depends on bp */
};

/* What was read to get from a frame to the next. */
enum reads {
	READS_PLACE,  /* the next pc, and bp if bp_slot */
	READS_DEREF,  /* the next sp before these */
	READS_ZERO,   /* a next pc of 0: there is no next frame */
	READS_NONE,   /* nothing: there is no next frame */
	READS_OPAQUE, /* by walk_full(); not to be kept */
};

/* A frame as walked, innermost first. */
struct step {
	uint64_t pc, sp, bp;
	uint64_t rule;
	uint64_t bp_slot; /* where the next bp was found, or 0: unchanged */
	enum reads reads;
	uint16_t near; /* of its rule */
};

/* The result of a walk: `kept` frames stand, `n` steps come inside them. */
struct walked {
	uint32_t kept, n;
	bool more; /* frames further out were left out */
};

#define NEAR_RULES 4096
#define NODE_CACHE_BITS 12
#define PATHS 16384
#define PATH_READS 10
#define PADS 3

/* What a walk read: where, in words from the return address of its innermost
 * frame; and what: the number of a pc's rule, or a bp, as in a path's. */
struct path_read {
	uint16_t at, what;
};

/* How a stack was walked, until a kept frame was met: a cache line. */
struct path {
	uint32_t leaf;	 /* the stack, */
	uint32_t parent; /* and that of the frame that was met, */
	uint16_t met;	 /* whose number was this, plus 1; 0: no path */
	uint16_t words;	 /* from sp to that frame's */
	uint16_t near;	 /* the number of the innermost pc's rule */
	uint16_t bp;	 /* in words from sp, plus 1; 0: it does not matter */
	uint16_t bp_at; /* where the met frame's bp was read, or 0: unchanged */
	uint8_t pcs;	/* so many pcs were read, and */
	uint8_t reads;	/* so many words in all: the rest are bps that matter */
	uint16_t next;	/* the number of the path that came after it */
	uint16_t unused;
	struct path_read read[PATH_READS];
};
_Static_assert(sizeof(struct path) == 64, "a path is a cache line");
_Static_assert(PATHS <= UINT16_MAX + 1, "a path's number");

struct mt_unwinder {
	struct mt_extents extents;  /* of memory around sp */
	uint32_t depth;		    /* frames kept, outermost first */
	uint32_t reach;		    /* those that a path may meet: all, or none
				      when there were more beyond */
	uint32_t last;		    /* the stack returned last, */
	uint32_t taken;		    /* and the number of the path then */
	bool holding;		    /* the tables' lock, until the walk ends: */
	struct sys_signals signals; /* what was blocked before */
	uint64_t zero;		    /* what the pads were read from */
	/* Rules used: their numbers by hash of pc, then by number, from 1. */
	uint32_t nears;
	uint16_t near_at[2 * NEAR_RULES];
	uint64_t pc[NEAR_RULES];
	uint64_t rule[NEAR_RULES];
	/* Stacks lately walked, by innermost frame and the stack before. */
	struct path path[PATHS] __attribute__((aligned(64)));
	/* Nodes lately used; see node_get(). */
	uint64_t node[1 << NODE_CACHE_BITS];
	struct frame pad[PADS]; /* never differ: frames are compared by four */
	struct frame frame[MT_MAX_FRAMES];
	struct more more[MT_MAX_FRAMES];
	struct check check[3 * MT_MAX_FRAMES];
	struct step step[MT_MAX_FRAMES + 1];
};

/*
 * Hold the tables' lock until release(). A walk that meets one new thing meets
 * more, and it is the two system calls around the lock that cost.
 */
static void hold(struct mt_unwinder *u)
{
	if (u->holding)
		return;
	u->signals = sys_lock(&mt_tables_lock);
	u->holding = true;
}

static inline void release(struct mt_unwinder *u)
{
	if (likely(!u->holding))
		return;
	u->holding = false;
	sys_unlock(&mt_tables_lock, u->signals);
}

/* Number the rule of a pc at its first use; 0: it is no code. */
static __attribute__((noinline)) uint16_t near_add(struct mt_unwinder *u,
						   uint64_t key, uint64_t i)
{
	uint64_t rule = mt_rule_find(key);
	uint16_t n = (uint16_t)(u->nears + 1);

	if (!rule) {
		hold(u);
		rule = mt_rule_make(key);
	}
	if (unlikely(!rule))
		return 0;
	u->pc[n] = key;
	u->rule[n] = rule;
	u->near_at[i] = n;
	u->nears = n;
	return n;
}

/* The number of a pc's rule; 0: it is no code. */
static inline uint16_t near_get(struct mt_unwinder *u, uint64_t key)
{
	uint64_t i = mt_rule_hash(key) % (2 * NEAR_RULES);
	uint16_t n;

	while ((n = u->near_at[i])) {
		if (likely(u->pc[n] == key))
			return n;
		i = (i + 1) % (2 * NEAR_RULES);
	}
	return near_add(u, key, i);
}

#endif
