/* SPDX-License-Identifier: MIT */
/*
 * peek FUNCTION: who calls it, what it has of its own and below it, and whom
 * it calls; by names that match.
 */
#include "view.h"

#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "strpool.h"

/* Rows of the callers and of the callees when -n does not say. */
#define ROWS 12

/* A neighbour of the function, with what goes through both. */
struct neighbour {
	const char *name;
	struct profile_totals totals;
};

struct neighbours {
	struct neighbour *at;
	size_t count, room;
	struct map place; /* name -> place + 1 */
};

struct peek {
	struct view *view;
	const struct view_measure *measure;
	struct view_names names;
	struct profile_totals own, inclusive;
	struct neighbours callers, callees;
};

/* Add to what goes through a neighbour. */
static void add(struct neighbours *n, const char *name,
		const struct profile_totals *totals)
{
	uint64_t *place = map_put(&n->place, (uintptr_t)name, NULL);

	if (!*place) {
		n->at = util_grow(n->at, n->count, &n->room, sizeof(*n->at));
		n->at[n->count++] = (struct neighbour){.name = name};
		*place = n->count;
	}
	profile_add_totals(&n->at[*place - 1].totals, totals);
}

/*
 * Count a stack: its innermost frame that matches has the callee, its outermost
 * one the caller, so that recursion is counted once.
 */
static void take_row(struct peek *p, struct stacks_list *list,
		     const struct profile_row *row, size_t site)
{
	size_t inner = SIZE_MAX, outer = 0;

	for (size_t i = site; i < list->count; i++)
		if (view_names_match(&p->names, list->at[i]->name)) {
			inner = inner == SIZE_MAX ? i : inner;
			outer = i;
		}
	if (inner == SIZE_MAX || !p->measure->bytes(&row->totals))
		return;
	profile_add_totals(&p->inclusive, &row->totals);
	if (inner == site)
		profile_add_totals(&p->own, &row->totals);
	else
		add(&p->callees, list->at[inner - 1]->name, &row->totals);
	if (outer + 1 < list->count)
		add(&p->callers, list->at[outer + 1]->name, &row->totals);
}

/* Count all stacks. */
static void take_rows(struct peek *p, struct profile *profile)
{
	struct stacks_list list = {0};

	for (size_t i = 0; i < profile->row_count; i++) {
		const struct profile_row *row = &profile->rows[i];

		take_row(p, &list, row,
			 stacks_site_in(&profile->stacks, row->node, &list));
	}
	stacks_list_free(&list);
}

/* Order neighbours by the bytes, then by name. */
static int compare(const void *a, const void *b, void *context)
{
	const struct neighbour *x = a, *y = b;
	const struct view_measure *m = context;
	uint64_t i = m->bytes(&x->totals), j = m->bytes(&y->totals);

	if (i != j)
		return i > j ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* The columns of the tables. */
enum {
	BYTES,
	BLOCKS = BYTES + VIEW_FIGURE,
	PERCENT = BLOCKS + VIEW_FIGURE,
	NAME,
	COLUMNS,
};

/* Begin a table. */
static void begin(struct peek *p, struct table *t, const char *key,
		  const char *title, struct table_column column[COLUMNS])
{
	table_begin(t, key, title, column, COLUMNS);
	view_figure_columns(p->view, t, &column[BYTES]);
	view_figure_columns(p->view, t, &column[BLOCKS]);
}

/* Add a row of sums, and what they are of `all`. */
static void add_row(struct peek *p, struct table *t, const char *name,
		    const struct profile_totals *n,
		    const struct profile_totals *all)
{
	union table_cell *row = table_add(t);
	const struct view_measure *m = p->measure;

	view_fill_figure(p->view, t, &row[BYTES], m->bytes, n);
	view_fill_figure(p->view, t, &row[BLOCKS], m->blocks, n);
	row[PERCENT].real = table_percent(m->bytes(n), m->bytes(all));
	row[NAME].text = name;
}

/* Add the row of the neighbours from `shown` on. */
static void add_rest(struct peek *p, struct table *t,
		     const struct neighbours *n, size_t shown)
{
	struct profile_totals rest = {0};
	char number[TERM_NUMBER], *text;

	for (size_t i = shown; i < n->count; i++)
		profile_add_totals(&rest, &n->at[i].totals);
	add_row(p, t, NULL, &rest, &p->inclusive);
	text = util_format("%s others", term_count(number, n->count - shown));
	t->rest = table_keep(t, text);
	free(text);
}

/* Print a table of neighbours. */
static void put(struct peek *p, const char *key, const char *title,
		struct neighbours *n)
{
	struct table_column column[COLUMNS] = {
		[BYTES] = {"bytes", "bytes", TABLE_BYTES},
		[BLOCKS] = {"blocks", p->measure->blocks_name, TABLE_COUNT},
		[PERCENT] = {"percent", "%", TABLE_PERCENT},
		[NAME] = {"function", "function", TABLE_TEXT},
	};
	size_t shown = view_rows(p->view, ROWS, n->count);
	struct table t;

	if (n->count)
		qsort_r(n->at, n->count, sizeof(*n->at), compare,
			(void *)(uintptr_t)p->measure);
	begin(p, &t, key, title, column);
	for (size_t i = 0; i < shown; i++)
		add_row(p, &t, n->at[i].name, &n->at[i].totals, &p->inclusive);
	if (shown < n->count)
		add_rest(p, &t, n, shown);
	view_table(p->view, &t);
}

/* Print what the function itself has. */
static void put_function(struct peek *p)
{
	struct table_column column[COLUMNS] = {
		[BYTES] = {"bytes", "bytes", TABLE_BYTES},
		[BLOCKS] = {"blocks", "blocks", TABLE_COUNT},
		[PERCENT] = {"percent", "% of all", TABLE_PERCENT},
		[NAME] = {"what", "", TABLE_TEXT},
	};
	const struct profile_totals *all = &p->view->profile->totals;
	char *title = util_format("%s: %zu function%s", p->view->argument,
				  p->names.found, term_plural(p->names.found));
	struct table t;

	begin(p, &t, "function", title, column);
	add_row(p, &t, "with its callees", &p->inclusive, all);
	add_row(p, &t, "its own", &p->own, all);
	view_table(p->view, &t);
	free(title);
}

static void peek_free(struct peek *p)
{
	view_names_end(&p->names);
	map_free(&p->callers.place);
	map_free(&p->callees.place);
	free(p->callers.at);
	free(p->callees.at);
}

int view_peek(struct view *v, struct error *e)
{
	struct peek p = {.view = v, .measure = view_measure(v, e)};
	int status = 0;

	if (!p.measure)
		return -1;
	view_names_begin(&p.names, v->argument);
	take_rows(&p, v->profile);
	if (p.names.found) {
		view_begin(v, "peek");
		put(&p, "callers", "Called by", &p.callers);
		put_function(&p);
		put(&p, "callees", "Calls", &p.callees);
		view_end(v);
	} else {
		status = view_names_none(&p.names, e);
	}
	peek_free(&p);
	return status;
}
