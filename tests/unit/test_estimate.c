/* SPDX-License-Identifier: MIT */
/*
 * Shows that estimates over a sample are right in the mean, for small and
 * large blocks and mixtures of them, in bytes and in number; and that the
 * interval holds the truth in about 95 % of 200 runs, from a few samples on, as
 * does the one of a change.
 */
#include "estimate.h"

#include <math.h>
#include <memtrace/sample.h>

#include "suite.h"

#define RATE (512 << 10)
#define RUNS 200

/* A site: `small` blocks of one size, `large` of another, mixed. */
static const struct site {
	uint64_t small_size, small, large_size, large;
} sites[] = {
	{64, 16384, 0, 0},	     /* 1 MiB: 2 samples in the mean */
	{64, 163840, 0, 0},	     /* 10 MiB: 20 */
	{24, 2796203, 0, 0},	     /* 64 MiB: 128 */
	{4096, 2560, 0, 0},	     /* 10 MiB */
	{65536, 64, 0, 0},	     /* 4 MiB */
	{RATE, 16, 0, 0},	     /* 1/p is no whole number */
	{2 << 20, 8, 0, 0},	     /* nearly all are sampled */
	{64, 81920, 1 << 20, 20},    /* both */
	{0, 1000000, 256 << 10, 40}, /* of no bytes, and large ones */
	{1000, 20000, 64 << 20, 3},  /* few that are certain and large */
};

static struct mt_meta_rate rate = {0, RATE};
static struct trace trace = {.rates = &rate, .rate_count = 1};

/* What a run comes to. */
struct sum {
	uint64_t bytes, blocks;
	struct spread spread;
};

/* Take a sample of a site's blocks as the recorder does, and sum it up. */
static struct sum run(const struct site *s, uint64_t seed)
{
	uint64_t state = seed * 7919, way = mt_sample_draw(&state, RATE);
	uint64_t n = s->small + s->large, large = 0;
	struct sum sum = {0};

	for (uint64_t i = 0; i < n; i++) {
		bool is_large = large * n < s->large * (i + 1);
		struct heap_block b = {
			.address = 0x10000 + i * 64,
			.size = is_large ? s->large_size : s->small_size,
			.born = i,
		};
		uint64_t bytes = b.size ? b.size : 1;
		struct estimate e;

		large += is_large;
		if (bytes < way) {
			way -= bytes;
			continue;
		}
		way = mt_sample_draw(&state, RATE);
		e = estimate_of(&trace, &b);
		sum.bytes += e.bytes;
		sum.blocks += e.blocks;
		spread_add(&sum.spread, &e.spread);
	}
	return sum;
}

static bool holds(uint64_t truth, uint64_t estimate, struct doubt doubt)
{
	struct interval i = estimate_interval(estimate, doubt, RATE);

	return i.low <= truth && truth <= i.high;
}

START_TEST(estimates_are_right)
{
	const struct site *s = &sites[_i];
	uint64_t bytes = s->small * s->small_size + s->large * s->large_size;
	uint64_t blocks = s->small + s->large;
	double sum[2] = {0}, squares[2] = {0};
	int held[2] = {0};

	for (uint64_t seed = 1; seed <= RUNS; seed++) {
		struct sum got = run(s, seed);
		double x[2] = {(double)got.bytes, (double)got.blocks};

		for (int i = 0; i < 2; i++) {
			sum[i] += x[i];
			squares[i] += x[i] * x[i];
		}
		held[0] += holds(bytes, got.bytes, got.spread.bytes);
		held[1] += holds(blocks, got.blocks, got.spread.blocks);
	}
	for (int i = 0; i < 2; i++) {
		double mean = sum[i] / RUNS,
		       truth = i ? (double)blocks : (double)bytes;
		double error = sqrt((squares[i] / RUNS - mean * mean) / RUNS);

		/* 3.5 standard errors of the mean, and the rounding's. */
		ck_assert_double_eq_tol(mean, truth,
					3.5 * error + truth * 1e-6 + 1);
	}
	/* 95 % of 200. */
	ck_assert_msg(held[0] >= 190, "bytes: %d of 200", held[0]);
	/* Of two kinds, one may be in no sample: who knows of it? */
	if (!s->large)
		ck_assert_msg(held[1] >= 190, "blocks: %d of 200", held[1]);
}
END_TEST

static struct interval interval_of(const struct sum *s)
{
	return estimate_interval(s->bytes, s->spread.bytes, RATE);
}

/* From a site to another one, and to itself. */
START_TEST(changes_are_right)
{
	size_t i = (size_t)_i / 2, j = (i + (_i % 2 ? 3 : 0)) % COUNT(sites);
	const struct site *s = &sites[i], *t = &sites[j];
	double truth =
		(double)(t->small * t->small_size + t->large * t->large_size) -
		(double)(s->small * s->small_size + s->large * s->large_size);
	int held = 0;

	for (uint64_t seed = 1; seed <= RUNS; seed++) {
		struct sum a = run(s, seed), b = run(t, 7 * seed + 1000);
		struct change c =
			estimate_change((double)a.bytes, interval_of(&a),
					(double)b.bytes, interval_of(&b));

		held += c.low <= truth && truth <= c.high;
	}
	ck_assert_msg(held >= 187, "%d of 200", held);
}
END_TEST

/* Of many samples it is the one of the sum of the variances; of few, 4 where
 * there were none are chance, by the binomial distribution 1/8, and 6 not. */
START_TEST(changes_add_variances)
{
	struct doubt many = {1e12, 1e12}, four = {4e6, 4e6}, six = {6e6, 6e6};
	struct interval m = estimate_interval(1000000000, many, 1);
	struct interval none = estimate_interval(0, (struct doubt){0}, 1000);
	struct change c = estimate_change(1e9, m, 1e9, m);

	ck_assert_double_eq_tol(c.high, 1.96e6 * sqrt(2), 1e4);
	ck_assert_double_eq_tol(c.low, -1.96e6 * sqrt(2), 1e4);
	c = estimate_change(0, none, 4000, estimate_interval(4000, four, 1000));
	ck_assert_double_le(c.low, 0);
	c = estimate_change(0, none, 6000, estimate_interval(6000, six, 1000));
	ck_assert_double_gt(c.low, 0);
}
END_TEST

/* What is exact on both sides is exact. */
START_TEST(exact_changes_are_exact)
{
	struct interval a = estimate_interval(7, (struct doubt){0}, 0);
	struct interval none = estimate_interval(0, (struct doubt){0}, 0);
	struct change c = estimate_change(7, a, 0, none);

	ck_assert_double_eq(c.low, -7);
	ck_assert_double_eq(c.high, -7);
}
END_TEST

START_TEST(rates_are_those_of_the_birth)
{
	struct mt_meta_rate two[] = {{100, 4096}, {200, RATE}};
	struct trace t = {.rates = two, .rate_count = 2};
	struct heap_block b = {.address = 64, .size = 4096, .born = 150};
	double p = 1 - exp(-1);

	ck_assert_uint_eq(estimate_of(&t, &b).bytes,
			  (uint64_t)llround(4096 / p));
	b.born = 200;
	p = -expm1(-4096.0 / RATE);
	ck_assert_uint_eq(estimate_of(&t, &b).bytes,
			  (uint64_t)llround(4096 / p));
	b.born = 50; /* by a clock that is a little behind */
	ck_assert_uint_lt(estimate_of(&t, &b).bytes, 7000);
}
END_TEST

START_TEST(exact_is_exact)
{
	struct trace t = {0};
	struct heap_block b = {.address = 64, .size = 77};
	struct estimate e = estimate_of(&t, &b);
	struct interval i = estimate_interval(77, e.spread.bytes, 0);

	ck_assert_uint_eq(e.bytes, 77);
	ck_assert_uint_eq(e.blocks, 1);
	ck_assert_uint_eq(i.low, 77);
	ck_assert_uint_eq(i.high, 77);
	ck_assert_double_eq(i.percent, 0);
}
END_TEST

START_TEST(nothing_seen_may_be_something)
{
	struct interval i = estimate_interval(0, (struct doubt){0}, RATE);

	ck_assert_uint_eq(i.low, 0);
	ck_assert_uint_gt(i.high, 3 * RATE); /* e^-3 is 5 % */
	ck_assert_uint_lt(i.high, 4 * RATE);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_loop_test(c, estimates_are_right, 0, COUNT(sites));
	tcase_add_loop_test(c, changes_are_right, 0, 2 * COUNT(sites));
	tcase_add_test(c, changes_add_variances);
	tcase_add_test(c, exact_changes_are_exact);
	tcase_add_test(c, rates_are_those_of_the_birth);
	tcase_add_test(c, exact_is_exact);
	tcase_add_test(c, nothing_seen_may_be_something);
}

int main(void)
{
	return suite_main("estimate", add);
}
