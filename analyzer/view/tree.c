/* SPDX-License-Identifier: MIT */
/*
 * tree: the sites with their callers above them, or (--callees) from main
 * downward. A chain of functions with one caller each is one row. What is
 * small is summed up, so that a node's rows add up to it.
 */
#include "view.h"

#include <stdlib.h>

#include "calltree.h"

/* Rows when -n does not say, and how many of one node. */
#define ROWS 40
#define CHILDREN 8

/* Children below this share of everything are summed up. */
#define LEAST_PERCENT 1.0

/* Deeper rows are not indented further. */
#define MAX_INDENT 24

/* The columns of the table. */
enum {
	BYTES,
	BLOCKS = BYTES + VIEW_FIGURE,
	PERCENT = BLOCKS + VIEW_FIGURE,
	DEPTH,
	ID,
	PARENT,
	FUNCTION,
	COLUMNS,
};

struct tree {
	struct view *view;
	const struct view_measure *measure;
	struct calltree calls;
	struct table table;
	size_t rows; /* that may still be printed */
};

/* Add a row of sums. Returns its cells. */
static union table_cell *add_row(struct tree *t, const struct profile_totals *n,
				 unsigned int depth, uint32_t parent)
{
	union table_cell *row = table_add(&t->table);
	const struct profile_totals *all = &t->calls.at[0].totals;
	const struct view_measure *m = t->measure;

	view_fill_figure(t->view, &t->table, &row[BYTES], m->bytes, n);
	view_fill_figure(t->view, &t->table, &row[BLOCKS], m->blocks, n);
	row[PERCENT].real = table_percent(m->bytes(n), m->bytes(all));
	row[DEPTH].n = depth;
	row[ID].n = t->table.rows;
	row[PARENT].n = parent;
	return row;
}

/* Return a text moved to the right by its depth, in text form only. */
static const char *indented(struct tree *t, unsigned int depth,
			    const char *text)
{
	unsigned int columns_in = depth < MAX_INDENT ? depth : MAX_INDENT;
	char *moved;
	const char *kept;

	if (t->view->style.form != TABLE_AS_TEXT)
		return table_keep(&t->table, text);
	moved = util_format("%*s%s", 2 * (int)columns_in, "", text);
	kept = table_keep(&t->table, moved);
	free(moved);
	return kept;
}

/* Return the only child of a node, if it has all that the node has; or 0. */
static uint32_t only_child(const struct tree *t, uint32_t node)
{
	const struct calltree_node *at = t->calls.at;
	const struct view_measure *m = t->measure;
	uint32_t only = 0;

	for (uint32_t i = at[node].child; i; i = at[i].next)
		if (m->bytes(&at[i].totals) == m->bytes(&at[node].totals) &&
		    m->blocks(&at[i].totals) == m->blocks(&at[node].totals))
			only = i;
	return only;
}

/* Name a chain of nodes with nothing but each other; `*node` is its last. */
static char *name_chain(const struct tree *t, uint32_t *node)
{
	const char *arrow = t->view->options->callees ? " > " : " < ";
	char *text = util_format("%s", t->calls.at[*node].frame->name), *longer;
	uint32_t next;

	/* JSON and CSV have a row for each. */
	while (t->view->style.form == TABLE_AS_TEXT &&
	       (next = only_child(t, *node))) {
		*node = next;
		longer = util_format("%s%s%s", text, arrow,
				     t->calls.at[next].frame->name);
		free(text);
		text = longer;
	}
	return text;
}

static void put_children(struct tree *t, uint32_t node, unsigned int depth,
			 uint32_t parent);

/* Add a node's row, and below it those of its children. */
static void put_node(struct tree *t, uint32_t node, unsigned int depth,
		     uint32_t parent)
{
	union table_cell *row =
		add_row(t, &t->calls.at[node].totals, depth, parent);
	uint32_t id = (uint32_t)row[ID].n;
	char *text = name_chain(t, &node);

	row[FUNCTION].text = indented(t, depth, text);
	free(text);
	t->rows--;
	put_children(t, node, depth + 1, id);
}

/* Tell whether a node is too small for a row of its own. */
static bool is_small(const struct tree *t, uint32_t node)
{
	const struct profile_totals *all = &t->calls.at[0].totals;

	return t->view->style.form == TABLE_AS_TEXT &&
	       table_percent(t->measure->bytes(&t->calls.at[node].totals),
			     t->measure->bytes(all)) < LEAST_PERCENT;
}

/* Add the row of children that have none. */
static void put_others(struct tree *t, const struct profile_totals *sum,
		       size_t count, unsigned int depth, uint32_t parent)
{
	char n[TERM_NUMBER], *text;

	if (!count)
		return;
	text = util_format("(%s other%s)", term_count(n, count),
			   term_plural(count));
	add_row(t, sum, depth, parent)[FUNCTION].text =
		indented(t, depth, text);
	free(text);
}

/* Add the rows of a node's children, the largest first. */
static void put_children(struct tree *t, uint32_t node, unsigned int depth,
			 uint32_t parent)
{
	uint32_t *list;
	size_t n = calltree_children(&t->calls, node, t->measure->bytes, &list);
	size_t most = node ? CHILDREN : t->rows, shown = 0;
	struct profile_totals rest = {0};

	if (t->view->style.form != TABLE_AS_TEXT)
		most = n;
	while (shown < n && shown < most && t->rows &&
	       (!is_small(t, list[shown]) || !node))
		put_node(t, list[shown++], depth, parent);
	for (size_t i = shown; i < n; i++)
		profile_add_totals(&rest, &t->calls.at[list[i]].totals);
	put_others(t, &rest, n - shown, depth, parent);
	free(list);
}

int view_tree(struct view *v, struct error *e)
{
	struct tree t = {
		.view = v,
		.measure = view_measure(v, e),
		.rows = v->options->rows ? v->options->rows : ROWS,
	};
	struct table_column column[COLUMNS] = {
		[BYTES] = {"bytes", "bytes", TABLE_BYTES},
		[BLOCKS] = {"blocks", "blocks", TABLE_COUNT},
		[PERCENT] = {"percent", "%", TABLE_PERCENT},
		[DEPTH] = {"depth", NULL, TABLE_COUNT},
		[ID] = {"id", NULL, TABLE_COUNT},
		[PARENT] = {"parent", NULL, TABLE_COUNT},
		[FUNCTION] = {"function", "function", TABLE_TEXT},
	};
	char *title;

	if (!t.measure)
		return -1;
	if (v->style.form != TABLE_AS_TEXT && !v->options->rows)
		t.rows = SIZE_MAX;
	calltree_build(&t.calls, v->profile, !v->options->callees);
	title = view_measure_title(v, t.measure);
	table_begin(&t.table, "nodes", title, column, COLUMNS);
	view_figure_columns(v, &t.table, &column[BYTES]);
	view_figure_columns(v, &t.table, &column[BLOCKS]);
	put_children(&t, 0, 0, 0);
	view_begin(v, "tree");
	view_table(v, &t.table);
	view_end(v);
	calltree_free(&t.calls);
	free(title);
	return 0;
}
