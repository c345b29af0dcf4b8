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

/* The columns of the table of threads. */
enum {
	ALLOCATED,
	CALLS = ALLOCATED + VIEW_FIGURE,
	FREES = CALLS + VIEW_FIGURE,
	LIVE_BYTES = FREES + VIEW_FIGURE,
	LIVE_BLOCKS = LIVE_BYTES + VIEW_FIGURE,
	OWN_PEAK = LIVE_BLOCKS + VIEW_FIGURE,
	TID = OWN_PEAK + VIEW_FIGURE,
	THREAD,
	THREAD_COLUMNS,
};

/* Add the row of a thread, or of the sums of several. */
static union table_cell *add_thread(const struct view *v, struct table *t,
				    const struct traffic_thread *n)
{
	union table_cell *row = table_add(t);

	view_fill_estimate(v, t, &row[ALLOCATED], n->allocated_bytes,
			   n->allocated.bytes);
	view_fill_estimate(v, t, &row[CALLS], n->allocations,
			   n->allocated.blocks);
	view_fill_estimate(v, t, &row[FREES], n->frees, n->freed);
	view_fill_estimate(v, t, &row[LIVE_BYTES], n->live_bytes,
			   n->live.bytes);
	view_fill_estimate(v, t, &row[LIVE_BLOCKS], n->live_blocks,
			   n->live.blocks);
	view_fill_estimate(v, t, &row[OWN_PEAK], n->peak_bytes, n->peak.bytes);
	return row;
}

/* Add to sums, but for the peak, what a thread did. */
static void add_sums(struct traffic_thread *a, const struct traffic_thread *b)
{
	a->allocated_bytes += b->allocated_bytes;
	a->allocations += b->allocations;
	a->frees += b->frees;
	a->live_bytes += b->live_bytes;
	a->live_blocks += b->live_blocks;
	spread_add(&a->allocated, &b->allocated);
	spread_add(&a->live, &b->live);
	doubt_add(&a->freed, b->freed, 1);
}

/* Print the threads. */
static void put_threads(struct view *v, const struct traffic *f)
{
	struct table_column column[THREAD_COLUMNS] = {
		[ALLOCATED] = {"allocated_bytes", "allocated", TABLE_BYTES},
		[CALLS] = {"allocations", "allocations", TABLE_COUNT},
		[FREES] = {"frees", "frees", TABLE_COUNT},
		[LIVE_BYTES] = {"live_bytes", "left live", TABLE_BYTES},
		[LIVE_BLOCKS] = {"live_blocks", NULL, TABLE_COUNT},
		[OWN_PEAK] = {"peak_bytes", "own peak", TABLE_BYTES},
		[TID] = {"tid", NULL, TABLE_ID},
		[THREAD] = {"thread", "thread", TABLE_TEXT},
	};
	size_t *order = util_alloc(f->thread_count, sizeof(*order)), shown;
	struct traffic_thread others = {0};
	struct table t;

	for (size_t i = 0; i < f->thread_count; i++)
		order[i] = i;
	qsort_r(order, f->thread_count, sizeof(*order), compare_threads,
		(void *)(uintptr_t)f);
	shown = view_rows(v, ROWS, f->thread_count);
	table_begin(&t, "threads", "Threads", column, THREAD_COLUMNS);
	for (unsigned int i = ALLOCATED; i < TID; i += VIEW_FIGURE)
		view_figure_columns(v, &t, &column[i]);
	for (size_t i = 0; i < shown; i++) {
		union table_cell *row = add_thread(v, &t, &f->thread[order[i]]);

		row[TID].n = v->trace->threads[order[i]].tid;
		row[THREAD].text = name_of(v, &t, order[i]);
	}
	for (size_t i = shown; i < f->thread_count; i++)
		add_sums(&others, &f->thread[order[i]]);
	if (shown < f->thread_count) {
		add_thread(v, &t, &others);
		rest(&t, f->thread_count - shown);
	}
	view_table(v, &t);
	free(order);
}

/* The columns of the table of pairs. */
enum {
	BLOCKS,
	BYTES = BLOCKS + VIEW_FIGURE,
	ALLOCATOR = BYTES + VIEW_FIGURE,
	FREER,
	PAIR_COLUMNS,
};

/* Add the row of a pair, or of the sums of several. */
static union table_cell *add_pair(const struct view *v, struct table *t,
				  const struct traffic_pair *n)
{
	union table_cell *row = table_add(t);

	view_fill_estimate(v, t, &row[BLOCKS], n->blocks, n->spread.blocks);
	view_fill_estimate(v, t, &row[BYTES], n->bytes, n->spread.bytes);
	return row;
}

/* Add to sums what went from one thread to another. */
static void add_pair_sums(struct traffic_pair *a, const struct traffic_pair *b)
{
	a->blocks += b->blocks;
	a->bytes += b->bytes;
	spread_add(&a->spread, &b->spread);
}

/* Print who freed whose blocks. */
static void put_pairs(struct view *v, struct traffic *f)
{
	struct table_column column[PAIR_COLUMNS] = {
		[BLOCKS] = {"blocks", "blocks", TABLE_COUNT},
		[BYTES] = {"bytes", "bytes", TABLE_BYTES},
		[ALLOCATOR] = {"allocator", "allocated by", TABLE_TEXT},
		[FREER] = {"freer", "freed by", TABLE_TEXT},
	};
	size_t shown = view_rows(v, ROWS, f->pair_count);
	struct traffic_pair others = {0};
	struct table t;

	if (f->pair_count)
		qsort(f->pair, f->pair_count, sizeof(*f->pair), compare_pairs);
	table_begin(&t, "pairs", "Who freed whose blocks", column,
		    PAIR_COLUMNS);
	view_figure_columns(v, &t, &column[BLOCKS]);
	view_figure_columns(v, &t, &column[BYTES]);
	for (size_t i = 0; i < shown; i++) {
		const struct traffic_pair *p = &f->pair[i];
		union table_cell *row = add_pair(v, &t, p);

		row[ALLOCATOR].text = name_of(v, &t, p->allocator);
		row[FREER].text = name_of(v, &t, p->freer);
	}
	for (size_t i = shown; i < f->pair_count; i++)
		add_pair_sums(&others, &f->pair[i]);
	if (shown < f->pair_count) {
		add_pair(v, &t, &others);
		rest(&t, f->pair_count - shown);
	}
	view_table(v, &t);
}

/* Print what share of the frees was of other threads' blocks. */
static void put_remote(struct view *v, const struct traffic *f)
{
	struct table_column column[VIEW_FIGURE + 1] = {
		{"blocks", "blocks", TABLE_COUNT},
		[VIEW_FIGURE] = {"percent", "% of the frees", TABLE_PERCENT},
	};
	struct traffic_pair remote = {0};
	uint64_t all = 0;
	union table_cell *row;
	struct table t;

	for (size_t i = 0; i < f->pair_count; i++) {
		all += f->pair[i].blocks;
		if (f->pair[i].allocator != f->pair[i].freer)
			add_pair_sums(&remote, &f->pair[i]);
	}
	table_begin(&t, "remote", "Freed by another thread", column,
		    VIEW_FIGURE + 1);
	view_figure_columns(v, &t, column);
	row = table_add(&t);
	view_fill_estimate(v, &t, row, remote.blocks, remote.spread.blocks);
	row[VIEW_FIGURE].real = table_percent(remote.blocks, all);
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
