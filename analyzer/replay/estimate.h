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

/* The normal distribution's 97.5 % point. */
#define ESTIMATE_Z 1.959963985

/* How uncertain a figure is: its variance, and the squares of what the samples
 * add to it, which tell how coarse its steps are. */
struct doubt {
	double variance, squares;
};

struct spread {
	struct doubt bytes, blocks;
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
	a->bytes.variance += b->bytes.variance;
	a->bytes.squares += b->bytes.squares;
	a->blocks.variance += b->blocks.variance;
	a->blocks.squares += b->blocks.squares;
}

static inline void spread_subtract(struct spread *a, const struct spread *b)
{
	a->bytes.variance -= b->bytes.variance;
	a->bytes.squares -= b->bytes.squares;
	a->blocks.variance -= b->blocks.variance;
	a->blocks.squares -= b->blocks.squares;
}

static inline void doubt_add(struct doubt *a, struct doubt b, double factor)
{
	a->variance += factor * b.variance;
	a->squares += factor * b.squares;
}

/* Between what it is with 95 % of confidence, and how far it is to the farther
 * of the two, in per cent of the estimate. */
struct interval {
	uint64_t low, high;
	double percent;
};

/*
 * Return the interval of an estimate: Wilson's score interval for numbers of
 * samples that are Poisson's, of equal weights that have the variance, and with
 * a correction for continuity, half a sample's weight. (Brown, Cai, DasGupta:
 * Interval estimation in exponential families, 2003.) So it holds for few
 * samples, too, and for large blocks that are sampled nearly all: rather more
 * often than in 95 % of cases. For one small block it goes from 0.05 to 6.5
 * times the estimate, for none to 3.8 times the rate. What no sample is of is
 * in no interval: not the few small blocks among large ones, in number.
 */
struct interval estimate_interval(uint64_t estimate, struct doubt doubt,
				  uint64_t rate_bytes);

/* Between what a change is with 95 % of confidence: it may be chance when 0 is
 * between them. */
struct change {
	double low, high;
};

/*
 * Return the interval of the change from one estimate to another one, which
 * knows nothing of it: how far the ends are off adds up as variances do, so
 * that it is the one of the sum of the variances where samples are many, and
 * holds where they are few or none. (MOVER; Zou, Donner: Construction of
 * confidence limits about effect measures, 2008.)
 */
struct change estimate_change(double before, struct interval of_before,
			      double after, struct interval of_after);

#endif
