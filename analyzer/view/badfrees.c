/* SPDX-License-Identifier: MIT */
/*
 * bad-frees: what was freed twice, or never was a block, or was asked for
 * otherwise, each with the stacks of all calls that it takes to understand it.
 */
#include "badfree.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "kinds.h"
#include "view.h"

/* Entries in full, and rows of the table, when -n does not say. */
#define ROWS 10

/* Find the bad frees of a view's trace. */
static void find(struct view *v, struct bad_frees *b)
{
	bad_frees_find(b, v->trace, &v->profile->stacks, term_bar);
	term_bar_clear();
}

/* Return the function of the program that made a call; NULL: not known. */
static const char *function_of(struct view *v, const struct bad_free_call *c)
{
	return c->kind ? stacks_site(&v->profile->stacks, c->node)->name : NULL;
}

/* Return the name of the function that was called. */
static const char *name_of(const struct bad_free_call *c)
{
	return c->kind == MT_REALLOC_FREE ? "realloc" : kinds_name(c->kind);
}

/* ---- For people. ---- */

/* Print a line of what a free did. */
static void put_what(struct view *v, const struct bad_free *b)
{
	char size[TERM_NUMBER], said[TERM_NUMBER];
	const char *free = name_of(&b->free), *alloc = name_of(&b->alloc);
	bool exact = v->style.exact;

	term_bytes(size, b->size, exact);
	switch (b->kind) {
	case BAD_FREE_DOUBLE:
		if (b->alloc.kind)
			view_line(v,
				  "double: %s of a block of %s that was "
				  "freed before",
				  free, size);
		else
			view_line(v,
				  "double: %s of an address that was freed "
				  "before",
				  free);
		break;
	case BAD_FREE_INVALID:
		view_line(v, "invalid: %s of 0x%" PRIx64 ", %s%s%s", free,
			  b->address, b->where, b->module ? ": " : "",
			  b->module ? b->module : "");
		break;
	case BAD_FREE_INTERIOR:
		view_line(v,
			  "interior: %s of the address %" PRIu64
			  " bytes into a block of %s",
			  free, b->address - b->block, size);
		break;
	case BAD_FREE_MISMATCH:
		view_line(v, "mismatch: %s of a block of %s from %s", free,
			  size, alloc);
		break;
	default:
		view_line(v,
			  "size: %s of %s aligned to %" PRIu64
			  ", of a block of %s aligned to %" PRIu64 " from %s",
			  free, term_bytes(said, b->said_size, exact),
			  b->said_align, size, b->align, alloc);
		break;
	}
}

/* Print a call: who, when, and its stack. */
static void put_call(struct view *v, const char *title,
		     const struct bad_free_call *c)
{
	const struct trace_thread *t = &v->trace->threads[c->thread];
	struct stacks_list list = {0};
	char time[TERM_NUMBER];

	if (!c->kind)
		return;
	view_line(v, "  %s by %s in thread %u%s%s%s, at %s", title, name_of(c),
		  t->tid, t->name ? " (" : "", t->name ? t->name : "",
		  t->name ? ")" : "",
		  term_time(time, trace_ns(v->trace, c->clock)));
	stacks_expand(&v->profile->stacks, c->node, &list);
	for (size_t i = 0; i < list.count; i++) {
		fputs("      ", stdout);
		table_put_site(stdout, list.at[i], &v->style.term, 0);
		putchar('\n');
	}
	stacks_list_free(&list);
}

/* Print a bad free in full. */
static void put_entry(struct view *v, const struct bad_free *b)
{
	char n[TERM_NUMBER], size[TERM_NUMBER];

	putchar('\n');
	put_what(v, b);
	if (b->times > 1)
		view_line(v, "  %s times by these stacks; this is the first",
			  term_count(n, b->times));
	if (b->fatal)
		view_line(v, "  the program ended there");
	put_call(v, "freed", &b->free);
	put_call(v, "freed before", &b->first);
	if (b->reused)
		view_line(v,
			  "  reused since the first: %s block%s had the "
			  "address before; this free may be of one of those",
			  term_count(n, b->reused), term_plural(b->reused));
	put_call(v, "allocated", &b->alloc);
	if (!b->holder.kind)
		return;
	view_line(v, "  reused since: %" PRIu64 " bytes into a block of %s",
		  b->address - b->holder_block,
		  term_bytes(size, b->holder_size, v->style.exact));
	put_call(v, "  which was allocated", &b->holder);
}

/* Print the sums. */
static void put_sums(struct view *v, const struct bad_frees *b)
{
	uint64_t sum[BAD_FREE_KINDS] = {0};
	char n[TERM_NUMBER];

	for (size_t i = 0; i < b->count; i++)
		sum[b->at[i].kind] += b->at[i].times;
	if (!b->count)
		view_line(v, "no bad frees");
	for (size_t i = 0; i < BAD_FREE_KINDS; i++)
		if (sum[i])
			view_line(v, "%-9s %8s", bad_free_kind_names[i],
				  term_count(n, sum[i]));
	if (b->unknown)
		view_line(v,
			  "unknown   %8s: of blocks that may not have been "
			  "seen",
			  term_count(n, b->unknown));
	if (b->unsure)
		view_line(v,
			  "not judged but for addresses that are no "
			  "block's: %s",
			  b->unsure);
	if (b->not_judged)
		view_line(v,
			  "mismatches are not judged: %s has an operator "
			  "new or delete of its own",
			  b->not_judged);
}

/* Print the calls of realloc(p, 0), which is no error everywhere. */
static void put_noted(struct view *v, const struct bad_frees *b)
{
	char n[TERM_NUMBER];

	for (size_t i = 0; i < b->noted_count; i++) {
		putchar('\n');
		view_line(v,
			  "note: realloc(p, 0), %s time%s: C leaves open "
			  "what it does; here it is taken for a free",
			  term_count(n, b->noted[i].times),
			  term_plural(b->noted[i].times));
		put_call(v, "called", &b->noted[i].free);
		put_call(v, "allocated", &b->noted[i].alloc);
	}
}

/* Print all of it as text. */
static void put_text(struct view *v, const struct bad_frees *b)
{
	size_t shown = view_rows(v, ROWS, b->count);
	char n[TERM_NUMBER];

	put_sums(v, b);
	for (size_t i = 0; i < shown; i++)
		put_entry(v, &b->at[i]);
	if (shown < b->count)
		view_line(v, "\n%s others: see -n 0",
			  term_count(n, b->count - shown));
	put_noted(v, b);
}

/* Print one row each. */
static void put_table(struct view *v, const struct bad_frees *b)
{
	static const struct table_column column[] = {
		{"times", "times", TABLE_COUNT},
		{"time_ns", "first at", TABLE_TIME},
		{"kind", "kind", TABLE_TEXT},
		{"alloc_function", "allocated in", TABLE_TEXT},
		{"site", "site", TABLE_SITE},
	};
	size_t shown = view_rows(v, ROWS, b->count);
	char n[TERM_NUMBER], *text;
	struct table t;

	table_begin(&t, "bad_frees", "Bad frees: see bad-frees", column, 5);
	for (size_t i = 0; i < b->count; i++) {
		const struct bad_free *f = &b->at[i];
		const char *alloc = function_of(v, &f->alloc);
		union table_cell *row =
			i <= shown ? table_add(&t) : &t.cell[shown * t.columns];

		row[0].n += f->times;
		row[1].n = trace_ns(v->trace, f->free.clock);
		row[2].text = bad_free_kind_names[f->kind];
		row[3].text = alloc ? table_keep(&t, alloc) : NULL;
		row[4].frame = stacks_site(&v->profile->stacks, f->free.node);
	}
	if (shown < b->count) {
		text = util_format("%s others",
				   term_count(n, b->count - shown));
		t.rest = table_keep(&t, text);
		free(text);
	}
	view_table(v, &t);
}

/* ---- For machines. ---- */

/* Print a call as a member of an object. */
static void put_json_call(struct view *v, const char *key,
			  const struct bad_free_call *c)
{
	const struct trace_thread *t = &v->trace->threads[c->thread];
	struct stacks_list list = {0};

	if (!c->kind) {
		printf(",\n     \"%s\": null", key);
		return;
	}
	printf(",\n     \"%s\": {\"call\": \"%s\", \"time_ns\": %" PRIu64
	       ", \"thread\": %u, \"tid\": %u, \"stack\": [",
	       key, name_of(c), trace_ns(v->trace, c->clock), t->index, t->tid);
	stacks_expand(&v->profile->stacks, c->node, &list);
	for (size_t i = 0; i < list.count; i++) {
		fputs(i ? ",\n       {" : "\n       {", stdout);
		table_put_json_site(list.at[i], stdout);
		putchar('}');
	}
	fputs("]}", stdout);
	stacks_list_free(&list);
}

/* Print a number that is there only where a block is known. */
static void put_json_number(const char *key, bool known, uint64_t n)
{
	if (known)
		printf(", \"%s\": %" PRIu64, key, n);
	else
		printf(", \"%s\": null", key);
}

/* Print a bad free as an object; a note has its own kind. */
static void put_json_entry(struct view *v, const struct bad_free *b,
			   const char *kind)
{
	printf("    {\"kind\": \"%s\", \"times\": %" PRIu64
	       ", \"fatal\": %s, \"address\": \"0x%" PRIx64 "\",\n     ",
	       kind, b->times, b->fatal ? "true" : "false", b->address);
	table_put_json_site(stacks_site(&v->profile->stacks, b->free.node),
			    stdout);
	fputs(",\n     \"alloc_function\": ", stdout);
	json_put_text(stdout, function_of(v, &b->alloc));
	fputs(", \"first_free_function\": ", stdout);
	json_put_text(stdout, function_of(v, &b->first));
	put_json_number("bytes", b->alloc.kind, b->size);
	put_json_number("offset", b->block, b->address - b->block);
	put_json_number("alignment", b->kind == BAD_FREE_SIZE, b->align);
	put_json_number("said_bytes", b->kind == BAD_FREE_SIZE, b->said_size);
	put_json_number("said_alignment", b->kind == BAD_FREE_SIZE,
			b->said_align);
	put_json_number("reused", b->kind == BAD_FREE_DOUBLE,
			b->reused + !!b->holder.kind);
	fputs(", \"where\": ", stdout);
	json_put_text(stdout, b->where);
	put_json_call(v, "free", &b->free);
	put_json_call(v, "first_free", &b->first);
	put_json_call(v, "alloc", &b->alloc);
	put_json_call(v, "holder", &b->holder);
	putchar('}');
}

/* Print a list of them as a field. */
static void put_json_list(struct view *v, const char *key,
			  const struct bad_free *at, size_t n, const char *kind)
{
	printf(",\n  \"%s\": [", key);
	for (size_t i = 0; i < n; i++) {
		fputs(i ? ",\n" : "\n", stdout);
		put_json_entry(v, &at[i],
			       kind ? kind : bad_free_kind_names[at[i].kind]);
	}
	printf("%s]", n ? "\n  " : "");
}

/* Print a text as a field, or null. */
static void put_json_field(const char *key, const char *text)
{
	printf(",\n  \"%s\": ", key);
	json_put_text(stdout, text);
}

/* ---- The two who ask. ---- */

void view_put_bad_frees(struct view *v)
{
	struct bad_frees b;

	find(v, &b);
	if (v->style.form == TABLE_AS_JSON)
		put_json_list(v, "bad_frees", b.at, b.count, NULL);
	else if (b.count)
		put_table(v, &b);
	bad_frees_free(&b);
}

int view_bad_frees(struct view *v, struct error *e)
{
	struct bad_frees b;

	if (!v->trace)
		return error_set(e, ERROR_NO_OFFSET,
				 "bad-frees needs the events of a trace, which "
				 "a %s file has not",
				 v->profile->source);
	if (v->select || v->options->from_ns || v->options->at ||
	    v->options->to_ns != UINT64_MAX)
		return error_set(e, ERROR_NO_OFFSET,
				 "bad-frees looks at all frees");
	find(v, &b);
	view_begin(v, "bad-frees");
	if (v->style.form == TABLE_AS_CSV) {
		put_table(v, &b);
	} else if (v->style.form == TABLE_AS_TEXT) {
		put_text(v, &b);
	} else {
		put_json_list(v, "bad_frees", b.at, b.count, NULL);
		put_json_list(v, "noted", b.noted, b.noted_count,
			      "realloc_zero");
		printf(",\n  \"total\": %" PRIu64 ",\n  \"unknown\": %" PRIu64,
		       b.total, b.unknown);
		put_json_field("unsure", b.unsure);
		put_json_field("not_judged", b.not_judged);
	}
	view_end(v);
	bad_frees_free(&b);
	return 0;
}
