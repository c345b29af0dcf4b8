/* SPDX-License-Identifier: MIT */
/*
 * What a block of a sampled trace stands for, and how far an estimate is off.
 *
 * A block of n bytes was recorded by the chance p = 1 - exp(-n / rate); so it
 * stands for 1/p blocks and n/p bytes (Horvitz and Thompson, 1952): each sum
 * over the recorded blocks is then right in the mean, whatever their sizes.
 * It adds (1 - p)/p^2 to the variance of the number, n^2 times that to the one
 * of the bytes. In a trace that is not sampled a block stands for itself.
 */
#ifndef ANALYZER_ESTIMATE_H
#define ANALYZER_ESTIMATE_H

#include "heap.h"
#include "trace.h"

/* The variance of an estimate. */
struct spread {
	double bytes, blocks;
};

/* What a block stands for. The number is rounded up or down, by the block's
 * address and birth, so that it is right in the mean. */
struct estimate {
	uint64_t bytes, blocks;
	struct spread spread;
};

/* Tell whether a trace has a sample of the blocks only. */
static inline bool estimate_is_needed(const struct trace *t)
{
	return t->rate_count != 0;
}

/* Return what a block of a sampled trace stands for. */
struct estimate estimate_sampled(const struct trace *t,
				 const struct heap_block *b);

static inline struct estimate estimate_of(const struct trace *t,
					  const struct heap_block *b)
{
	if (__builtin_expect(estimate_is_needed(t), 0))
		return estimate_sampled(t, b);
	return (struct estimate){.bytes = b->size, .blocks = 1};
}

static inline void spread_add(struct spread *a, const struct spread *b)
{
	a->bytes += b->bytes;
	a->blocks += b->blocks;
}

static inline void spread_subtract(struct spread *a, const struct spread *b)
{
	a->bytes -= b->bytes;
	a->blocks -= b->blocks;
}

/* Between what it is with 95 % of confidence, and how far it is to the farther
 * of the two, in per cent of the estimate. */
struct interval {
	uint64_t low, high;
	double percent;
};

/*
 * Return the interval of an estimate by its variance: Wilson's score interval,
 * for numbers of samples that are Poisson's, of equal weights that have the
 * variance. (Brown, Cai, DasGupta: Interval estimation in exponential
 * families, 2003.) It holds for few samples, too: for 1 it goes from 0.2 to 5.7
 * times the estimate, for none to 3.8 times the rate.
 */
struct interval estimate_interval(uint64_t estimate, double variance,
				  uint64_t rate_bytes);

#endif
