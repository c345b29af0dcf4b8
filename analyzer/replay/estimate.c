/* SPDX-License-Identifier: MIT */
/* What a block of a sampled trace stands for; see estimate.h. */
#include "estimate.h"

#include <math.h>

#include <memtrace/sample.h>

#define Z ESTIMATE_Z

/* Return the rate at a clock value. */
static double rate_at(const struct trace *t, uint64_t clock)
{
	size_t i = t->rate_count - 1;

	while (i && t->rates[i].clock > clock)
		i--;
	return (double)t->rates[i].rate_bytes;
}

struct estimate estimate_sampled(const struct trace *t,
				 const struct heap_block *b)
{
	uint64_t seed = b->address ^ b->born << 20;
	double n = b->size ? (double)b->size : 1;
	double p = -expm1(-n / rate_at(t, b->born));
	double fraction = 1 / p - floor(1 / p), variance = (1 - p) / (p * p);
	double square = (double)b->size * (double)b->size;
	double random = (double)(mt_sample_random(&seed) >> 11) * 0x1p-53;

	return (struct estimate){
		.bytes = (uint64_t)llround((double)b->size / p),
		.blocks = (uint64_t)floor(1 / p) + (random < fraction),
		.spread =
			{
				.bytes = {square * variance, square / (p * p)},
				.blocks = {variance + fraction * (1 - fraction),
					   1 / (p * p)},
			},
	};
}

struct interval estimate_interval(uint64_t estimate, struct doubt doubt,
				  uint64_t rate_bytes)
{
	double y = (double)estimate, half, weight, low, high;

	if (!estimate)
		return (struct interval){
			.high = (uint64_t)(Z * Z * (double)rate_bytes)};
	if (doubt.variance <= 0)
		return (struct interval){.low = estimate, .high = estimate};
	half = doubt.squares / y / 2;
	weight = doubt.variance / y;
	low = y > half ? y - half : 0;
	low += Z * Z * weight / 2 -
	       Z * sqrt(weight * low + Z * Z * weight * weight / 4);
	high = y + half;
	high += Z * Z * weight / 2 +
		Z * sqrt(weight * high + Z * Z * weight * weight / 4);
	return (struct interval){
		.low = low > 0 ? (uint64_t)llround(low) : 0,
		.high = (uint64_t)llround(high),
		.percent = 100 * (high - y > y - low ? high - y : y - low) / y,
	};
}

struct change estimate_change(double before, struct interval of_before,
			      double after, struct interval of_after)
{
	double change = after - before;

	return (struct change){
		.low = change - hypot(after - (double)of_after.low,
				      (double)of_before.high - before),
		.high = change + hypot((double)of_after.high - after,
				       before - (double)of_before.low),
	};
}
