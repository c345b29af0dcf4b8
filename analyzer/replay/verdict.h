/* SPDX-License-Identifier: MIT */
/*
 * Whether a site leaks though its blocks can be reached: judged by the
 * survivors among its blocks, not by how much there are of them.
 *
 * A generation is mature when it is older than nearly all blocks of the site
 * that were freed ever got. What is left of mature generations is not used for
 * long any more; a leak has some of it in generation after generation, and up
 * to the newest of them; a cache that is full, or a pool, has not.
 */
#ifndef ANALYZER_VERDICT_H
#define ANALYZER_VERDICT_H

#include "growth.h"

enum verdict_kind {
	VERDICT_NONE,
	VERDICT_SHORT, /* too short to say */
	VERDICT_SUSPECT,
	VERDICT_LIKELY,
	VERDICT_KINDS,
};

/* "none", "too short to say", "SUSPECT", "LIKELY". */
extern const char *const verdict_names[VERDICT_KINDS];

/* The signs of a leak. */
#define VERDICT_SURVIVES 1u /* part of many mature generations is left */
#define VERDICT_CLIMBS 2u   /* the troughs of what is live rise to the end */
#define VERDICT_GOES_ON 4u  /* the newest mature generations leak, too */
#define VERDICT_SWELLS 8u   /* old blocks grow by reallocs, all the time */

struct verdict {
	enum verdict_kind kind;
	unsigned int signs;
	unsigned int mature;	/* generations, from 1 on */
	double maturity;	/* in epochs */
	uint64_t births;	/* in the mature generations */
	uint64_t left;		/* of them */
	uint64_t left_bytes;	/* the same */
	uint64_t freed_late;	/* freed, but when they were mature */
	double mature_runs;	/* for how long blocks were mature, together,
				  in lengths of the run */
	double survival_low;	/* of left / births: 95 % are above */
	double tau;		/* of the troughs */
	double bytes_per_epoch; /* by which it grows */
};

void verdict_judge(struct verdict *v, const struct growth *g,
		   const struct growth_site *s);

#endif
