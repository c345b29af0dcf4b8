/* SPDX-License-Identifier: MIT */
/*
 * Shows that the statistics are those of the papers: values worked out
 * elsewhere, ties, series that are too short, and wild values that change
 * nothing.
 */
#include "trend.h"

#include <math.h>

#include "suite.h"

#define NEAR 1e-9

/* Worked out from the paper's formula in Python's floats. */
static const struct {
	uint64_t k, n;
	double low;
} shares[] = {
	{0, 0, 0},
	{0, 10, 0},
	{1, 10, 0.017876213095072896},
	{5, 10, 0.23659309051256394},
	{10, 10, 0.7224672001371106},
	{8, 100000, 4.053852835999305e-05},
};

START_TEST(shares_have_bounds)
{
	double low = trend_wilson_low(shares[_i].k, shares[_i].n);

	ck_assert_double_eq_tol(low, shares[_i].low, NEAR);
}
END_TEST

START_TEST(trends_are_told)
{
	const double up[] = {1, 2, 3, 4, 5}, down[] = {5, 4, 3, 2, 1};
	const double flat[] = {7, 7, 7, 7}, mixed[] = {1, 3, 2, 4};
	/* 5 pairs up, none down, 1 tie: 5 / sqrt(5 * 6). */
	const double ties[] = {1, 1, 2, 3};

	ck_assert_double_eq_tol(trend_tau(up, 5), 1, NEAR);
	ck_assert_double_eq_tol(trend_tau(down, 5), -1, NEAR);
	ck_assert_double_eq_tol(trend_tau(flat, 4), 0, NEAR);
	ck_assert_double_eq_tol(trend_tau(mixed, 4), 4 / 6.0, NEAR);
	ck_assert_double_eq_tol(trend_tau(ties, 4), 5 / sqrt(30), NEAR);
	ck_assert_double_eq_tol(trend_tau(up, 1), 0, NEAR);
	ck_assert_double_eq_tol(trend_tau(up, 0), 0, NEAR);
}
END_TEST

START_TEST(slopes_are_medians)
{
	const double line[] = {3, 5, 7, 9, 11};
	const double wild[] = {0, 2, 4, 1e12, 8, 10, 12, -1e12, 16, 18};

	ck_assert_double_eq_tol(trend_slope(line, 5), 2, NEAR);
	ck_assert_double_eq_tol(trend_slope(wild, 10), 2, NEAR);
	ck_assert_double_eq_tol(trend_slope(line, 2), 2, NEAR);
	ck_assert_double_eq_tol(trend_slope(line, 1), 0, NEAR);
}
END_TEST

/* What is behind the most is not looked at. */
START_TEST(long_series_are_cut)
{
	double y[TREND_MOST + 10];

	for (int i = 0; i < TREND_MOST + 10; i++)
		y[i] = i < TREND_MOST ? i : -1e9;
	ck_assert_double_eq_tol(trend_tau(y, TREND_MOST + 10), 1, NEAR);
	ck_assert_double_eq_tol(trend_slope(y, TREND_MOST + 10), 1, NEAR);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_loop_test(c, shares_have_bounds, 0, COUNT(shares));
	tcase_add_test(c, trends_are_told);
	tcase_add_test(c, slopes_are_medians);
	tcase_add_test(c, long_series_are_cut);
}

int main(void)
{
	return suite_main("trend", add);
}
