/* SPDX-License-Identifier: MIT */
/* Statistics of short series; see trend.h. */
#include "trend.h"

#include <math.h>
#include <stdlib.h>

/* The 97.5 % quantile of the normal distribution. */
#define Z 1.959963984540054

double trend_wilson_low(uint64_t k, uint64_t n)
{
	double all = (double)n, p, z2 = Z * Z, low;

	if (!n)
		return 0;
	p = (double)k / all;
	low = p + z2 / (2 * all) -
	      Z * sqrt((p * (1 - p) + z2 / (4 * all)) / all);
	return low > 0 ? low / (1 + z2 / all) : 0;
}

double trend_tau(const double *y, size_t n)
{
	double up = 0, down = 0, pairs;

	if (n > TREND_MOST)
		n = TREND_MOST;
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++) {
			up += y[j] > y[i];
			down += y[j] < y[i];
		}
	pairs = (double)n * ((double)n - 1) / 2;
	/* Places never tie, values do. */
	return up + down > 0 ? (up - down) / sqrt((up + down) * pairs) : 0;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

double trend_slope(const double *y, size_t n)
{
	double slope[TREND_MOST * (TREND_MOST - 1) / 2];
	size_t count = 0;

	if (n > TREND_MOST)
		n = TREND_MOST;
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			slope[count++] = (y[j] - y[i]) / (double)(j - i);
	if (!count)
		return 0;
	qsort(slope, count, sizeof(*slope), compare);
	return (slope[count / 2] + slope[(count - 1) / 2]) / 2;
}
