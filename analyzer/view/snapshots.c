/* SPDX-License-Identifier: MIT */
/*
 * snapshots: the moments that were noted because the live bytes crossed a
 * limit, an allocation failed, or somebody asked.
 */
#include "view.h"

#include <stdlib.h>

#include "image.h"
#include "moments.h"

/* Rows when -n does not say. */
#define ROWS 20

/* Add a moment; `number` counts those of its kind. */
static void add(struct table *t, struct view *v,
		const struct mt_meta_snapshot *s, uint64_t number)
{
	const char *name = moments_name(s->why);
	char *text = util_format("%s:%llu", name ? name : "?",
				 (unsigned long long)number);
	union table_cell *row = table_add(t);
	struct stacks_list list = {0};
	size_t first;

	row[0].n = trace_ns(v->trace, s->clock);
	row[1].text = table_keep(t, text);
	row[2].n = s->live_bytes > 0 ? (uint64_t)s->live_bytes : 0;
	row[3].n = s->why == MT_WHY_LIMIT ? s->bytes : 0;
	row[4].n = s->why == MT_WHY_FAILED ? s->bytes : 0;
	row[5].n = s->tid;
	free(text);
	if (s->why != MT_WHY_FAILED || s->stack >= v->trace->node_count)
		return;
	first = stacks_site_in(&v->profile->stacks, s->stack, &list);
	text = view_stack_text(&list);
	row[6].text = table_keep(t, list.count ? list.at[first]->name : "");
	row[7].text = table_keep(t, text);
	free(text);
	stacks_list_free(&list);
}

int view_snapshots(struct view *v, struct error *e)
{
	static const struct table_column column[] = {
		{"time_ns", "time", TABLE_TIME},
		{"moment", "moment", TABLE_TEXT},
		{"live_bytes", "live", TABLE_BYTES},
		{"crossed_bytes", "crossed", TABLE_BYTES},
		{"asked_bytes", "asked for", TABLE_BYTES},
		{"tid", NULL, TABLE_ID},
		{"site", "by", TABLE_TEXT},
		{"stack", NULL, TABLE_TEXT},
	};
	uint64_t number[MT_WHY_FAILED + 1] = {0};
	const struct trace *trace = v->trace;
	size_t first, early = 0;
	struct table t;
	char *when;

	if (!trace)
		return error_set(e, ERROR_NO_OFFSET,
				 "a %s file has no snapshots",
				 v->profile->source);
	first = trace->snapshot_count -
		view_rows(v, ROWS, trace->snapshot_count);
	view_begin(v, "snapshots");
	table_begin(&t, "snapshots", "Snapshots", column, 8);
	t.blank_zeros = true;
	for (size_t i = 0; i < trace->snapshot_count; i++) {
		const struct mt_meta_snapshot *s = &trace->snapshots[i];
		uint64_t *n = &number[s->why <= MT_WHY_FAILED ? s->why : 0];

		++*n;
		early += s->clock < image_clock(trace);
		if (i >= first)
			add(&t, v, s, *n);
		if (i + 1 == trace->snapshot_count &&
		    v->style.form == TABLE_AS_TEXT) {
			when = util_format("top --at %s",
					   moments_name(s->why)
						   ? moments_name(s->why)
						   : "exit");
			view_next(v, when, NULL);
			free(when);
		}
	}
	view_table(v, &t);
	if (!trace->snapshot_count)
		view_line(v, "none: neither was a limit crossed, nor did an "
			     "allocation fail");
	if (first)
		view_line(v, "%zu earlier ones: see -n 0", first);
	if (early)
		view_line(v,
			  "%zu of them before the history: what was live "
			  "then is not known",
			  early);
	view_end(v);
	return 0;
}
