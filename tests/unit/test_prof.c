/* SPDX-License-Identifier: MIT */
/*
 * Shows that the replay finds exactly what a random program did: its sums,
 * its peak and what made it up, what is left at the end, per stack; with one
 * thread and with many, with clocks fine and coarse.
 */
#include <unistd.h>

#include "gen.h"
#include "open.h"
#include "prof.h"
#include "suite.h"

static const struct sim_options runs[] = {
	{.seed = 1,
	 .threads = 1,
	 .events = 20000,
	 .segment_events = 4096,
	 .max_live = 500,
	 .step = 50},
	{.seed = 2,
	 .threads = 1,
	 .events = 20000,
	 .segment_events = 7,
	 .max_live = 3,
	 .step = 5000,
	 .tick_shift = 9},
	{.seed = 3,
	 .threads = 4,
	 .events = 50000,
	 .segment_events = 1000,
	 .max_live = 5000,
	 .step = 100},
	{.seed = 4,
	 .threads = 64,
	 .events = 50000,
	 .segment_events = 64,
	 .max_live = 100,
	 .step = 3},
	{.seed = 5,
	 .threads = 8,
	 .events = 50000,
	 .segment_events = 16384,
	 .max_live = 20000,
	 .step = 1000,
	 .plain = true},
	{.seed = 6,
	 .threads = 2,
	 .events = 100,
	 .segment_events = 4096,
	 .max_live = 10,
	 .step = 1},
};

/* What a test works on. */
static struct gen gen;
static struct sim_expected expected;
static struct trace trace;
static struct prof prof;
static const struct prof_options everything = {.until = UINT64_MAX};

/* Record a random program, read the trace and replay it. */
static void replay(const struct sim_options *o)
{
	sim_run(o, &gen, &expected, NULL, NULL);
	open_generated(&trace, &gen.file);
	gen_free(&gen);
	prof_run(&prof, &trace, &everything, NULL);
	ck_assert_str_eq(trace.damage.text, "");
	ck_assert_uint_eq(trace.missing, 0);
}

static void finish(void)
{
	prof_free(&prof);
	trace_close(&trace);
}

static void check_sums(void)
{
	const struct replay_anomalies *a = &prof.anomalies;

	ck_assert_uint_eq(prof.events, expected.events);
	ck_assert_uint_eq(prof.allocations, expected.total.allocations);
	ck_assert_uint_eq(prof.allocated_bytes, expected.total.allocated_bytes);
	ck_assert_uint_eq(prof.frees, expected.frees);
	ck_assert_uint_eq(prof.failed, expected.failed);
	ck_assert_uint_eq(prof.temporary, expected.total.temporary);
	ck_assert_uint_eq(prof.exit_bytes, expected.total.live_bytes);
	ck_assert_uint_eq(prof.exit_blocks, expected.total.live);
	ck_assert_uint_eq(a->lost_frees, 0);
	ck_assert_uint_eq(a->unknown_frees, 0);
	ck_assert_uint_eq(a->unknown_kinds, 0);
	ck_assert_uint_eq(prof.unknown_stacks, 0);
}

/* Return which of the program's stacks a replayed one is. */
static size_t stack_index(uint32_t row)
{
	uint64_t pc = trace.pcs[trace.nodes[prof.key[row].node].pc].pc;

	ck_assert_uint_ge(pc, 0x401000);
	return (pc - 0x401000) / 16;
}

static void check_row(uint32_t row)
{
	const struct prof_row *s = prof_row(&prof, row);
	size_t i = stack_index(row);
	uint64_t bytes, blocks;

	ck_assert_uint_lt(i, SIM_STACKS);
	prof_peak(&prof, s, &bytes, &blocks);
	ck_assert_uint_eq(s->allocations, expected.stack[i].allocations);
	ck_assert_uint_eq(s->allocated_bytes,
			  expected.stack[i].allocated_bytes);
	ck_assert_uint_eq(s->temporary, expected.stack[i].temporary);
	ck_assert_uint_eq(s->live_bytes, expected.stack[i].live_bytes);
	ck_assert_uint_eq(s->live_blocks, expected.stack[i].live);
	ck_assert_uint_eq(bytes, expected.stack_peak_bytes[i]);
	ck_assert_uint_eq(blocks, expected.stack_peak_blocks[i]);
}

START_TEST(finds_what_the_program_did)
{
	uint32_t stacks = 0;

	replay(&runs[_i]);
	check_sums();
	ck_assert_uint_eq(prof.peak_bytes, expected.peak_bytes);
	ck_assert_uint_eq(prof.peak_blocks, expected.peak_blocks);
	ck_assert_uint_eq(prof.peak_clock,
			  expected.peak_clock >>
				  runs[_i].tick_shift << runs[_i].tick_shift);
	for (uint32_t i = 0; i < prof.row_count; i++)
		if (prof_row(&prof, i)->allocations) {
			check_row(i);
			stacks++;
		}
	for (uint32_t i = 0; i < SIM_STACKS; i++)
		stacks -= expected.stack[i].allocations != 0;
	ck_assert_uint_eq(stacks, 0);
	finish();
}
END_TEST

/* At most two events of all threads fall into one tick. */
static const struct sim_options ties[] = {
	{.seed = 7,
	 .threads = 4,
	 .events = 50000,
	 .segment_events = 500,
	 .max_live = 2000,
	 .step = 50,
	 .pause = 16,
	 .tick_shift = 5},
	{.seed = 8,
	 .threads = 4,
	 .events = 50000,
	 .segment_events = 500,
	 .max_live = 50,
	 .step = 5,
	 .pause = 32,
	 .tick_shift = 6},
	{.seed = 9,
	 .threads = 2,
	 .events = 50000,
	 .segment_events = 4096,
	 .max_live = 5000,
	 .step = 1,
	 .pause = 64,
	 .tick_shift = 7},
};

/* Which of the two came first is not written; what each address allows is. */
START_TEST(orders_ties_by_the_heap)
{
	replay(&ties[_i]);
	check_sums();
	finish();
}
END_TEST

/* Of equal peaks the first counts; what a whole trace lacks is counted. */
START_TEST(counts_what_does_not_fit)
{
	gen_begin(&gen, 100, 0);
	for (uint32_t i = 0; i < MT_NODE_FIRST; i++)
		gen_node(&gen, 0, 0);
	gen_plain_event(&gen, 2000, MT_MALLOC, 0x5000, 100);
	gen_plain_event(&gen, 3000, MT_FREE, 0x5000, 0);
	gen_plain_event(&gen, 4000, MT_MALLOC, 0x6000, 100);
	gen_plain_event(&gen, 5000, MT_MALLOC, 0x6000,
			50);				 /* its free was lost */
	gen_plain_event(&gen, 6000, MT_FREE, 0x7000, 0); /* never allocated */
	gen_plain_event(&gen, 7000, MT_MMAP, 0x10000, 5000);
	gen_plain_event(&gen, 8000, MT_MUNMAP, 0x10000, 4096);
	gen_plain_event(&gen, 9000, MT_MALLOC, 0, 77); /* failed */
	gen_end(&gen, MT_END_EXIT, 10000);
	open_generated(&trace, &gen.file);
	gen_free(&gen);
	prof_run(&prof, &trace, &everything, NULL);
	ck_assert_uint_eq(prof.peak_bytes, 100);
	ck_assert_uint_eq(prof.peak_clock, 2000);
	ck_assert_uint_eq(prof.exit_bytes, 50);
	ck_assert_uint_eq(prof.exit_blocks, 1);
	ck_assert_uint_eq(prof.temporary, 1);
	ck_assert_uint_eq(prof.allocations, 3);
	ck_assert_uint_eq(prof.frees, 1);
	ck_assert_uint_eq(prof.failed, 1);
	ck_assert_uint_eq(prof.anomalies.lost_frees, 1);
	ck_assert_uint_eq(prof.anomalies.unknown_frees, 1);
	ck_assert_uint_eq(prof.mmaps, 1);
	ck_assert_uint_eq(prof.mappings.peak_bytes, 8192);
	ck_assert_uint_eq(prof.mappings.bytes, 4096);
	finish();
}
END_TEST

/* A realloc that failed was no end: neither of a life, nor, when it began
 * before the window, one that the window has to take back. */
static const struct {
	uint64_t from, frees, lifetimes;
} windows[] = {
	{0, 2, 5000 + 1000},
	{4500, 2, 5000 + 1000},
	{5500, 1, 5000},
};

START_TEST(takes_failed_reallocs_back)
{
	struct prof_options o = {.from = windows[_i].from, .until = UINT64_MAX};
	uint64_t frees = 0, lifetimes = 0;

	gen_begin(&gen, 100, 0);
	for (uint32_t i = 0; i < MT_NODE_FIRST; i++)
		gen_node(&gen, 0, 0);
	gen_plain_event(&gen, 2000, MT_MALLOC, 0x5000, 100);
	gen_plain_event(&gen, 2500, MT_MALLOC, 0x6000, 10);
	gen_plain_event(&gen, 3000, MT_REALLOC_FREE, 0x5000, 0);
	gen_plain_event(&gen, 3500, MT_REALLOC_CANCEL, 0x5000, 1000);
	gen_plain_event(&gen, 4000, MT_MALLOC, 0x7000, 1);
	gen_plain_event(&gen, 5000, MT_FREE, 0x7000, 0);
	gen_plain_event(&gen, 5200, MT_REALLOC_FREE, 0x5000, 0);
	gen_plain_event(&gen, 6000, MT_MALLOC, 0, 77);
	gen_plain_event(&gen, 7500, MT_FREE, 0x6000, 0);
	gen_plain_event(&gen, 8000, MT_REALLOC_CANCEL, 0x5000, 1000);
	gen_end(&gen, MT_END_EXIT, 10000);
	open_generated(&trace, &gen.file);
	gen_free(&gen);
	prof_run(&prof, &trace, &o, NULL);
	for (uint32_t i = 0; i < prof.row_count; i++) {
		frees += prof_row(&prof, i)->frees;
		lifetimes += prof_row(&prof, i)->lifetimes;
	}
	ck_assert_uint_eq(prof.frees, windows[_i].frees);
	ck_assert_uint_eq(frees, windows[_i].frees);
	ck_assert_uint_eq(lifetimes, windows[_i].lifetimes);
	ck_assert_uint_eq(prof.exit_bytes, 100);
	finish();
}
END_TEST

static void add(TCase *c)
{
	tcase_add_loop_test(c, finds_what_the_program_did, 0, COUNT(runs));
	tcase_add_loop_test(c, orders_ties_by_the_heap, 0, COUNT(ties));
	tcase_add_test(c, counts_what_does_not_fit);
	tcase_add_loop_test(c, takes_failed_reallocs_back, 0, COUNT(windows));
}

int main(void)
{
	return suite_main("prof", add);
}
