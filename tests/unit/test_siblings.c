/* SPDX-License-Identifier: MIT */
/*
 * Shows that of each site that is asked about, the freed blocks are counted and
 * half of them lived less than is said, to an eighth; a realloc that failed
 * ended nothing.
 */
#include "gen.h"
#include "open.h"
#include "siblings.h"
#include "suite.h"

#define SITE_A MT_NODE_FIRST
#define SITE_B (MT_NODE_FIRST + 1)

static struct gen gen;

static void put(uint64_t time, unsigned int kind, uint64_t address,
		uint32_t stack)
{
	gen_event(&gen, 0,
		  &(struct mt_event){
			  .time = time,
			  .address = address,
			  .size = 16,
			  .stack = stack,
			  .kind = (uint8_t)kind,
		  });
}

/* Begin a recording of two sites. */
static void begin(void)
{
	gen_begin(&gen, 1000, 0);
	for (uint32_t i = 0; i < MT_NODE_FIRST; i++)
		gen_node(&gen, 0, 0);
	gen_pc(&gen, 1000, MT_NO_MODULE);
	gen_pc(&gen, 2000, MT_NO_MODULE);
	gen_node(&gen, 0, 0);
	gen_node(&gen, 0, 1);
}

/* Replay it for site B, as number 1, and A, as 2, if `both`. */
static void run(struct siblings *s, bool both)
{
	uint32_t site_of[MT_NODE_FIRST + 2] = {
		[SITE_A] = both ? 2 : 0,
		[SITE_B] = 1,
	};
	struct trace t;

	gen_end(&gen, MT_END_EXIT, 1ull << 60);
	open_generated(&t, &gen.file);
	gen_free(&gen);
	siblings_run(s, &t, site_of, both ? 2 : 1, NULL);
	trace_close(&t);
}

START_TEST(counts_what_was_freed)
{
	struct siblings s;

	begin();
	put(2000, MT_MALLOC, 0x100, SITE_A);
	put(2010, MT_MALLOC, 0x200, SITE_B); /* never freed */
	put(2020, MT_FREE, 0x100, 0);	     /* A: 20 */
	put(3000, MT_MALLOC, 0x100, SITE_A);
	put(3000 + 4000, MT_FREE, 0x100, 0); /* A: 4000 */
	put(8000, MT_MALLOC, 0x100, SITE_A);
	put(8040, MT_FREE, 0x100, 0); /* A: 40 */
	put(9000, MT_MALLOC, 0x100, SITE_A);
	put(9001, MT_REALLOC_FREE, 0x100, 0);
	put(9002, MT_REALLOC_CANCEL, 0x100, 0); /* lives on */
	run(&s, true);
	ck_assert_uint_eq(s.at[0].freed, 0);
	ck_assert_uint_eq(siblings_median(&s, 0), 0);
	ck_assert_uint_eq(s.at[1].freed, 3);
	ck_assert_uint_gt(siblings_median(&s, 1), 40);
	ck_assert_uint_le(siblings_median(&s, 1), 45);
	siblings_free(&s);
}
END_TEST

START_TEST(leaves_other_sites_out)
{
	struct siblings s;

	begin();
	put(2000, MT_MALLOC, 0x100, SITE_A);
	put(2020, MT_FREE, 0x100, 0);
	run(&s, false);
	ck_assert_uint_eq(s.at[0].freed, 0);
	siblings_free(&s);
}
END_TEST

/* Lifetimes around each power of two. */
START_TEST(is_right_to_an_eighth)
{
	for (int more = -1; more <= 1; more++) {
		uint64_t span = (1ull << _i) + (uint64_t)more, median;
		struct siblings s;

		begin();
		put(2000, MT_MALLOC, 0x100, SITE_B);
		put(2000 + span, MT_FREE, 0x100, 0);
		run(&s, false);
		median = siblings_median(&s, 0);
		ck_assert_uint_gt(median, span);
		ck_assert_uint_le(median, span + span / 8 + 1);
		siblings_free(&s);
	}
}
END_TEST

static void add(TCase *c)
{
	tcase_add_test(c, counts_what_was_freed);
	tcase_add_test(c, leaves_other_sites_out);
	tcase_add_loop_test(c, is_right_to_an_eighth, 1, 50);
}

int main(void)
{
	return suite_main("siblings", add);
}
