/* SPDX-License-Identifier: MIT */
/*
 * lifetimes: how long blocks lived, in time and in bytes allocated meanwhile.
 */
#include "lifespan.h"

#include <stdlib.h>

#include "view.h"

/* The columns of the tables. */
enum {
	BLOCKS,
	PERCENT = BLOCKS + VIEW_FIGURE,
	SUM,
	BYTES,
	BOUND = BYTES + VIEW_FIGURE,
	LIVED,
	COLUMNS,
};

/* Fill in a row; `sum` is that of the blocks so far. */
static void fill(const struct view *v, struct table *t, union table_cell *row,
		 const struct lifespan_sum *s, uint64_t sum, uint64_t all)
{
	view_fill_estimate(v, t, &row[BLOCKS], s->blocks, s->spread.blocks);
	row[PERCENT].real = table_percent(s->blocks, all);
	row[SUM].real = table_percent(sum, all);
	view_fill_estimate(v, t, &row[BYTES], s->bytes, s->spread.bytes);
}

/* Return the blocks of all buckets. */
static uint64_t count(const struct lifespan_sum *s, unsigned int n)
{
	uint64_t all = 0;

	for (unsigned int i = 0; i <= n; i++)
		all += s[i].blocks;
	return all;
}

/* Write the upper bound of a bucket. */
static const char *bound_text(struct table *t, enum table_type type,
			      uint64_t bound, bool last)
{
	char number[TERM_NUMBER], *text;
	const char *kept;

	if (last)
		return "not freed";
	if (type == TABLE_BYTES)
		term_bytes(number, bound, false);
	else if (bound < 1000)
		snprintf(number, sizeof(number), "%u ns", (unsigned int)bound);
	else
		term_time(number, bound);
	text = util_format("under %s", number);
	kept = table_keep(t, text);
	free(text);
	return kept;
}

/*
 * Print a histogram, of `n` buckets and the one of those never freed. `bound`
 * is the upper bound of a bucket; those without blocks are left out.
 */
static void put(struct view *v, const char *key, const char *title,
		const char *bound_key, enum table_type type,
		const struct lifespan_sum *s, unsigned int n,
		uint64_t (*bound)(unsigned int i))
{
	struct table_column column[COLUMNS] = {
		[BLOCKS] = {"blocks", "blocks", TABLE_COUNT},
		[PERCENT] = {NULL, "%", TABLE_PERCENT},
		[SUM] = {NULL, "sum%", TABLE_PERCENT},
		[BYTES] = {"bytes", "bytes", TABLE_BYTES},
		[BOUND] = {bound_key, NULL, type},
		[LIVED] = {"freed", "lived", TABLE_TEXT},
	};
	uint64_t all = count(s, n), sum = 0;
	struct lifespan_sum part = {0};
	struct table t;

	table_begin(&t, key, title, column, COLUMNS);
	view_figure_columns(v, &t, &column[BLOCKS]);
	view_figure_columns(v, &t, &column[BYTES]);
	for (unsigned int i = 0; i <= n; i++) {
		union table_cell *row;

		part.blocks += s[i].blocks;
		part.bytes += s[i].bytes;
		spread_add(&part.spread, &s[i].spread);
		/* Text has every fourth bound: decades, and 16-fold sizes. */
		if (!part.blocks ||
		    (i + 1 < n && i % 4 && v->style.form == TABLE_AS_TEXT))
			continue;
		sum += part.blocks;
		row = table_add(&t);
		fill(v, &t, row, &part, sum, all);
		row[BOUND].n = i < n ? bound(i) : 0;
		row[LIVED].text = bound_text(&t, type, row[BOUND].n, i == n);
		part = (struct lifespan_sum){0};
	}
	view_table(v, &t);
}

static uint64_t bytes_bound(unsigned int i)
{
	return 1ull << i;
}

/* The quantiles. */
static const double parts[] = {0.5, 0.9, 0.99};

/* Print the quantiles, which text has in a line. */
static void put_quantiles(struct view *v, const struct lifespan *span)
{
	const char *low = view_is_sampled(v) ? "under_ns_low" : NULL;
	const char *high = view_is_sampled(v) ? "under_ns_high" : NULL;
	const struct table_column column[] = {
		{"percent", NULL, TABLE_PERCENT},
		{"under_ns", NULL, TABLE_TIME},
		{low, NULL, TABLE_TIME},
		{high, NULL, TABLE_TIME},
	};
	struct table t;

	if (v->style.form == TABLE_AS_TEXT)
		return;
	table_begin(&t, "quantiles", NULL, column, 4);
	for (int i = 0; i < 3; i++) {
		union table_cell *row = table_add(&t);

		row[0].real = 100 * parts[i];
		row[1].n = lifespan_quantile_ns(span, parts[i]);
		lifespan_quantile_interval(span, parts[i], &row[2].n,
					   &row[3].n);
	}
	view_table(v, &t);
}

/* Write a quantile; of a sample with its interval. */
static char *quantile_text(const struct view *v, const struct lifespan *span,
			   double part)
{
	char at[TERM_NUMBER], from[TERM_NUMBER], to[TERM_NUMBER];
	uint64_t low, high;

	term_time(at, lifespan_quantile_ns(span, part));
	if (!view_is_sampled(v))
		return util_format("%.0f %% under %s", 100 * part, at);
	lifespan_quantile_interval(span, part, &low, &high);
	return util_format("%.0f %% under %s (%s - %s)", 100 * part, at,
			   term_time(from, low), term_time(to, high));
}

/* Print the line of the quantiles. */
static void put_line(struct view *v, const struct lifespan *span)
{
	char *text[3];

	for (int i = 0; i < 3; i++)
		text[i] = quantile_text(v, span, parts[i]);
	view_line(v, "lived: %s, %s, %s", text[0], text[1], text[2]);
	for (int i = 0; i < 3; i++)
		free(text[i]);
}

int view_lifetimes(struct view *v, struct error *e)
{
	struct replay_listener l;
	struct lifespan span;

	(void)e;
	lifespan_begin(&span, v->trace, view_from(v));
	l = lifespan_listener(&span);
	view_replay(v, &l);
	lifespan_end(&span);
	v->history_only = v->select || v->options->from_ns;
	view_begin(v, "lifetimes");
	put_line(v, &span);
	put(v, "times", "In time", "under_ns", TABLE_TIME, span.time,
	    LIFESPAN_TIMES, lifespan_bound_ns);
	if (!view_is_sampled(v))
		put(v, "allocated_meanwhile", "In bytes allocated meanwhile",
		    "under_bytes", TABLE_BYTES, span.meanwhile, LIFESPAN_BYTES,
		    bytes_bound);
	put_quantiles(v, &span);
	view_end(v);
	lifespan_free(&span);
	return 0;
}
