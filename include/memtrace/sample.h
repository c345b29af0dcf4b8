/* SPDX-License-Identifier: MIT */
/*
 * Sampling, as both sides and the tests see it: how far it is to the next
 * point, and what a sampled block stands for.
 *
 * The recorder draws with integers only: the program may have its
 * floating-point exceptions unmasked.
 */
#ifndef MEMTRACE_SAMPLE_H
#define MEMTRACE_SAMPLE_H

#include <stdint.h>

/* The rates, in bytes; and 0, which is no sampling. Below the least the set of
 * preload/sampled.h would be too dense. */
#define MT_MIN_RATE 4096
#define MT_MAX_RATE (1 << 30)

/* Return 64 random bits (splitmix64, Steele et al. 2014). Context: any. */
static inline uint64_t mt_sample_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/*
 * Draw a distance of mean `rate` bytes from the exponential distribution,
 * rounded down, plus 1: a block of n bytes has a point on it if n is not below
 * it, by a chance of exactly 1 - exp(-n/rate). By von Neumann's method (1951):
 * in runs of falling uniform numbers the first of a run of odd length is
 * distributed like the fraction, the runs of even length before it count the
 * whole. 6 numbers are drawn in the mean. Context: any.
 */
static inline uint64_t mt_sample_draw(uint64_t *state, uint64_t rate)
{
	for (uint64_t whole = 0;; whole++) {
		uint64_t first = mt_sample_random(state), last = first;
		unsigned int odd = 0;

		do {
			uint64_t next = mt_sample_random(state);

			odd ^= 1;
			if (next >= last)
				break;
			last = next;
		} while (1);
		if (odd)
			return whole * rate + 1 +
			       (uint64_t)((unsigned __int128)first * rate >>
					  64);
	}
}

/*
 * Return the bytes that a sampled block stands for, to the nearest one: its
 * size by its chance, as analyzer/replay/estimate.h says. `rate_bytes` is not
 * 0. With x = size / rate that is rate * x / (1 - exp(-x)), and so
 * rate * (z + z coth z), where z = x / 2; the latter by Lambert's continued
 * fraction (1768), z coth z = 1 + z^2 / (3 + z^2 / (5 + ...)): 24 steps do for
 * all x below 44, and from there on the chance is 1. In integers, as above.
 * Context: any.
 */
static inline uint64_t mt_sample_weight(uint64_t size, uint64_t rate_bytes)
{
	uint64_t z, tail = 49ull << 48; /* in units of 2^-48 */
	unsigned __int128 square;

	if (!size || size / 44 >= rate_bytes)
		return size;
	z = (uint64_t)(((unsigned __int128)size << 47) / rate_bytes);
	square = (unsigned __int128)z * z;
	for (int odd = 47; odd > 0; odd -= 2)
		tail = ((uint64_t)odd << 48) + (uint64_t)(square / tail);
	return (uint64_t)(((unsigned __int128)rate_bytes * (z + tail) +
			   (1ull << 47)) >>
			  48);
}

#endif
