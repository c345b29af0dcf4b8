/* SPDX-License-Identifier: MIT */
/*
 * Shows that how long blocks lived is counted where it belongs, in time and in
 * bytes allocated meanwhile; failed reallocs and the window too.
 */
#include "gen.h"
#include "lifespan.h"
#include "open.h"
#include "suite.h"

static struct gen gen;

/* Return the bucket whose bounds hold a time. */
static unsigned int holds(uint64_t ns)
{
	unsigned int i = 0;

	while (ns >= lifespan_bound_ns(i))
		i++;
	return i;
}

/* A clock unit is half a ns in generated traces. */
static void run(struct lifespan *l, struct trace *t, uint64_t from)
{
	struct replay_listener listener;
	struct replay r;

	gen_begin(&gen, 100, 0);
	for (uint32_t i = 0; i < MT_NODE_FIRST; i++)
		gen_node(&gen, 0, 0);
	gen_plain_event(&gen, 2000, MT_MALLOC, 0x5000, 100);
	gen_plain_event(&gen, 2200, MT_FREE, 0x5000,
			0); /* 100 ns, 0 bytes meanwhile */
	gen_plain_event(&gen, 3000, MT_MALLOC, 0x5000, 10);
	gen_plain_event(&gen, 3100, MT_MALLOC, 0x6000, 1000);
	gen_plain_event(&gen, 23000, MT_FREE, 0x5000,
			0); /* 10 us, 1000 bytes */
	gen_plain_event(&gen, 24000, MT_REALLOC_FREE, 0x6000, 0);
	gen_plain_event(&gen, 24100, MT_REALLOC_CANCEL, 0x6000,
			5000); /* lives on */
	gen_plain_event(&gen, 30000, MT_MALLOC, 0x7000, 7);
	gen_end(&gen, MT_END_EXIT, 40000);
	open_generated(t, &gen.file);
	gen_free(&gen);
	lifespan_begin(l, t, from);
	listener = lifespan_listener(l);
	replay_run(&r, t, UINT64_MAX, &listener, 1, NULL);
	lifespan_end(l);
	replay_free(&r);
}

START_TEST(lives_are_counted)
{
	struct lifespan l;
	struct trace t;
	uint64_t blocks = 0;

	run(&l, &t, 0);
	ck_assert_uint_eq(l.time[holds(100)].blocks, 1);
	ck_assert_uint_eq(l.time[holds(100)].bytes, 100);
	ck_assert_uint_eq(l.time[holds(10000)].blocks, 1);
	ck_assert_uint_eq(l.time[holds(10000)].bytes, 10);
	ck_assert_uint_eq(l.time[LIFESPAN_TIMES].blocks, 2);
	ck_assert_uint_eq(l.time[LIFESPAN_TIMES].bytes, 1007);
	ck_assert_uint_eq(l.meanwhile[0].blocks, 1);
	ck_assert_uint_eq(l.meanwhile[10].blocks, 1); /* under 1,024 */
	ck_assert_uint_eq(l.meanwhile[LIFESPAN_BYTES].blocks, 2);
	for (unsigned int i = 0; i <= LIFESPAN_TIMES; i++)
		blocks += l.time[i].blocks;
	ck_assert_uint_eq(blocks, 4);
	ck_assert_uint_eq(lifespan_quantile_ns(&l, 0.5),
			  lifespan_bound_ns(holds(100)));
	ck_assert_uint_eq(lifespan_quantile_ns(&l, 0.99),
			  lifespan_bound_ns(holds(10000)));
	lifespan_free(&l);
	trace_close(&t);
}
END_TEST

/* What began before the window does not count, but ages it. */
START_TEST(windows_are_heeded)
{
	struct lifespan l;
	struct trace t;

	run(&l, &t, 3050);
	ck_assert_uint_eq(l.time[holds(100)].blocks, 0);
	ck_assert_uint_eq(l.time[holds(10000)].blocks, 0);
	ck_assert_uint_eq(l.time[LIFESPAN_TIMES].blocks, 2);
	lifespan_free(&l);
	trace_close(&t);
}
END_TEST

/* Half of 1,000 blocks in either of two buckets: the median is in one of them,
 * unless samples of 20 blocks each say so. */
START_TEST(quantiles_have_intervals)
{
	struct trace t = {0};
	struct lifespan l;
	uint64_t low, high;

	lifespan_begin(&l, &t, 0);
	l.time[10].blocks = l.time[20].blocks = 500;
	lifespan_quantile_interval(&l, 0.5, &low, &high);
	ck_assert_uint_eq(low, lifespan_bound_ns(10));
	ck_assert_uint_eq(high, lifespan_bound_ns(10));
	l.time[10].spread.blocks.variance = 500 * 20;
	l.time[20].spread.blocks.variance = 500 * 20;
	lifespan_quantile_interval(&l, 0.5, &low, &high);
	ck_assert_uint_eq(low, lifespan_bound_ns(10));
	ck_assert_uint_eq(high, lifespan_bound_ns(20));
	lifespan_quantile_interval(&l, 0.99, &low, &high);
	ck_assert_uint_eq(low, lifespan_bound_ns(20));
	ck_assert_uint_eq(high, lifespan_bound_ns(20));
	lifespan_free(&l);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_test(c, lives_are_counted);
	tcase_add_test(c, windows_are_heeded);
	tcase_add_test(c, quantiles_have_intervals);
}

int main(void)
{
	return suite_main("lifespan", add);
}
