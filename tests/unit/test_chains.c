/* SPDX-License-Identifier: MIT */
/*
 * Shows that chains of reallocs are followed: across addresses, what they
 * copied, how far they went, and what size would have been enough.
 */
#include "chains.h"
#include "gen.h"
#include "open.h"
#include "suite.h"

static struct gen gen;
static uint64_t now;

static void add_event(unsigned int kind, uint64_t address, uint64_t size,
		      uint32_t stack)
{
	gen_event(&gen, 0,
		  &(struct mt_event){
			  .time = now += 10,
			  .address = address,
			  .size = size,
			  .kind = (uint8_t)kind,
			  .stack = stack,
		  });
}

static void add_realloc(uint64_t from, uint64_t to, uint64_t size,
			uint32_t stack)
{
	add_event(MT_REALLOC_FREE, from, 0, stack);
	add_event(MT_REALLOC, to, size, stack);
}

static const struct chains_stack *stack_of(const struct chains *c,
					   uint32_t node)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->at[i].node == node)
			return &c->at[i];
	ck_abort_msg("no such stack");
}

static void run(struct chains *c, struct trace *t)
{
	struct replay_listener l = chains_listener(c);
	struct replay r;

	gen_end(&gen, MT_END_EXIT, now + 100);
	open_generated(t, &gen.file);
	gen_free(&gen);
	replay_run(&r, t, UINT64_MAX, &l, 1, NULL);
	chains_end(c);
	replay_free(&r);
}

static void begin(void)
{
	now = 2000;
	gen_begin(&gen, 1000, 0);
	for (uint32_t i = 0; i < MT_NODE_FIRST + 2; i++)
		gen_node(&gen, 0,
			 i < MT_NODE_FIRST ? 0 : gen_pc(&gen, 0x1000 + i, 0));
}

START_TEST(chains_are_followed)
{
	const uint32_t a = MT_NODE_FIRST, b = a + 1;
	struct chains c;
	struct trace t;

	begin();
	add_event(MT_MALLOC, 0x5000, 10, a);
	add_realloc(0x5000, 0x6000, 20, a); /* moved: 10 bytes */
	add_realloc(0x6000, 0x6000, 30, a); /* in place */
	add_realloc(0x6000, 0x7000, 4, b);  /* shrank, moved: 4 bytes */
	add_event(MT_FREE, 0x7000, 0, a);
	add_event(MT_MALLOC, 0x7000, 50, a); /* another block */
	add_realloc(0x7000, 0x8000, 60, b);
	chains_begin(&c, 0);
	run(&c, &t);
	ck_assert_uint_eq(c.count, 2);
	ck_assert_uint_eq(stack_of(&c, a)->calls, 2);
	ck_assert_uint_eq(stack_of(&c, a)->moved, 1);
	ck_assert_uint_eq(stack_of(&c, a)->copied_bytes, 10);
	ck_assert_uint_eq(stack_of(&c, a)->longest_steps, 2);
	ck_assert_uint_eq(stack_of(&c, a)->largest_bytes, 30);
	ck_assert_uint_eq(stack_of(&c, b)->calls, 2);
	ck_assert_uint_eq(stack_of(&c, b)->copied_bytes, 4 + 50);
	ck_assert_uint_eq(stack_of(&c, b)->longest_steps, 3);
	chains_free(&c);
	trace_close(&t);
}
END_TEST

/* Nineteen chains end at 100 bytes, one at 5,000. */
START_TEST(most_chains_need_so_much)
{
	const uint32_t a = MT_NODE_FIRST;
	struct chains c;
	struct trace t;

	begin();
	for (uint64_t i = 0; i < 20; i++) {
		uint64_t at = 0x10000 + i * 0x2000;

		add_event(MT_MALLOC, at, 8, a);
		add_realloc(at, at, 50, a);
		add_realloc(at, at, i == 3 ? 5000 : 100, a);
	}
	chains_begin(&c, 0);
	run(&c, &t);
	ck_assert_uint_eq(c.at[0].largest_bytes, 5000);
	ck_assert_uint_ge(c.at[0].reserve_bytes, 100);
	ck_assert_uint_lt(c.at[0].reserve_bytes, 113);
	chains_free(&c);
	trace_close(&t);
}
END_TEST

/* What was before the window does not count, and the chain starts anew. */
START_TEST(windows_are_heeded)
{
	struct chains c;
	struct trace t;

	begin();
	add_event(MT_MALLOC, 0x5000, 10, MT_NODE_FIRST);
	add_realloc(0x5000, 0x6000, 20, MT_NODE_FIRST);
	add_realloc(0x6000, 0x7000, 40, MT_NODE_FIRST);
	chains_begin(&c, now); /* its first instant is in it */
	run(&c, &t);
	ck_assert_uint_eq(c.at[0].calls, 1);
	ck_assert_uint_eq(c.at[0].longest_steps, 1);
	ck_assert_uint_eq(c.at[0].copied_bytes, 20);
	chains_free(&c);
	trace_close(&t);
}
END_TEST

/* A realloc that fails is no step, and the chain goes on after it. */
START_TEST(failures_are_survived)
{
	struct chains c;
	struct trace t;

	begin();
	add_event(MT_MALLOC, 0x5000, 10, MT_NODE_FIRST);
	add_realloc(0x5000, 0x6000, 20, MT_NODE_FIRST);
	add_event(MT_REALLOC_FREE, 0x6000, 0, MT_NODE_FIRST);
	add_event(MT_REALLOC_CANCEL, 0x6000, 9000, MT_NODE_FIRST);
	add_event(MT_MALLOC, 0x9000, 8, MT_NODE_FIRST);
	add_realloc(0x9000, 0xa000, 16, MT_NODE_FIRST + 1);
	add_realloc(0x6000, 0x7000, 40, MT_NODE_FIRST);
	chains_begin(&c, 0);
	run(&c, &t);
	ck_assert_uint_eq(stack_of(&c, MT_NODE_FIRST)->calls, 2);
	ck_assert_uint_eq(stack_of(&c, MT_NODE_FIRST)->longest_steps, 2);
	ck_assert_uint_eq(stack_of(&c, MT_NODE_FIRST)->copied_bytes, 10 + 20);
	ck_assert_uint_eq(stack_of(&c, MT_NODE_FIRST + 1)->longest_steps, 1);
	chains_free(&c);
	trace_close(&t);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_test(c, chains_are_followed);
	tcase_add_test(c, most_chains_need_so_much);
	tcase_add_test(c, windows_are_heeded);
	tcase_add_test(c, failures_are_survived);
}

int main(void)
{
	return suite_main("chains", add);
}
