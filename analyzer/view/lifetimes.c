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
	struct table t;

	table_begin(&t, key, title, column, 6);
	for (unsigned int i = 0; i <= n; i++) {
		char bytes[TERM_NUMBER], *text;
		union table_cell *row;

		if (!s[i].blocks)
			continue;
		sum += s[i].blocks;
		row = table_add(&t);
		fill(row, &s[i], sum, all);
		row[4].n = i < n ? bound(i) : 0;
		if (type == TABLE_TIME)
			term_time(bytes, row[4].n);
		else
			term_bytes(bytes, row[4].n, false);
		text = i < n ? util_format("under %s", bytes)
			     : util_format("not freed");
		row[5].text = table_keep(&t, text);
		free(text);
	}
	view_table(v, &t);
}

static uint64_t bytes_bound(unsigned int i)
{
	return 1ull << i;
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
	view_begin(v, "lifetimes");
	view_line(v,
		  "half of the freed blocks lived under %s, 90 %% under %s, "
		  "99 %% under %s",
		  term_time(a, lifespan_quantile_ns(&span, 0.5)),
		  term_time(b, lifespan_quantile_ns(&span, 0.9)),
		  term_time(c, lifespan_quantile_ns(&span, 0.99)));
	put(v, "times", "In time", "under_ns", TABLE_TIME, span.time,
	    LIFESPAN_TIMES, lifespan_bound_ns);
	put(v, "allocated_meanwhile", "In bytes allocated meanwhile",
	    "under_bytes", TABLE_BYTES, span.meanwhile, LIFESPAN_BYTES,
	    bytes_bound);
	view_end(v);
	lifespan_free(&span);
	return 0;
}
