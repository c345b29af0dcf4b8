/* SPDX-License-Identifier: MIT */
/*
 * Shows that a replay in steps comes to what one of the whole does: threads
 * that get other places, rows that are made one; and that it says when an
 * event comes too late for that.
 */
#include <unistd.h>

#include "gen.h"
#include "open.h"
#include "prof.h"
#include "suite.h"

static struct trace before, after;
static struct replay replay;
static struct prof prof;
static struct replay_listener listener;

/* An allocation. */
struct call {
	uint32_t thread;
	uint64_t time, size;
};

/* Open a trace of `n` allocations. */
static void open_calls(struct trace *t, const struct call *call, size_t n)
{
	static struct gen gen;

	gen_begin(&gen, 4096, 0);
	for (size_t i = 0; i < n; i++)
		gen_event(&gen, call[i].thread,
			  &(struct mt_event){
				  .time = call[i].time,
				  .address = 0x10000 + 64 * i,
				  .size = call[i].size,
				  .kind = MT_MALLOC,
			  });
	gen_end(&gen, MT_END_EXIT, 9000);
	open_generated(t, &gen.file);
	gen_free(&gen);
}

/* Replay the first `n` of some allocations, then the rest. */
static void replay_in_steps(const struct call *call, size_t n, size_t all,
			    unsigned int keys)
{
	struct prof_options o = {.until = UINT64_MAX, .keys = keys};

	open_calls(&before, call, n);
	listener = prof_begin(&prof, &before, &o);
	replay_begin(&replay, &before, &listener, 1);
	replay_on(&replay, &before, UINT64_MAX, NULL);
	open_calls(&after, call, all);
	replay_move(&replay, &before, &after);
	prof_move(&prof, &before, &after);
	replay_on(&replay, &after, UINT64_MAX, NULL);
}

static void finish(void)
{
	replay_end(&replay);
	replay_free(&replay);
	prof_free(&prof);
	trace_close(&before);
	trace_close(&after);
}

/* The last one comes later than the others. */
static const struct {
	struct call last;
	bool late;
} lates[] = {
	{{1, 1006, 1}, true},  {{1, 1020, 1}, true}, {{1, 1021, 1}, false},
	{{0, 1025, 1}, false}, {{2, 1001, 1}, true}, {{2, 1030, 1}, false},
};

START_TEST(knows_what_comes_late)
{
	struct call call[] = {
		{1, 1005, 1}, {0, 1010, 1}, {0, 1020, 1}, lates[_i].last};

	replay_in_steps(call, 3, 4, 0);
	ck_assert_int_eq(replay.late, lates[_i].late);
	ck_assert_uint_eq(replay.events, 4);
	finish();
}
END_TEST

/* Of thread 1 there is nothing at first. */
static const struct call moved[] = {
	{0, 1010, 8}, {2, 1020, 8}, {2, 1030, 16},
	{1, 1040, 8}, {2, 1050, 8}, {0, 1060, 16},
};

/* Compare rows with those of a replay of the whole. */
static void check_rows(unsigned int keys)
{
	struct prof_options o = {.until = UINT64_MAX, .keys = keys};
	struct prof whole;

	prof_run(&whole, &after, &o, NULL);
	ck_assert_uint_eq(prof.row_count, whole.row_count);
	for (uint32_t i = 0; i < whole.row_count; i++) {
		const struct prof_row *a = prof_row(&prof, i);
		const struct prof_row *b = prof_row(&whole, i);
		uint64_t bytes[2], blocks[2];

		ck_assert_mem_eq(&prof.key[i], &whole.key[i],
				 sizeof(*prof.key));
		prof_peak(&prof, a, &bytes[0], &blocks[0]);
		prof_peak(&whole, b, &bytes[1], &blocks[1]);
		ck_assert_uint_eq(a->allocations, b->allocations);
		ck_assert_uint_eq(a->live_bytes, b->live_bytes);
		ck_assert_uint_eq(bytes[0], bytes[1]);
		ck_assert_uint_eq(blocks[0], blocks[1]);
	}
	prof_free(&whole);
}

START_TEST(moves_and_merges_rows)
{
	unsigned int keys = PROF_BY_THREAD | PROF_BY_SIZE;

	replay_in_steps(moved, 3, COUNT(moved), keys);
	ck_assert(!replay.late);
	check_rows(keys);
	prof_merge_rows(&prof);
	check_rows(0);
	finish();
}
END_TEST

static void add(TCase *c)
{
	tcase_add_loop_test(c, knows_what_comes_late, 0, COUNT(lates));
	tcase_add_test(c, moves_and_merges_rows);
}

int main(void)
{
	return suite_main("steps", add);
}
