/* SPDX-License-Identifier: MIT */
/*
 * The views: what is made of an analysed trace, one file each. All write to
 * stdout and change nothing; whether stdout took it, main.c checks.
 */
#ifndef ANALYZER_VIEW_H
#define ANALYZER_VIEW_H

#include "prof.h"
#include "site.h"
#include "term.h"

enum view_at { VIEW_ALL, VIEW_PEAK, VIEW_EXIT };

struct view {
	struct trace *trace;
	const struct prof *prof;
	const struct sites *sites;
	unsigned int rows; /* of a table, before its remainder */
	bool exact;	   /* bytes as integers */
	enum view_at at;   /* the one moment to be shown */
	struct term_style style;
};

/* Return what of a site a table is about. */
typedef uint64_t view_key(const struct site_totals *t);

view_key view_peak_bytes, view_exit_bytes, view_allocated_bytes,
	view_allocations, view_temporary;

/*
 * Return the sites by a key, largest first, ties by name. Free the array;
 * the sites stay whose they are.
 */
const struct site **view_sort(const struct sites *s, view_key *key);

/* summary.c: the report as text. */
void view_summary(const struct view *v);

/* json.c: the report as one JSON object. */
void view_json(const struct view *v);

/* events.c: every event, one a line. Damage is noted in the trace. */
void view_events(struct trace *t, bool stacks);

#endif
