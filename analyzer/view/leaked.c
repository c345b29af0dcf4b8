/* SPDX-License-Identifier: MIT */
/*
 * leaks: what was lost, by site, with what hangs off it; and of the worst
 * sites all that is known: stacks, threads, and what became of the other
 * blocks that they allocated. With --tree, see leaktree.c.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "owners.h"
#include "siblings.h"
#include "view.h"

/* Rows of the table when -n does not say. */
#define ROWS 10

/* How many of them are told of in full, and how many stacks and frames of each:
 * a screen; with --stacks, what is worth reading. */
#define DETAILS 3
#define STACKS 1
#define FRAMES 6
#define MANY_STACKS 10
#define MANY_FRAMES 64

/* The blocks of one kind that one site leaked. */
struct leak_site {
	enum leak_kind kind;
	uint32_t site; /* place in the groups */
	const struct frame *frame;
	struct leak_sum sum, retained;
	uint64_t first_clock, last_clock;	/* of their allocations */
	uint32_t thread;			/* of the first one found */
	bool threads;				/* not the only one */
	uint64_t allocations, freed, median_ns; /* of the site */
	size_t first_stack, stacks;
};

/* What of a site came from one stack. */
struct leak_stack {
	uint32_t site; /* place in `at` */
	uint32_t node;
	struct leak_sum sum, retained;
};

struct leak_sites {
	struct owners owners;
	struct leak_site *at;
	size_t count, room;
	struct leak_stack *stacks; /* by site, the worst first */
	size_t stack_count, stack_room;
	struct map place; /* site and kind -> place + 1 */
	struct map stack; /* place and node -> place + 1 */
};

/* ---- What there is. ---- */

/* Return the entry of a leaked block's site, entered when it is new. */
static struct leak_site *site_of(struct leak_sites *s, enum leak_kind kind,
				 uint32_t site, const struct graph_block *b)
{
	uint64_t *place =
		map_put(&s->place,
			(uint64_t)site * LEAK_KINDS + (unsigned int)kind, NULL);

	if (!*place) {
		s->at = util_grow(s->at, s->count, &s->room, sizeof(*s->at));
		s->at[s->count++] = (struct leak_site){
			.kind = kind,
			.site = site,
			.first_clock = b->born,
			.thread = b->thread,
		};
		*place = s->count;
	}
	return &s->at[*place - 1];
}

/* Return the entry of a stack of a site, entered when it is new. */
static struct leak_stack *stack_of(struct leak_sites *s, uint32_t site,
				   uint32_t node)
{
	uint64_t *place = map_put(&s->stack, (uint64_t)site << 32 | node, NULL);

	if (!*place) {
		s->stacks = util_grow(s->stacks, s->stack_count, &s->stack_room,
				      sizeof(*s->stacks));
		s->stacks[s->stack_count++] =
			(struct leak_stack){.site = site, .node = node};
		*place = s->stack_count;
	}
	return &s->stacks[*place - 1];
}

static void add(struct leak_sum *to, struct leak_sum n)
{
	to->blocks += n.blocks;
	to->bytes += n.bytes;
}

/* Add a leaked block to its site and its stack. */
static void add_block(struct leak_sites *s, struct view *v,
		      const struct leaks *l, size_t block)
{
	const struct graph_block *b = &l->graph.blocks[block];
	struct leak_sum one = {1, b->size}, retained = leaks_retained(l, block);
	struct leak_site *site =
		site_of(s, l->blocks[block].kind,
			owners_site(&s->owners, v->profile, b->node), b);
	struct leak_stack *stack =
		stack_of(s, (uint32_t)(site - s->at), b->node);

	add(&site->sum, one);
	add(&site->retained, retained);
	add(&stack->sum, one);
	add(&stack->retained, retained);
	if (b->born < site->first_clock)
		site->first_clock = b->born;
	if (b->born > site->last_clock)
		site->last_clock = b->born;
	site->threads |= b->thread != site->thread;
}

/* Take over what is known of the sites beside their leaks. */
static void name_sites(struct leak_sites *s)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct group *g = &s->owners.sites.at[s->at[i].site];

		s->at[i].frame = g->frame;
		s->at[i].allocations = g->totals.allocations;
		s->at[i].freed = g->totals.frees;
	}
}

/* What is shown without --kind: all but those that can be reached; what hangs
 * off a leak stands with it. */
#define SHOWN (1u << LEAK_DEFINITE | 1u << LEAK_POSSIBLE | 1u << LEAK_HELD)

/* Sum the leaks up by site. */
static void collect(struct leak_sites *s, struct view *v, const struct leaks *l)
{
	unsigned int kinds = view_leak_kinds(v, SHOWN);

	owners_build(&s->owners, v->profile, l, 0);
	for (size_t i = 0; i < l->graph.block_count; i++)
		if (!l->graph.blocks[i].loader &&
		    kinds >> l->blocks[i].kind & 1)
			add_block(s, v, l, i);
	name_sites(s);
}

/* Order by kind, then by what is retained, then by name. */
static int compare(const void *a, const void *b)
{
	const struct leak_site *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->retained.bytes != y->retained.bytes)
		return x->retained.bytes > y->retained.bytes ? -1 : 1;
	if (x->sum.bytes != y->sum.bytes)
		return x->sum.bytes > y->sum.bytes ? -1 : 1;
	return stacks_compare(x->frame, y->frame);
}

/* Order stacks by their site, then by what is retained, then by number. */
static int compare_stacks(const void *a, const void *b)
{
	const struct leak_stack *x = a, *y = b;

	if (x->site != y->site)
		return x->site < y->site ? -1 : 1;
	if (x->retained.bytes != y->retained.bytes)
		return x->retained.bytes > y->retained.bytes ? -1 : 1;
	if (x->sum.bytes != y->sum.bytes)
		return x->sum.bytes > y->sum.bytes ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

/* Order the sites, and with them their stacks. */
static void sort(struct leak_sites *s)
{
	uint32_t *now = util_alloc(s->count, sizeof(*now));

	if (s->count)
		qsort(s->at, s->count, sizeof(*s->at), compare);
	for (size_t i = 0; i < s->count; i++) {
		uint64_t key = (uint64_t)s->at[i].site * LEAK_KINDS +
			       (unsigned int)s->at[i].kind;

		now[*map_get(&s->place, key) - 1] = (uint32_t)i;
	}
	for (size_t i = 0; i < s->stack_count; i++) {
		s->stacks[i].site = now[s->stacks[i].site];
		s->at[s->stacks[i].site].stacks++;
	}
	free(now);
	if (s->stack_count)
		qsort(s->stacks, s->stack_count, sizeof(*s->stacks),
		      compare_stacks);
	for (size_t i = 1; i < s->count; i++)
		s->at[i].first_stack =
			s->at[i - 1].first_stack + s->at[i - 1].stacks;
}

/* Find out how long the blocks lived that the sites allocated and freed. */
static void find_siblings(struct leak_sites *s, struct view *v)
{
	size_t nodes = v->profile->stacks.node_count;
	uint32_t *number = util_alloc(s->owners.sites.count, sizeof(*number));
	uint32_t *site_of_node = util_alloc(nodes, sizeof(*site_of_node));
	uint32_t count = 0;
	struct siblings siblings;

	for (size_t i = 0; i < s->count; i++)
		if (s->at[i].freed && !number[s->at[i].site])
			number[s->at[i].site] = ++count;
	for (size_t i = 0; i < v->profile->row_count && count; i++) {
		uint32_t node = v->profile->rows[i].node;

		site_of_node[node] =
			number[owners_site(&s->owners, v->profile, node)];
	}
	if (count) {
		siblings_run(&siblings, v->trace, site_of_node, count,
			     term_bar);
		term_bar_clear();
		for (size_t i = 0; i < s->count; i++)
			if (number[s->at[i].site])
				s->at[i].median_ns = trace_span_ns(
					v->trace,
					siblings_median(&siblings,
							number[s->at[i].site] -
								1));
		siblings_free(&siblings);
	}
	free(number);
	free(site_of_node);
}

/* ---- The verdict. ---- */

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

/* ---- The table. ---- */

/* Return the id of the thread that leaked, or 0: several did. */
static uint32_t thread_id(const struct view *v, const struct leak_site *s)
{
	return s->threads || s->thread >= v->trace->thread_count
		       ? 0
		       : v->trace->threads[s->thread].tid;
}

/* Fill in a row; what is not shown is added up in one. */
static void fill(const struct view *v, union table_cell *row,
		 const struct leak_site *s)
{
	row[0].n += s->retained.bytes;
	row[1].n += s->sum.bytes;
	row[2].n += s->sum.blocks;
	row[3].n += s->retained.blocks;
	row[4].n += s->freed;
	row[5].n = s->allocations;
	row[6].n = s->median_ns;
	row[7].n = trace_ns(v->trace, s->first_clock);
	row[8].n = trace_ns(v->trace, s->last_clock);
	row[9].n = thread_id(v, s);
	row[10].text = leak_kind_names[s->kind];
	row[11].frame = s->frame;
}

/* Print the table of sites. */
static void put_sites(struct view *v, const struct leak_sites *s, size_t shown)
{
	static const struct table_column column[] = {
		{"retained_bytes", "retained", TABLE_BYTES},
		{"bytes", "bytes", TABLE_BYTES},
		{"blocks", "blocks", TABLE_COUNT},
		{"retained_blocks", NULL, TABLE_COUNT},
		{"freed", "freed", TABLE_COUNT},
		{"allocations", NULL, TABLE_COUNT},
		{"median_lifetime_ns", NULL, TABLE_TIME},
		{"first_ns", NULL, TABLE_TIME},
		{"last_ns", NULL, TABLE_TIME},
		{"tid", NULL, TABLE_ID},
		{"kind", "kind", TABLE_TEXT},
		{"site", "site", TABLE_SITE},
	};
	struct table t;
	char n[TERM_NUMBER], *text;

	table_begin(&t, "leaks",
		    s->count ? "Leaks, by site; freed: its other blocks" : NULL,
		    column, 12);
	t.blank_zeros = true;
	for (size_t i = 0; i < s->count; i++)
		fill(v, i <= shown ? table_add(&t) : &t.cell[shown * t.columns],
		     &s->at[i]);
	if (shown < s->count) {
		text = util_format("%s other sites",
				   term_count(n, s->count - shown));
		t.rest = table_keep(&t, text);
		free(text);
	}
	view_table(v, &t);
}

/* ---- All that is known of a site. ---- */

/* Print a line whose name is left out when it is that of the line before. */
static void put_detail(const char *name)
{
	printf("  %-11s ", name);
}

/* Print a stack; `of` is NULL when it is the only one of its site. */
static void put_stack(struct view *v, const struct leak_stack *stack,
		      const struct leak_site *of)
{
	char a[TERM_NUMBER], b[TERM_NUMBER];

	put_detail("stack");
	if (of)
		printf("of %s of the %s block%s\n%14s",
		       term_count(a, stack->sum.blocks),
		       term_count(b, of->sum.blocks),
		       term_plural(of->sum.blocks), "");
	view_put_stack(v, stack->node, 14,
		       v->options->stacks ? MANY_FRAMES : FRAMES);
}

/* Print the stacks of a site. */
static void put_stacks(struct view *v, const struct leak_sites *s,
		       const struct leak_site *site)
{
	size_t most = v->options->stacks ? MANY_STACKS : STACKS;
	size_t shown = site->stacks <= most + 1 ? site->stacks : most;
	char n[TERM_NUMBER];

	for (size_t i = 0; i < shown; i++)
		put_stack(v, &s->stacks[site->first_stack + i],
			  site->stacks > 1 ? site : NULL);
	if (shown < site->stacks) {
		put_detail("");
		printf("(%s other stacks: --stacks)\n",
		       term_count(n, site->stacks - shown));
	}
}

/* Say when a site's leaks were allocated, and by whom. */
static void put_when(struct view *v, const struct leak_site *s)
{
	const struct trace_thread *t = s->thread < v->trace->thread_count
					       ? &v->trace->threads[s->thread]
					       : NULL;
	char a[TERM_NUMBER], b[TERM_NUMBER];

	put_detail("allocated");
	if (s->sum.blocks == 1)
		printf("at %s",
		       term_time(a, trace_ns(v->trace, s->first_clock)));
	else
		printf("from %s to %s",
		       term_time(a, trace_ns(v->trace, s->first_clock)),
		       term_time(b, trace_ns(v->trace, s->last_clock)));
	if (s->threads)
		fputs(", by several threads", stdout);
	else if (t) {
		printf(", by thread %u", t->tid);
		if (t->name) {
			fputs(" (", stdout);
			term_put_text(stdout, t->name);
			putchar(')');
		}
	}
	putchar('\n');
}

/* Say what became of the other blocks of a site. */
static void put_siblings(const struct leak_site *s)
{
	char a[TERM_NUMBER], b[TERM_NUMBER], c[TERM_NUMBER], d[TERM_NUMBER];

	put_detail("siblings");
	if (!s->freed) {
		printf("none of its %s block%s was freed\n",
		       term_count(a, s->allocations),
		       term_plural(s->allocations));
		return;
	}
	printf("%s of %s freed, half within %s; ", term_count(a, s->freed),
	       term_count(b, s->allocations), term_time(c, s->median_ns));
	printf("%s %s never\n", s->sum.blocks == 1 ? "this" : "these",
	       term_count(d, s->sum.blocks));
}

/* Tell all about a site. */
static void put_site(struct view *v, const struct leak_sites *s,
		     const struct leak_site *site)
{
	char bytes[TERM_NUMBER], blocks[TERM_NUMBER];
	struct leak_sum off = {site->retained.blocks - site->sum.blocks,
			       site->retained.bytes - site->sum.bytes};

	printf("\n%s", v->style.term.bold);
	table_put_site(stdout, site->frame, &v->style.term, 0);
	printf("%s: %s, %s in %s block%s\n", v->style.term.plain,
	       leak_kind_names[site->kind],
	       term_bytes(bytes, site->sum.bytes, v->style.exact),
	       term_count(blocks, site->sum.blocks),
	       term_plural(site->sum.blocks));
	if (site->retained.blocks > site->sum.blocks) {
		put_detail("hanging off");
		printf("%s in %s block%s\n",
		       term_bytes(bytes, off.bytes, v->style.exact),
		       term_count(blocks, off.blocks), term_plural(off.blocks));
	}
	put_when(v, site);
	put_siblings(site);
	put_stacks(v, s, site);
}

/* Tell all about the worst sites, or with --stacks of those shown. */
static void put_details(struct view *v, const struct leak_sites *s,
			size_t shown)
{
	if (v->style.form != TABLE_AS_TEXT)
		return;
	if (!v->options->stacks && shown > DETAILS)
		shown = DETAILS;
	for (size_t i = 0; i < shown; i++)
		put_site(v, s, &s->at[i]);
}

/* Print the stacks as a table, in the other forms. */
static void put_stack_table(struct view *v, const struct leak_sites *s)
{
	static const struct table_column column[] = {
		{"leak", NULL, TABLE_COUNT},
		{"retained_bytes", NULL, TABLE_BYTES},
		{"bytes", NULL, TABLE_BYTES},
		{"blocks", NULL, TABLE_COUNT},
		{"stack", NULL, TABLE_TEXT},
	};
	struct stacks_list list = {0};
	struct table t;

	if (v->style.form == TABLE_AS_TEXT)
		return;
	table_begin(&t, "stacks", NULL, column, 5);
	for (size_t i = 0; i < s->stack_count; i++) {
		const struct leak_stack *stack = &s->stacks[i];
		union table_cell *row = table_add(&t);
		char *text;

		row[0].n = stack->site;
		row[1].n = stack->retained.bytes;
		row[2].n = stack->sum.bytes;
		row[3].n = stack->sum.blocks;
		stacks_expand(&v->profile->stacks, stack->node, &list);
		text = view_stack_text(&list);
		row[4].text = table_keep(&t, text);
		free(text);
	}
	view_table(v, &t);
	stacks_list_free(&list);
}

/* Say what is worth asking for next: what hangs off what, the source of the
 * worst site, or what keeps the rest. */
static void name_next(struct view *v, const struct leak_sites *s,
		      const struct leaks *l)
{
	const struct leak_site *worst = s->count ? &s->at[0] : NULL;

	if (l->sum[LEAK_INDIRECT].blocks)
		view_next(v, "leaks --tree", NULL);
	else if (worst && worst->kind == LEAK_POSSIBLE)
		view_next(v, "why --kind possible", worst->frame->name);
	else if (worst)
		view_next(v, worst->frame->file ? "list" : "peek",
			  worst->frame->name);
	else if (l->sum[LEAK_REACHABLE].blocks)
		view_next(v, "leaks --tree --kind reachable", NULL);
}

/* Print the sites and all about them. */
static void put_all(struct view *v, const struct leak_sites *s,
		    const struct leaks *l)
{
	size_t shown = view_rows(v, ROWS, s->count);

	put_verdict(v, l);
	if (v->trace->scan_count)
		view_put_scan(v, &v->trace->scans[v->trace->scan_count - 1]);
	put_sites(v, s, shown);
	put_details(v, s, shown);
	put_stack_table(v, s);
	name_next(v, s, l);
}

/* Print it as a table of sites. */
static void show_sites(struct view *v, struct leaks *l)
{
	struct leak_sites sites = {0};

	collect(&sites, v, l);
	leaks_drop_blocks(l); /* the replays to come have blocks of their own */
	sort(&sites);
	find_siblings(&sites, v);
	put_all(v, &sites, l);
	owners_free(&sites.owners);
	map_free(&sites.place);
	map_free(&sites.stack);
	free(sites.stacks);
	free(sites.at);
}

int view_leaks(struct view *v, struct error *e)
{
	struct leaks l;
	int status = view_find_leaks(v, &l, e);

	if (!status) {
		view_begin(v, "leaks");
		if (v->style.form == TABLE_AS_JSON) {
			fputs(",\n", stdout);
			view_put_json_verdict(&l);
		}
		if (v->options->tree)
			view_leak_tree(v, &l);
		else
			show_sites(v, &l);
		leaks_drop_blocks(&l);
		view_put_growth(v);
		view_put_bad_frees(v);
		view_end(v);
	}
	leaks_free(&l);
	return status;
}
