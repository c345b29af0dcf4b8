/* SPDX-License-Identifier: MIT */
/*
 * What a scan is of: when it was, how long the program stood still for it, and
 * what it could not see.
 */
#include <inttypes.h>

#include "view.h"

/* Texts for enum mt_unseen, for people and for JSON. */
static const struct {
	const char *what, *why, *name;
} unseen[] = {
	[MT_UNSEEN_REGISTERS] = {"the registers", "asleep", "registers"},
	[MT_UNSEEN_THREAD] = {"the stacks and registers",
			      "could not be stopped", "thread"},
	[MT_UNSEEN_OTHERS] = {"all", "beyond the first 4096", "others"},
};

#define UNSEEN (sizeof(unseen) / sizeof(*unseen))

/* Return the next thing of a kind that a scan has not seen after a range (NULL:
 * the first); of any kind for UNSEEN. */
static const struct trace_range *next_unseen(const struct trace *t,
					     uint32_t scan, size_t kind,
					     const struct trace_range *after)
{
	const struct trace_range *r = after ? after + 1 : t->ranges;

	for (; r < t->ranges + t->range_count; r++)
		if (r->scan == scan && r->kind == MT_RANGE_UNSEEN &&
		    (kind == UNSEEN ? r->start < UNSEEN : r->start == kind))
			return r;
	return NULL;
}

/* Print which threads were not seen in some way. */
static void put_unseen(struct view *v, uint32_t scan, size_t kind)
{
	const struct trace_range *r = NULL;
	char tids[64] = "", n[TERM_NUMBER];
	uint64_t count = 0;
	size_t used = 0;

	while ((r = next_unseen(v->trace, scan, kind, r))) {
		if (used < sizeof(tids))
			used += (size_t)snprintf(tids + used,
						 sizeof(tids) - used, "%s%u",
						 count ? ", " : "", r->tid);
		count++;
	}
	if (!count)
		return;
	view_line(v, "not seen       %s of %s thread%s (%s): %s%s",
		  unseen[kind].what, term_count(n, count), term_plural(count),
		  unseen[kind].why, tids, used >= sizeof(tids) ? "..." : "");
}

/* Print the same as fields of the JSON object. */
static void put_json(const struct view *v, const struct mt_meta_scan *s)
{
	const struct trace_range *r = NULL;
	const char *comma = "";

	printf(",\n  \"scan\": {\"number\": %u, \"on_request\": %s, "
	       "\"time_ns\": %" PRIu64 ", \"pause_ns\": %" PRIu64
	       ", \"fork_ns\": %" PRIu64 ", \"unseen\": [",
	       s->scan, s->why == MT_SCAN_ON_REQUEST ? "true" : "false",
	       trace_ns(v->trace, s->clock), s->pause_us * UINT64_C(1000),
	       s->fork_us * UINT64_C(1000));
	while ((r = next_unseen(v->trace, s->scan, UNSEEN, r))) {
		printf("%s{\"tid\": %u, \"what\": \"%s\"}", comma, r->tid,
		       unseen[r->start].name);
		comma = ", ";
	}
	fputs("]}", stdout);
}

void view_put_scan(struct view *v, const struct mt_meta_scan *s)
{
	char when[TERM_NUMBER], pause[TERM_NUMBER], fork[TERM_NUMBER];

	if (v->style.form == TABLE_AS_JSON) {
		put_json(v, s);
		return;
	}
	if (s->why != MT_SCAN_ON_REQUEST)
		return;
	view_line(v,
		  "scan %-9u on request at %s; stood still for %s, %s of it "
		  "the fork",
		  s->scan, term_time(when, trace_ns(v->trace, s->clock)),
		  term_time(pause, s->pause_us * UINT64_C(1000)),
		  term_time(fork, s->fork_us * UINT64_C(1000)));
	for (size_t kind = 0; kind < UNSEEN; kind++)
		put_unseen(v, s->scan, kind);
}
