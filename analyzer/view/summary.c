/* SPDX-License-Identifier: MIT */
/*
 * The report as text, made to fit a screen: what ran and the totals, a table
 * per question, and how far the figures are to be trusted.
 */
#include "view.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "badfree.h"
#include "trust.h"

/* Rows of a table when -n does not say: in the whole report, with --at. */
#define ROWS 5
#define ROWS_AT 20

/* A table: its title, what it is sorted by, and one more column. */
struct summary_table {
	const char *key, *title;
	unsigned int needs; /* PROFILE_HAS_... */
	const char *column;
	view_key *by;
	enum table_type type;
	const char *other_column;
	view_key *other;
	enum table_type other_type;
};

static const struct summary_table table_peak = {
	"peak",	  "Live at peak",   PROFILE_HAS_PEAK,
	"bytes",  view_peak_bytes,  TABLE_BYTES,
	"blocks", view_peak_blocks, TABLE_COUNT,
};
static const struct summary_table table_bytes = {
	"bytes", "Most allocated, by bytes", PROFILE_HAS_ALLOCATED,
	"bytes", view_allocated_bytes,	     TABLE_BYTES,
	"calls", view_allocations,	     TABLE_COUNT,
};
static const struct summary_table table_calls = {
	"calls", "Most allocated, by calls", PROFILE_HAS_ALLOCATED,
	"calls", view_allocations,	     TABLE_COUNT,
	"bytes", view_allocated_bytes,	     TABLE_BYTES,
};
static const struct summary_table table_temporary = {
	"temporary",
	"Temporary: freed by the thread before it allocated again",
	PROFILE_HAS_TEMPORARY,
	"temporary",
	view_temporary,
	TABLE_COUNT,
	"of calls",
	view_allocations,
	TABLE_COUNT,
};
static const struct summary_table table_exit = {
	"exit",	  "Live at the end", PROFILE_HAS_EXIT,
	"bytes",  view_exit_bytes,   TABLE_BYTES,
	"blocks", view_exit_blocks,  TABLE_COUNT,
};

/* A line: so many bytes in so many blocks. */
struct moment {
	const char *name;
	uint64_t bytes, blocks;
	view_key *by_bytes, *by_blocks; /* where they may be estimates */
	char text[2][TERM_NUMBER];
};

/* Write the numbers of lines, and make `wide` what they take. */
static void measure(const struct view *v, struct moment *m, size_t n,
		    int wide[2])
{
	for (size_t i = 0; i < n; i++) {
		term_bytes(m[i].text[0], m[i].bytes, v->style.exact);
		term_count(m[i].text[1], m[i].blocks);
		for (int j = 0; j < 2; j++)
			if ((int)strlen(m[i].text[j]) > wide[j])
				wide[j] = (int)strlen(m[i].text[j]);
	}
}

/* Print a line, without its end. */
static void put_moment(const struct view *v, const struct moment *m,
		       const int wide[2])
{
	printf("%s  %*s", m->name, wide[0], m->text[0]);
	if (m->by_bytes)
		view_put_off(v, m->by_bytes, &v->profile->totals);
	if (v->profile->has & PROFILE_HAS_BLOCKS)
		printf(" in %*s", wide[1], m->text[1]);
	if (m->by_blocks)
		view_put_off(v, m->by_blocks, &v->profile->totals);
	if (v->profile->has & PROFILE_HAS_BLOCKS)
		printf(" block%s", term_plural(m->blocks));
}

/* Return what is lost. */
static struct leak_sum sum_lost(const struct leaks *l)
{
	struct leak_sum sum = l->sum[LEAK_DEFINITE];

	sum.blocks += l->sum[LEAK_INDIRECT].blocks;
	sum.bytes += l->sum[LEAK_INDIRECT].bytes;
	return sum;
}

/* Say when memory was looked at, if the program went on. */
static void put_when(const struct view *v)
{
	const struct mt_meta_scan *scan = leaks_scan(v->trace);
	char at[TERM_NUMBER];

	if (scan && v->profile->prof->last_clock > scan->clock)
		printf(" at %s",
		       term_time(at, trace_ns(v->trace, scan->clock)));
}

/* Print the lines of the two moments, and the one of what is lost; `leaks` is
 * NULL when that is not asked. */
static void put_moments(struct view *v, const struct leaks *leaks)
{
	const struct profile *p = v->profile;
	struct leak_sum lost = leaks ? sum_lost(leaks) : (struct leak_sum){0};
	struct moment m[] = {
		{.name = "peak",
		 .bytes = p->totals.peak_bytes,
		 .blocks = p->totals.peak_blocks,
		 .by_bytes = view_peak_bytes,
		 .by_blocks = view_peak_blocks},
		{.name = "exit",
		 .bytes = p->totals.exit_bytes,
		 .blocks = p->totals.exit_blocks,
		 .by_bytes = view_exit_bytes,
		 .by_blocks = view_exit_blocks},
		{.name = "lost", .bytes = lost.bytes, .blocks = lost.blocks},
	};
	char at[TERM_NUMBER];
	int wide[2] = {0, 0};

	measure(v, m, leaks && leaks->checked ? 3 : 2, wide);
	if (p->has & PROFILE_HAS_PEAK) {
		put_moment(v, &m[0], wide);
		if (p->has & PROFILE_HAS_TIME)
			printf(" at %s", term_time(at, p->peak_ns));
		putchar('\n');
	}
	if (p->has & PROFILE_HAS_EXIT) {
		put_moment(v, &m[1], wide);
		puts(" still live");
	}
	if (leaks && !leaks->checked)
		printf("lost  not checked: %s\n", leaks->why_not);
	else if (leaks) {
		put_moment(v, &m[2], wide);
		put_when(v);
		puts(lost.blocks ? ": see memtrace-report leaks" : "");
	}
	if (lost.blocks)
		view_next(v, "leaks", NULL);
}

/* Print the line about mappings, if there were any. */
static void put_mappings(const struct view *v)
{
	const struct prof *p = v->profile->prof;
	char n[TERM_NUMBER], total[TERM_NUMBER], peak[TERM_NUMBER],
		now[TERM_NUMBER];

	if (!p || (!p->mmaps && !p->munmaps))
		return;
	printf("mmap  %s in %s call%s, peak %s, at the end %s\n",
	       term_bytes(total, p->mapped_bytes, v->style.exact),
	       term_count(n, p->mmaps), term_plural(p->mmaps),
	       term_bytes(peak, p->mappings.peak_bytes, v->style.exact),
	       term_bytes(now, p->mappings.bytes, v->style.exact));
}

/* The columns of a table. */
enum {
	BY,
	PERCENT = BY + VIEW_FIGURE,
	SUM,
	OTHER,
	SITE = OTHER + VIEW_FIGURE,
	COLUMNS,
};

/* Fill in the numbers of a row; `sum` is that of the rows so far. */
static void fill(const struct view *v, struct table *t,
		 const struct summary_table *s, union table_cell *row,
		 const struct profile_totals *own, uint64_t sum, uint64_t whole)
{
	view_fill_figure(v, t, &row[BY], s->by, own);
	row[PERCENT].real = table_percent(s->by(own), whole);
	row[SUM].real = table_percent(sum, whole);
	view_fill_figure(v, t, &row[OTHER], s->other, own);
}

/* Add the row that makes the columns add up, of the sites from `shown` on. */
static void add_rest(struct view *v, struct table *t,
		     const struct summary_table *s, const struct groups *g,
		     const struct group **site, size_t shown)
{
	struct profile_totals rest = {0};
	size_t sites = g->count - shown;
	char n[TERM_NUMBER], *text;

	for (size_t i = shown; i < g->count; i++)
		profile_add_totals(&rest, &site[i]->totals);
	fill(v, t, s, table_add(t), &rest, s->by(&g->totals),
	     s->by(&g->totals));
	text = util_format("%s other site%s", term_count(n, sites),
			   term_plural(sites));
	t->rest = table_keep(t, text);
	free(text);
}

/* Print a table, unless it would be empty. */
static void put_table(struct view *v, const struct groups *g,
		      const struct summary_table *s)
{
	bool has_other =
		s->other != view_peak_blocks && s->other != view_exit_blocks;

	has_other |= (v->profile->has & PROFILE_HAS_BLOCKS) != 0;

	struct table_column column[COLUMNS] = {
		[BY] = {s->column, s->column, s->type},
		[PERCENT] = {NULL, "%", TABLE_PERCENT},
		[SUM] = {NULL, "sum%", TABLE_PERCENT},
		[OTHER] = {has_other ? s->other_column : NULL,
			   has_other ? s->other_column : NULL, s->other_type},
		[SITE] = {"site", "site", TABLE_SITE},
	};
	const struct group **site;
	uint64_t whole = s->by(&g->totals), sum = 0, other = 0;
	size_t n = 0, shown;
	struct table t;

	if (!whole || !(v->profile->has & s->needs))
		return;
	site = view_sort(g, s->by);
	while (n < g->count && s->by(&site[n]->totals))
		n++;
	shown = view_rows(v, v->options->at ? ROWS_AT : ROWS, n);
	table_begin(&t, s->key, s->title, column, COLUMNS);
	view_figure_columns(v, &t, &column[BY]);
	view_figure_columns(v, &t, &column[OTHER]);
	for (size_t i = 0; i < shown; i++) {
		union table_cell *row = table_add(&t);
		const struct profile_totals *own = &site[i]->totals;

		sum += s->by(own);
		other += s->other(own);
		fill(v, &t, s, row, own, sum, whole);
		row[SITE].frame = site[i]->frame;
	}
	if (shown < g->count && (shown < n || other < s->other(&g->totals)))
		add_rest(v, &t, s, g, site, shown);
	view_table(v, &t);
	free(site);
}

/* The trust section: its title before its first line. */
struct trust {
	const struct view *view;
	bool begun;
};

static void trust_line(struct trust *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Print a line of the trust section. */
static void trust_line(struct trust *s, const char *format, ...)
{
	va_list args;
	char *text;

	if (!s->begun)
		printf("\n%sHow far to trust this%s\n",
		       s->view->style.term.bold, s->view->style.term.plain);
	s->begun = true;
	va_start(args, format);
	if (vasprintf(&text, format, args) >= 0) {
		fputs("  ", stdout);
		term_put_text(stdout, text);
		putchar('\n');
		free(text);
	}
	va_end(args);
}

/* Return why sites in a module have no name. */
static const char *why_nameless(const struct view *v, uint32_t module_id)
{
	switch (stacks_module_state(&v->profile->stacks, module_id)) {
	case SYM_MISSING:
		return "not found or not readable";
	case SYM_MISMATCH:
		return "another build than was recorded";
	case SYM_EXPORTS:
		return "stripped";
	default:
		return "no symbol for these";
	}
}

/* Say what share of the bytes is charged to places without names. */
static void trust_symbols(struct trust *s, const struct groups *g)
{
	const struct view *v = s->view;
	const struct stacks *stacks = &v->profile->stacks;
	size_t modules = stacks->module_count;
	uint64_t *bytes = util_alloc(modules, sizeof(*bytes));
	uint64_t nowhere = 0, all = g->totals.allocated_bytes;

	for (size_t i = 0; i < g->count; i++) {
		const struct frame *f = g->at[i].frame;

		if (f->function)
			continue;
		if (f->module_id < modules)
			bytes[f->module_id] += g->at[i].totals.allocated_bytes;
		else
			nowhere += g->at[i].totals.allocated_bytes;
	}
	for (size_t i = 0; i < modules; i++)
		if (table_percent(bytes[i], all) >= 0.05)
			trust_line(s,
				   "no symbols for %s (%s): %.1f %% of the "
				   "bytes",
				   util_basename(stacks->modules[i].path),
				   why_nameless(v, (uint32_t)i),
				   table_percent(bytes[i], all));
	if (table_percent(nowhere, all) >= 0.05)
		trust_line(s, "code outside any module: %.1f %% of the bytes",
			   table_percent(nowhere, all));
	free(bytes);
}

/* Say which frees were bad, if the replay has seen one that may be. */
static void trust_frees(struct trust *s)
{
	const struct profile *p = s->view->profile;
	char *kinds, n[TERM_NUMBER];
	struct bad_frees b;

	if (!p->trace ||
	    !(p->prof->anomalies.unknown_frees || p->prof->anomalies.odd))
		return;
	bad_frees_find(&b, p->trace, &s->view->profile->stacks, NULL);
	kinds = bad_frees_text(&b);
	if (b.total)
		trust_line(s, "%s free%s bad (%s): see bad-frees",
			   term_count(n, b.total),
			   b.total == 1 ? " was" : "s were", kinds);
	free(kinds);
	bad_frees_free(&b);
}

/* Print what trust_tell() has to say. */
static void put_line(void *context, const char *text)
{
	trust_line(context, "%s", text);
}

/* Print the trust section, if there is something to say. */
static void put_trust(struct view *v, const struct groups *g)
{
	struct trust trust = {.view = v};

	trust_tell(v->profile, put_line, &trust);
	trust_frees(&trust);
	trust_symbols(&trust, g);
}

/* Print the tables that were asked for. */
static void put_tables(struct view *v, const struct groups *g)
{
	enum options_at at = v->options->at;

	if (at == OPTIONS_AT_ALL || at == OPTIONS_AT_PEAK)
		put_table(v, g, &table_peak);
	if (at == OPTIONS_AT_ALL || at == OPTIONS_AT_TOTAL) {
		put_table(v, g, &table_bytes);
		put_table(v, g, &table_calls);
	}
	if (at == OPTIONS_AT_ALL || at == OPTIONS_AT_TEMPORARY)
		put_table(v, g, &table_temporary);
	if (at == OPTIONS_AT_ALL || at == OPTIONS_AT_EXIT ||
	    at == OPTIONS_AT_TIME)
		put_table(v, g, &table_exit);
}

int view_summary(struct view *v, struct error *e)
{
	struct groups sites;
	struct leaks leaks;

	if (v->style.form == TABLE_AS_JSON)
		return view_summary_json(v, e);
	groups_build(&sites, v->profile, GROUP_SITE, false);
	if (v->style.form == TABLE_AS_TEXT) {
		view_head(v);
		put_moments(v, view_asks_leaks(v, &leaks) ? &leaks : NULL);
		put_mappings(v);
		view_put_limits(v);
		leaks_free(&leaks);
	}
	put_tables(v, &sites);
	if (v->style.form == TABLE_AS_TEXT)
		put_trust(v, &sites);
	groups_free(&sites);
	return 0;
}
