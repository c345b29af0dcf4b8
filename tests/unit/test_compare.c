/* SPDX-License-Identifier: MIT */
/*
 * Shows that the statistics are what they are called: the test's probabilities
 * against the enumeration of all choices, intervals against the binomial
 * distribution's table.
 */
#include <math.h>
#include <string.h>

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

/* Return the rank of one of N values, ties at their mean. */
static double rank_of(const double *all, size_t N, double value)
{
	size_t below = 0, same = 0;

	for (size_t i = 0; i < N; i++) {
		below += all[i] < value;
		same += all[i] == value;
	}
	return (double)below + ((double)same + 1) / 2;
}

/* Sum the ranks of the values whose bits are set. */
static double sum_of(const double *all, size_t N, unsigned long set)
{
	double sum = 0;

	for (size_t i = 0; i < N; i++)
		if (set >> i & 1)
			sum += rank_of(all, N, all[i]);
	return sum;
}

/* Count the ways to choose n of all values whose ranks sum up to something as
 * far from the mean as those of `a`, or farther. */
static double enumerate(const double *a, size_t n, const double *b, size_t m)
{
	unsigned long all = 0, extreme = 0;
	size_t N = n + m;
	double both[32], mean = (double)(n * (N + 1)) / 2, far;

	memcpy(both, a, n * sizeof(*a));
	memcpy(both + n, b, m * sizeof(*b));
	far = fabs(sum_of(both, N, (1ul << n) - 1) - mean);
	for (unsigned long set = 0; set < 1ul << N; set++)
		if ((size_t)__builtin_popcountl(set) == n) {
			all++;
			extreme += fabs(sum_of(both, N, set) - mean) >= far;
		}
	return (double)extreme / (double)all;
}

static const struct {
	size_t n, m;
	double a[6], b[6];
	double p; /* where a table has it; 0: none does */
} samples[] = {
	{3, 3, {1, 2, 3}, {4, 5, 6}, 0.1},
	{4, 5, {1, 3, 5, 7}, {2, 4, 6, 8, 9}, 0},
	{5, 5, {1, 2, 3, 4, 5}, {6, 7, 8, 9, 10}, 2 / 252.0},
	{6, 4, {1, 2, 6, 7, 9, 10}, {3, 4, 5, 8}, 0},
	{2, 6, {4, 5}, {1, 2, 3, 6, 7, 8}, 0},
	/* With ties, where the normal approximation says 0.05, 0.06, 0.19
	 * and 0.07. */
	{3, 3, {5, 5, 5}, {9, 9, 9}, 0.1},
	{3, 3, {0, 0, 0}, {7, 8, 8}, 0.1},
	{2, 2, {1, 1}, {2, 2}, 1 / 3.0},
	{1, 5, {3}, {1, 1, 1, 1, 1}, 1 / 6.0},
	/* ... among which the ways below the mean are not those above. */
	{4, 4, {1, 2, 2, 3}, {2, 3, 4, 4}, 0},
	{2, 5, {1, 2}, {2, 2, 2, 2, 9}, 0},
	{6, 6, {1, 1, 1, 2, 3, 3}, {2, 2, 3, 3, 3, 4}, 0},
	{5, 3, {1, 1, 1, 1, 2}, {1, 2, 2}, 0},
	{3, 3, {5, 5, 5}, {5, 5, 5}, 1},
};

START_TEST(small_samples_are_exact)
{
	const double *a = samples[_i].a, *b = samples[_i].b;
	size_t n = samples[_i].n, m = samples[_i].m;
	double p = compare_mann_whitney(a, n, b, m);
	double q = compare_mann_whitney(b, m, a, n);
	double want = enumerate(a, n, b, m);

	ck_assert_msg(fabs(p - want) < 1e-9, "%g, not %g", p, want);
	ck_assert_msg(fabs(p - q) < 1e-9, "%g the other way", q);
	if (samples[_i].p > 0)
		ck_assert_msg(fabs(p - samples[_i].p) < 1e-9, "%g", p);
}
END_TEST

START_TEST(no_sample_says_nothing)
{
	static const double v[] = {5, 5, 5};

	ck_assert(compare_mann_whitney(v, 0, v, 3) == 1);
	ck_assert(compare_mann_whitney(v, 3, v, 0) == 1);
}
END_TEST

/* Beyond the exact ones, worked by hand: 20 of 1 and 20 of 2 against 10 of 1
 * and 30 of 2, so 30 and 50 are tied. */
START_TEST(ties_are_corrected)
{
	double a[40], b[40], same[40], u, sigma, want;

	for (size_t i = 0; i < 40; i++) {
		a[i] = i < 20 ? 1 : 2;
		b[i] = i < 10 ? 1 : 2;
		same[i] = 1;
	}
	/* Ranks 15.5 and 55.5. */
	u = 20 * 15.5 + 20 * 55.5 - 40 * 41 / 2.0;
	sigma = sqrt(1600.0 / 12 *
		     (81 - (30 * 899.0 + 50 * 2499.0) / (80 * 79)));
	want = erfc((800 - u - 0.5) / sigma / M_SQRT2);
	ck_assert(fabs(compare_mann_whitney(a, 40, b, 40) - want) < 1e-9);
	ck_assert(compare_mann_whitney(same, 40, same, 40) == 1);
}
END_TEST

/* The last exact one and the first that is not hardly differ. */
START_TEST(the_approximation_joins)
{
	double a[26], b[26], exact, approximate;

	for (size_t i = 0; i < 26; i++) {
		a[i] = (double)(i / 2);
		b[i] = (double)(i / 2 + 3);
	}
	exact = compare_mann_whitney(a, 25, b, 25);
	approximate = compare_mann_whitney(a, 26, b, 26);
	ck_assert_msg(exact > 0.001 && exact < 0.05, "%g", exact);
	ck_assert_msg(fabs(exact - approximate) < exact / 4, "%g and %g", exact,
		      approximate);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_test(c, medians);
	tcase_add_loop_test(c, intervals_hold_the_median, 0, COUNT(intervals));
	tcase_add_loop_test(c, small_samples_are_exact, 0, COUNT(samples));
	tcase_add_test(c, no_sample_says_nothing);
	tcase_add_test(c, ties_are_corrected);
	tcase_add_test(c, the_approximation_joins);
}

int main(void)
{
	return suite_main("compare", add);
}
