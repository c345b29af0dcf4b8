/* SPDX-License-Identifier: MIT */
/*
 * Shows that the buckets of the heap over time equal what a plain count of
 * every event says, of random programs, the whole of them and a part.
 */
#include "gen.h"
#include "open.h"
#include "series.h"
#include "suite.h"

#define BUCKETS 37
#define MAX_EVENTS 20000

/* What was live after each event, and when that was. */
static struct {
	uint64_t time, bytes, blocks;
	int allocations, frees;
	uint64_t size;
} step[MAX_EVENTS + 1];
static size_t steps;

static struct sim_block live[1000], moving[8];
static size_t live_count;
static uint64_t live_bytes;

static void begin(const struct sim_block *b)
{
	live[live_count++] = *b;
	live_bytes += b->size;
}

static void end(uint64_t address, uint32_t thread)
{
	size_t i = 0;

	while (live[i].address != address)
		i++;
	moving[thread] = live[i];
	live_bytes -= live[i].size;
	live[i] = live[--live_count];
}

static void log_event(void *arg, uint32_t thread, const struct mt_event *e)
{
	struct sim_block b = {e->address, e->size, 0, thread};
	bool cancel = e->kind == MT_REALLOC_CANCEL;
	bool free = mt_kind_is_free(e->kind);

	(void)arg;
	if (cancel)
		begin(&moving[thread]);
	else if (free)
		end(e->address, thread);
	else if (e->address)
		begin(&b);
	steps++;
	step[steps].time = e->time;
	step[steps].bytes = live_bytes;
	step[steps].blocks = live_count;
	step[steps].allocations = !cancel && !free && e->address;
	step[steps].frees = free - cancel;
	step[steps].size = step[steps].allocations ? e->size : 0;
}

/* Count what a bucket has by looking at every event. */
static void check_bucket(const struct series *s, size_t i)
{
	struct series_bucket want = {0};
	uint64_t span = s->to - s->from;

	for (size_t j = 0; j <= steps; j++) {
		uint64_t t = step[j].time < s->from ? s->from : step[j].time;
		size_t at = (size_t)((t - s->from) * BUCKETS / span);
		bool counts = step[j].time >= s->from && j;

		if (at >= BUCKETS)
			at = BUCKETS - 1;
		if (at > i)
			break;
		/* What was live before goes into a bucket that it lasts to. */
		if (at < i || step[j].time < s->from)
			want.max_bytes = want.max_blocks = 0;
		if (step[j].bytes > want.max_bytes)
			want.max_bytes = step[j].bytes;
		if (step[j].blocks > want.max_blocks)
			want.max_blocks = step[j].blocks;
		want.last_bytes = step[j].bytes;
		want.last_blocks = step[j].blocks;
		if (at < i)
			continue;
		want.allocations += counts && step[j].allocations;
		want.allocated_bytes += counts ? step[j].size : 0;
	}
	ck_assert_uint_eq(s->at[i].max_bytes, want.max_bytes);
	ck_assert_uint_eq(s->at[i].max_blocks, want.max_blocks);
	ck_assert_uint_eq(s->at[i].last_bytes, want.last_bytes);
	ck_assert_uint_eq(s->at[i].last_blocks, want.last_blocks);
	ck_assert_uint_eq(s->at[i].allocations, want.allocations);
	ck_assert_uint_eq(s->at[i].allocated_bytes, want.allocated_bytes);
}

START_TEST(buckets_are_what_was_live)
{
	static struct gen gen;
	static struct sim_expected expected;
	const struct sim_options o = {
		.seed = 11 + (uint32_t)_i,
		.threads = 4,
		.events = 4000,
		.segment_events = 500,
		.max_live = 200,
		.step = 100,
	};
	struct replay_listener l;
	uint64_t from, to, peak = 0;
	struct replay r;
	struct series s;
	struct trace t;

	steps = live_count = live_bytes = 0;
	sim_run(&o, &gen, &expected, log_event, NULL);
	open_generated(&t, &gen.file);
	from = _i % 2 ? step[steps / 3].time : step[1].time;
	to = step[steps].time + 1;
	series_begin(&s, &t, from, to, BUCKETS);
	l = series_listener(&s);
	replay_run(&r, &t, UINT64_MAX, &l, 1, NULL);
	series_end(&s);
	for (size_t i = 0; i < BUCKETS; i++)
		check_bucket(&s, i);
	for (size_t i = 1; i <= steps; i++)
		if (step[i].time >= from && step[i].allocations &&
		    step[i].bytes > peak)
			peak = step[i].bytes;
	ck_assert_uint_ge(s.peak_bytes, peak);
	replay_free(&r);
	series_free(&s);
	trace_close(&t);
	gen_free(&gen);
}
END_TEST

/* Add a segment of one event whose entry counts what `said` has. */
static void add_entry(struct gen *g, uint32_t thread, struct mt_segment said)
{
	struct mt_event e = {
		.time = said.base_time,
		.address = 0x1000,
		.kind = MT_MALLOC,
		.stack = MT_NODE_LOST,
	};

	gen_event(g, thread, &e);
	g->thread[thread].said = said;
	g->thread[thread].last_time = said.last_time;
	gen_seal_thread(g, thread);
}

/* Fill eight buckets of the clock values 1000-1800 from the index of `g`. */
static struct series read_index(struct gen *g, struct series_index *index)
{
	struct series s;
	struct trace t;

	gen_end(g, MT_END_EXIT, 1800);
	open_generated(&t, &g->file);
	series_begin(&s, &t, 1000, 1800, 8);
	series_read_index(&s, &t, index);
	trace_close(&t);
	gen_free(g);
	return s;
}

static struct gen by_hand;

START_TEST(index_is_spread_over_the_time_of_segments)
{
	static const struct series_bucket want[8] = {
		{.allocations = 5,
		 .allocated_bytes = 50,
		 .last_blocks = 5,
		 .last_bytes = 80},
		{.allocations = 5,
		 .allocated_bytes = 50,
		 .last_blocks = 10,
		 .last_bytes = 160},
		{.last_blocks = 10, .last_bytes = 160},
		/* 7 frees in 300: 2, 2 and 3; another thread's 1 at once. */
		{.frees = 2, .last_blocks = 8, .last_bytes = 123},
		{.frees = 2,
		 .allocations = 1,
		 .allocated_bytes = 1,
		 .last_blocks = 7,
		 .last_bytes = 102},
		{.frees = 3, .last_blocks = 4, .last_bytes = 64},
		{.last_blocks = 4, .last_bytes = 64},
		{.last_blocks = 4, .last_bytes = 64},
	};
	struct series_index index;
	struct series s;

	gen_begin(&by_hand, 100, 0);
	add_entry(&by_hand, 0,
		  (struct mt_segment){.base_time = 1000,
				      .last_time = 1200,
				      .allocations = 10,
				      .allocated_bytes = 100,
				      .allocated_usable_bytes = 160});
	add_entry(&by_hand, 0,
		  (struct mt_segment){.base_time = 1300,
				      .last_time = 1600,
				      .frees = 7,
				      .freed_usable_bytes = 112});
	add_entry(&by_hand, 1,
		  (struct mt_segment){.base_time = 1450,
				      .last_time = 1450,
				      .allocations = 1,
				      .allocated_bytes = 1,
				      .allocated_usable_bytes = 16});
	s = read_index(&by_hand, &index);
	for (size_t i = 0; i < 8; i++)
		ck_assert_mem_eq(&s.at[i], &want[i], sizeof(want[i]));
	ck_assert_uint_eq(index.segments, 3);
	ck_assert_uint_eq(index.longest, 300);
	ck_assert_uint_eq(index.unsealed, 0);
	ck_assert_uint_eq(s.peak_bytes, 0);
	series_free(&s);
}
END_TEST

/* Times beyond the recording, or backward, and sums beyond 64 bits. */
START_TEST(index_without_sense_stays_in_the_buckets)
{
	static const uint64_t times[][2] = {
		{0, UINT64_MAX},	  {UINT64_MAX, 0}, {0, 0},
		{UINT64_MAX, UINT64_MAX}, {1700, 1100},
	};
	struct series_index index;
	uint64_t sum = 0;
	struct series s;

	gen_begin(&by_hand, 100, 0);
	for (size_t i = 0; i < 5; i++)
		add_entry(&by_hand, 0,
			  (struct mt_segment){.base_time = times[i][0],
					      .last_time = times[i][1],
					      .allocations = UINT64_MAX / 5,
					      .frees = UINT64_MAX});
	s = read_index(&by_hand, &index);
	for (size_t i = 0; i < 8; i++)
		sum += s.at[i].allocations;
	ck_assert_uint_eq(sum, UINT64_MAX / 5 * 5);
	ck_assert_uint_le(index.longest, 800);
	series_free(&s);
}
END_TEST

/* Of blocks that were there before the recording, frees only are seen. */
START_TEST(index_has_no_less_than_nothing_live)
{
	struct series_index index;
	struct series s;

	gen_begin(&by_hand, 100, 0);
	add_entry(&by_hand, 0,
		  (struct mt_segment){.base_time = 1000,
				      .last_time = 1200,
				      .frees = 3,
				      .freed_usable_bytes = 48});
	s = read_index(&by_hand, &index);
	for (size_t i = 0; i < 8; i++) {
		ck_assert_uint_eq(s.at[i].last_blocks, 0);
		ck_assert_uint_eq(s.at[i].last_bytes, 0);
	}
	series_free(&s);
}
END_TEST

/* A segment that is there twice counts once. */
START_TEST(index_counts_a_segment_once)
{
	struct mt_segment said = {
		.base_time = 1000, .last_time = 1200, .allocations = 3};
	struct series_index index;
	struct series s;

	gen_begin(&by_hand, 100, 0);
	add_entry(&by_hand, 0, said);
	by_hand.thread[0].first = 0;
	add_entry(&by_hand, 0, said);
	s = read_index(&by_hand, &index);
	ck_assert_uint_eq(s.at[7].last_blocks, 3);
	ck_assert_uint_eq(index.segments, 1);
	series_free(&s);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_test(c, index_is_spread_over_the_time_of_segments);
	tcase_add_test(c, index_without_sense_stays_in_the_buckets);
	tcase_add_test(c, index_has_no_less_than_nothing_live);
	tcase_add_test(c, index_counts_a_segment_once);
	tcase_add_loop_test(c, buckets_are_what_was_live, 0, 6);
}

int main(void)
{
	return suite_main("series", add);
}
