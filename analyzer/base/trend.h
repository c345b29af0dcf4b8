/* SPDX-License-Identifier: MIT */
/*
 * Statistics of short series: is there a trend, how steep is it, how sure is a
 * share. All are robust: a few wild values change none of them.
 */
#ifndef ANALYZER_TREND_H
#define ANALYZER_TREND_H

#include <stddef.h>
#include <stdint.h>

/* The longest series; what is longer is cut at its end. */
#define TREND_MOST 64

/*
 * Return the lower bound of the 95 % interval of a share, of which `k` of `n`
 * were seen (Wilson 1927); 0 when n is.
 */
double trend_wilson_low(uint64_t k, uint64_t n);

/*
 * Return Kendall's tau-b of values against their places: 1 always up, -1
 * always down, 0 no trend, or no two values that differ.
 */
double trend_tau(const double *y, size_t n);

/* Return the median slope between any two values, by place (Theil 1950, Sen
 * 1968); 0 when n is below 2. */
double trend_slope(const double *y, size_t n);

#endif
