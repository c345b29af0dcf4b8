/* SPDX-License-Identifier: MIT */
/*
 * diff OLD NEW: what grew and what shrank. Each side is a file or a directory
 * of files, which are runs of the same thing: with two or more a side the
 * medians are compared, and a change that may be chance is "~". So it is
 * between two samples of the blocks, when their intervals do not tell.
 */
#include "view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "samename.h"
#include "strpool.h"

/* Rows when -n does not say. */
#define ROWS 20

/* A change is chance when it is this likely. */
#define ALPHA 0.05

/* What one of the two has. */
struct side {
	double n;	      /* median of the runs */
	struct doubt doubt;   /* of a sample: mean of the runs */
	bool known;	      /* the interval is */
	struct interval from; /* of the median, or of the estimate */
};

/* A row: a value for each run, those of OLD first. */
struct pair {
	const char *name;
	double *value;
	struct side before, after;
	double p;	      /* of chance */
	struct change change; /* of a sample */
};

/* A run: what it has in all, and what its figures are multiplied by. */
struct run {
	double all, factor;
	struct doubt doubt; /* of all */
};

struct diff {
	struct view *view;
	const struct view_measure *measure;
	view_key *key;
	struct strpool names;
	struct pair *at;
	size_t count, room;
	size_t runs, before; /* of OLD: the first so many */
	struct run *run;
	struct pair all;
	double goal;	    /* what OLD is scaled to; 0: it is not */
	struct doubt scale; /* of that, as a change of all */
};

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

/* Return how many runs a side has. */
static size_t runs_of(const struct diff *d, bool is_after)
{
	return is_after ? d->runs - d->before : d->before;
}

/* Add what a run has to a row. */
static void take(struct diff *d, size_t i, struct pair *p,
		 const struct profile_totals *t)
{
	bool is_after = i >= d->before;
	const struct run *run = &d->run[i];
	struct side *s = is_after ? &p->after : &p->before;
	double n = run->factor * (double)d->key(t);

	p->value[i] += n;
	doubt_add(&s->doubt, view_doubt(d->key, t),
		  run->factor * run->factor / (double)runs_of(d, is_after));
}

/* Enter what one run has. */
static void take_run(struct diff *d, size_t run, struct profile *p)
{
	enum group_by by = d->view->options->by;
	struct groups g;

	groups_build(&g, p, by, false);
	take(d, run, &d->all, &g.totals);
	for (size_t i = 0; i < g.count; i++) {
		char *name = samename_of(p, by, &g.at[i]);

		if (d->key(&g.at[i].totals) && *name)
			take(d, run, pair_of(d, name), &g.at[i].totals);
		free(name);
	}
	groups_free(&g);
}

/* Return the median of some values; they get sorted. */
static double median_of(double *v, size_t n)
{
	compare_sort(v, n);
	return n ? compare_median(v, n) : 0;
}

/* Scale OLD so that its total is that of NEW. */
static void normalize(struct diff *d)
{
	size_t n = runs_of(d, false), m = runs_of(d, true);
	double *after = util_alloc(m, sizeof(*after));

	for (size_t i = 0; i < m; i++) {
		after[i] = d->run[n + i].all;
		doubt_add(&d->scale, d->run[n + i].doubt, 1 / (double)m);
	}
	d->goal = median_of(after, m);
	free(after);
	for (size_t i = 0; i < n; i++) {
		double factor = d->run[i].all > 0 ? d->goal / d->run[i].all : 1;

		d->run[i].factor = factor;
		doubt_add(&d->scale, d->run[i].doubt,
			  factor * factor / (double)n);
	}
}

/* Tell whether several runs are compared. */
static bool is_many(const struct diff *d)
{
	return d->before > 1 && d->runs - d->before > 1;
}

/* Tell whether one run is compared, and has estimates. */
static bool is_estimated(const struct diff *d)
{
	return !is_many(d) && view_is_sampled(d->view);
}

/*
 * Return the rate that tells how much there may be of what no sample is of; of
 * blocks it is what a sample on the other side stands for, if there is one.
 */
static uint64_t rate_of(const struct diff *d, bool is_after,
			const struct side *other)
{
	const struct input *in = d->view->inputs + (is_after ? d->before : 0);
	double most = 0;

	for (size_t i = 0; i < runs_of(d, is_after); i++)
		most = fmax(most, (double)in[i].profile->rate_bytes);
	if (d->view->options->blocks && other->doubt.squares > 0)
		most = fmin(most, ceil(other->doubt.variance / other->n));
	return (uint64_t)most;
}

/* Find the intervals of what samples tell. What OLD is scaled by is uncertain,
 * too, as if the row had no part in it. */
static void weigh(struct diff *d, struct pair *p)
{
	struct side *before = &p->before, *after = &p->after;
	double share = d->goal > 0 ? before->n / d->goal : 0;

	doubt_add(&before->doubt, d->scale, share * share);
	before->from =
		estimate_interval((uint64_t)(before->n + 0.5), before->doubt,
				  rate_of(d, false, after));
	after->from = estimate_interval((uint64_t)(after->n + 0.5),
					after->doubt, rate_of(d, true, before));
	before->known = after->known = true;
	p->change =
		estimate_change(before->n, before->from, after->n, after->from);
}

/* Find the median of a side's runs, and its interval if they are enough. */
static void judge_side(struct side *s, double *v, size_t n)
{
	double low, high, most;

	s->n = median_of(v, n);
	s->known = compare_interval(v, n, &low, &high);
	if (!s->known)
		return;
	most = fmax(high - s->n, s->n - low);
	s->from = (struct interval){
		.low = (uint64_t)(low + 0.5),
		.high = (uint64_t)(high + 0.5),
		.percent = s->n > 0 ? 100 * most / s->n : 0,
	};
}

/* Work out a row's medians and what chance would do. */
static void judge(struct diff *d, struct pair *p)
{
	size_t n = runs_of(d, false), m = runs_of(d, true);

	judge_side(&p->before, p->value, n);
	judge_side(&p->after, p->value + n, m);
	p->p = compare_mann_whitney(p->value, n, p->value + n, m);
	if (is_estimated(d))
		weigh(d, p);
}

/* Tell whether a change may be chance. */
static bool is_chance(const struct diff *d, const struct pair *p)
{
	return is_many(d) ? p->p >= ALPHA
			  : is_estimated(d) && p->change.low <= 0 &&
				    p->change.high >= 0;
}

/* Order by the size of the change: before those that may be chance, and these
 * before what is none. */
static int compare(const void *a, const void *b, void *context)
{
	const struct pair *x = a, *y = b;
	const struct diff *d = context;
	double i = fabs(x->after.n - x->before.n);
	double j = fabs(y->after.n - y->before.n);
	int chance_x = is_chance(d, x), chance_y = is_chance(d, y);

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
	double before = p->before.n, after = p->after.n;
	double percent = 100 * (after - before) / before;
	char *text;
	const char *kept;

	if (is_many(d) && is_chance(d, p))
		text = util_format("~ (p=%.3f)", p->p);
	else if (is_chance(d, p))
		text = util_format("~");
	else if (!(before > 0))
		text = util_format("%s", after > 0 ? "new" : "");
	else if (is_many(d))
		text = util_format("%+.1f %% (p=%.3f)", percent, p->p);
	else
		text = util_format("%+.1f %%", percent);
	kept = table_keep(t, text);
	free(text);
	return kept;
}

/* Write how far a side may be off: "+-2 %" of runs, "2.0 %" of samples. */
static const char *off_text(struct diff *d, struct table *t,
			    const struct side *s)
{
	char *text = !is_many(d) ? view_off_text(&s->from)
		     : s->known	 ? util_format("+-%.0f %%", s->from.percent)
				 : util_format("+-?");
	const char *kept = table_keep(t, text);

	free(text);
	return kept;
}

/* Write how far a change may be off, in its unit. */
static const char *change_off_text(struct diff *d, struct table *t,
				   const struct pair *p)
{
	double change = p->after.n - p->before.n;
	double off = fmax(p->change.high - change, change - p->change.low);
	char text[TERM_NUMBER];

	if (d->view->options->blocks)
		term_count(text, (uint64_t)(off + 0.5));
	else
		term_bytes(text, (uint64_t)(off + 0.5), d->view->style.exact);
	return table_keep(t, text);
}

/* Return what samples say of a change. */
static const char *verdict_of(const struct diff *d, const struct pair *p)
{
	return is_chance(d, p)		  ? "noise"
	       : p->after.n > p->before.n ? "grew"
					  : "shrank";
}

/* The columns of the table. */
enum {
	OLD,
	NEW = OLD + VIEW_FIGURE,
	CHANGE = NEW + VIEW_FIGURE,
	P = CHANGE + VIEW_FIGURE,
	VERDICT,
	PERCENT,
	NAME,
	COLUMNS,
};

/* Fill in the cells of a side. */
static void fill_side(struct diff *d, struct table *t, union table_cell *cell,
		      const struct side *s)
{
	cell[0].n = (uint64_t)(s->n + 0.5);
	cell[1].text = off_text(d, t, s);
	cell[2].n = s->from.low;
	cell[3].n = s->from.high;
}

/* Fill in a row. */
static void fill(struct diff *d, struct table *t, const struct pair *p)
{
	union table_cell *row = table_add(t);

	fill_side(d, t, &row[OLD], &p->before);
	fill_side(d, t, &row[NEW], &p->after);
	row[CHANGE].change = llround(p->after.n - p->before.n);
	row[CHANGE + 1].text = change_off_text(d, t, p);
	row[CHANGE + 2].change = llround(p->change.low);
	row[CHANGE + 3].change = llround(p->change.high);
	row[P].real = p->p;
	row[VERDICT].text = verdict_of(d, p);
	row[PERCENT].text = change_text(d, t, p);
	row[NAME].text = p->name;
}

/* Add the row of those from `shown` on, which with the others make up all:
 * medians would not. */
static void add_others(struct diff *d, struct table *t, size_t shown)
{
	struct pair rest = {.p = 1};
	char n[TERM_NUMBER], *text;

	for (size_t i = shown; i < d->count; i++) {
		const struct pair *p = &d->at[i];

		rest.before.n += p->before.n;
		rest.after.n += p->after.n;
		doubt_add(&rest.before.doubt, p->before.doubt, 1);
		doubt_add(&rest.after.doubt, p->after.doubt, 1);
	}
	if (is_estimated(d))
		weigh(d, &rest);
	text = util_format("(%s other%s)", term_count(n, d->count - shown),
			   term_plural(d->count - shown));
	rest.name = table_keep(t, text);
	free(text);
	fill(d, t, &rest);
}

/* Tell whether no result of so few runs could be less likely than chance. */
static bool is_few(const struct diff *d)
{
	double choices = 1; /* of the runs of OLD among all */

	for (size_t i = 0; i < d->before; i++)
		choices = choices * (double)(d->runs - i) / (double)(i + 1);
	return 2 / choices >= ALPHA;
}

/* Set the columns of a figure's interval: JSON and CSV have the ends, if they
 * are known. */
static void interval_columns(struct table_column *column, const char *title,
			     bool known, const char *low, const char *high)
{
	column[1] = (struct table_column){NULL, title, TABLE_RIGHT};
	column[2] = column[3] = (struct table_column){NULL, NULL, column->type};
	column[2].key = known ? low : NULL;
	column[3].key = known ? high : NULL;
}

/* Set the columns of the table. */
static void set_columns(const struct diff *d,
			struct table_column column[COLUMNS])
{
	bool blocks = d->view->options->blocks, many = is_many(d);
	bool estimated = is_estimated(d);
	enum table_type type = blocks ? TABLE_COUNT : TABLE_BYTES;
	enum table_type change =
		blocks ? TABLE_COUNT_CHANGE : TABLE_BYTES_CHANGE;
	const char *off = many ? "95 %" : estimated ? "+-" : NULL;
	bool old = d->all.before.known, new = d->all.after.known;

	column[OLD] = (struct table_column){"old", "old", type};
	column[NEW] = (struct table_column){"new", "new", type};
	column[CHANGE] = (struct table_column){"change", "change", change};
	interval_columns(&column[OLD], off, old, "old_low", "old_high");
	interval_columns(&column[NEW], off, new, "new_low", "new_high");
	interval_columns(&column[CHANGE], estimated ? "+-" : NULL, estimated,
			 "change_low", "change_high");
	column[P] =
		(struct table_column){many ? "p" : NULL, NULL, TABLE_NUMBER};
	column[VERDICT] = (struct table_column){estimated ? "verdict" : NULL,
						NULL, TABLE_TEXT};
	column[PERCENT] = (struct table_column){NULL, "%", TABLE_RIGHT};
	column[NAME] = (struct table_column){"name", "name", TABLE_TEXT};
}

/* Say what the table does not. */
static void put_words(struct diff *d, size_t smaller)
{
	if (is_many(d) && is_few(d))
		view_line(d->view, "too few runs to tell a change from chance: "
				   "take 4 or more a side");
	if (is_many(d) && smaller)
		view_line(d->view, "(%zu smaller change%s not shown: -n)",
			  smaller, term_plural(smaller));
	if (is_estimated(d))
		view_line(d->view, "~: within the noise of the samples");
}

/* Print the table. */
static void put(struct diff *d)
{
	struct table_column column[COLUMNS];
	char *what = view_measure_title(d->view, d->measure);
	char *title =
		util_format("%s: OLD, %zu run%s, and NEW, %zu", what, d->before,
			    term_plural(d->before), d->runs - d->before);
	size_t n = 0, shown;
	struct table t;

	while (n < d->count && d->at[n].before.n != d->at[n].after.n)
		n++;
	shown = view_rows(d->view, ROWS, n);
	set_columns(d, column);
	table_begin(&t, "rows", title, column, COLUMNS);
	for (size_t i = 0; i < shown; i++)
		fill(d, &t, &d->at[i]);
	if (!is_many(d) && shown < d->count &&
	    d->view->style.form == TABLE_AS_TEXT)
		add_others(d, &t, shown);
	fill(d, &t, &d->all);
	view_table(d->view, &t);
	put_words(d, n - shown);
	free(what);
	free(title);
}

static void diff_free(struct diff *d)
{
	for (size_t i = 0; i < d->count; i++)
		free(d->at[i].value);
	free(d->at);
	free(d->all.value);
	free(d->run);
	strpool_free(&d->names);
}

/* Note of each run what it has in all: 0, or -1 with `e` filled. */
static int measure(struct diff *d, struct error *e)
{
	struct view *v = d->view;

	for (size_t i = 0; i < d->runs; i++) {
		const struct profile_totals *all =
			&v->inputs[i].profile->totals;

		v->profile = v->inputs[i].profile;
		d->measure = view_measure(v, e);
		if (!d->measure)
			return -1;
		d->key = v->options->blocks ? d->measure->blocks
					    : d->measure->bytes;
		d->run[i] = (struct run){
			.all = (double)d->key(all),
			.factor = 1,
			.doubt = view_doubt(d->key, all),
		};
	}
	return 0;
}

/* Enter what all runs have, and judge it. */
static void work_out(struct diff *d)
{
	if (d->view->options->normalize)
		normalize(d);
	d->all.name = "(all)";
	d->all.value = util_alloc(d->runs, sizeof(*d->all.value));
	for (size_t i = 0; i < d->runs; i++)
		take_run(d, i, d->view->inputs[i].profile);
	judge(d, &d->all);
	for (size_t i = 0; i < d->count; i++)
		judge(d, &d->at[i]);
	if (d->count)
		qsort_r(d->at, d->count, sizeof(*d->at), compare, d);
}

int view_diff(struct view *v, struct error *e)
{
	struct diff d = {.view = v, .runs = v->input_count};
	int status;

	while (d.before < d.runs && v->inputs[d.before].side == 0)
		d.before++;
	if (v->sides != 2)
		return error_set(e, ERROR_NO_OFFSET,
				 "diff takes two sides, OLD and NEW, each a "
				 "file or a directory");
	d.run = util_alloc(d.runs, sizeof(*d.run));
	status = measure(&d, e);
	if (!status) {
		work_out(&d);
		view_begin(v, "diff");
		put(&d);
		view_end(v);
	}
	diff_free(&d);
	return status;
}
