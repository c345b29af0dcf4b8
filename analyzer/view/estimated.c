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

struct doubt view_doubt(view_key *key, const struct profile_totals *t)
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

/* Return the rate that what is shown was recorded at, last of all; 0: each
 * block was. */
static uint64_t rate_of(const struct view *v)
{
	const struct trace *t = v->trace;

	if (v->profile)
		return v->profile->rate_bytes;
	return t->rate_count ? t->rates[t->rate_count - 1].rate_bytes : 0;
}

/* Return the interval of a figure. */
static struct interval interval_of(const struct view *v, view_key *key,
				   const struct profile_totals *t)
{
	return estimate_interval(key(t), view_doubt(key, t), rate_of(v));
}

bool view_is_sampled(const struct view *v)
{
	bool sampled = rate_of(v) != 0;

	for (size_t i = 0; i < v->input_count; i++) {
		const struct input *in = &v->inputs[i];

		sampled |= in->trace && estimate_is_needed(in->trace);
	}
	return sampled;
}

/* Return the key of an end of a figure's interval; NULL when it has none. */
static const char *end_key(struct table *t, const char *key, const char *end)
{
	char *text = util_format("%s_%s", key ? key : "", end);
	const char *kept = key ? table_keep(t, text) : NULL;

	free(text);
	return kept;
}

void view_figure_columns(const struct view *v, struct table *t,
			 struct table_column column[VIEW_FIGURE])
{
	const struct table_column *n = &column[0];

	column[1] = (struct table_column){NULL, NULL, TABLE_RIGHT};
	column[2] = column[3] = (struct table_column){NULL, NULL, n->type};
	if (!view_is_sampled(v))
		return;
	column[1].title = n->title ? "+-" : NULL;
	column[2].key = end_key(t, n->key, "low");
	column[3].key = end_key(t, n->key, "high");
}

char *view_off_text(const struct interval *i)
{
	if (i->percent <= 0)
		return util_copy("", 0);
	return util_format(i->percent < 10 ? "%.1f %%" : "%.0f %%", i->percent);
}

void view_fill_estimate(const struct view *v, struct table *t,
			union table_cell cell[VIEW_FIGURE], uint64_t n,
			struct doubt doubt)
{
	struct interval i;
	char *text;

	cell[0].n = n;
	if (!view_is_sampled(v))
		return;
	i = estimate_interval(n, doubt, rate_of(v));
	text = view_off_text(&i);
	cell[1].text = table_keep(t, text);
	cell[2].n = i.low;
	cell[3].n = i.high;
	free(text);
}

void view_fill_figure(const struct view *v, struct table *t,
		      union table_cell cell[VIEW_FIGURE], view_key *key,
		      const struct profile_totals *totals)
{
	view_fill_estimate(v, t, cell, key(totals), view_doubt(key, totals));
}

void view_put_doubt(const struct view *v, uint64_t n, struct doubt doubt)
{
	struct interval i = estimate_interval(n, doubt, rate_of(v));
	char *text = view_off_text(&i);

	if (view_is_sampled(v) && *text)
		printf(" +-%s", text);
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
	text = view_off_text(&i);
	if (*text)
		printf(" +-%s", text);
	else if (i.low == i.high)
		; /* exact */
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

/* The rates that the traces were recorded at, least and greatest. */
static void rates_of(const struct view *v, uint64_t *least, uint64_t *most)
{
	*least = UINT64_MAX;
	*most = 0;
	for (size_t i = 0; i < v->input_count; i++) {
		const struct trace *t = v->inputs[i].trace;

		for (size_t j = 0; t && j < t->rate_count; j++) {
			uint64_t rate = t->rates[j].rate_bytes;

			*least = rate < *least ? rate : *least;
			*most = rate > *most ? rate : *most;
		}
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
	puts(v->whole ? ""
		      : "; figures are estimates, +- is the 95 % interval");
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
