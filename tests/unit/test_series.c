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
	series_begin(&s, from, to, BUCKETS);
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

static void add(TCase *c)
{
	tcase_add_loop_test(c, buckets_are_what_was_live, 0, 6);
}

int main(void)
{
	return suite_main("series", add);
}
