/* SPDX-License-Identifier: MIT */
/*
 * lifetimes: how long blocks lived, in time and in bytes allocated meanwhile.
 */
#include "lifespan.h"

#include <stdlib.h>

#include "view.h"

/* Fill in a row; `sum` is that of the blocks so far. */
static void fill(union table_cell *row, const struct lifespan_sum *s,
		 uint64_t sum, uint64_t all)
{
	row[0].n = s->blocks;
	row[1].real = table_percent(s->blocks, all);
	row[2].real = table_percent(sum, all);
	row[3].n = s->bytes;
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
	const struct table_column column[] = {
		{"blocks", "blocks", TABLE_COUNT},
		{NULL, "%", TABLE_PERCENT},
		{NULL, "sum%", TABLE_PERCENT},
		{"bytes", "bytes", TABLE_BYTES},
		{bound_key, NULL, type},
		{"freed", "lived", TABLE_TEXT},
	};
	uint64_t all = count(s, n), sum = 0;
	struct lifespan_sum part = {0};
	struct table t;

	table_begin(&t, key, title, column, 6);
	for (unsigned int i = 0; i <= n; i++) {
		union table_cell *row;

		part.blocks += s[i].blocks;
		part.bytes += s[i].bytes;
		/* Text has every fourth bound: decades, and 16-fold sizes. */
		if (!part.blocks ||
		    (i + 1 < n && i % 4 && v->style.form == TABLE_AS_TEXT))
			continue;
		sum += part.blocks;
		row = table_add(&t);
		fill(row, &part, sum, all);
		row[4].n = i < n ? bound(i) : 0;
		row[5].text = bound_text(&t, type, row[4].n, i == n);
		part = (struct lifespan_sum){0};
	}
	view_table(v, &t);
}

static uint64_t bytes_bound(unsigned int i)
{
	return 1ull << i;
}

/* Print the quantiles, which text has in a line. */
static void put_quantiles(struct view *v, const struct lifespan *span)
{
	static const struct table_column column[] = {
		{"percent", NULL, TABLE_PERCENT},
		{"under_ns", NULL, TABLE_TIME},
	};
	static const double parts[] = {0.5, 0.9, 0.99};
	struct table t;

	if (v->style.form == TABLE_AS_TEXT)
		return;
	table_begin(&t, "quantiles", NULL, column, 2);
	for (int i = 0; i < 3; i++) {
		union table_cell *row = table_add(&t);

		row[0].real = 100 * parts[i];
		row[1].n = lifespan_quantile_ns(span, parts[i]);
	}
	view_table(v, &t);
}

int view_lifetimes(struct view *v, struct error *e)
{
	char a[TERM_NUMBER], b[TERM_NUMBER], c[TERM_NUMBER];
	struct replay_listener l;
	struct lifespan span;

	(void)e;
	lifespan_begin(&span, v->trace, view_from(v));
	l = lifespan_listener(&span);
	view_replay(v, &l);
	lifespan_end(&span);
	v->history_only = v->select || v->options->from_ns;
	view_begin(v, "lifetimes");
	view_line(v, "lived: 50 %% under %s, 90 %% under %s, 99 %% under %s",
		  term_time(a, lifespan_quantile_ns(&span, 0.5)),
		  term_time(b, lifespan_quantile_ns(&span, 0.9)),
		  term_time(c, lifespan_quantile_ns(&span, 0.99)));
	put(v, "times", "In time", "under_ns", TABLE_TIME, span.time,
	    LIFESPAN_TIMES, lifespan_bound_ns);
	put(v, "allocated_meanwhile", "In bytes allocated meanwhile",
	    "under_bytes", TABLE_BYTES, span.meanwhile, LIFESPAN_BYTES,
	    bytes_bound);
	put_quantiles(v, &span);
	view_end(v);
	lifespan_free(&span);
	return 0;
}
