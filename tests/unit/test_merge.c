/* SPDX-License-Identifier: MIT */
/*
 * Shows that the threads' streams come together in the order in which the
 * events happened, each as it was, and that memory is held for the threads
 * that are at work only.
 */
#include <unistd.h>

#include "gen.h"
#include "heap.h"
#include "merge.h"
#include "open.h"
#include "suite.h"

#define EVENTS 30000

static struct gen gen;
static struct sim_expected expected;
static struct trace trace;

/* What happened, in order. */
static struct {
	struct mt_event event[EVENTS + 10];
	uint32_t thread[EVENTS + 10];
	uint32_t count;
} happened;

static void note(void *arg, uint32_t thread, const struct mt_event *e)
{
	(void)arg;
	happened.event[happened.count] = *e;
	happened.thread[happened.count++] = thread;
}

static bool anything_fits(const void *heap, const struct mt_event *e)
{
	(void)heap;
	(void)e;
	return true;
}

static const struct sim_options programs[] = {
	{.seed = 1,
	 .threads = 1,
	 .events = EVENTS,
	 .segment_events = 4096,
	 .max_live = 500,
	 .step = 50},
	{.seed = 2,
	 .threads = 5,
	 .events = EVENTS,
	 .segment_events = 100,
	 .max_live = 500,
	 .step = 1000},
	{.seed = 3,
	 .threads = 64,
	 .events = EVENTS,
	 .segment_events = 16384,
	 .max_live = 5000,
	 .step = 3},
	{.seed = 4,
	 .threads = 33,
	 .events = EVENTS,
	 .segment_events = 1,
	 .max_live = 50,
	 .step = 3},
};

START_TEST(keeps_order_and_content)
{
	struct merge_run run;
	struct merge m;
	uint32_t n = 0;

	sim_run(&programs[_i], &gen, &expected, note, NULL);
	open_generated(&trace, &gen.file);
	merge_init(&m, &trace, anything_fits, NULL);
	while (merge_next(&m, &run)) {
		for (uint32_t i = 0; i < run.count; i++, n++) {
			const struct mt_event *e = &happened.event[n];

			ck_assert_uint_lt(n, happened.count);
			ck_assert_uint_eq(trace.threads[run.thread].index,
					  happened.thread[n]);
			ck_assert_uint_eq(run.event[i].time, e->time);
			ck_assert_uint_eq(run.event[i].address, e->address);
			ck_assert_uint_eq(run.event[i].size, e->size);
			ck_assert_uint_eq(run.event[i].stack, e->stack);
			ck_assert_uint_eq(run.event[i].kind, e->kind);
			ck_assert_uint_eq(run.event[i].align_log2,
					  e->align_log2);
		}
	}
	ck_assert_uint_eq(n, happened.count);
	merge_free(&m);
	trace_close(&trace);
	gen_free(&gen);
}
END_TEST

/* Add an allocation or a free of an address by a thread at a time. */
static void add_event(uint32_t thread, uint64_t time, unsigned int kind,
		      uint64_t address)
{
	gen_event(&gen, thread,
		  &(struct mt_event){
			  .time = time,
			  .address = address,
			  .kind = (uint8_t)kind,
		  });
}

/* Merge what `gen` has, by a heap; the events' threads must be `order`. */
static void check_order(const uint32_t *order, size_t count)
{
	struct merge_run run;
	struct merge m;
	struct heap h;
	size_t n = 0;

	gen_end(&gen, MT_END_EXIT, 40000);
	open_generated(&trace, &gen.file);
	heap_init(&h);
	merge_init(&m, &trace, heap_fits, &h);
	while (merge_next(&m, &run))
		for (uint32_t i = 0; i < run.count; i++) {
			uint64_t address = run.event[i].address;
			struct heap_block *b = heap_find(&h, address);

			ck_assert_uint_lt(n, count);
			ck_assert_uint_eq(run.thread, order[n++]);
			if (b->address)
				heap_remove(&h, b);
			else if (mt_kind_is_alloc(run.event[i].kind))
				heap_insert(&h, &(struct heap_block){
							.address = address});
		}
	ck_assert_uint_eq(n, count);
	merge_free(&m);
	heap_free(&h);
	trace_close(&trace);
	gen_free(&gen);
}

/* The block goes from hand to hand within a tick, against thread order. */
START_TEST(ties_follow_the_block)
{
	static const uint32_t order[] = {2, 2, 1, 1, 0};

	gen_begin(&gen, 100, 10);
	add_event(2, 10240, MT_MALLOC, 0x5000);
	add_event(2, 20481, MT_FREE, 0x5000);
	add_event(1, 20482, MT_MALLOC, 0x5000);
	add_event(1, 30721, MT_FREE, 0x5000);
	add_event(0, 30722, MT_MALLOC, 0x5000);
	check_order(order, COUNT(order));
}
END_TEST

/* A coarse tick of one thread covers a fine one of another. */
START_TEST(ties_span_unequal_ticks)
{
	static const uint32_t order[] = {0, 1, 1, 0};

	gen_begin(&gen, 100, 10);
	add_event(0, 100, MT_MALLOC, 0x9000);
	add_event(0, 1600, MT_MALLOC, 0x5000);
	gen_seal_thread(&gen, 0);
	gen.tick_shift = 0;
	add_event(1, 500, MT_MALLOC, 0x5000);
	add_event(1, 1500, MT_FREE, 0x5000);
	check_order(order, COUNT(order));
}
END_TEST

/* A tie with a coarse tick does not change the order of the fine ones. */
START_TEST(ties_keep_what_is_known)
{
	static const uint32_t order[] = {0, 1, 2, 0};

	gen_begin(&gen, 100, 10);
	add_event(0, 100, MT_MALLOC, 0x9000);
	add_event(0, 1700, MT_FREE, 0x6000);
	gen_seal_thread(&gen, 0);
	gen.tick_shift = 0;
	add_event(1, 1500, MT_FREE, 0x5000); /* of a block never seen */
	add_event(2, 1600, MT_MALLOC, 0x6000);
	check_order(order, COUNT(order));
}
END_TEST

/* Threads one after the other share one cursor's memory. */
START_TEST(short_threads_share_memory)
{
	struct cursor_work *w;
	struct merge_run run;
	size_t works = 0;
	struct merge m;

	gen_begin(&gen, 100, 0);
	for (uint32_t i = 0; i < GEN_MAX_THREADS; i++) {
		add_event(i, 1000 * i + 1000, MT_MALLOC, 0x5000);
		add_event(i, 1000 * i + 1500, MT_FREE, 0x5000);
	}
	gen_end(&gen, MT_END_EXIT, 100000);
	open_generated(&trace, &gen.file);
	merge_init(&m, &trace, anything_fits, NULL);
	while (merge_next(&m, &run))
		;
	for (w = m.pool.free; w; w = w->next)
		works++;
	ck_assert_uint_le(works, 2);
	ck_assert_uint_ge(works, 1);
	merge_free(&m);
	trace_close(&trace);
	gen_free(&gen);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_loop_test(c, keeps_order_and_content, 0, COUNT(programs));
	tcase_add_test(c, ties_follow_the_block);
	tcase_add_test(c, ties_span_unequal_ticks);
	tcase_add_test(c, ties_keep_what_is_known);
	tcase_add_test(c, short_threads_share_memory);
}

int main(void)
{
	return suite_main("merge", add);
}
