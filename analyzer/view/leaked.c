/* SPDX-License-Identifier: MIT */
/*
 * leaks: what was lost, by site, with what hangs off it.
 */
#include "leaks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "view.h"

/* Rows of the table when -n does not say. */
#define ROWS 20

/* The blocks of one kind that one site leaked. */
struct leak_site {
	enum leak_kind kind;
	const struct frame *frame;
	struct leak_sum sum;
	uint64_t retained_bytes, retained_blocks;
	uint64_t first_clock, last_clock; /* of their allocations */
};

struct leak_sites {
	struct leak_site *at;
	size_t count, room;
	struct map place; /* frame and kind -> place + 1 */
};

/* Return the site of a leaked block, entered when it is new. */
static struct leak_site *site_of(struct leak_sites *s, enum leak_kind kind,
				 const struct frame *f, uint64_t clock)
{
	uint64_t *place =
		map_put(&s->place,
			(uintptr_t)f * LEAK_KINDS + (unsigned int)kind, NULL);

	if (!*place) {
		s->at = util_grow(s->at, s->count, &s->room, sizeof(*s->at));
		s->at[s->count++] = (struct leak_site){
			.kind = kind, .frame = f, .first_clock = clock};
		*place = s->count;
	}
	return &s->at[*place - 1];
}

/* Tell whether a kind of block is to be shown: --kind, else all but those
 * that can be reached; what hangs off a leak stands with it. */
static bool is_shown(const struct options *o, enum leak_kind kind)
{
	if (o->kind)
		return strcmp(o->kind, "all") == 0 ||
		       strcmp(o->kind, leak_kind_names[kind]) == 0;
	return kind != LEAK_REACHABLE && kind != LEAK_INDIRECT;
}

/* Sum the leaks up by site. */
static void collect(struct leak_sites *s, struct view *v, const struct leaks *l)
{
	for (size_t i = 0; i < l->graph.block_count; i++) {
		const struct graph_block *b = &l->graph.blocks[i];
		enum leak_kind kind = l->blocks[i].kind;
		struct leak_sum retained = leaks_retained(l, i);
		struct leak_site *site;

		if (b->loader || !is_shown(v->options, kind))
			continue;
		site = site_of(s, kind,
			       stacks_site(&v->profile->stacks, b->node),
			       b->born);
		site->sum.blocks++;
		site->sum.bytes += b->size;
		site->retained_blocks += retained.blocks;
		site->retained_bytes += retained.bytes;
		if (b->born < site->first_clock)
			site->first_clock = b->born;
		if (b->born > site->last_clock)
			site->last_clock = b->born;
	}
}

/* Order by kind, then by what is retained, then by name. */
static int compare(const void *a, const void *b)
{
	const struct leak_site *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->retained_bytes != y->retained_bytes)
		return x->retained_bytes > y->retained_bytes ? -1 : 1;
	if (x->sum.bytes != y->sum.bytes)
		return x->sum.bytes > y->sum.bytes ? -1 : 1;
	return stacks_compare(x->frame, y->frame);
}

/* Print a line of the verdict. */
static void put_sum(struct view *v, const char *name, struct leak_sum sum)
{
	char bytes[TERM_NUMBER], blocks[TERM_NUMBER];

	view_line(v, "%-14s %11s in %s block%s", name,
		  term_bytes(bytes, sum.bytes, v->style.exact),
		  term_count(blocks, sum.blocks), term_plural(sum.blocks));
}

/* Print the verdict as text. */
static void put_verdict(struct view *v, const struct leaks *l)
{
	if (!l->checked) {
		view_line(v, "not checked: %s", l->why_not);
		return;
	}
	put_sum(v, "definite", l->sum[LEAK_DEFINITE]);
	put_sum(v, "indirect", l->sum[LEAK_INDIRECT]);
	put_sum(v, "possible", l->sum[LEAK_POSSIBLE]);
	if (l->sum[LEAK_HELD].blocks)
		put_sum(v, "held at exit()", l->sum[LEAK_HELD]);
	put_sum(v, "reachable", l->sum[LEAK_REACHABLE]);
}

/* Print the verdict as the first fields of the JSON object. */
static void put_json_verdict(const struct leaks *l)
{
	if (l->checked)
		fputs(",\n  \"checked\": true", stdout);
	else
		printf(",\n  \"checked\": \"%s\"", l->why_not);
	for (int i = 0; i < LEAK_KINDS; i++)
		printf(",\n  \"%s\": {\"blocks\": %" PRIu64
		       ", \"bytes\": %" PRIu64 "}",
		       leak_kind_names[i], l->sum[i].blocks, l->sum[i].bytes);
}

/* Print the table of sites. */
static void put_sites(struct view *v, const struct leak_sites *s)
{
	static const struct table_column column[] = {
		{"retained_bytes", "retained", TABLE_BYTES},
		{"bytes", "bytes", TABLE_BYTES},
		{"blocks", "blocks", TABLE_COUNT},
		{"retained_blocks", NULL, TABLE_COUNT},
		{"first_ns", NULL, TABLE_TIME},
		{"last_ns", "last", TABLE_TIME},
		{"kind", "kind", TABLE_TEXT},
		{"site", "site", TABLE_SITE},
	};
	size_t shown = view_rows(v, ROWS, s->count);
	struct table t;
	char n[TERM_NUMBER], *text;

	table_begin(&t, "leaks", s->count ? "Leaks, by site" : NULL, column, 8);
	for (size_t i = 0; i < s->count; i++) {
		const struct leak_site *site = &s->at[i];
		union table_cell *row =
			i <= shown ? table_add(&t) : &t.cell[shown * t.columns];

		row[0].n += site->retained_bytes;
		row[1].n += site->sum.bytes;
		row[2].n += site->sum.blocks;
		row[3].n += site->retained_blocks;
		row[4].n = trace_ns(v->trace, site->first_clock);
		row[5].n = trace_ns(v->trace, site->last_clock);
		row[6].text = leak_kind_names[site->kind];
		row[7].frame = site->frame;
	}
	if (shown < s->count) {
		text = util_format("%s other sites",
				   term_count(n, s->count - shown));
		t.rest = table_keep(&t, text);
		free(text);
	}
	view_table(v, &t);
}

int view_leaks(struct view *v, struct error *e)
{
	struct leak_sites sites = {0};
	struct leaks l;

	if (!v->trace)
		return error_set(e, ERROR_NO_OFFSET,
				 "leaks needs a scan, which a %s file has not",
				 v->profile->source);
	if (v->select || v->options->from_ns || v->options->at ||
	    v->options->to_ns != UINT64_MAX)
		return error_set(e, ERROR_NO_OFFSET,
				 "leaks looks at all blocks that were live at "
				 "the end");
	if (v->options->scan >= 0 &&
	    !trace_choose_scan(v->trace, (uint32_t)v->options->scan))
		return error_set(e, ERROR_NO_OFFSET, "it has no scan %u",
				 (unsigned int)v->options->scan);
	if (view_find_leaks(v, &l, e)) {
		leaks_free(&l);
		return -1;
	}
	collect(&sites, v, &l);
	if (sites.count)
		qsort(sites.at, sites.count, sizeof(*sites.at), compare);
	view_begin(v, "leaks");
	if (v->style.form == TABLE_AS_JSON)
		put_json_verdict(&l);
	put_verdict(v, &l);
	if (v->trace->scan_count)
		view_put_scan(v, &v->trace->scans[v->trace->scan_count - 1]);
	put_sites(v, &sites);
	view_end(v);
	map_free(&sites.place);
	free(sites.at);
	leaks_free(&l);
	return 0;
}
