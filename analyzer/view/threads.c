/* SPDX-License-Identifier: MIT */
/*
 * threads: what each thread allocated, and who freed whose blocks.
 */
#include "traffic.h"

#include <stdlib.h>

#include "view.h"

/* Rows of each table when -n does not say. */
#define ROWS 15

/* Order threads by what they allocated, then as they began. */
static int compare_threads(const void *a, const void *b, void *context)
{
	const struct traffic *f = context;
	size_t i = *(const size_t *)a, j = *(const size_t *)b;
	uint64_t m = f->thread[i].allocated_bytes;
	uint64_t n = f->thread[j].allocated_bytes;

	if (m != n)
		return m > n ? -1 : 1;
	return (i > j) - (i < j);
}

/* Order pairs by the bytes that went over, then by thread. */
static int compare_pairs(const void *a, const void *b)
{
	const struct traffic_pair *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	if (x->allocator != y->allocator)
		return x->allocator < y->allocator ? -1 : 1;
	return (x->freer > y->freer) - (x->freer < y->freer);
}

/* Return a thread's name for people. */
static const char *name_of(const struct view *v, struct table *t, size_t i)
{
	const struct trace_thread *thread = &v->trace->threads[i];
	char *text = util_format("%s (%u)", thread->name ? thread->name : "?",
				 thread->tid);
	const char *kept = table_keep(t, text);

	free(text);
	return kept;
}

/* Sum the last rows up as "others". */
static void rest(struct table *t, size_t count)
{
	char n[TERM_NUMBER],
		*text = util_format("%s others", term_count(n, count));

	t->rest = table_keep(t, text);
	free(text);
}

/* Print the threads. */
static void put_threads(struct view *v, const struct traffic *f)
{
	static const struct table_column column[] = {
		{"allocated_bytes", "allocated", TABLE_BYTES},
		{"allocations", "allocations", TABLE_COUNT},
		{"frees", "frees", TABLE_COUNT},
		{"live_bytes", "left live", TABLE_BYTES},
		{"live_blocks", NULL, TABLE_COUNT},
		{"peak_bytes", "own peak", TABLE_BYTES},
		{"tid", NULL, TABLE_ID},
		{"thread", "thread", TABLE_TEXT},
	};
	size_t *order = util_alloc(f->thread_count, sizeof(*order)), shown;
	struct table t;

	for (size_t i = 0; i < f->thread_count; i++)
		order[i] = i;
	qsort_r(order, f->thread_count, sizeof(*order), compare_threads,
		(void *)(uintptr_t)f);
	shown = view_rows(v, ROWS, f->thread_count);
	table_begin(&t, "threads", "Threads", column, 8);
	for (size_t i = 0; i < f->thread_count; i++) {
		const struct traffic_thread *from = &f->thread[order[i]];
		union table_cell *row =
			i <= shown ? table_add(&t) : &t.cell[shown * t.columns];

		row[0].n += from->allocated_bytes;
		row[1].n += from->allocations;
		row[2].n += from->frees;
		row[3].n += from->live_bytes;
		row[4].n += from->live_blocks;
		row[5].n = i < shown ? from->peak_bytes : 0;
		row[6].n = v->trace->threads[order[i]].tid;
		row[7].text = name_of(v, &t, order[i]);
	}
	if (shown < f->thread_count)
		rest(&t, f->thread_count - shown);
	view_table(v, &t);
	free(order);
}

/* Print who freed whose blocks. */
static void put_pairs(struct view *v, struct traffic *f)
{
	static const struct table_column column[] = {
		{"blocks", "blocks", TABLE_COUNT},
		{"bytes", "bytes", TABLE_BYTES},
		{"allocator", "allocated by", TABLE_TEXT},
		{"freer", "freed by", TABLE_TEXT},
	};
	size_t shown = view_rows(v, ROWS, f->pair_count);
	struct table t;

	if (f->pair_count)
		qsort(f->pair, f->pair_count, sizeof(*f->pair), compare_pairs);
	table_begin(&t, "pairs", "Who freed whose blocks", column, 4);
	for (size_t i = 0; i < f->pair_count; i++) {
		const struct traffic_pair *p = &f->pair[i];
		union table_cell *row =
			i <= shown ? table_add(&t) : &t.cell[shown * t.columns];

		row[0].n += p->blocks;
		row[1].n += p->bytes;
		row[2].text = i < shown || shown + 1 == f->pair_count
				      ? name_of(v, &t, p->allocator)
				      : "";
		row[3].text = name_of(v, &t, p->freer);
	}
	if (shown < f->pair_count)
		rest(&t, f->pair_count - shown);
	view_table(v, &t);
}

/* Print what share of the frees was of other threads' blocks. */
static void put_remote(struct view *v, const struct traffic *f)
{
	static const struct table_column column[] = {
		{"blocks", "blocks", TABLE_COUNT},
		{"percent", "% of the frees", TABLE_PERCENT},
	};
	uint64_t all = 0, remote = 0;
	union table_cell *row;
	struct table t;

	for (size_t i = 0; i < f->pair_count; i++) {
		all += f->pair[i].blocks;
		if (f->pair[i].allocator != f->pair[i].freer)
			remote += f->pair[i].blocks;
	}
	table_begin(&t, "remote", "Freed by another thread", column, 2);
	row = table_add(&t);
	row[0].n = remote;
	row[1].real = table_percent(remote, all);
	view_table(v, &t);
}

int view_threads(struct view *v, struct error *e)
{
	struct replay_listener l;
	struct traffic f;

	(void)e;
	traffic_begin(&f, v->trace);
	l = traffic_listener(&f);
	view_replay(v, &l);
	v->history_only = true;
	view_begin(v, "threads");
	put_threads(v, &f);
	put_pairs(v, &f);
	put_remote(v, &f);
	view_end(v);
	traffic_free(&f);
	return 0;
}
