/* SPDX-License-Identifier: MIT */
/* What serve lists of a trace; see listing.h. */
#include "listing.h"

#include <inttypes.h>
#include <string.h>

#include "image.h"
#include "json.h"

/* Return how many events a trace has, those that were folded included. */
static uint64_t events_of(const struct trace *t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->thread_count; i++) {
		const struct trace_segments *g = &t->threads[i].segments;
		uint64_t most = t->threads[i].folded;

		for (size_t j = 0; j < g->count; j++)
			if (g->at[j].first + g->at[j].count > most)
				most = g->at[j].first + g->at[j].count;
		n += most;
	}
	return n;
}

/* Return the name of the program of a trace. */
static const char *program_of(const struct trace *t)
{
	const char *name = t->exe && *t->exe ? t->exe : t->command;

	return name && *name ? util_basename(name) : "?";
}

void listing_put_json(FILE *out, const struct trace *t)
{
	fprintf(out, ",\n    \"state\": \"%s\", \"pid\": %" PRIu32,
		trace_end_name(t), t->process.pid);
	fputs(", \"program\": ", out);
	json_put_text(out, program_of(t));
	fprintf(out,
		",\n    \"started_ns\": %" PRIu64 ", \"duration_ns\": %" PRIu64
		",\n    \"events\": %" PRIu64 ", \"lost_events\": %" PRIu64
		", \"trace_bytes\": %" PRIu64 ", \"live_bytes\": %" PRIu64
		",\n    \"history_from_ns\": %" PRIu64 ", \"damage\": ",
		t->process.real_ns, trace_duration_ns(t), events_of(t),
		t->lost.events, t->map_bytes, t->live_bytes,
		trace_ns(t, image_clock(t)));
	json_put_text(out, error_is_set(&t->damage) ? t->damage.text
			   : t->live_missing	    ? "the live file is missing"
						    : NULL);
}

/* Print a text in HTML. */
static void put_html(FILE *out, const char *text)
{
	for (; *text; text++)
		if (strchr("<>&\"'", *text))
			fprintf(out, "&#%d;", *text);
		else
			putc(*text, out);
}

void listing_put_row(FILE *out, struct served *s)
{
	static const char *const names[] = {"heap", "allocs", "peak",
					    "cmdline"};
	uint32_t pid;

	fputs("<tr><td>", out);
	put_html(out, s->path);
	if (!served_peek(s)) {
		fputs("<td colspan=4>", out);
		put_html(out, s->why.text);
		fputs("\n", out);
		return;
	}
	pid = s->trace->process.pid;
	fputs("<td>", out);
	put_html(out, program_of(s->trace));
	fprintf(out, "<td>%" PRIu32 "<td>%s<td>", pid,
		trace_end_name(s->trace));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		fprintf(out,
			"<a href='/debug/pprof/%s?pid=%" PRIu32 "'>%s</a> ",
			names[i], pid, names[i]);
	fputs("\n", out);
	served_close(s);
}
