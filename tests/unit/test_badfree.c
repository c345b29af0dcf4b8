/* SPDX-License-Identifier: MIT */
/*
 * Shows what is believed of frees that meet no block, in traces made by hand:
 * all that was seen begin and end; nothing that may have happened unseen.
 */
#include "badfree.h"
#include "gen.h"
#include "open.h"
#include "suite.h"

#define BLOCK 0x10000010ull

static struct gen gen;
static uint64_t now;

/* Begin a recording of two threads. */
static void begin(void)
{
	gen_begin(&gen, 1000, 0);
	for (uint32_t i = 0; i < MT_NODE_FIRST; i++)
		gen_node(&gen, 0, 0);
	now = 2000;
}

static void put(uint32_t thread, unsigned int kind, uint64_t address)
{
	now += 100;
	gen_event(&gen, thread,
		  &(struct mt_event){
			  .time = now,
			  .address = address,
			  .size = kind < MT_FREE ? 40 : 0,
			  .kind = (uint8_t)kind,
		  });
}

static void put_pause(uint32_t paused)
{
	struct mt_meta_pause m = {.clock = now += 100, .paused = paused};

	gen_meta(&gen, MT_META_PAUSE, &m, sizeof(m), NULL, 0);
}

/* End it, and check what is found: of each kind, and what is unknown. */
static void check(const char *want, uint64_t unknown)
{
	struct stacks stacks;
	struct bad_frees b;
	struct trace t;
	char *text;

	gen_end(&gen, MT_END_EXIT, now + 1000);
	open_generated(&t, &gen.file);
	gen_free(&gen);
	stacks_of_trace(&stacks, &t, NULL);
	bad_frees_find(&b, &t, &stacks, NULL);
	text = bad_frees_text(&b);
	ck_assert_str_eq(text, want);
	ck_assert_uint_eq(b.unknown, unknown);
	free(text);
	bad_frees_free(&b);
	stacks_free(&stacks);
	trace_close(&t);
}

START_TEST(what_was_seen_is_believed)
{
	begin();
	put(0, MT_MALLOC, BLOCK);
	put(0, MT_FREE, BLOCK);
	put(1, MT_FREE, BLOCK);
	put(0, MT_MALLOC, BLOCK + 64);
	put(1, MT_FREE, BLOCK + 64 + 16);
	put(0, MT_DELETE, BLOCK + 64);
	put(0, MT_FREE, 0x1000);
	check("1 double, 1 invalid, 1 interior, 1 mismatch", 0);
}
END_TEST

/* Somebody has the allocator past us: any address may be a block again. */
START_TEST(one_unseen_block_makes_others_likely)
{
	begin();
	put(0, MT_FREE, BLOCK + 4096);
	put(0, MT_MALLOC, BLOCK);
	put(0, MT_FREE, BLOCK);
	put(0, MT_FREE, BLOCK);
	put(0, MT_MALLOC, BLOCK + 64);
	put(0, MT_DELETE, BLOCK + 64);
	check("", 3);
}
END_TEST

START_TEST(a_fork_leaves_blocks_nobody_saw)
{
	begin();
	gen_meta(&gen, MT_META_PARENT, NULL, 0, "/parent.zst", 11);
	put(0, MT_FREE, BLOCK);
	put(0, MT_FREE, BLOCK + 64);
	put(0, MT_FREE, BLOCK + 64);
	check("1 double", 2);
}
END_TEST

/* A block of before the pause may be another's by now. */
START_TEST(a_pause_makes_all_unknown)
{
	begin();
	put(0, MT_MALLOC, BLOCK);
	put(0, MT_FREE, BLOCK);
	put(0, MT_MALLOC, BLOCK + 64);
	put_pause(1);
	put_pause(0);
	put(0, MT_FREE, BLOCK);
	put(0, MT_FREE, BLOCK + 64 + 16);
	put(0, MT_DELETE, BLOCK + 64);
	check("", 2);
}
END_TEST

START_TEST(after_a_pause_all_is_known_again)
{
	begin();
	put_pause(1);
	put_pause(0);
	put(0, MT_MALLOC, BLOCK);
	put(0, MT_FREE, BLOCK);
	put(0, MT_FREE, BLOCK);
	check("1 double", 0);
}
END_TEST

/* The allocation of the other thread is stamped before the free. */
START_TEST(a_free_that_is_late_is_set_off)
{
	begin();
	put(0, MT_MALLOC, BLOCK);
	put(1, MT_MALLOC, BLOCK);
	put(0, MT_FREE, BLOCK);
	put(1, MT_FREE, BLOCK);
	put(0, MT_MALLOC, BLOCK);
	put(0, MT_FREE, BLOCK);
	check("", 1);
}
END_TEST

/* The other way round: the free is stamped before the allocation. */
START_TEST(a_free_that_is_early_is_taken_back)
{
	begin();
	put(0, MT_MALLOC, BLOCK);
	put(1, MT_FREE, BLOCK);
	put(1, MT_FREE, BLOCK);
	put(0, MT_MALLOC, BLOCK);
	put(0, MT_MALLOC, BLOCK);
	put(1, MT_FREE, BLOCK);
	check("", 1);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_test(c, a_free_that_is_early_is_taken_back);
	tcase_add_test(c, what_was_seen_is_believed);
	tcase_add_test(c, one_unseen_block_makes_others_likely);
	tcase_add_test(c, a_fork_leaves_blocks_nobody_saw);
	tcase_add_test(c, a_pause_makes_all_unknown);
	tcase_add_test(c, after_a_pause_all_is_known_again);
	tcase_add_test(c, a_free_that_is_late_is_set_off);
}

int main(void)
{
	return suite_main("badfree", add);
}
