/* SPDX-License-Identifier: MIT */
/*
 * growth: which sites leak though their blocks can be reached, how fast, and
 * the oldest blocks that they left. A bounded trace is judged twice in one
 * replay, by its history and by what is left of the whole run; a site is what
 * the stronger verdict says.
 */
#include "image.h"
#include "verdict.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "view.h"

/* Rows of the table when -n does not say. */
#define ROWS 20

/* Candidates whose oldest survivors text shows. */
#define SHOWN_SURVIVORS 3

/* What grows less a day than this, and than a hundredth of the heap, is told
 * only when it left that many blocks. */
#define LEAST_BYTES_A_DAY (1u << 20)
#define LEAST_BLOCKS 64

/* In a shorter run nothing is said. */
#define BRIEF_NS 500000000u

/* In a shorter run `leaks` has no text on growth: programs that work once and
 * end grow as they do. */
#define LEAST_NS 10000000000u

#define HOUR_NS 3600e9

/* A site that is judged. */
struct candidate {
	const struct growth *growth; /* that it is judged by */
	const struct growth_site *site;
	const struct frame *frame;
	struct verdict verdict;
	double bytes_per_hour, bytes_per_gib;
};

struct growing {
	struct growth growth;	   /* of the history, */
	struct growth whole;	   /* and of the whole run, */
	bool is_bounded;	   /* if that is more */
	struct replay_listener to; /* what both are told by */
	struct groups groups;	   /* the sites */
	struct profile *profile;
	struct candidate *at;
	size_t count, room;
	uint64_t ns; /* that were looked at */
};

/* A growth_site_of: sites are the groups of the profile. */
static uint32_t site_of(void *context, uint32_t node)
{
	struct growing *g = context;

	return (uint32_t)groups_of(&g->groups, g->profile,
				   &(struct profile_row){.node = node});
}

/* Return a rate as bytes; of no time at all it is the most there is. */
static uint64_t whole_bytes(double bytes)
{
	return bytes < 0x1p63 ? (uint64_t)bytes : INT64_MAX;
}

/* Work out how fast a site grows. */
static void set_rates(struct candidate *c, const struct trace *t)
{
	const struct growth *g = c->growth;
	const struct verdict *v = &c->verdict;
	uint64_t from = growth_epoch_began(g, 1);
	uint64_t to = growth_epoch_began(g, v->mature + 1);
	double ns = to > from ? (double)trace_span_ns(t, to - from) : 0;
	double epoch_bytes = (double)g->step_bytes * GROWTH_EPOCH_STEPS;

	c->bytes_per_gib = v->bytes_per_epoch / epoch_bytes * (1u << 30);
	if (ns > 0)
		c->bytes_per_hour =
			v->bytes_per_epoch * v->mature / ns * HOUR_NS;
}

/* Tell whether it is worth telling. */
static bool is_material(const struct candidate *c)
{
	double day = c->bytes_per_hour * 24;

	return c->verdict.kind == VERDICT_SHORT ||
	       c->verdict.left >= LEAST_BLOCKS ||
	       (day >= LEAST_BYTES_A_DAY &&
		day * 100 >= (double)c->growth->live_bytes);
}

/* Order by verdict, then by how fast they grow, then by name. */
static int compare(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->verdict.kind != y->verdict.kind)
		return x->verdict.kind > y->verdict.kind ? -1 : 1;
	if (x->bytes_per_gib != y->bytes_per_gib)
		return x->bytes_per_gib > y->bytes_per_gib ? -1 : 1;
	return stacks_compare(x->frame, y->frame);
}

/* Judge a site; false: there is nothing to tell. */
static bool judge_site(const struct growing *g, const struct growth *by,
		       size_t i, const struct trace *t, struct candidate *c)
{
	if (i >= by->count)
		return false;
	*c = (struct candidate){
		.growth = by,
		.site = &by->site[i],
		.frame = g->groups.at[i].frame,
	};
	verdict_judge(&c->verdict, by, c->site);
	if (c->verdict.kind == VERDICT_NONE)
		return false;
	set_rates(c, t);
	return is_material(c);
}

/* Tell whether the history is too short to say anything, the run is not. */
static bool is_only_whole(const struct growing *g)
{
	return g->is_bounded && g->growth.is_short && !g->whole.is_short;
}

/* Judge all sites, and keep those that may leak. */
static void judge(struct growing *g, const struct trace *t)
{
	for (size_t i = 0; i < g->groups.count; i++) {
		struct candidate c, whole;
		bool any = !is_only_whole(g) &&
			   judge_site(g, &g->growth, i, t, &c);

		if (g->is_bounded && judge_site(g, &g->whole, i, t, &whole) &&
		    (!any || whole.verdict.kind > c.verdict.kind)) {
			c = whole;
			any = true;
		}
		if (!any)
			continue;
		g->at = util_grow(g->at, g->count, &g->room, sizeof(*g->at));
		g->at[g->count++] = c;
	}
	if (g->count)
		qsort(g->at, g->count, sizeof(*g->at), compare);
}

/* Count what a block takes of the allocation clock. */
static void count_bytes(void *context, struct heap_block *b,
			const struct replay_event *e,
			const struct heap_block *from)
{
	uint64_t *counting = context;

	(void)from;
	if (e->event->time >= counting[0])
		counting[1] += b->size;
}

/* Return the clock value at which what is judged begins: of a bounded trace
 * that is its history. */
static uint64_t begins_at(const struct view *v)
{
	uint64_t from = view_from(v), history = image_clock(v->trace);

	return from > history ? from : history;
}

/* Return the bytes that were allocated before that. */
static uint64_t folded_bytes(const struct trace *t)
{
	return t->image ? t->image->sums->allocated_bytes : 0;
}

/* Return the bytes that will be allocated: the index tells, but for what was
 * chosen, and for what is in the live file. */
static uint64_t allocated_bytes_of(const struct view *v)
{
	const struct options *o = v->options;
	uint64_t counting[2] = {begins_at(v), 0};
	struct replay_listener l = {.context = counting, .begins = count_bytes};
	struct trace_histogram h;

	trace_histogram(v->trace, &h);
	if (!h.unsealed && !select_chooses(v->select) && !o->from_ns &&
	    o->to_ns == UINT64_MAX && o->at != OPTIONS_AT_TIME)
		return h.allocated_bytes - folded_bytes(v->trace);
	view_replay(v, &l);
	return counting[1];
}

/* Say in the profile what there was, if it was not replayed. */
static void set_totals(const struct growing *g, struct profile *p)
{
	if (p->row_count)
		return;
	p->totals.allocated_bytes = g->growth.allocated_bytes;
	for (unsigned int i = 0; i <= GROWTH_EPOCHS; i++)
		p->totals.allocations += g->growth.allocations[i];
	p->duration_ns = trace_duration_ns(p->trace);
}

/* ---- Both in one replay. ---- */

static void both_begin(void *context, struct heap_block *b,
		       const struct replay_event *e,
		       const struct heap_block *from)
{
	struct growing *g = context;

	g->to.begins(&g->growth, b, e, from);
	g->to.begins(&g->whole, b, e, from);
}

static void both_carry(void *context, struct heap_block *b,
		       const struct replay_event *e)
{
	struct growing *g = context;

	g->to.carries(&g->growth, b, e);
	g->to.carries(&g->whole, b, e);
}

static void both_end(void *context, const struct heap_block *b,
		     const struct replay_event *e, enum replay_end why,
		     bool temporary)
{
	struct growing *g = context;

	g->to.ends(&g->growth, b, e, why, temporary);
	g->to.ends(&g->whole, b, e, why, temporary);
}

static void both_resume(void *context, const struct heap_block *b,
			const struct replay_event *e)
{
	struct growing *g = context;

	g->to.resumes(&g->growth, b, e);
	g->to.resumes(&g->whole, b, e);
}

static void both_left(void *context, const struct heap_block *b)
{
	struct growing *g = context;

	g->to.left(&g->growth, b);
	g->to.left(&g->whole, b);
}

/* Tell whether the whole run is to be looked at, too. */
static bool is_bounded(const struct view *v)
{
	return folded_bytes(v->trace) && !select_chooses(v->select) &&
	       !v->options->from_ns;
}

/* Get ready to look at the whole run, of which `bytes` are the history's. */
static void begin_whole(struct growing *g, const struct view *v, uint64_t bytes)
{
	const struct trace *t = v->trace;
	uint64_t folded = folded_bytes(t);

	growth_begin(&g->whole, trace_clock(t, 0), folded + bytes,
		     t->node_count, site_of, g);
	growth_carry(&g->whole, folded, image_clock(t));
	for (uint32_t i = 1; i < t->image->sums->rows; i++) {
		struct mt_image_row r = image_row(t->image, i);

		growth_carry_row(&g->whole, r.node, r.allocations, r.frees,
				 r.lifetimes);
	}
}

/* Replay the trace and find what grows. */
static void find(struct growing *g, struct view *v)
{
	const struct replay_listener both = {
		.context = g,
		.begins = both_begin,
		.ends = both_end,
		.resumes = both_resume,
		.carries = both_carry,
		.left = both_left,
	};
	uint64_t bytes = allocated_bytes_of(v);

	*g = (struct growing){.profile = v->profile,
			      .is_bounded = is_bounded(v)};
	groups_build(&g->groups, v->profile, v->options->by, false);
	growth_begin(&g->growth, begins_at(v), bytes, v->trace->node_count,
		     site_of, g);
	if (g->is_bounded)
		begin_whole(g, v, bytes);
	g->to = growth_listener(&g->growth);
	view_replay(v, g->is_bounded ? &both : &g->to);
	g->ns = trace_span_ns(v->trace, g->growth.ended - g->growth.began[0]);
	growth_end(&g->growth, g->ns < BRIEF_NS);
	if (g->is_bounded)
		growth_end(&g->whole, trace_duration_ns(v->trace) < BRIEF_NS);
	set_totals(g, v->profile);
	judge(g, v->trace);
}

static void free_all(struct growing *g)
{
	free(g->at);
	growth_free(&g->growth);
	growth_free(&g->whole);
	groups_free(&g->groups);
}

/* Return the signs of a verdict as words. */
static const char *signs_of(struct table *t, const struct verdict *v)
{
	char *text = util_format("%s%s%s%s",
				 v->signs & VERDICT_SURVIVES ? " survives" : "",
				 v->signs & VERDICT_CLIMBS ? " climbs" : "",
				 v->signs & VERDICT_GOES_ON ? " goes_on" : "",
				 v->signs & VERDICT_SWELLS ? " swells" : "");
	const char *kept = table_keep(t, *text ? text + 1 : text);

	free(text);
	return kept;
}

/* Fill in a row of the table of candidates. */
static void fill(struct table *t, const struct candidate *c, bool is_of_run)
{
	union table_cell *row = table_add(t);
	const struct verdict *v = &c->verdict;

	row[0].n = whole_bytes(c->bytes_per_hour);
	row[1].n = whole_bytes(c->bytes_per_gib);
	row[2].n = c->site->live_bytes;
	row[3].real = table_percent(c->site->live_bytes, c->growth->live_bytes);
	row[4].n = c->site->live;
	row[5].n = v->left;
	row[6].n = v->left_bytes;
	row[7].n = v->births;
	row[8].n = v->freed_late;
	row[9].real = 100 * v->survival_low;
	row[10].real = v->tau;
	row[11].text = signs_of(t, v);
	row[12].text = verdict_names[v->kind];
	row[13].text = is_of_run ? "run" : "history";
	row[14].frame = c->frame;
}

/* Print the first `n` candidates. */
static void put_candidates(struct view *v, const struct growing *g, size_t n)
{
	const struct table_column column[] = {
		{"bytes_per_hour", "per hour", TABLE_BYTES},
		{"bytes_per_gib", "per GiB", TABLE_BYTES},
		{"live_bytes", "live", TABLE_BYTES},
		{"live_percent", "%", TABLE_PERCENT},
		{"live_blocks", NULL, TABLE_COUNT},
		{"survivors", "survivors", TABLE_COUNT},
		{"survivor_bytes", NULL, TABLE_BYTES},
		{"births", NULL, TABLE_COUNT},
		{"freed_late", NULL, TABLE_COUNT},
		{"survival_low_percent", NULL, TABLE_PERCENT},
		{"tau", NULL, TABLE_NUMBER},
		{"signs", NULL, TABLE_TEXT},
		{"verdict", "verdict", TABLE_TEXT},
		{"judged_by", g->is_bounded ? "by its" : NULL, TABLE_TEXT},
		{"site", "site", TABLE_SITE},
	};
	struct table t;

	table_begin(&t, "growth", "Growth candidates", column, 15);
	for (size_t i = 0; i < n; i++)
		fill(&t, &g->at[i],
		     !g->is_bounded || g->at[i].growth == &g->whole);
	view_table(v, &t);
}

/* Return a stack from the site outward, its functions joined by ';'. */
static const char *stack_of(struct table *t, struct stacks *s, uint32_t node)
{
	struct stacks_list list = {0};
	size_t i = stacks_site_in(s, node, &list);
	char *text = util_copy("", 0);
	const char *kept;

	for (size_t first = i; i < list.count; i++) {
		char *longer = util_format("%s%s%s", text, i > first ? ";" : "",
					   list.at[i]->name);

		free(text);
		text = longer;
	}
	kept = table_keep(t, text);
	free(text);
	stacks_list_free(&list);
	return kept;
}

/* Return the blocks to show of a site: the oldest survivors, or where blocks
 * swell and none is left, the largest. */
static const struct heap_block *survivors_of(const struct candidate *c)
{
	return c->verdict.signs & VERDICT_SURVIVES ? c->site->oldest
	       : c->verdict.signs & VERDICT_SWELLS ? c->site->largest
						   : c->site->oldest;
}

/* Print the oldest survivors of the first `n` candidates. */
static void put_oldest(struct view *v, const struct growing *g, size_t n)
{
	static const struct table_column column[] = {
		{"age_ns", "age", TABLE_TIME},
		{"bytes", "bytes", TABLE_BYTES},
		{"address", "address", TABLE_RIGHT},
		{"stack", "stack", TABLE_TEXT},
		{"site", NULL, TABLE_SITE},
	};
	struct table t;

	table_begin(&t, "oldest", "Oldest survivors", column, 5);
	for (size_t i = 0; i < n * GROWTH_SHOWN; i++) {
		const struct candidate *c = &g->at[i / GROWTH_SHOWN];
		const struct heap_block *b = &survivors_of(c)[i % GROWTH_SHOWN];
		union table_cell *row;
		char *text;

		if (!b->address)
			continue;
		row = table_add(&t);
		text = util_format("%#" PRIx64, b->address);
		row[0].n = trace_span_ns(v->trace, g->growth.ended - b->born);
		row[1].n = b->size;
		row[2].text = table_keep(&t, text);
		row[3].text = stack_of(&t, &v->profile->stacks, b->owner);
		row[4].frame = c->frame;
		free(text);
	}
	view_table(v, &t);
}

/* Say in text what was looked at, and that it may be too little. */
static void put_words(struct view *v, const struct growing *g)
{
	const struct growth *by = is_only_whole(g) ? &g->whole : &g->growth;
	char bytes[TERM_NUMBER], live[TERM_NUMBER], time[TERM_NUMBER],
		n[TERM_NUMBER];

	view_line(v,
		  "%u epochs of %s each, after a warm-up of a tenth; %s live "
		  "at the end",
		  GROWTH_EPOCHS,
		  term_bytes(bytes, by->step_bytes * GROWTH_EPOCH_STEPS,
			     v->style.exact),
		  term_bytes(live, by->live_bytes, v->style.exact));
	if (g->is_bounded)
		view_line(v, is_only_whole(g)
				     ? "judged by what is left of the whole "
				       "run; the history is too short to say"
				     : "judged by the history and by what is "
				       "left of the whole run");
	if (g->growth.is_short && !is_only_whole(g))
		view_line(v, "too short to say what grows: %s, %s allocations",
			  term_time(time, g->ns),
			  term_count(n, v->profile->totals.allocations));
	else if (!g->count)
		view_line(v, "nothing grows");
}

int view_growth(struct view *v, struct error *e)
{
	struct growing g;
	size_t shown;

	if (v->options->by == GROUP_THREAD || v->options->by == GROUP_SIZE)
		return error_set(
			e, ERROR_NO_OFFSET,
			"growth is by site, function, module or stack");
	if (!v->trace)
		return error_set(e, ERROR_NO_OFFSET,
				 "growth needs events, which a %s file has not",
				 v->profile->source);
	find(&g, v);
	shown = view_rows(v, ROWS, g.count);
	if (g.growth.is_short && !is_only_whole(&g) &&
	    v->style.form == TABLE_AS_TEXT)
		shown = 0;
	view_begin(v, "growth");
	put_words(v, &g);
	put_candidates(v, &g, shown);
	put_oldest(v, &g,
		   v->style.form == TABLE_AS_TEXT && shown > SHOWN_SURVIVORS
			   ? SHOWN_SURVIVORS
			   : shown);
	view_end(v);
	free_all(&g);
	return 0;
}

void view_put_growth(struct view *v)
{
	struct growing g;
	size_t shown = 0;

	find(&g, v);
	if (v->style.form != TABLE_AS_TEXT)
		shown = g.count;
	else if (v->profile->duration_ns >= LEAST_NS)
		while (shown < g.count &&
		       g.at[shown].verdict.kind == VERDICT_LIKELY)
			shown++;
	put_candidates(v, &g, shown);
	free_all(&g);
}
