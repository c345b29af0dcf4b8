/* SPDX-License-Identifier: MIT */
/*
 * why: what keeps a block from being lost. Of a site the chains of sites that
 * lead to its blocks, summed up; of one block, or the first of the worst chain,
 * each block on the way from the root, and where in it the pointer is.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "owners.h"
#include "rootname.h"
#include "strpool.h"
#include "view.h"

/* Rows of the tables when -n does not say: chains, and blocks of one. */
#define ROWS 10
#define STEPS 16

/* Frames of the stack that allocated a block. */
#define FRAMES 12

/* A block on the way. */
struct step {
	uint32_t block;
	uint64_t offset; /* in it: of the pointer to the next one */
	bool found;	 /* `offset` is known */
	bool inside;	 /* it points into the next one, not to its start */
};

/* What pointers to the block are in. */
struct from {
	const char *text;
	uint64_t pointers;
};

struct why {
	struct view *view;
	struct leaks leaks;
	struct owners owners;
	struct step *steps; /* from the root's, or the leader, on */
	size_t step_count, room;
	struct map step_of; /* block -> step + 1 */
	struct from *from;  /* all pointers to the last one */
	size_t from_count, from_room;
	struct map from_at; /* text -> place in `from` + 1 */
	struct strpool texts;
	uint64_t pointers, inside; /* inside: from what hangs off it */
};

/* ---- The chain of one block. ---- */

/* Put the blocks of a chain in order, the root's first. */
static void collect_steps(struct why *w, uint32_t block)
{
	for (;;) {
		const struct leak_block *b = &w->leaks.blocks[block];

		w->steps = util_grow(w->steps, w->step_count, &w->room,
				     sizeof(*w->steps));
		w->steps[w->step_count++] = (struct step){.block = block};
		if (b->by_root || b->from == LEAKS_NONE)
			break;
		block = b->from;
	}
	for (size_t i = 0, j = w->step_count - 1; i < j; i++, j--) {
		struct step s = w->steps[i];

		w->steps[i] = w->steps[j];
		w->steps[j] = s;
	}
	for (size_t i = 0; i < w->step_count; i++)
		*map_put(&w->step_of, w->steps[i].block, NULL) = i + 1;
}

/* Return the place of a block of the graph, or LEAKS_NONE. */
static uint32_t block_at(const struct why *w, uint64_t address)
{
	const struct graph_block *b = graph_find(&w->leaks.graph, address);

	return b ? (uint32_t)(b - w->leaks.graph.blocks) : LEAKS_NONE;
}

/* Look whether a word is the pointer of a step to the next one. */
static void take_word(void *context, uint64_t address, uint64_t value)
{
	struct why *w = context;
	uint32_t from = block_at(w, address);
	uint64_t *at = from == LEAKS_NONE ? NULL : map_get(&w->step_of, from);
	struct step *s;

	if (!at || *at == w->step_count)
		return;
	s = &w->steps[*at - 1];
	if ((s->found && !s->inside) || block_at(w, value) != s[1].block)
		return;
	s->inside = value != w->leaks.graph.blocks[s[1].block].address;
	s->found = true;
	s->offset = address - w->leaks.graph.blocks[from].address;
}

/* Tell whether a lost block leads to another: its owner, as far as that
 * goes. */
static bool hangs_off(const struct why *w, uint32_t block, uint32_t owner)
{
	while (block != owner && block != LEAKS_NONE &&
	       !w->leaks.blocks[block].by_root)
		block = w->leaks.blocks[block].from;
	return block == owner;
}

/* Return the site of a block as text. */
static char *site_text(struct why *w, uint32_t block)
{
	uint32_t node = w->leaks.graph.blocks[block].node;
	uint32_t site = owners_site(&w->owners, w->view->profile, node);
	const struct frame *f = w->owners.sites.at[site].frame;

	return f->file ? util_format("%s  %s:%u", f->name,
				     util_basename(f->file), f->line)
		       : util_format("%s", f->name);
}

/* Count a pointer to the block by what it is in; takes the text over. */
static void count_pointer(struct why *w, char *from)
{
	uint64_t *place =
		map_put(&w->from_at, strpool_add(&w->texts, from), NULL);

	if (!*place) {
		w->from = util_grow(w->from, w->from_count, &w->from_room,
				    sizeof(*w->from));
		w->from[w->from_count++] = (struct from){
			.text = strpool_text(&w->texts,
					     strpool_add(&w->texts, from))};
		*place = w->from_count;
	}
	w->from[*place - 1].pointers++;
	w->pointers++;
	free(from);
}

/* Count the pointers to a block. */
static void count_pointers(struct why *w, uint32_t block)
{
	const struct graph *g = &w->leaks.graph;

	for (size_t i = 0; i < g->root_count; i++)
		if (g->roots[i].to == block)
			count_pointer(
				w, rootname_text(&w->view->profile->stacks,
						 w->view->trace, &g->roots[i]));
	for (uint32_t i = 0; i < g->block_count; i++)
		for (uint32_t j = g->first_edge[i]; j < g->first_edge[i + 1];
		     j++)
			if (g->edges[j].to == block) {
				count_pointer(w, site_text(w, i));
				w->inside += hangs_off(w, i, block);
			}
}

/* Write a text into a cell, which takes it over. */
static void set_text(struct table *t, union table_cell *cell, char *text)
{
	cell->text = table_keep(t, text);
	free(text);
}

/* Say where in a block a pointer is; free it. */
static char *pointer_text(uint64_t offset, bool inside)
{
	return util_format("+%" PRIu64 "%s", offset, inside ? " (inside)" : "");
}

/* Add the row of the root that a chain begins at; in text only. */
static void add_root(struct why *w, struct table *t)
{
	const struct leak_block *b = &w->leaks.blocks[w->steps[0].block];
	const struct graph_root *root =
		!b->by_root || b->root == LEAKS_NONE
			? NULL
			: &w->leaks.graph.roots[b->root];
	struct stacks *s = &w->view->profile->stacks;
	union table_cell *row;
	uint64_t offset;

	if (!b->by_root || w->view->style.form != TABLE_AS_TEXT)
		return;
	row = table_add(t);
	if (root && root->address)
		set_text(t, &row[1], util_format("0x%" PRIx64, root->address));
	if (rootname_offset(s, w->view->trace, root, &offset))
		set_text(t, &row[3],
			 pointer_text(offset, root->way == GRAPH_INTERIOR));
	set_text(t, &row[5], rootname_text(s, w->view->trace, root));
}

/* Add the row of a block. */
static void add_step(struct why *w, struct table *t, size_t i)
{
	const struct step *s = &w->steps[i];
	const struct graph_block *b = &w->leaks.graph.blocks[s->block];
	uint32_t site = owners_site(&w->owners, w->view->profile, b->node);
	const struct frame *f = w->owners.sites.at[site].frame;
	union table_cell *row = table_add(t);

	row[0].n = b->size;
	set_text(t, &row[1], util_format("0x%" PRIx64, b->address));
	row[2].n = s->offset;
	if (s->found)
		set_text(t, &row[3], pointer_text(s->offset, s->inside));
	row[4].frame = f;
	set_text(t, &row[5], site_text(w, s->block));
}

/* Print the blocks of the chain; of a long one the ends. */
static void put_steps(struct why *w, const char *title)
{
	static const struct table_column column[] = {
		{"bytes", "bytes", TABLE_BYTES},
		{"address", "address", TABLE_TEXT},
		{"pointer_offset", NULL, TABLE_COUNT},
		{NULL, "pointer", TABLE_TEXT},
		{"site", NULL, TABLE_SITE},
		{NULL, "what", TABLE_TEXT},
	};
	size_t rows = view_rows(w->view, STEPS, w->step_count);
	size_t head = rows / 2, tail = rows - head;
	char n[TERM_NUMBER];
	struct table t;

	table_begin(&t, "chain", title, column, 6);
	t.blank_zeros = true;
	add_root(w, &t);
	for (size_t i = 0; i < w->step_count; i++) {
		if (i == head && w->step_count > rows) {
			i = w->step_count - tail;
			set_text(&t, &table_add(&t)[5],
				 util_format("(%s more)",
					     term_count(n, i - head)));
		}
		add_step(w, &t, i);
	}
	view_table(w->view, &t);
}

/* What the sources of pointers are ordered by. */
static int compare_from(const void *a, const void *b)
{
	const struct from *x = a, *y = b;

	if (x->pointers != y->pointers)
		return x->pointers > y->pointers ? -1 : 1;
	return strcmp(x->text, y->text);
}

/* Print the table of what points to the block. */
static void put_from(struct why *w)
{
	static const struct table_column column[] = {
		{"pointers", "pointers", TABLE_COUNT},
		{"from", "from", TABLE_TEXT},
	};
	size_t shown = view_rows(w->view, ROWS, w->from_count);
	char n[TERM_NUMBER];
	struct table t;

	if (w->from_count)
		qsort(w->from, w->from_count, sizeof(*w->from), compare_from);
	table_begin(&t, "pointed_to_by", "All that points to it", column, 2);
	for (size_t i = 0; i < w->from_count; i++) {
		union table_cell *row =
			i <= shown ? table_add(&t) : &t.cell[shown * t.columns];

		row[0].n += w->from[i].pointers;
		row[1].text = w->from[i].text;
	}
	if (shown < w->from_count) {
		char *text = util_format("%s others",
					 term_count(n, w->from_count - shown));

		t.rest = table_keep(&t, text);
		free(text);
	}
	view_table(w->view, &t);
}

/* Say what points to the block that the chain leads to. */
static void put_pointers(struct why *w, enum leak_kind kind)
{
	struct view *v = w->view;

	if (!w->pointers)
		view_line(v, "nothing points to it");
	else if (leaks_is_lost(kind) && w->pointers == w->inside)
		view_line(v, "nothing points to it but what hangs off it");
	else if (w->pointers == 1)
		view_line(v, "nothing else points to it");
	if (w->pointers > 1 || v->style.form != TABLE_AS_TEXT)
		put_from(w);
}

/* Print the root, and of a block what points to it, in JSON. */
static void put_json_block(struct why *w, uint32_t block)
{
	const struct leak_block *b = &w->leaks.blocks[w->steps[0].block];
	const struct graph_block *at = &w->leaks.graph.blocks[block];
	char *root = NULL;

	if (w->view->style.form != TABLE_AS_JSON)
		return;
	if (b->by_root)
		root = rootname_text(&w->view->profile->stacks, w->view->trace,
				     b->root == LEAKS_NONE
					     ? NULL
					     : &w->leaks.graph.roots[b->root]);
	printf(",\n  \"block\": {\"address\": \"0x%" PRIx64
	       "\", \"bytes\": %" PRIu64 ", \"kind\": \"%s\", \"born_ns\": "
	       "%" PRIu64 ", \"pointers\": %" PRIu64 "},\n  \"root\": ",
	       at->address, at->size,
	       leak_kind_names[w->leaks.blocks[block].kind],
	       trace_ns(w->view->trace, at->born), w->pointers);
	json_put_text(stdout, root);
	free(root);
}

/* Print what leads to a block, under a title or none. */
static int put_block(struct why *w, uint32_t block, const char *title,
		     struct error *e)
{
	enum leak_kind kind = w->leaks.blocks[block].kind;
	struct view *v = w->view;
	const struct frame *f;

	collect_steps(w, block);
	count_pointers(w, block);
	if (trace_words(v->trace, leaks_scan(v->trace), take_word, w))
		return error_set(e, ERROR_NO_OFFSET, "%s",
				 v->trace->damage.text);
	put_json_block(w, block);
	put_steps(w, title);
	put_pointers(w, kind);
	f = stacks_site(&v->profile->stacks, w->leaks.graph.blocks[block].node);
	view_next(v, "peek", f->name);
	return 0;
}

/* ---- A block, by its address. ---- */

/* Say which block it is, and where it comes from. */
static void put_which(struct why *w, uint64_t address, uint32_t block)
{
	const struct graph_block *b = &w->leaks.graph.blocks[block];
	const struct trace *t = w->view->trace;
	char offset[TERM_NUMBER], size[TERM_NUMBER], at[TERM_NUMBER];

	if (w->view->style.form != TABLE_AS_TEXT)
		return;
	term_count(offset, address - b->address);
	printf("0x%" PRIx64 " is %s%s a block of %s, allocated at %s", address,
	       address > b->address ? offset : "",
	       address > b->address ? " bytes into" : "the start of",
	       term_bytes(size, b->size, w->view->style.exact),
	       term_time(at, trace_ns(t, b->born)));
	if (b->thread < t->thread_count)
		printf(" by thread %u", t->threads[b->thread].tid);
	fputs(":\n  ", stdout);
	view_put_stack(w->view, b->node, 2, FRAMES);
}

/* Return what to say above the chain to a block. */
static const char *title_of(const struct why *w, uint32_t block)
{
	if (w->leaks.graph.blocks[block].loader)
		return "The loader's";
	switch (w->leaks.blocks[block].kind) {
	case LEAK_DEFINITE:
		return "Lost (definite)";
	case LEAK_HELD:
	case LEAK_INDIRECT:
		return w->leaks.blocks[block].kind == LEAK_HELD
			       ? "Lost, but held at exit()"
			       : "Lost, with the first of these blocks";
	case LEAK_POSSIBLE:
		return "Possibly lost: a pointer on the way is into a block";
	default:
		return "Reachable, from a root on";
	}
}

/* Answer for an address. */
static int answer_address(struct why *w, uint64_t address, struct error *e)
{
	uint32_t block = block_at(w, address);

	if (block == LEAKS_NONE)
		return error_set(e, ERROR_NO_OFFSET,
				 "no block at 0x%" PRIx64
				 " was live when memory was looked at",
				 address);
	view_begin(w->view, "why");
	put_which(w, address, block);
	return put_block(w, block, title_of(w, block), e);
}

/* ---- The blocks of a site. ---- */

/* What nodes are ordered by. */
static int compare(const void *a, const void *b, void *context)
{
	const struct owners_node *at = context;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	const struct leak_sum *x = &at[i].own, *y = &at[j].own;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	if (x->blocks != y->blocks)
		return x->blocks > y->blocks ? -1 : 1;
	return i < j ? -1 : i > j;
}

/* List the nodes with blocks of the sites that are meant, worst first. */
static uint32_t *list_nodes(struct why *w, size_t *count)
{
	struct view_names names;
	uint32_t *list = util_alloc(w->owners.count, sizeof(*list));

	*count = 0;
	view_names_begin(&names, w->view->argument);
	for (uint32_t i = 1; i < w->owners.count; i++) {
		const struct owners_node *n = &w->owners.at[i];

		if (!n->root && n->own.blocks &&
		    view_names_match(&names,
				     w->owners.sites.at[n->site].frame->name))
			list[(*count)++] = i;
	}
	view_names_end(&names);
	if (*count)
		qsort_r(list, *count, sizeof(*list), compare, w->owners.at);
	return list;
}

/* Return the names of the nodes on the way to one. */
static char *chain_text(const struct why *w, uint32_t node)
{
	const struct owners_node *n = &w->owners.at[node];
	char *name = owners_text(&w->owners, n), *before, *text;

	before = n->parent ? chain_text(w, n->parent) : NULL;
	text = util_format("%s%s%s",
			   before    ? before
			   : n->root ? ""
				     : "(lost) ",
			   before ? " -> " : "", name);
	free(before);
	free(name);
	return text;
}

/* Print the chains of sites. */
static void put_chains(struct why *w, const uint32_t *list, size_t count)
{
	static const struct table_column column[] = {
		{"bytes", "bytes", TABLE_BYTES},
		{"blocks", "blocks", TABLE_COUNT},
		{"through", "from the root on", TABLE_TEXT},
	};
	size_t shown = view_rows(w->view, ROWS, count);
	char n[TERM_NUMBER];
	struct table t;

	table_begin(&t, "chains", "What leads to them", column, 3);
	for (size_t i = 0; i < count; i++) {
		union table_cell *row =
			i <= shown ? table_add(&t) : &t.cell[shown * t.columns];

		row[0].n += w->owners.at[list[i]].own.bytes;
		row[1].n += w->owners.at[list[i]].own.blocks;
		if (i < shown)
			set_text(&t, &row[2], chain_text(w, list[i]));
	}
	if (shown < count) {
		char *text = util_format("%s other chains",
					 term_count(n, count - shown));

		t.rest = table_keep(&t, text);
		free(text);
	}
	view_table(w->view, &t);
}

/* Answer for the sites that the argument names. */
static int answer_site(struct why *w, struct error *e)
{
	size_t count;
	uint32_t *list = list_nodes(w, &count), block;
	char a[TERM_NUMBER], b[TERM_NUMBER];
	struct leak_sum sum = {0};
	int status;

	if (!count) {
		free(list);
		return error_set(e, ERROR_NO_OFFSET,
				 "no block of a site '%.100s' was live when "
				 "memory was looked at",
				 w->view->argument);
	}
	for (size_t i = 0; i < count; i++) {
		sum.blocks += w->owners.at[list[i]].own.blocks;
		sum.bytes += w->owners.at[list[i]].own.bytes;
	}
	view_begin(w->view, "why");
	view_line(w->view, "%s: %s in %s block%s", w->view->argument,
		  term_bytes(a, sum.bytes, w->view->style.exact),
		  term_count(b, sum.blocks), term_plural(sum.blocks));
	put_chains(w, list, count);
	block = w->owners.at[list[0]].block;
	status = put_block(w, block, "One of the first of these", e);
	free(list);
	return status;
}

/* Tell whether the argument is an address. */
static bool read_address(const char *text, uint64_t *address)
{
	char *end;

	if (!util_starts(text, "0x"))
		return false;
	errno = 0;
	*address = strtoull(text, &end, 16);
	return !errno && end > text + 2 && !*end;
}

int view_why(struct view *v, struct error *e)
{
	struct why w = {.view = v};
	uint64_t address;
	int status = view_find_leaks(v, &w.leaks, e);

	if (!status && !w.leaks.checked)
		status = error_set(e, ERROR_NO_OFFSET, "not checked: %s",
				   w.leaks.why_not);
	if (!status) {
		owners_build(&w.owners, v->profile, &w.leaks,
			     view_leak_kinds(v, (1u << LEAK_KINDS) - 1));
		status = read_address(v->argument, &address)
				 ? answer_address(&w, address, e)
				 : answer_site(&w, e);
		owners_free(&w.owners);
	}
	if (!status)
		view_end(v);
	map_free(&w.step_of);
	map_free(&w.from_at);
	strpool_free(&w.texts);
	free(w.from);
	free(w.steps);
	leaks_free(&w.leaks);
	return status;
}
