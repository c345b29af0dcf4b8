/* SPDX-License-Identifier: MIT */
/*
 * leaks --tree: what hangs off what. At the top the sites that lead what was
 * lost, or, with --kind, the roots that lead to it; below each what its
 * blocks' pointers lead to. What is small is summed up, so that a node's rows
 * and its own blocks add up to it.
 */
#include <stdlib.h>
#include <string.h>

#include "owners.h"
#include "view.h"

/* Rows when -n does not say, and how many of one node. */
#define ROWS 40
#define CHILDREN 8

/* Children below this share of everything are summed up. */
#define LEAST_PERCENT 1.0

/* Deeper rows are not indented further. */
#define MAX_INDENT 24

#define LOST (1u << LEAK_DEFINITE | 1u << LEAK_INDIRECT | 1u << LEAK_HELD)

static const struct table_column columns[] = {
	{"retained_bytes", "retained", TABLE_BYTES},
	{"retained_blocks", NULL, TABLE_COUNT},
	{"bytes", "own bytes", TABLE_BYTES},
	{"blocks", "own blocks", TABLE_COUNT},
	{"depth", NULL, TABLE_COUNT},
	{"id", NULL, TABLE_COUNT},
	{"parent", NULL, TABLE_COUNT},
	{"root", NULL, TABLE_TEXT},
	{"function", NULL, TABLE_TEXT},
	{NULL, "site", TABLE_TEXT},
};

struct tree {
	struct view *view;
	struct owners owners;
	struct table table;
	size_t rows; /* that may still be printed */
};

/* Return the name of a node. */
static const char *name_of(const struct tree *t, const struct owners_node *n)
{
	return n->root ? n->root : t->owners.sites.at[n->site].frame->name;
}

/* What children are ordered by. */
static int compare(const void *a, const void *b, void *context)
{
	const struct tree *t = context;
	const struct owners_node *x = &t->owners.at[*(const uint32_t *)a];
	const struct owners_node *y = &t->owners.at[*(const uint32_t *)b];
	int d;

	if (x->all.bytes != y->all.bytes)
		return x->all.bytes > y->all.bytes ? -1 : 1;
	if (x->all.blocks != y->all.blocks)
		return x->all.blocks > y->all.blocks ? -1 : 1;
	d = strcmp(name_of(t, x), name_of(t, y));
	return d ? d : (x->site > y->site) - (x->site < y->site);
}

/* Return the children of a node in order, their number in `*count`. */
static uint32_t *sort_children(struct tree *t, uint32_t node, size_t *count)
{
	uint32_t *list = NULL;
	size_t room = 0, n = 0;

	for (uint32_t i = t->owners.at[node].child; i;
	     i = t->owners.at[i].next) {
		list = util_grow(list, n, &room, sizeof(*list));
		list[n++] = i;
	}
	if (n)
		qsort_r(list, n, sizeof(*list), compare, t);
	*count = n;
	return list;
}

/* Add a row, its text moved to the right by its depth. Returns its cells. */
static union table_cell *add_row(struct tree *t, struct leak_sum all,
				 struct leak_sum own, unsigned int depth,
				 const char *text)
{
	union table_cell *row = table_add(&t->table);
	unsigned int in = depth < MAX_INDENT ? depth : MAX_INDENT;
	char *moved = util_format("%*s%s", 2 * (int)in, "", text);

	row[0].n = all.bytes;
	row[1].n = all.blocks;
	row[2].n = own.bytes;
	row[3].n = own.blocks;
	row[4].n = depth;
	row[5].n = t->table.rows;
	row[9].text = table_keep(&t->table, moved);
	free(moved);
	return row;
}

/* Return a node's text: its name, and where its site is. */
static char *text_of(const struct tree *t, const struct owners_node *n)
{
	const struct frame *f = t->owners.sites.at[n->site].frame;
	char *name = owners_text(&t->owners, n), *text;

	if (n->root || !f->file)
		return name;
	text = util_format("%s  %s:%u", name, util_basename(f->file), f->line);
	free(name);
	return text;
}

/* Return how many of the children are shown. */
static size_t shown_of(const struct tree *t, const uint32_t *list, size_t count)
{
	uint64_t whole = t->owners.at[0].all.bytes;
	size_t n = 0;

	if (t->view->style.form != TABLE_AS_TEXT)
		return count;
	while (n < count && n < t->rows && n < CHILDREN &&
	       (!n || table_percent(t->owners.at[list[n]].all.bytes, whole) >=
			      LEAST_PERCENT))
		n++;
	return n + 1 == count && n < t->rows ? count : n;
}

/* Add the row of the children that have none. */
static void put_others(struct tree *t, const uint32_t *list, size_t count,
		       unsigned int depth, uint32_t parent)
{
	struct leak_sum rest = {0};
	char n[TERM_NUMBER], *text;

	for (size_t i = 0; i < count; i++) {
		rest.blocks += t->owners.at[list[i]].all.blocks;
		rest.bytes += t->owners.at[list[i]].all.bytes;
	}
	text = util_format("(%s other%s)", term_count(n, count),
			   term_plural(count));
	add_row(t, rest, (struct leak_sum){0}, depth, text)[6].n = parent;
	free(text);
}

/* Add the rows below a node; `parent` is its id. Their depth is that of the
 * tree of sites, which no stack of ours is too short for: each site stands
 * once on the way. */
static void put_children(struct tree *t, uint32_t node, unsigned int depth,
			 uint32_t parent)
{
	size_t count, shown;
	uint32_t *list = sort_children(t, node, &count);

	shown = shown_of(t, list, count);
	t->rows -= t->rows < shown ? t->rows : shown;
	for (size_t i = 0; i < shown; i++) {
		const struct owners_node *n = &t->owners.at[list[i]];
		char *text = text_of(t, n);
		union table_cell *row = add_row(t, n->all, n->own, depth, text);

		row[6].n = parent;
		row[7].text = n->root;
		row[8].text =
			n->root ? NULL
				: t->owners.sites.at[n->site].frame->function;
		free(text);
		put_children(t, list[i], depth + 1, (uint32_t)row[5].n);
	}
	if (shown < count)
		put_others(t, list + shown, count - shown, depth, parent);
	free(list);
}

/* Name the site that has most. */
static void name_next(struct view *v, struct tree *t)
{
	uint64_t most = 0;
	const char *name = NULL;

	for (size_t i = 1; i < t->owners.count; i++) {
		const struct owners_node *n = &t->owners.at[i];

		if (n->root || n->own.bytes <= most)
			continue;
		most = n->own.bytes;
		name = name_of(t, n);
	}
	if (name)
		view_next(v, "why", name);
}

void view_leak_tree(struct view *v, const struct leaks *l)
{
	struct tree t = {.view = v};
	char bytes[TERM_NUMBER], blocks[TERM_NUMBER];
	const struct leak_sum *all;

	if (!l->checked)
		view_line(v, "not checked: %s", l->why_not);
	owners_build(&t.owners, v->profile, l, view_leak_kinds(v, LOST));
	all = &t.owners.at[0].all;
	t.rows = v->options->rows ? v->options->rows : ROWS;
	table_begin(&t.table, "tree", "What hangs off what", columns, 10);
	t.table.blank_zeros = true;
	view_line(v, "%s: %s in %s block%s",
		  v->options->kind ? v->options->kind : "lost",
		  term_bytes(bytes, all->bytes, v->style.exact),
		  term_count(blocks, all->blocks), term_plural(all->blocks));
	put_children(&t, 0, 0, 0);
	view_table(v, &t.table);
	name_next(v, &t);
	owners_free(&t.owners);
}
