/* SPDX-License-Identifier: MIT */
/*
 * Shows that what each thread allocated, freed and kept, and who freed whose
 * blocks, equal what a plain list of live blocks says of a random program,
 * with reallocs across threads and ones that fail.
 */
#include <string.h>

#include "gen.h"
#include "open.h"
#include "suite.h"
#include "traffic.h"

#define THREADS 5
#define MAX_LIVE 400

/* What the list says; a failed realloc's free is taken back. */
static struct {
	struct sim_block live[MAX_LIVE + 1], moving[THREADS];
	size_t count;
	struct traffic_thread thread[THREADS];
	uint64_t blocks[THREADS][THREADS], bytes[THREADS][THREADS];
} want;

static void want_begin(const struct sim_block *b)
{
	struct traffic_thread *t = &want.thread[b->thread];

	want.live[want.count++] = *b;
	t->live_blocks++;
	t->live_bytes += b->size;
	if (t->peak_bytes < t->live_bytes)
		t->peak_bytes = t->live_bytes;
}

static void want_free(uint32_t by, const struct sim_block *b, int sign)
{
	want.thread[by].frees += (uint64_t)sign;
	want.thread[by].freed_bytes += (uint64_t)sign * b->size;
	want.blocks[b->thread][by] += (uint64_t)sign;
	want.bytes[b->thread][by] += (uint64_t)sign * b->size;
}

static void want_end(uint32_t by, uint64_t address)
{
	size_t i = 0;

	while (i < want.count && want.live[i].address != address)
		i++;
	ck_assert_uint_lt(i, want.count);
	want.moving[by] = want.live[i];
	want.live[i] = want.live[--want.count];
	want.thread[want.moving[by].thread].live_blocks--;
	want.thread[want.moving[by].thread].live_bytes -= want.moving[by].size;
	want_free(by, &want.moving[by], 1);
}

static void log_event(void *arg, uint32_t thread, const struct mt_event *e)
{
	struct sim_block b = {e->address, e->size, 0, thread};

	(void)arg;
	if (e->kind == MT_REALLOC_CANCEL) {
		want_begin(&want.moving[thread]);
		want_free(thread, &want.moving[thread], -1);
	} else if (mt_kind_is_free(e->kind)) {
		want_end(thread, e->address);
	} else if (e->address) {
		want.thread[thread].allocations++;
		want.thread[thread].allocated_bytes += e->size;
		want_begin(&b);
	}
}

static void check_pairs(const struct traffic *f, const struct trace *t)
{
	uint64_t seen = 0, blocks = 0;

	for (size_t i = 0; i < f->pair_count; i++) {
		const struct traffic_pair *p = &f->pair[i];
		uint32_t a = t->threads[p->allocator].index;
		uint32_t b = t->threads[p->freer].index;

		ck_assert_uint_eq(p->blocks, want.blocks[a][b]);
		ck_assert_uint_eq(p->bytes, want.bytes[a][b]);
		seen += p->blocks;
	}
	for (int i = 0; i < THREADS * THREADS; i++)
		blocks += want.blocks[i / THREADS][i % THREADS];
	ck_assert_uint_eq(seen, blocks);
	ck_assert_uint_gt(f->pair_count, THREADS);
}

START_TEST(equals_the_list)
{
	struct sim_options o = {
		.seed = (uint64_t)_i + 1,
		.threads = THREADS,
		.events = 20000,
		.segment_events = 777,
		.max_live = MAX_LIVE,
		.step = 40,
	};
	struct replay_listener listener;
	struct sim_expected x;
	struct traffic f;
	struct replay r;
	struct trace t;
	struct gen g;

	memset(&want, 0, sizeof(want));
	sim_run(&o, &g, &x, log_event, NULL);
	open_generated(&t, &g.file);
	traffic_begin(&f, &t);
	listener = traffic_listener(&f);
	replay_run(&r, &t, UINT64_MAX, &listener, 1, NULL);
	ck_assert_uint_eq(f.thread_count, THREADS);
	for (uint32_t i = 0; i < THREADS; i++)
		ck_assert_mem_eq(&f.thread[i], &want.thread[t.threads[i].index],
				 sizeof(f.thread[i]));
	check_pairs(&f, &t);
	replay_free(&r);
	traffic_free(&f);
	trace_close(&t);
	gen_free(&g);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_loop_test(c, equals_the_list, 0, 4);
}

int main(void)
{
	return suite_main("traffic", add);
}
