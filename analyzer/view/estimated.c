/* SPDX-License-Identifier: MIT */
/*
 * Estimates in the views: beside each figure of a sampled trace, its interval.
 * In text that is how far it may be off, in JSON and CSV the two ends.
 */
#include "view.h"

#include <inttypes.h>
#include <stdlib.h>

/* Return what one doubt is more than another. */
static struct doubt less(struct doubt a, struct doubt b)
{
	return (struct doubt){a.variance - b.variance, a.squares - b.squares};
}

/* Return how uncertain a figure is. */
static struct doubt doubt_of(view_key *key, const struct profile_totals *t)
{
	const struct {
		view_key *key;
		struct doubt doubt;
	} known[] = {
		{view_peak_bytes, t->peak.bytes},
		{view_peak_blocks, t->peak.blocks},
		{view_exit_bytes, t->exit.bytes},
		{view_exit_blocks, t->exit.blocks},
		{view_allocated_bytes, t->allocated.bytes},
		{view_allocations, t->allocated.blocks},
		{view_churned_bytes, less(t->allocated.bytes, t->exit.bytes)},
		{view_frees, less(t->allocated.blocks, t->exit.blocks)},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (known[i].key == key)
			return known[i].doubt;
	return (struct doubt){0};
}

/* Return the interval of a figure. */
static struct interval interval_of(const struct view *v, view_key *key,
				   const struct profile_totals *t)
{
	return estimate_interval(key(t), doubt_of(key, t),
				 v->profile->rate_bytes);
}

bool view_is_sampled(const struct view *v)
{
	return v->profile ? v->profile->rate_bytes != 0
			  : estimate_is_needed(v->trace);
}

void view_interval_columns(const struct view *v, struct table *t,
			   struct table_column column[VIEW_INTERVAL],
			   const char *key, enum table_type type)
{
	char *low = util_format("%s_low", key),
	     *high = util_format("%s_high", key);

	column[0] = (struct table_column){NULL, NULL, TABLE_RIGHT};
	column[1] = column[2] = (struct table_column){NULL, NULL, type};
	if (view_is_sampled(v)) {
		column[0].title = "+-";
		column[1].key = table_keep(t, low);
		column[2].key = table_keep(t, high);
	}
	free(low);
	free(high);
}

/* Write how far an estimate may be off: "12 %"; of none there is no share. */
static char *off_text(const struct interval *i)
{
	if (!i->low && !i->percent)
		return util_copy("", 0);
	return util_format(i->percent < 10 ? "%.1f %%" : "%.0f %%", i->percent);
}

void view_fill_interval(const struct view *v, struct table *t,
			union table_cell cell[VIEW_INTERVAL], view_key *key,
			const struct profile_totals *totals)
{
	struct interval i;
	char *text;

	if (!view_is_sampled(v))
		return;
	i = interval_of(v, key, totals);
	text = off_text(&i);
	cell[0].text = table_keep(t, text);
	cell[1].n = i.low;
	cell[2].n = i.high;
	free(text);
}

void view_put_off(const struct view *v, view_key *key,
		  const struct profile_totals *t)
{
	char most[TERM_NUMBER], *text;
	struct interval i;

	if (!view_is_sampled(v))
		return;
	i = interval_of(v, key, t);
	text = off_text(&i);
	if (*text)
		printf(" +-%s", text);
	else if (key == view_exit_bytes || key == view_allocated_bytes)
		printf(" (below %s)", term_bytes(most, i.high, false));
	free(text);
}

void view_put_json_interval(const struct view *v, const char *name,
			    view_key *key, const struct profile_totals *t)
{
	struct interval i;

	if (!view_is_sampled(v))
		return;
	i = interval_of(v, key, t);
	printf(", \"%s_low\": %" PRIu64 ", \"%s_high\": %" PRIu64, name, i.low,
	       name, i.high);
}

/* The rates that a trace was recorded at, least and greatest. */
static void rates_of(const struct view *v, uint64_t *least, uint64_t *most)
{
	const struct trace *t = v->trace;

	*least = *most = t && t->rate_count ? t->rates[0].rate_bytes
					    : v->profile->rate_bytes;
	for (size_t i = 0; t && i < t->rate_count; i++) {
		uint64_t rate = t->rates[i].rate_bytes;

		*least = rate < *least ? rate : *least;
		*most = rate > *most ? rate : *most;
	}
}

void view_put_sampled(const struct view *v)
{
	char a[TERM_NUMBER], b[TERM_NUMBER];
	uint64_t least, most;

	if (!view_is_sampled(v))
		return;
	rates_of(v, &least, &most);
	printf("sampled: 1 in %s", term_bytes(a, least, false));
	if (least != most)
		printf(" to %s", term_bytes(b, most, false));
	puts(v->profile ? "; figures are estimates, +- is the 95 % interval"
			: "");
}

void view_put_json_sampled(const struct view *v)
{
	uint64_t least, most;

	if (!view_is_sampled(v))
		return;
	rates_of(v, &least, &most);
	printf(",\n  \"sampled\": {\"rate_bytes\": %" PRIu64
	       ", \"rate_bytes_max\": %" PRIu64 ", \"confidence\": 0.95}",
	       least, most);
}
