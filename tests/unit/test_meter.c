/* SPDX-License-Identifier: MIT */
/*
 * Shows which blocks a hook takes: one of n bytes by the chance of
 * 1 - exp(-n / rate), whatever the blocks before it; none while recording
 * stands still; the same ones for the same seed; and at another rate from the
 * next block on. And what a block that was taken stands for.
 */
#include "meter.h"

#include <math.h>
#include <memtrace/sample.h>

#include "suite.h"

#define RATE 65536
#define BLOCKS 400000

/* Ask for blocks of a size; returns how many are taken. */
static uint64_t ask(uint64_t size, uint64_t blocks)
{
	uint64_t taken = 0;

	for (uint64_t i = 0; i < blocks; i++)
		taken += !mt_meter_passes(size) && mt_meter_take(size);
	return taken;
}

/* Sizes below the rate, at it, beyond it, and none. */
static const uint64_t sizes[] = {
	0, 1, 16, 100, 4096, RATE - 1, RATE, 3 * RATE, 20 * RATE,
};

START_TEST(chances_are_by_size)
{
	uint64_t size = sizes[_i];
	double p = -expm1(-(double)(size ? size : 1) / RATE);
	double most = 4.5 * sqrt(BLOCKS * p * (1 - p)) + 1e-3;

	mt_meter_set(RATE, false, 1 + (uint64_t)_i);
	ck_assert_double_eq_tol((double)ask(size, BLOCKS), BLOCKS * p, most);
}
END_TEST

/* A block's chance does not depend on those before: here on small ones. */
START_TEST(chances_have_no_memory)
{
	double p = -expm1(-0.5), n = 20000;
	uint64_t taken = 0;

	mt_meter_set(RATE, false, 42);
	for (int i = 0; i < n; i++) {
		ask(24, 37);
		taken += ask(RATE / 2, 1);
	}
	ck_assert_double_eq_tol((double)taken, n * p,
				4.5 * sqrt(n * p * (1 - p)));
}
END_TEST

/* The distances themselves: mean and variance of the exponential one. */
START_TEST(distances_are_exponential)
{
	uint64_t state = 7, n = 200000;
	double sum = 0, squares = 0;

	for (uint64_t i = 0; i < n; i++) {
		double d = (double)mt_sample_draw(&state, RATE) / RATE;

		sum += d;
		squares += d * d;
	}
	ck_assert_double_eq_tol(sum / (double)n, 1, 4.5 / sqrt((double)n));
	/* The second moment is 2, and the fourth 24. */
	ck_assert_double_eq_tol(squares / (double)n, 2,
				4.5 * sqrt(20 / (double)n));
}
END_TEST

static const uint64_t rates[] = {
	MT_MIN_RATE, 5000, RATE, 999999937, MT_MAX_RATE,
};

/* To the nearest byte, for all rates and sizes: from one byte to where each is
 * taken. */
START_TEST(weight_is_size_by_chance)
{
	uint64_t rate = rates[_i];

	mt_meter_set(rate, false, 1);
	ck_assert_uint_eq(mt_meter_weight(0), 0);
	for (double x = 1; x < 50 * (double)rate; x = x * 1.01 + 1) {
		uint64_t size = (uint64_t)x;
		long double n = (long double)size;
		long double is = n / -expm1l(-n / (long double)rate);

		ck_assert_ldouble_eq_tol((long double)mt_meter_weight(size), is,
					 0.5001L);
	}
	ck_assert_uint_eq(mt_meter_weight(UINT64_MAX), UINT64_MAX);
	ck_assert_uint_eq(mt_meter_weight(45 * rate), 45 * rate);
}
END_TEST

START_TEST(each_stands_for_itself_when_all_are_taken)
{
	mt_meter_set(0, false, 1);
	for (uint64_t size = 0; size < 1 << 20; size += 1 + size / 2)
		ck_assert_uint_eq(mt_meter_weight(size), size);
}
END_TEST

START_TEST(nothing_is_taken_while_it_stands_still)
{
	mt_meter_set(RATE, true, 1);
	ck_assert_uint_eq(ask(RATE, BLOCKS), 0);
	mt_meter_set(0, true, 1);
	ck_assert_uint_eq(ask(RATE, BLOCKS), 0);
	mt_meter_set(0, false, 1);
	ck_assert(!mt_gate.skims);
	ck_assert_uint_eq(ask(16, 100), 100);
}
END_TEST

START_TEST(another_rate_holds_from_the_next_block_on)
{
	mt_meter_set(1 << 30, false, 5);
	ck_assert_uint_le(ask(100, 1000), 1);
	mt_meter_set(MT_MIN_RATE, false, 5);
	/* 100,000 bytes: 24 points; one way of the old rate is longer. */
	ck_assert_uint_ge(ask(100, 1000), 8);
}
END_TEST

/* Neighbouring seeds are as good as any. */
START_TEST(seeds_are_independent)
{
	double n = 400, sum = 0, squares = 0;

	for (uint64_t seed = 1; seed <= n; seed++) {
		double taken;

		mt_meter_set(RATE, false, seed);
		taken = (double)ask(100, 65536); /* 100 in the mean */
		sum += taken;
		squares += taken * taken;
	}
	ck_assert_double_eq_tol(sum / n, 100, 4.5 * 10 / sqrt(n));
	ck_assert_double_eq_tol(squares / n - sum / n * (sum / n), 100,
				4.5 * 100 * sqrt(2 / n));
}
END_TEST

START_TEST(seeds_tell_which)
{
	uint64_t first[2] = {0}, other = 0;

	for (int run = 0; run < 2; run++) {
		uint64_t state = 99;

		for (int i = 0; i < 10; i++)
			first[run] =
				first[run] * 31 + mt_sample_draw(&state, RATE);
	}
	ck_assert_uint_eq(first[0], first[1]);
	for (uint64_t i = 0, state = 100; i < 10; i++)
		other = other * 31 + mt_sample_draw(&state, RATE);
	ck_assert_uint_ne(first[0], other);
}
END_TEST

/* The mailbox is looked into now and then, however far the next point is. */
START_TEST(threads_look_around)
{
	static const int every[] = {MT_LOOK_BYTES, MT_LOOK_PAUSED_BYTES};

	for (int paused = 0; paused < 2; paused++) {
		int looks = 0;

		mt_meter_set(1u << 30, paused, 1);
		mt_meter_take(1);
		for (int i = 0; i < 10 * every[paused] / 64; i++)
			if (!mt_meter_passes(64)) {
				looks++;
				mt_meter_take(64);
			}
		ck_assert_int_ge(looks, 9);
		ck_assert_int_le(looks, 11);
	}
}
END_TEST

static void add(TCase *c)
{
	tcase_add_loop_test(c, chances_are_by_size, 0, COUNT(sizes));
	tcase_add_test(c, chances_have_no_memory);
	tcase_add_test(c, distances_are_exponential);
	tcase_add_loop_test(c, weight_is_size_by_chance, 0, COUNT(rates));
	tcase_add_test(c, each_stands_for_itself_when_all_are_taken);
	tcase_add_test(c, nothing_is_taken_while_it_stands_still);
	tcase_add_test(c, another_rate_holds_from_the_next_block_on);
	tcase_add_test(c, seeds_are_independent);
	tcase_add_test(c, seeds_tell_which);
	tcase_add_test(c, threads_look_around);
}

int main(void)
{
	return suite_main("meter", add);
}
