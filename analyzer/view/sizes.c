/* SPDX-License-Identifier: MIT */
/*
 * sizes: how large blocks are, by size class and by exact size. With --total it
 * is what the index of the trace says of all allocations: that takes no
 * time, and knows what the allocator gave for what was asked.
 */
#include "view.h"

#include <stdlib.h>
#include <string.h>

#include "map.h"

/* Classes and exact sizes that are shown when -n does not say. */
#define CLASS_ROWS 12
#define ROWS 10

/* Write the sizes that a class holds. */
static const char *class_text(struct table *t, unsigned int c)
{
	char low[TERM_NUMBER], high[TERM_NUMBER], *text;
	const char *kept;

	term_bytes(high, mt_class_max(c), mt_class_max(c) < 4096);
	if (!c)
		text = util_format("0");
	else
		text = util_format("%s - %s",
				   term_bytes(low, mt_class_max(c - 1) + 1,
					      mt_class_max(c) < 4096),
				   high);
	kept = table_keep(t, text);
	free(text);
	return kept;
}

/*
 * Tell whether a class is among the heaviest that are shown, of those that
 * weigh anything; of equal ones the smaller sizes come first.
 */
static bool is_shown(const struct view *v,
		     const uint64_t weight[MT_SIZE_CLASSES], unsigned int c)
{
	size_t count = 0, before = 0;

	for (unsigned int i = 0; i < MT_SIZE_CLASSES; i++) {
		count += weight[i] != 0;
		before += weight[i] > weight[c] ||
			  (weight[i] == weight[c] && i < c);
	}
	return before < view_rows(v, CLASS_ROWS, count);
}

/* Make the last row the one of the classes that are not shown. */
static void set_rest(struct table *t, size_t classes)
{
	char n[TERM_NUMBER];
	char *text = util_format("%s other classes", term_count(n, classes));

	t->rest = table_keep(t, text);
	free(text);
}

/* Return what a class counts for: its bytes, as far as they are known; 0: it
 * has no blocks. */
static uint64_t weight_of(const struct profile_totals *n)
{
	if (!n->allocations && !n->peak_blocks && !n->exit_blocks)
		return 0;
	return 1 + (n->allocations   ? n->allocated_bytes
		    : n->peak_blocks ? n->peak_bytes
				     : n->exit_bytes);
}

/* The columns of the table of classes. */
enum {
	CALLS,
	PERCENT = CALLS + VIEW_FIGURE,
	BYTES,
	AT_PEAK = BYTES + VIEW_FIGURE,
	AT_EXIT = AT_PEAK + VIEW_FIGURE,
	MAX_SIZE = AT_EXIT + VIEW_FIGURE,
	SIZES,
	COLUMNS,
};

/* Add the row of a class. */
static union table_cell *add_class(struct view *v, struct table *t,
				   const struct profile_totals *n)
{
	union table_cell *row = table_add(t);

	view_fill_figure(v, t, &row[CALLS], view_allocations, n);
	row[PERCENT].real =
		table_percent(n->allocations, v->profile->totals.allocations);
	view_fill_figure(v, t, &row[BYTES], view_allocated_bytes, n);
	view_fill_figure(v, t, &row[AT_PEAK], view_peak_blocks, n);
	view_fill_figure(v, t, &row[AT_EXIT], view_exit_blocks, n);
	return row;
}

/* Begin the table of classes. */
static void begin_classes(struct view *v, struct table *t,
			  struct table_column column[COLUMNS])
{
	table_begin(t, "classes", "Size classes", column, COLUMNS);
	view_figure_columns(v, t, &column[CALLS]);
	view_figure_columns(v, t, &column[BYTES]);
	view_figure_columns(v, t, &column[AT_PEAK]);
	view_figure_columns(v, t, &column[AT_EXIT]);
}

/* Print the classes of a profile's rows. */
static void put_classes(struct view *v)
{
	struct table_column column[COLUMNS] = {
		[CALLS] = {"allocations", "allocations", TABLE_COUNT},
		[PERCENT] = {"percent", "%", TABLE_PERCENT},
		[BYTES] = {"allocated_bytes", "bytes", TABLE_BYTES},
		[AT_PEAK] = {"peak_blocks", "at peak", TABLE_COUNT},
		[AT_EXIT] = {"exit_blocks", "at the end", TABLE_COUNT},
		[MAX_SIZE] = {"max_size", NULL, TABLE_BYTES},
		[SIZES] = {"sizes", "bytes a block", TABLE_TEXT},
	};
	const struct profile *p = v->profile;
	struct profile_totals *sum = util_alloc(MT_SIZE_CLASSES, sizeof(*sum));
	struct profile_totals rest = {0};
	uint64_t weight[MT_SIZE_CLASSES];
	union table_cell *row;
	size_t others = 0;
	struct table t;

	for (size_t i = 0; i < p->row_count; i++)
		profile_add_totals(&sum[mt_size_class(p->rows[i].size)],
				   &p->rows[i].totals);
	for (unsigned int c = 0; c < MT_SIZE_CLASSES; c++)
		weight[c] = weight_of(&sum[c]);
	begin_classes(v, &t, column);
	for (unsigned int c = 0; c < MT_SIZE_CLASSES; c++) {
		if (!weight[c])
			continue;
		if (!is_shown(v, weight, c)) {
			profile_add_totals(&rest, &sum[c]);
			others++;
			continue;
		}
		row = add_class(v, &t, &sum[c]);
		row[MAX_SIZE].n = mt_class_max(c);
		row[SIZES].text = class_text(&t, c);
	}
	if (others) {
		add_class(v, &t, &rest);
		set_rest(&t, others);
	}
	view_table(v, &t);
	free(sum);
}

/* What was asked for in one size, and who asks most. */
struct size {
	uint64_t bytes;
	struct profile_totals totals;
	uint64_t most; /* allocations of that row */
	uint32_t node;
};

static int compare_sizes(const void *a, const void *b)
{
	const struct size *x = a, *y = b;

	if (x->totals.allocations != y->totals.allocations)
		return x->totals.allocations > y->totals.allocations ? -1 : 1;
	return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

/* Sum the rows up by exact size. */
static struct size *collect(const struct profile *p, size_t *count)
{
	struct size *sizes = NULL;
	struct map place = {0};
	size_t room = 0;

	*count = 0;
	for (size_t i = 0; i < p->row_count; i++) {
		const struct profile_row *row = &p->rows[i];
		uint64_t *at = map_put(&place, row->size, NULL);
		struct size *s;

		if (!*at) {
			sizes = util_grow(sizes, *count, &room, sizeof(*sizes));
			sizes[*count] = (struct size){.bytes = row->size};
			*at = ++*count;
		}
		s = &sizes[*at - 1];
		profile_add_totals(&s->totals, &row->totals);
		if (row->totals.allocations > s->most) {
			s->most = row->totals.allocations;
			s->node = row->node;
		}
	}
	map_free(&place);
	if (*count)
		qsort(sizes, *count, sizeof(*sizes), compare_sizes);
	return sizes;
}

/* The columns of the table of sizes. */
enum {
	EXACT_SIZE,
	EXACT_CALLS,
	EXACT_PERCENT = EXACT_CALLS + VIEW_FIGURE,
	EXACT_BYTES,
	EXACT_SITE = EXACT_BYTES + VIEW_FIGURE,
	EXACT_COLUMNS,
};

/* Add the row of a size. */
static void add_size(struct view *v, struct table *t, const struct size *s)
{
	union table_cell *row = table_add(t);
	struct profile *p = v->profile;

	row[EXACT_SIZE].n = s->bytes;
	view_fill_figure(v, t, &row[EXACT_CALLS], view_allocations, &s->totals);
	row[EXACT_PERCENT].real =
		table_percent(s->totals.allocations, p->totals.allocations);
	view_fill_figure(v, t, &row[EXACT_BYTES], view_allocated_bytes,
			 &s->totals);
	row[EXACT_SITE].frame = stacks_site(&p->stacks, s->node);
}

/* Print the sizes that were asked for most often. */
static void put_exact(struct view *v)
{
	struct table_column column[EXACT_COLUMNS] = {
		[EXACT_SIZE] = {"size", "size", TABLE_COUNT},
		[EXACT_CALLS] = {"allocations", "allocations", TABLE_COUNT},
		[EXACT_PERCENT] = {"percent", "%", TABLE_PERCENT},
		[EXACT_BYTES] = {"allocated_bytes", "bytes", TABLE_BYTES},
		[EXACT_SITE] = {"site", "site that asks most", TABLE_SITE},
	};
	size_t count, shown;
	struct size *sizes = collect(v->profile, &count);
	struct table t;

	shown = view_rows(v, ROWS, count);
	table_begin(&t, "sizes", "Sizes asked for most often", column,
		    EXACT_COLUMNS);
	view_figure_columns(v, &t, &column[EXACT_CALLS]);
	view_figure_columns(v, &t, &column[EXACT_BYTES]);
	for (size_t i = 0; i < shown; i++)
		add_size(v, &t, &sizes[i]);
	view_table(v, &t);
	free(sizes);
}

/* Print what the allocator gave for what was asked. */
static void put_given(struct view *v, const struct trace_histogram *h)
{
	static const struct table_column column[] = {
		{"allocations", "allocations", TABLE_COUNT},
		{"allocated_bytes", "asked for", TABLE_BYTES},
		{"usable_bytes", "usable", TABLE_BYTES},
		{"waste_percent", "% more", TABLE_PERCENT},
		{"unsealed_events", NULL, TABLE_COUNT},
		{"live_usable_bytes", "not freed", TABLE_BYTES},
	};
	uint64_t live =
		h->allocated_usable_bytes > h->freed_usable_bytes
			? h->allocated_usable_bytes - h->freed_usable_bytes
			: 0;
	uint64_t more = h->allocated_usable_bytes > h->allocated_bytes
				? h->allocated_usable_bytes - h->allocated_bytes
				: 0;
	union table_cell *row;
	struct table t;

	table_begin(&t, "given", "In all, by the index", column, 6);
	row = table_add(&t);
	row[0].n = h->allocations;
	row[1].n = h->allocated_bytes;
	row[2].n = h->allocated_usable_bytes;
	row[3].real = table_percent(more, h->allocated_bytes);
	row[4].n = h->unsealed;
	row[5].n = live;
	view_table(v, &t);
	view_put_unsealed(v, h->unsealed);
}

/* Fill in the row of a class by the index. */
static void fill_index(union table_cell *row, const struct trace_histogram *h,
		       uint64_t requested, uint64_t usable, uint64_t freed)
{
	row[0].n += requested;
	row[1].real = table_percent(row[0].n, h->allocations);
	row[2].n += usable;
	/* Frees of what began before the recording are no blocks. */
	row[3].n += usable > freed ? usable - freed : 0;
}

/* Print what the index says of all allocations. */
static void put_index(struct view *v)
{
	static const struct table_column column[] = {
		{"allocations", "asked for", TABLE_COUNT},
		{"percent", "%", TABLE_PERCENT},
		{"usable", "usable", TABLE_COUNT},
		{"live", "... not freed", TABLE_COUNT},
		{"max_size", NULL, TABLE_BYTES},
		{"sizes", "bytes a block", TABLE_TEXT},
	};
	uint64_t weight[MT_SIZE_CLASSES];
	union table_cell rest[4] = {0}, *row;
	struct trace_histogram h;
	size_t others = 0;
	struct table t;

	trace_histogram(v->trace, &h);
	for (unsigned int c = 0; c < MT_SIZE_CLASSES; c++)
		weight[c] = h.requested[c] || h.usable[c] || h.freed[c]
				    ? 1 + h.requested[c] * mt_class_max(c)
				    : 0;
	table_begin(&t, "classes",
		    "Size classes: by the size asked for, by the usable size",
		    column, 6);
	for (unsigned int c = 0; c < MT_SIZE_CLASSES; c++) {
		bool shown = is_shown(v, weight, c);

		if (!weight[c])
			continue;
		row = shown ? table_add(&t) : rest;
		fill_index(row, &h, h.requested[c], h.usable[c], h.freed[c]);
		others += !shown;
		if (!shown)
			continue;
		row[4].n = mt_class_max(c);
		row[5].text = class_text(&t, c);
	}
	if (others) {
		row = table_add(&t);
		memcpy(row, rest, sizeof(rest));
		set_rest(&t, others);
	}
	put_given(v, &h);
	view_table(v, &t);
}

/* Print the answer of the index. */
static int view_total(struct view *v, struct error *e)
{
	if (view_check_index_only(v, "--total", e))
		return -1;
	view_begin(v, "sizes");
	put_index(v);
	view_end(v);
	return 0;
}

int view_sizes(struct view *v, struct error *e)
{
	if (v->options->total)
		return view_total(v, e);
	if (!(v->profile->keys & PROF_BY_SIZE))
		return error_set(e, ERROR_NO_OFFSET,
				 "a %s file does not tell sizes apart",
				 v->profile->source);
	view_begin(v, "sizes");
	put_classes(v);
	put_exact(v);
	view_end(v);
	return 0;
}
