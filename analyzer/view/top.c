/* SPDX-License-Identifier: MIT */
/*
 * top: who allocated most, by any dimension and of any moment.
 */
#include "view.h"

#include <stdlib.h>

/* Rows of the table when -n does not say. */
#define ROWS 20

/* The last column, by enum group_by. */
static const struct table_column names[] = {
	[GROUP_SITE] = {"site", "site", TABLE_SITE},
	[GROUP_FUNCTION] = {"function", "function", TABLE_TEXT},
	[GROUP_MODULE] = {"module", "module", TABLE_TEXT},
	[GROUP_THREAD] = {"thread", "thread", TABLE_TEXT},
	[GROUP_SIZE] = {"size", "size", TABLE_BYTES},
	[GROUP_STACK] = {"stack", "stack, innermost first", TABLE_TEXT},
};

/* What the rows of a table are made of. */
struct top {
	struct view *view;
	const struct view_measure *measure;
	bool by_blocks, inclusive;
	struct groups groups;
};

/* Return what a group is sorted by. */
static uint64_t key_of(const struct top *top, const struct group *g)
{
	const struct profile_totals *t =
		top->inclusive ? &g->inclusive : &g->totals;

	return top->by_blocks ? top->measure->blocks(t)
			      : top->measure->bytes(t);
}

/* Order by the key, largest first, then by name. */
static int compare(const void *a, const void *b, void *context)
{
	const struct group *x = *(const struct group *const *)a;
	const struct group *y = *(const struct group *const *)b;
	const struct top *top = context;
	uint64_t m = key_of(top, x), n = key_of(top, y);

	if (m != n)
		return m > n ? -1 : 1;
	return groups_compare(&top->groups, x, y);
}

/* Return the groups that have something of the key, in order. */
static const struct group **sorted(struct top *top, size_t *count)
{
	struct groups *g = &top->groups;
	const struct group **list = util_alloc(g->count, sizeof(*list));

	*count = 0;
	for (size_t i = 0; i < g->count; i++)
		if (key_of(top, &g->at[i]))
			list[(*count)++] = &g->at[i];
	qsort_r(list, *count, sizeof(*list), compare, top);
	return list;
}

/* Join the names of a stack's frames. */
static const char *stack_text(struct top *top, struct table *t, uint32_t node)
{
	struct stacks_list list = {0};
	char *text = util_copy("", 0);
	const char *kept;

	stacks_expand(&top->view->profile->stacks, node, &list);
	for (size_t i = 0; i < list.count; i++) {
		char *longer = util_format("%s%s%s", text, i ? ";" : "",
					   list.at[i]->name);

		free(text);
		text = longer;
	}
	kept = table_keep(t, text);
	free(text);
	stacks_list_free(&list);
	return kept;
}

/* Name a thread for people. */
static const char *thread_text(struct top *top, struct table *t, uint64_t place)
{
	const struct profile_thread *thread =
		&top->view->profile->threads[place];
	char *text = util_format("%s (%u)", thread->name ? thread->name : "?",
				 thread->tid);
	const char *kept = table_keep(t, text);

	free(text);
	return kept;
}

/* Fill in the cell that names a group. */
static void name_group(struct top *top, struct table *t, union table_cell *cell,
		       const struct group *g)
{
	switch (top->groups.by) {
	case GROUP_SITE:
		cell->frame = g->frame;
		break;
	case GROUP_FUNCTION:
		cell->text = g->frame->name;
		break;
	case GROUP_MODULE:
		cell->text =
			g->frame->module ? g->frame->module : "(no module)";
		break;
	case GROUP_THREAD:
		cell->text = thread_text(top, t, g->number);
		break;
	case GROUP_SIZE:
		cell->n = g->number;
		break;
	case GROUP_STACK:
		cell->text = stack_text(top, t, (uint32_t)g->number);
		break;
	}
}

/* The columns of the table. */
enum {
	BYTES,
	BLOCKS = BYTES + VIEW_FIGURE,
	PERCENT = BLOCKS + VIEW_FIGURE,
	SUM,
	NAME,
	COLUMNS,
};

/* Fill in a row; `sum` is that of the key so far, this row included. */
static void fill(const struct top *top, struct table *table,
		 union table_cell *row, const struct profile_totals *t,
		 uint64_t sum)
{
	const struct profile_totals *all = &top->groups.totals;
	uint64_t bytes = top->measure->bytes(t),
		 blocks = top->measure->blocks(t);
	uint64_t whole = top->by_blocks ? top->measure->blocks(all)
					: top->measure->bytes(all);

	view_fill_figure(top->view, table, &row[BYTES], top->measure->bytes, t);
	view_fill_figure(top->view, table, &row[BLOCKS], top->measure->blocks,
			 t);
	row[PERCENT].real =
		table_percent(top->by_blocks ? blocks : bytes, whole);
	row[SUM].real = table_percent(sum, whole);
}

/* Sum up what is not shown; not where stacks are counted more than once. */
static void add_rest(struct top *top, struct table *t,
		     const struct group **list, size_t shown, size_t count)
{
	struct profile_totals rest = {0};
	char n[TERM_NUMBER], *text;
	uint64_t sum;

	for (size_t i = shown; i < count; i++)
		profile_add_totals(&rest, &list[i]->totals);
	sum = top->by_blocks ? top->measure->blocks(&top->groups.totals)
			     : top->measure->bytes(&top->groups.totals);
	fill(top, t, table_add(t), &rest, sum);
	text = util_format("%s others", term_count(n, count - shown));
	t->rest = table_keep(t, text);
	free(text);
}

/* Make the table. */
static void add_table(struct top *top)
{
	struct view *v = top->view;
	struct table_column column[COLUMNS] = {
		[BYTES] = {"bytes", "bytes", TABLE_BYTES},
		[BLOCKS] = {top->measure->blocks_name,
			    top->measure->blocks_name, TABLE_COUNT},
		[PERCENT] = {"percent", "%", TABLE_PERCENT},
		[SUM] = {NULL, top->inclusive ? NULL : "sum%", TABLE_PERCENT},
		[NAME] = names[top->groups.by],
	};
	const struct group **list;
	size_t count, shown;
	struct table t;
	uint64_t sum = 0;
	char *title = view_measure_title(v, top->measure);

	list = sorted(top, &count);
	shown = view_rows(v, ROWS, count);
	table_begin(&t, "rows", title, column, COLUMNS);
	view_figure_columns(v, &t, &column[BYTES]);
	view_figure_columns(v, &t, &column[BLOCKS]);
	for (size_t i = 0; i < shown; i++) {
		union table_cell *row = table_add(&t);

		sum += key_of(top, list[i]);
		fill(top, &t, row,
		     top->inclusive ? &list[i]->inclusive : &list[i]->totals,
		     sum);
		name_group(top, &t, &row[NAME], list[i]);
	}
	if (shown < count && !top->inclusive)
		add_rest(top, &t, list, shown, count);
	view_table(v, &t);
	free(title);
	free(list);
}

int view_top(struct view *v, struct error *e)
{
	const struct options *o = v->options;
	struct top top = {
		.view = v,
		.by_blocks = o->blocks || o->at == OPTIONS_AT_TEMPORARY,
		.inclusive = o->cumulative,
	};

	if (o->cumulative && o->by > GROUP_MODULE)
		return error_set(e, ERROR_NO_OFFSET,
				 "--cumulative goes with --by site, function "
				 "or module");
	top.measure = view_measure(v, e);
	if (!top.measure)
		return -1;
	groups_build(&top.groups, v->profile, o->by, o->cumulative);
	view_begin(v, "top");
	add_table(&top);
	view_end(v);
	groups_free(&top.groups);
	return 0;
}
