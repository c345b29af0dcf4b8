/* SPDX-License-Identifier: MIT */
/*
 * How long blocks live: histograms in time and in bytes that were allocated
 * meanwhile. A listener of the replay, to which the owners belong.
 *
 * Time is in four steps to a decade, bytes in steps of a power of two; in
 * both the last bucket is of blocks that were never freed. A sample of the
 * blocks does not tell what was allocated meanwhile.
 */
#ifndef ANALYZER_LIFESPAN_H
#define ANALYZER_LIFESPAN_H

#include "estimate.h"
#include "replay.h"
#include "slots.h"

#define LIFESPAN_TIMES 50 /* below 1 ns * 10^(i / 4), i from 0 */
#define LIFESPAN_BYTES 48 /* below 2^i bytes */

struct lifespan_sum {
	uint64_t blocks, bytes;
	struct spread spread; /* of estimates */
};

struct lifespan {
	const struct trace *trace;
	uint64_t from; /* clock: blocks that began before do not count */
	struct lifespan_sum time[LIFESPAN_TIMES + 1];
	struct lifespan_sum meanwhile[LIFESPAN_BYTES + 1];

	/* The rest is lifespan.c's own. */
	uint64_t bound_ns[LIFESPAN_TIMES];
	uint64_t allocated_bytes;
	struct slots slots;
	uint64_t *born; /* by slot, the owner: bytes allocated before */
	size_t room;
	struct lifespan_sum live;
};

void lifespan_begin(struct lifespan *l, const struct trace *t, uint64_t from);

struct replay_listener lifespan_listener(struct lifespan *l);

/* End after the replay: what still lives was never freed. */
void lifespan_end(struct lifespan *l);

/* Return the upper bound of a bucket of times in ns. */
uint64_t lifespan_bound_ns(unsigned int i);

/*
 * Return the bound of the bucket below which a part (0 to 1) of the freed
 * blocks' times are, in ns; 0 when none was freed.
 */
uint64_t lifespan_quantile_ns(const struct lifespan *l, double part);

/*
 * Find the 95 % interval of that, of a sample: the bounds at the ends of the
 * interval of the part that lived no longer. (R. S. Woodruff: Confidence
 * intervals for medians, 1952.)
 */
void lifespan_quantile_interval(const struct lifespan *l, double part,
				uint64_t *low_ns, uint64_t *high_ns);

void lifespan_free(struct lifespan *l);

#endif
