/* SPDX-License-Identifier: MIT */
/*
 * sizes: how large blocks are, by size class and by exact size. With --total it
 * is what the index of the trace says of all allocations: that takes no
 * time, and knows what the allocator gave for what was asked.
 */
#include "view.h"

#include <stdlib.h>

#include "map.h"

/* Exact sizes that are shown when -n does not say. */
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

/* Print the classes of a profile's rows. */
static void put_classes(struct view *v)
{
	static const struct table_column column[] = {
		{"allocations", "allocations", TABLE_COUNT},
		{"percent", "%", TABLE_PERCENT},
		{"allocated_bytes", "bytes", TABLE_BYTES},
		{"peak_blocks", "at peak", TABLE_COUNT},
		{"exit_blocks", "at the end", TABLE_COUNT},
		{"max_size", NULL, TABLE_BYTES},
		{"sizes", "bytes a block", TABLE_TEXT},
	};
	const struct profile *p = v->profile;
	struct profile_totals *sum = util_alloc(MT_SIZE_CLASSES, sizeof(*sum));
	struct table t;

	for (size_t i = 0; i < p->row_count; i++)
		profile_add_totals(&sum[mt_size_class(p->rows[i].size)],
				   &p->rows[i].totals);
	table_begin(&t, "classes", "Size classes", column, 7);
	for (unsigned int c = 0; c < MT_SIZE_CLASSES; c++) {
		union table_cell *row;

		if (!sum[c].allocations && !sum[c].peak_blocks &&
		    !sum[c].exit_blocks)
			continue;
		row = table_add(&t);
		row[0].n = sum[c].allocations;
		row[1].real = table_percent(sum[c].allocations,
					    p->totals.allocations);
		row[2].n = sum[c].allocated_bytes;
		row[3].n = sum[c].peak_blocks;
		row[4].n = sum[c].exit_blocks;
		row[5].n = mt_class_max(c);
		row[6].text = class_text(&t, c);
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

/* Print the sizes that were asked for most often. */
static void put_exact(struct view *v)
{
	static const struct table_column column[] = {
		{"size", "size", TABLE_COUNT},
		{"allocations", "allocations", TABLE_COUNT},
		{"percent", "%", TABLE_PERCENT},
		{"allocated_bytes", "bytes", TABLE_BYTES},
		{"site", "site that asks most", TABLE_SITE},
	};
	size_t count, shown;
	struct size *sizes = collect(v->profile, &count);
	struct table t;

	shown = view_rows(v, ROWS, count);
	table_begin(&t, "sizes", "Sizes asked for most often", column, 5);
	for (size_t i = 0; i < shown; i++) {
		union table_cell *row = table_add(&t);

		row[0].n = sizes[i].bytes;
		row[1].n = sizes[i].totals.allocations;
		row[2].real =
			table_percent(row[1].n, v->profile->totals.allocations);
		row[3].n = sizes[i].totals.allocated_bytes;
		row[4].frame = stacks_site(&v->profile->stacks, sizes[i].node);
	}
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
	};
	uint64_t more = h->allocated_usable_bytes > h->allocated_bytes
				? h->allocated_usable_bytes - h->allocated_bytes
				: 0;
	char n[TERM_NUMBER];
	union table_cell *row;
	struct table t;

	table_begin(&t, "given", "In all, by the index", column, 5);
	row = table_add(&t);
	row[0].n = h->allocations;
	row[1].n = h->allocated_bytes;
	row[2].n = h->allocated_usable_bytes;
	row[3].real = table_percent(more, h->allocated_bytes);
	row[4].n = h->unsealed;
	view_table(v, &t);
	if (h->unsealed)
		view_line(v,
			  "not in the index yet, in the live file: %s event%s",
			  term_count(n, h->unsealed), term_plural(h->unsealed));
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
	struct trace_histogram h;
	struct table t;

	trace_histogram(v->trace, &h);
	table_begin(&t, "classes",
		    "Size classes: by the size asked for, by the usable size",
		    column, 6);
	for (unsigned int c = 0; c < MT_SIZE_CLASSES; c++) {
		union table_cell *row;

		if (!h.requested[c] && !h.usable[c] && !h.freed[c])
			continue;
		row = table_add(&t);
		row[0].n = h.requested[c];
		row[1].real = table_percent(h.requested[c], h.allocations);
		row[2].n = h.usable[c];
		/* Frees of what began before the recording are no blocks. */
		row[3].n =
			h.usable[c] > h.freed[c] ? h.usable[c] - h.freed[c] : 0;
		row[4].n = mt_class_max(c);
		row[5].text = class_text(&t, c);
	}
	put_given(v, &h);
	view_table(v, &t);
}

/* Print the answer of the index. */
static int view_total(struct view *v, struct error *e)
{
	if (v->select || v->options->from_ns || v->options->to_ns != UINT64_MAX)
		return error_set(e, ERROR_NO_OFFSET,
				 "--total reads the index only, which knows "
				 "of no selection");
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
