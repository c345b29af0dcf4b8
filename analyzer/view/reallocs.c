/* SPDX-License-Identifier: MIT */
/*
 * reallocs: blocks that grew step by step, by the site of the realloc: what
 * was copied, and what size from the start would have spared it.
 */
#include "chains.h"

#include <stdlib.h>

#include "view.h"

/* Rows when -n does not say. */
#define ROWS 20

/* A site's sums. */
struct site {
	const struct frame *frame;
	struct chains_stack sum;
};

struct sites {
	struct site *at;
	size_t count, room;
	struct map place; /* frame -> place + 1 */
};

/* Add a stack's sums to its site's. */
static void add(struct sites *s, const struct frame *f,
		const struct chains_stack *from)
{
	uint64_t *place = map_put(&s->place, (uintptr_t)f, NULL);
	struct chains_stack *to;

	if (!*place) {
		s->at = util_grow(s->at, s->count, &s->room, sizeof(*s->at));
		s->at[s->count++] = (struct site){.frame = f};
		*place = s->count;
	}
	to = &s->at[*place - 1].sum;
	to->calls += from->calls;
	to->moved += from->moved;
	to->copied_bytes += from->copied_bytes;
	if (from->longest_steps > to->longest_steps)
		to->longest_steps = from->longest_steps;
	if (from->largest_bytes > to->largest_bytes)
		to->largest_bytes = from->largest_bytes;
	if (from->reserve_bytes > to->reserve_bytes)
		to->reserve_bytes = from->reserve_bytes;
}

/* Order by what was copied, then by calls, then by name. */
static int compare(const void *a, const void *b)
{
	const struct site *x = a, *y = b;

	if (x->sum.copied_bytes != y->sum.copied_bytes)
		return x->sum.copied_bytes > y->sum.copied_bytes ? -1 : 1;
	if (x->sum.calls != y->sum.calls)
		return x->sum.calls > y->sum.calls ? -1 : 1;
	return stacks_compare(x->frame, y->frame);
}

/* Print the table of sites. */
static void put(struct view *v, const struct sites *s)
{
	static const struct table_column column[] = {
		{"copied_bytes", "copied", TABLE_BYTES},
		{"calls", "reallocs", TABLE_COUNT},
		{"moved", "moved", TABLE_COUNT},
		{"longest_steps", "steps", TABLE_COUNT},
		{"largest_bytes", "largest", TABLE_BYTES},
		{"reserve_bytes", "reserve", TABLE_BYTES},
		{"site", "site", TABLE_SITE},
	};
	size_t shown = view_rows(v, ROWS, s->count);
	char n[TERM_NUMBER], *text;
	struct table t;

	table_begin(&t, "sites",
		    "Reallocs; reserve: enough for 9 of 10 chains of a stack",
		    column, 7);
	for (size_t i = 0; i < s->count; i++) {
		const struct chains_stack *from = &s->at[i].sum;
		union table_cell *row =
			i <= shown ? table_add(&t) : &t.cell[shown * t.columns];

		row[0].n += from->copied_bytes;
		row[1].n += from->calls;
		row[2].n += from->moved;
		row[3].n = from->longest_steps;
		row[4].n = from->largest_bytes;
		row[5].n = from->reserve_bytes;
		row[6].frame = s->at[i].frame;
	}
	if (shown < s->count) {
		/* What does not add up is not said of several. */
		for (int i = 3; i < 6; i++)
			t.cell[shown * t.columns + (size_t)i].n = 0;
		t.blank_zeros = true;
		text = util_format("%s others",
				   term_count(n, s->count - shown));
		t.rest = table_keep(&t, text);
		free(text);
	}
	view_table(v, &t);
}

int view_reallocs(struct view *v, struct error *e)
{
	struct sites sites = {0};
	struct replay_listener l;
	struct chains r;

	(void)e;
	chains_begin(&r, view_from(v));
	l = chains_listener(&r);
	view_replay(v, &l);
	chains_end(&r);
	for (size_t i = 0; i < r.count; i++)
		if (r.at[i].calls)
			add(&sites,
			    stacks_site(&v->profile->stacks, r.at[i].node),
			    &r.at[i]);
	if (sites.count)
		qsort(sites.at, sites.count, sizeof(*sites.at), compare);
	v->history_only = true;
	view_begin(v, "reallocs");
	if (!sites.count)
		view_line(v, "no block was reallocated");
	put(v, &sites);
	view_end(v);
	map_free(&sites.place);
	free(sites.at);
	chains_free(&r);
	return 0;
}
