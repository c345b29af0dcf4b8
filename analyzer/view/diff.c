/* SPDX-License-Identifier: MIT */
/*
 * diff OLD NEW: what grew and what shrank. Each side is a file or a directory
 * of files, which are runs of the same thing: with two or more a side the
 * medians are compared, and a change that may be chance is "~".
 *
 * Rows are matched by names: of a site the function, what it is inlined into,
 * and of a library its base name without the version. So a rebuild, a moved
 * line, another directory or another name of the program disturb nothing.
 */
#include "view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "map.h"
#include "strpool.h"

/* Rows when -n does not say. */
#define ROWS 20

/* A change is chance when it is this likely. */
#define ALPHA 0.05

/* A row: a value for each run, those of OLD first. */
struct pair {
	const char *name;
	double *value;
	double before, after; /* medians */
	double p;	      /* of chance */
};

struct diff {
	struct view *view;
	const struct view_measure *measure;
	struct strpool names;
	struct pair *at;
	size_t count, room;
	size_t runs, before; /* of OLD: the first so many */
	double *all;	     /* per run */
};

/* Append to a text that is to be freed. */
static char *append(char *text, const char *between, const char *more)
{
	char *longer = util_format("%s%s%s", text, between, more);

	free(text);
	return longer;
}

/* Name a site: the function, and what it is inlined into; in a library. */
static char *site_name(const struct profile *p, const struct frame *f)
{
	char *text = util_format("%s", f->name), *end;
	const char *module = f->module ? util_basename(f->module) : NULL;

	/* A place without a function is named by its module already. */
	if (!f->function || (module && strcmp(module, p->program) == 0))
		module = NULL;
	for (; f->inlined; f++)
		text = append(text, " < ", f[1].name);
	if (module) {
		text = append(text, "  ", module);
		end = strstr(text + strlen(text) - strlen(module), ".so.");
		if (end)
			end[3] = '\0';
	}
	return text;
}

/* Return a stack's frames as one text. */
static char *stack_text(struct stacks *s, uint32_t node)
{
	struct stacks_list list = {0};
	char *text = util_copy("", 0);

	stacks_expand(s, node, &list);
	for (size_t i = 0; i < list.count; i++)
		text = append(text, i ? ";" : "", list.at[i]->name);
	stacks_list_free(&list);
	return text;
}

/* Return the name by which a group is matched; free it. */
static char *name_of(struct profile *p, enum group_by by, const struct group *g)
{
	const struct profile_thread *t;
	char bytes[TERM_NUMBER];

	switch (by) {
	case GROUP_SITE:
		return site_name(p, g->frame);
	case GROUP_FUNCTION:
		return util_format("%s", g->frame->name);
	case GROUP_MODULE:
		return util_format(
			"%s", g->frame->module ? util_basename(g->frame->module)
					       : "(no module)");
	case GROUP_THREAD:
		t = &p->threads[g->number];
		return util_format("%s", t->name ? t->name : "?");
	case GROUP_SIZE:
		return util_format("%s", term_bytes(bytes, g->number, true));
	default:
		return stack_text(&p->stacks, (uint32_t)g->number);
	}
}

/* Return the row of a name, entered when it is new. */
static struct pair *pair_of(struct diff *d, const char *name)
{
	uint32_t number = strpool_add(&d->names, name);

	/* Number 0 is the empty string's, which is no name. */
	if (number > d->count) {
		d->at = util_grow(d->at, d->count, &d->room, sizeof(*d->at));
		d->at[d->count++] = (struct pair){
			.name = strpool_text(&d->names, number),
			.value = util_alloc(d->runs, sizeof(double)),
		};
	}
	return &d->at[number - 1];
}

/* Enter what one run has. */
static void take_run(struct diff *d, size_t run, struct profile *p)
{
	const struct options *o = d->view->options;
	view_key *key = o->blocks ? d->measure->blocks : d->measure->bytes;
	struct groups g;

	groups_build(&g, p, o->by, false);
	for (size_t i = 0; i < g.count; i++) {
		char *name = name_of(p, o->by, &g.at[i]);
		double n = (double)key(&g.at[i].totals);

		if (n > 0 && *name)
			pair_of(d, name)->value[run] += n;
		free(name);
	}
	d->all[run] = (double)key(&g.totals);
	groups_free(&g);
}

/* Return the median of some values; they get sorted. */
static double median_of(double *v, size_t n)
{
	compare_sort(v, n);
	return n ? compare_median(v, n) : 0;
}

/* Work out a row's medians and what chance would do. */
static void judge(struct diff *d, struct pair *p)
{
	double *after = p->value + d->before;
	size_t m = d->runs - d->before;

	p->before = median_of(p->value, d->before);
	p->after = median_of(after, m);
	p->p = compare_mann_whitney(p->value, d->before, after, m);
}

/* Scale OLD so that its total is that of NEW. */
static void normalize(struct diff *d)
{
	double *after = util_alloc(d->runs, sizeof(*after)), goal;
	size_t m = d->runs - d->before;

	memcpy(after, d->all + d->before, m * sizeof(*after));
	goal = median_of(after, m);
	free(after);
	for (size_t run = 0; run < d->before; run++) {
		double factor = d->all[run] > 0 ? goal / d->all[run] : 1;

		for (size_t i = 0; i < d->count; i++)
			d->at[i].value[run] *= factor;
		d->all[run] *= factor;
	}
}

/* Tell whether several runs are compared. */
static bool is_many(const struct diff *d)
{
	return d->before > 1 && d->runs - d->before > 1;
}

/* Order by the size of the change: before those that may be chance, and these
 * before what is none. */
static int compare(const void *a, const void *b, void *context)
{
	const struct pair *x = a, *y = b;
	const struct diff *d = context;
	double i = fabs(x->after - x->before), j = fabs(y->after - y->before);
	int chance_x = is_many(d) && x->p >= ALPHA;
	int chance_y = is_many(d) && y->p >= ALPHA;

	if ((i > 0) != (j > 0))
		return i > 0 ? -1 : 1;
	if (chance_x != chance_y)
		return chance_x - chance_y;
	if (i != j)
		return i > j ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Write a change in per cent as text, "~" when it may be chance. */
static const char *change_text(struct diff *d, struct table *t,
			       const struct pair *p)
{
	char *text;
	const char *kept;

	if (is_many(d) && p->p >= ALPHA)
		text = util_format("~ (p=%.3f)", p->p);
	else if (!(p->before > 0))
		text = util_format("%s", p->after > 0 ? "new" : "");
	else if (is_many(d))
		text = util_format("%+.1f %% (p=%.3f)",
				   100 * (p->after - p->before) / p->before,
				   p->p);
	else
		text = util_format("%+.1f %%",
				   100 * (p->after - p->before) / p->before);
	kept = table_keep(t, text);
	free(text);
	return kept;
}

/* Write how far a side's runs go: "+-2 %" or the bounds that hold it. */
static const char *spread_text(struct table *t, const double *v, size_t n)
{
	double low, high, median = compare_median(v, n), most;
	const char *kept;
	char *text;

	if (!compare_interval(v, n, &low, &high))
		return "+-?";
	most = high - median > median - low ? high - median : median - low;
	text = util_format("+-%.0f %%", median > 0 ? 100 * most / median : 0);
	kept = table_keep(t, text);
	free(text);
	return kept;
}

/* Fill in the cells of a side: the interval of its median. */
static void fill_side(struct table *t, union table_cell *row, const double *v,
		      size_t n)
{
	double low = 0, high = 0;

	row[1].text = spread_text(t, v, n);
	compare_interval(v, n, &low, &high);
	row[2].n = (uint64_t)(low + 0.5);
	row[3].n = (uint64_t)(high + 0.5);
}

/* Fill in a row. */
static void fill(struct diff *d, struct table *t, const struct pair *p)
{
	union table_cell *row = table_add(t);
	double before = p->before, after = p->after;

	row[0].n = (uint64_t)(before + 0.5);
	row[4].n = (uint64_t)(after + 0.5);
	if (is_many(d)) {
		fill_side(t, row, p->value, d->before);
		fill_side(t, row + 4, p->value + d->before,
			  d->runs - d->before);
	}
	row[8].change =
		(int64_t)(after - before + (after < before ? -0.5 : 0.5));
	row[9].real = p->p;
	row[10].text = change_text(d, t, p);
	row[11].text = p->name;
}

/* Add the row of those from `shown` on, which with the others make up all:
 * medians would not. */
static void add_others(struct diff *d, struct table *t, size_t shown)
{
	struct pair rest = {.p = 1};
	char n[TERM_NUMBER], *text;

	for (size_t i = shown; i < d->count; i++) {
		rest.before += d->at[i].before;
		rest.after += d->at[i].after;
	}
	text = util_format("(%s other%s)", term_count(n, d->count - shown),
			   term_plural(d->count - shown));
	rest.name = table_keep(t, text);
	free(text);
	fill(d, t, &rest);
}

/* Add the row of all together. */
static void add_total(struct diff *d, struct table *t)
{
	struct pair all = {.name = "(all)", .value = d->all};

	judge(d, &all);
	fill(d, t, &all);
}

/* Tell whether so many runs are enough for an interval. */
static bool has_interval(size_t n)
{
	double *v = util_alloc(n, sizeof(*v)), low, high;
	bool has = compare_interval(v, n, &low, &high);

	free(v);
	return has;
}

/* Tell whether no result of so few runs could be less likely than chance. */
static bool is_few(const struct diff *d)
{
	double choices = 1; /* of the runs of OLD among all */

	for (size_t i = 0; i < d->before; i++)
		choices = choices * (double)(d->runs - i) / (double)(i + 1);
	return 2 / choices >= ALPHA;
}

/* Print the table. */
static void put(struct diff *d)
{
	bool blocks = d->view->options->blocks, many = is_many(d);
	enum table_type type = blocks ? TABLE_COUNT : TABLE_BYTES;
	/* JSON and CSV have the bounds, where runs are enough for any. */
	bool old = many && has_interval(d->before);
	bool new = many &&has_interval(d->runs - d->before);
	const struct table_column column[] = {
		{"old", "old", type},
		{NULL, many ? "95 %" : NULL, TABLE_RIGHT},
		{old ? "old_low" : NULL, NULL, type},
		{old ? "old_high" : NULL, NULL, type},
		{"new", "new", type},
		{NULL, many ? "95 %" : NULL, TABLE_RIGHT},
		{new ? "new_low" : NULL, NULL, type},
		{new ? "new_high" : NULL, NULL, type},
		{"change", "change",
		 blocks ? TABLE_COUNT_CHANGE : TABLE_BYTES_CHANGE},
		{many ? "p" : NULL, NULL, TABLE_NUMBER},
		{NULL, "%", TABLE_RIGHT},
		{"name", "name", TABLE_TEXT},
	};
	char *what = view_measure_title(d->view, d->measure);
	char *title =
		util_format("%s: OLD, %zu run%s, and NEW, %zu", what, d->before,
			    term_plural(d->before), d->runs - d->before);
	size_t n = 0, shown;
	struct table t;

	while (n < d->count && d->at[n].before != d->at[n].after)
		n++;
	shown = view_rows(d->view, ROWS, n);
	table_begin(&t, "rows", title, column, 12);
	for (size_t i = 0; i < shown; i++)
		fill(d, &t, &d->at[i]);
	if (!many && shown < d->count && d->view->style.form == TABLE_AS_TEXT)
		add_others(d, &t, shown);
	add_total(d, &t);
	view_table(d->view, &t);
	if (many && is_few(d))
		view_line(d->view, "too few runs to tell a change from chance: "
				   "take 4 or more a side");
	if (many && shown < n)
		view_line(d->view, "(%zu smaller change%s not shown: -n)",
			  n - shown, term_plural(n - shown));
	free(what);
	free(title);
}

static void diff_free(struct diff *d)
{
	for (size_t i = 0; i < d->count; i++)
		free(d->at[i].value);
	free(d->at);
	free(d->all);
	strpool_free(&d->names);
}

int view_diff(struct view *v, struct error *e)
{
	struct diff d = {.view = v, .runs = v->input_count};
	int status = 0;

	while (d.before < d.runs && v->inputs[d.before].side == 0)
		d.before++;
	if (v->sides != 2)
		return error_set(e, ERROR_NO_OFFSET,
				 "diff takes two sides, OLD and NEW, each a "
				 "file or a directory");
	d.all = util_alloc(d.runs, sizeof(*d.all));
	for (size_t i = 0; i < d.runs && !status; i++) {
		v->profile = v->inputs[i].profile;
		d.measure = view_measure(v, e);
		status = d.measure ? 0 : -1;
		if (!status)
			take_run(&d, i, v->profile);
	}
	if (!status) {
		if (v->options->normalize)
			normalize(&d);
		for (size_t i = 0; i < d.count; i++)
			judge(&d, &d.at[i]);
		if (d.count)
			qsort_r(d.at, d.count, sizeof(*d.at), compare, &d);
		v->profile = v->inputs[d.runs - 1].profile;
		view_begin(v, "diff");
		put(&d);
		view_end(v);
	}
	diff_free(&d);
	return status;
}
