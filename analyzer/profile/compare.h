/* SPDX-License-Identifier: MIT */
/*
 * Statistics of few runs, as benchstat has them: the median, its confidence
 * interval by order statistics, and the Mann-Whitney U test. None assumes that
 * anything is normally distributed.
 */
#ifndef ANALYZER_COMPARE_H
#define ANALYZER_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

/* Sort values upward, as the functions below want them. */
void compare_sort(double *v, size_t n);

/* Return the median of n > 0 sorted values. */
double compare_median(const double *v, size_t n);

/*
 * Find an interval of the median that holds in 95 % of the cases or more, from
 * order statistics of n sorted values. False: they are too few (below 6).
 */
bool compare_interval(const double *v, size_t n, double *low, double *high);

/*
 * Return the probability (two-sided) that two sorted samples are as different
 * as these when they are of one distribution, ties or not: exact for at most
 * 25 values each, else by the normal approximation with the correction for
 * ties (H. B. Mann, D. R. Whitney, 1947). 1 for empty samples.
 */
double compare_mann_whitney(const double *a, size_t n, const double *b,
			    size_t m);

#endif
