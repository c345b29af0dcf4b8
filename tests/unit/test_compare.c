/* SPDX-License-Identifier: MIT */
/*
 * Shows that the statistics are what they are called: the test's probabilities
 * against the enumeration of all orders, intervals against the binomial
 * distribution's table.
 */
#include <math.h>
#include <stdlib.h>

#include "compare.h"
#include "suite.h"

START_TEST(medians)
{
	static const double v[] = {1, 2, 4, 10};

	ck_assert(compare_median(v, 1) == 1);
	ck_assert(compare_median(v, 3) == 2);
	ck_assert(compare_median(v, 4) == 3);
}
END_TEST

/* The k-th value from either end, as any table of the sign test has it. */
static const struct {
	size_t n, k; /* k from 1; 0: too few */
} intervals[] = {
	{1, 0},	 {5, 0},  {6, 1},  {8, 1},  {9, 2},
	{10, 2}, {15, 4}, {20, 6}, {25, 8},
};

START_TEST(intervals_hold_the_median)
{
	double v[32], low, high;
	size_t n = intervals[_i].n, k = intervals[_i].k;

	for (size_t i = 0; i < n; i++)
		v[i] = (double)i + 1;
	ck_assert_int_eq(compare_interval(v, n, &low, &high), k != 0);
	if (k) {
		ck_assert(low == (double)k);
		ck_assert(high == (double)(n + 1 - k));
	}
}
END_TEST

/* Count the ways to choose n of all ranks whose U is as extreme or more. */
static double enumerate(size_t n, size_t m, double u)
{
	unsigned long all = 0, extreme = 0;

	for (unsigned long set = 0; set < 1ul << (n + m); set++) {
		double sum = 0, mean = (double)(n * m) / 2;

		if ((size_t)__builtin_popcountl(set) != n)
			continue;
		for (size_t i = 0; i < n + m; i++)
			if (set >> i & 1)
				sum += (double)i + 1;
		sum -= (double)(n * (n + 1)) / 2;
		all++;
		extreme += fabs(sum - mean) >= fabs(u - mean);
	}
	return (double)extreme / (double)all;
}

static const struct {
	size_t n, m;
	double a[6], b[6];
	double u; /* of a */
} samples[] = {
	{3, 3, {1, 2, 3}, {4, 5, 6}, 0},
	{4, 5, {1, 3, 5, 7}, {2, 4, 6, 8, 9}, 6},
	{5, 5, {1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}, 0},
	{6, 4, {1, 2, 6, 7, 9, 10}, {3, 4, 5, 8}, 14},
	{2, 6, {4, 5}, {1, 2, 3, 6, 7, 8}, 6},
};

START_TEST(small_samples_are_exact)
{
	double p = compare_mann_whitney(samples[_i].a, samples[_i].n,
					samples[_i].b, samples[_i].m);
	double q = compare_mann_whitney(samples[_i].b, samples[_i].m,
					samples[_i].a, samples[_i].n);
	double want = enumerate(samples[_i].n, samples[_i].m, samples[_i].u);

	ck_assert_msg(fabs(p - want) < 1e-9, "%g, not %g", p, want);
	ck_assert_msg(fabs(p - q) < 1e-9, "%g the other way", q);
}
END_TEST

/* With ties: the normal approximation, worked by hand. */
START_TEST(ties_are_corrected)
{
	static const double a[] = {1, 2, 2, 3}, b[] = {2, 3, 4, 4};
	static const double same[] = {5, 5, 5};
	/* Ranks 1, 3, 3, 5.5: U = 2.5; ties 24 + 6 + 6 = 36. */
	double sigma = sqrt(16.0 / 12 * (9 - 36.0 / 56));
	double want = erfc((8 - 2.5 - 0.5) / sigma / M_SQRT2);

	ck_assert(fabs(compare_mann_whitney(a, 4, b, 4) - want) < 1e-9);
	ck_assert(compare_mann_whitney(same, 3, same, 3) == 1);
	ck_assert(compare_mann_whitney(same, 0, same, 3) == 1);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_test(c, medians);
	tcase_add_loop_test(c, intervals_hold_the_median, 0, COUNT(intervals));
	tcase_add_loop_test(c, small_samples_are_exact, 0, COUNT(samples));
	tcase_add_test(c, ties_are_corrected);
}

int main(void)
{
	return suite_main("compare", add);
}
