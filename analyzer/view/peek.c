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

/* Print a table of neighbours. */
static void put(struct peek *p, const char *key, const char *title,
		struct neighbours *n)
{
	const struct table_column column[] = {
		{"bytes", "bytes", TABLE_BYTES},
		{"blocks", p->measure->blocks_name, TABLE_COUNT},
		{"percent", "%", TABLE_PERCENT},
		{"function", "function", TABLE_TEXT},
	};
	size_t shown = view_rows(p->view, ROWS, n->count);
	struct table t;
	char number[TERM_NUMBER], *text;

	if (n->count)
		qsort_r(n->at, n->count, sizeof(*n->at), compare,
			(void *)(uintptr_t)p->measure);
	table_begin(&t, key, title, column, 4);
	for (size_t i = 0; i < n->count; i++) {
		union table_cell *row =
			i <= shown ? table_add(&t) : &t.cell[shown * 4];

		row[0].n += p->measure->bytes(&n->at[i].totals);
		row[1].n += p->measure->blocks(&n->at[i].totals);
		row[2].real = table_percent(row[0].n,
					    p->measure->bytes(&p->inclusive));
		row[3].text = n->at[i].name;
	}
	if (shown < n->count) {
		text = util_format("%s others",
				   term_count(number, n->count - shown));
		t.rest = table_keep(&t, text);
		free(text);
	}
	view_table(p->view, &t);
}

/* Print what the function itself has. */
static void put_function(struct peek *p)
{
	static const struct table_column column[] = {
		{"bytes", "bytes", TABLE_BYTES},
		{"blocks", "blocks", TABLE_COUNT},
		{"percent", "% of all", TABLE_PERCENT},
		{"what", "", TABLE_TEXT},
	};
	const struct profile_totals *n[] = {&p->inclusive, &p->own};
	static const char *const what[] = {"with its callees", "its own"};
	char *title = util_format("%s: %zu function%s", p->view->argument,
				  p->names.found, term_plural(p->names.found));
	struct table t;

	table_begin(&t, "function", title, column, 4);
	for (int i = 0; i < 2; i++) {
		union table_cell *row = table_add(&t);

		row[0].n = p->measure->bytes(n[i]);
		row[1].n = p->measure->blocks(n[i]);
		row[2].real = table_percent(
			row[0].n, p->measure->bytes(&p->view->profile->totals));
		row[3].text = what[i];
	}
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
