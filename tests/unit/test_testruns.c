/* SPDX-License-Identifier: MIT */
/*
 * Shows which test a moment belongs to, whatever the marks are: overlapping,
 * without an end, out of order; and what grows over the runs of one.
 */
#include <string.h>

#include "repeats.h"
#include "suite.h"

#define BEGIN MT_MARK_TEST_BEGIN
#define END MT_MARK_TEST_END
#define MOMENT MT_MARK_MOMENT

struct moment {
	uint64_t clock;
	uint32_t tid, mark;
	const char *name;
};

/* Return a trace with these marks only. */
static struct trace trace_of(const struct moment *m, int n)
{
	static struct trace_mark marks[16];

	for (int i = 0; i < n; i++)
		marks[i] = (struct trace_mark){m[i].clock, m[i].tid, m[i].mark,
					       (char *)m[i].name};
	return (struct trace){.marks = marks, .mark_count = (size_t)n};
}

static const struct moment marked[] = {
	{10, 1, BEGIN, "a"}, {15, 1, MOMENT, "a"}, {20, 1, END, NULL},
	{30, 1, BEGIN, "b"}, {40, 1, BEGIN, "a"}, /* b has no end */
	{50, 2, BEGIN, "c"}, {60, 2, END, NULL},   {70, 1, END, NULL},
	{80, 1, END, NULL}, /* of none */
	{90, 3, BEGIN, ""},  {85, 1, BEGIN, "a"},
};

static const struct {
	uint64_t clock;
	uint32_t tid;
	const char *name; /* NULL: no test */
	uint32_t run;
} moments[] = {
	{9, 1, NULL, 0}, {10, 1, "a", 1}, {19, 2, "a", 1},  {20, 1, NULL, 0},
	{35, 1, "b", 1}, {40, 1, "a", 2}, {55, 1, "a", 2},  {55, 2, "c", 1},
	{55, 9, "c", 1}, {65, 9, "a", 2}, {75, 1, NULL, 0}, {87, 9, "a", 3},
	{95, 1, "a", 3}, {95, 3, "", 1},  {95, 9, "", 1},
};

START_TEST(finds)
{
	struct trace t = trace_of(marked, COUNT(marked));
	const struct testrun *run;
	struct testruns r;

	testruns_list(&r, &t);
	ck_assert_uint_eq(r.count, 6);
	ck_assert_uint_eq(r.test_count, 4);
	run = testruns_at(&r, moments[_i].clock, moments[_i].tid);
	if (moments[_i].name) {
		ck_assert_ptr_nonnull(run);
		ck_assert_str_eq(run->name, moments[_i].name);
		ck_assert_uint_eq(run->run, moments[_i].run);
	} else {
		ck_assert_ptr_null(run);
	}
	testruns_free(&r);
}
END_TEST

/* Four runs of one test, two of another, after each other. */
static const struct moment repeated[] = {
	{100, 1, BEGIN, "x"}, {200, 1, BEGIN, "x"}, {300, 1, BEGIN, "x"},
	{400, 1, BEGIN, "x"}, {500, 1, BEGIN, "y"}, {600, 1, BEGIN, "y"},
	{700, 1, END, NULL},
};

/* What is live at the end: when it was allocated, where, how it is kept. */
static const struct {
	uint64_t born, size;
	uint32_t node;
	enum leak_kind kind;
	bool loader;
} live[] = {
	/* 1: a list that grows by two or three each time */
	{110, 8, 1, LEAK_REACHABLE, false},
	{210, 8, 1, LEAK_REACHABLE, false},
	{211, 8, 1, LEAK_REACHABLE, false},
	{310, 9, 1, LEAK_REACHABLE, false},
	{311, 9, 1, LEAK_REACHABLE, false},
	{312, 9, 1, LEAK_REACHABLE, false},
	{410, 7, 1, LEAK_REACHABLE, false},
	{411, 7, 1, LEAK_REACHABLE, false},
	/* 2: initialised once; 3: the last one is kept; 4: not every time */
	{120, 8, 2, LEAK_REACHABLE, false},
	{420, 8, 3, LEAK_REACHABLE, false},
	{220, 8, 4, LEAK_REACHABLE, false},
	{420, 8, 4, LEAK_REACHABLE, false},
	/* 5: lost anyway; 6: the loader's; 7: too few runs; 8: in no test */
	{230, 8, 5, LEAK_DEFINITE, false},
	{330, 8, 5, LEAK_INDIRECT, false},
	{430, 8, 5, LEAK_DEFINITE, false},
	{240, 8, 6, LEAK_REACHABLE, true},
	{340, 8, 6, LEAK_REACHABLE, true},
	{440, 8, 6, LEAK_REACHABLE, true},
	{510, 8, 7, LEAK_REACHABLE, false},
	{610, 8, 7, LEAK_REACHABLE, false},
	{50, 8, 8, LEAK_REACHABLE, false},
	{710, 8, 8, LEAK_REACHABLE, false},
	/* 9: possibly lost, each time */
	{250, 1, 9, LEAK_POSSIBLE, false},
	{350, 1, 9, LEAK_POSSIBLE, false},
	{450, 1, 9, LEAK_POSSIBLE, false},
};

START_TEST(grows)
{
	struct trace_thread thread = {.tid = 1};
	struct trace t = trace_of(repeated, COUNT(repeated));
	struct graph_block blocks[COUNT(live)] = {0};
	struct leak_block kinds[COUNT(live)] = {0};
	struct leaks l = {.blocks = kinds};
	struct testruns runs;
	struct repeats r;

	t.threads = &thread;
	t.thread_count = 1;
	for (int i = 0; i < COUNT(live); i++) {
		blocks[i].born = live[i].born;
		blocks[i].size = live[i].size;
		blocks[i].node = live[i].node;
		blocks[i].loader = live[i].loader;
		kinds[i].kind = live[i].kind;
	}
	l.graph.blocks = blocks;
	l.graph.block_count = COUNT(live);
	testruns_list(&runs, &t);
	repeats_find(&r, &l, &runs, &t);
	ck_assert_uint_eq(r.count, 2);
	ck_assert_str_eq(r.at[0].test, "x");
	ck_assert_uint_eq(r.at[0].block->node, 1);
	ck_assert_uint_eq(r.at[0].runs, 4);
	ck_assert_uint_eq(r.at[0].least.blocks, 2);
	ck_assert_uint_eq(r.at[0].least.bytes, 16);
	ck_assert_uint_eq(r.at[0].all.blocks, 7);
	ck_assert_uint_eq(r.at[0].all.bytes, 57);
	ck_assert_uint_eq(r.at[1].block->node, 9);
	repeats_free(&r);
	testruns_free(&runs);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_loop_test(c, finds, 0, COUNT(moments));
	tcase_add_test(c, grows);
}

int main(void)
{
	return suite_main("testruns", add);
}
