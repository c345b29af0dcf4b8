/* SPDX-License-Identifier: MIT */
/*
 * The command serve; see serve.h. Each answer is made in a process of its own,
 * see http.h, which opens the traces anew.
 * Source of paths and headers: Go's net/http/pprof.
 */
#include "serve.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "combine.h"
#include "delta.h"
#include "export/export.h"
#include "export/metrics.h"
#include "http.h"
#include "image.h"
#include "json.h"
#include "kept.h"

/* Go's own port for this. */
#define DEFAULT_LISTEN "127.0.0.1:6060"

/* A profile of a span of time can be of so long a one. */
#define MAX_SECONDS 300

#define STATUS_BAD_REQUEST 400
#define STATUS_NOT_FOUND 404
#define STATUS_BAD_METHOD 405
#define STATUS_ERROR 500

struct serve {
	const struct served_from *from;
	struct kept *kept;
};

/* Answer with a line that says what is wrong. */
static void refuse(struct http_reply *reply, unsigned int status,
		   const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void refuse(struct http_reply *reply, unsigned int status,
		   const char *format, ...)
{
	va_list args;

	va_start(args, format);
	reply->status = status;
	vfprintf(reply->body, format, args);
	putc('\n', reply->body);
	va_end(args);
}

/* Say of which type the answer is. */
static void set_type(struct http_reply *reply, const char *type)
{
	snprintf(reply->type, sizeof(reply->type), "%s", type);
}

/* ---- Which traces a request is about. ---- */

/* Read a whole number that a query gives: `otherwise` when it does not,
 * UINT32_MAX when it is none from 1 to `most`. */
static uint32_t number_of(const char *query, const char *key,
			  uint32_t otherwise, uint32_t most)
{
	char *text = http_query(query, key), *end;
	unsigned long n;

	if (!text)
		return otherwise;
	n = strtoul(text, &end, 10);
	if (!*text || *end || *text == '-' || *text == '+' || !n || n > most)
		n = UINT32_MAX;
	free(text);
	return (uint32_t)n;
}

/* Tell whether one trace is of a later process than another, or the first. */
static bool is_later(const struct served *s, const struct served *other)
{
	return !other ||
	       s->trace.process.real_ns >= other->trace.process.real_ns;
}

/* Close what is open of a list but one trace. */
static void close_others(struct served_list *l, const struct served *but)
{
	for (size_t i = 0; i < l->count; i++)
		if (&l->at[i] != but)
			served_close(&l->at[i]);
}

/* Keep open what a process began last. */
static void choose_pid(struct served_list *l, uint32_t pid)
{
	struct served *last = NULL;

	for (size_t i = 0; i < l->count; i++)
		if (l->at[i].is_open && l->at[i].trace.process.pid == pid &&
		    is_later(&l->at[i], last))
			last = &l->at[i];
	close_others(l, last);
}

/* Keep open what is of running processes, if there are any. */
static void choose_running(struct served_list *l)
{
	bool runs = false;

	for (size_t i = 0; i < l->count; i++)
		runs |= l->at[i].is_open &&
			l->at[i].trace.state == TRACE_RUNNING;
	for (size_t i = 0; i < l->count && runs; i++)
		if (l->at[i].is_open && l->at[i].trace.state != TRACE_RUNNING)
			served_close(&l->at[i]);
}

/* Open the traces that a request is about; their number, 0 after a refusal. */
static size_t choose(const struct serve *s, const struct http_request *r,
		     struct served_list *l, struct http_reply *reply)
{
	uint32_t pid = number_of(r->query, "pid", 0, INT32_MAX);
	size_t n = 0;

	served_find(l, s->from);
	for (size_t i = 0; i < l->count; i++)
		served_open(&l->at[i]);
	if (pid)
		choose_pid(l, pid);
	else
		choose_running(l);
	for (size_t i = 0; i < l->count; i++)
		n += l->at[i].is_open;
	if (!n && pid)
		refuse(reply, STATUS_NOT_FOUND, "no trace of that pid");
	else if (!n)
		refuse(reply, STATUS_NOT_FOUND, "no trace that can be read%s%s",
		       l->count ? ": " : "", l->count ? l->at[0].why.text : "");
	return n;
}

/* ---- Profiles. ---- */

/* Profile all that is open; returns how many could be. */
static size_t profile_all(const struct serve *s, struct served_list *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->count; i++) {
		struct served *at = &l->at[i];

		if (!at->is_open)
			continue;
		if (served_profile(at, s->from, PROF_BY_SIZE | PROF_BY_THREAD))
			n++;
		else
			served_close(at);
	}
	return n;
}

/* Make what happened since `before` of what is open: the same traces. */
static void take_before(struct served_list *l, struct served_list *before,
			uint64_t seconds)
{
	for (size_t i = 0; i < l->count; i++) {
		struct profile *p = &l->at[i].profile;
		struct served *b = NULL;

		if (!l->at[i].has_profile)
			continue;
		for (size_t j = 0; j < before->count && !b; j++)
			if (before->at[j].has_profile &&
			    strcmp(before->at[j].path, l->at[i].path) == 0)
				b = &before->at[j];
		if (b)
			delta_take(p, &b->profile, false);
		p->real_ns += p->duration_ns - seconds * 1000000000u;
		p->duration_ns = seconds * 1000000000u;
	}
}

/* Write the profiles of a list as one. */
static int write_profiles(struct served_list *l, size_t n,
			  const struct options *o, FILE *out, struct error *e)
{
	const struct export_format *f = export_find("pprof");
	struct export x = {.options = o, .out = out};
	struct profile all;
	int status;

	if (n > 1)
		profile_begin(&all, "", "merged", PROFILE_HAS_ALL);
	if (n > 1)
		all.keys = PROF_BY_THREAD | PROF_BY_SIZE;
	for (size_t i = 0; i < l->count; i++) {
		if (!l->at[i].has_profile)
			continue;
		x.profile = &l->at[i].profile;
		if (n > 1)
			combine_add(&all, x.profile);
	}
	if (n > 1)
		x.profile = &all;
	status = f->write(&x, e);
	if (n > 1)
		profile_free(&all);
	return status;
}

/* Answer with a profile. */
static void answer_profile(const struct serve *s, const struct http_request *r,
			   struct http_reply *reply, const char *name,
			   enum options_at at)
{
	uint32_t seconds = number_of(r->query, "seconds", 0, MAX_SECONDS);
	struct options o = *s->from->options;
	struct served_list before = {0}, l;
	struct error e = {0};
	size_t n;

	o.at = at;
	if (seconds == UINT32_MAX || (seconds && at == OPTIONS_AT_PEAK)) {
		refuse(reply, STATUS_BAD_REQUEST,
		       at == OPTIONS_AT_PEAK ? "the peak is of the whole run"
					     : "seconds=N takes 1 to %d",
		       MAX_SECONDS);
		return;
	}
	if (seconds && choose(s, r, &before, reply)) {
		profile_all(s, &before);
		sleep(seconds);
	}
	if (reply->status != 200 || !choose(s, r, &l, reply))
		return;
	n = profile_all(s, &l);
	if (seconds)
		take_before(&l, &before, seconds);
	if (!n) {
		refuse(reply, STATUS_ERROR, "no trace can be read");
		return;
	}
	if (write_profiles(&l, n, &o, reply->body, &e)) {
		refuse(reply, STATUS_ERROR, "%s", e.text);
		return;
	}
	set_type(reply, "application/octet-stream");
	snprintf(reply->filename, sizeof(reply->filename), "%s%s", name,
		 seconds ? "-delta" : "");
}

static void answer_heap(const struct serve *s, const struct http_request *r,
			struct http_reply *reply)
{
	answer_profile(s, r, reply, "heap", OPTIONS_AT_ALL);
}

static void answer_allocs(const struct serve *s, const struct http_request *r,
			  struct http_reply *reply)
{
	answer_profile(s, r, reply, "allocs", OPTIONS_AT_TOTAL);
}

static void answer_peak(const struct serve *s, const struct http_request *r,
			struct http_reply *reply)
{
	answer_profile(s, r, reply, "peak", OPTIONS_AT_PEAK);
}

/* ---- The program. ---- */

/* Return the first trace of a list that is open. */
static const struct served *first_open(const struct served_list *l)
{
	size_t i = 0;

	while (!l->at[i].is_open)
		i++;
	return &l->at[i];
}

static void answer_cmdline(const struct serve *s, const struct http_request *r,
			   struct http_reply *reply)
{
	struct served_list l;
	const struct trace *t;

	if (!choose(s, r, &l, reply))
		return;
	t = &first_open(&l)->trace;
	/* A NUL between two, as Go has it. */
	if (t->command_bytes)
		fwrite(t->command, 1, t->command_bytes - 1, reply->body);
}

/* Write the name of an address, if a trace has one. */
static bool put_symbol(FILE *out, struct served *s, uint64_t address)
{
	struct stacks names;
	const struct frame *f;
	struct sym_options sym = {.cache = true};
	uint32_t module = stacks_module_at(&s->profile.stacks, address);
	size_t n = 0;

	if (module == MT_NO_MODULE)
		return false;
	stacks_begin(&names);
	stacks_add_module(&names, &s->trace.modules[module]);
	stacks_name_by_files(&names, &sym);
	f = stacks_frames(&names,
			  stacks_new_pc(&names, address, 0, MT_PC_EXACT), &n);
	/* The last one is the function that the others are inlined into. */
	if (n && f[n - 1].function)
		fprintf(out, "%#" PRIx64 " %s\n", address, f[n - 1].name);
	stacks_free(&names);
	return true;
}

/* Write the names of the addresses in a text: 0xa+0xb. */
static void put_symbols(FILE *out, struct served_list *l, const char *text)
{
	while (*text) {
		char *end;
		uint64_t address = strtoull(text, &end, 16);
		bool found = end == text;

		for (size_t i = 0; i < l->count && !found; i++)
			if (l->at[i].has_profile)
				found = put_symbol(out, &l->at[i], address);
		text = end + (*end != '\0');
	}
}

static void answer_symbol(const struct serve *s, const struct http_request *r,
			  struct http_reply *reply)
{
	const char *text = r->body_bytes ? r->body : r->query;
	struct served_list l;

	/* That there are names at all. */
	fputs("num_symbols: 1\n", reply->body);
	if (!util_starts(text, "0x") || !choose(s, r, &l, reply))
		return;
	for (size_t i = 0; i < l.count; i++) {
		struct served *at = &l.at[i];
		struct sym_options none = {0};

		if (!at->is_open)
			continue;
		profile_open_trace(&at->profile, &at->trace, &none);
		at->has_profile = true;
	}
	put_symbols(reply->body, &l, text);
}

/* ---- Metrics. ---- */

/* Gather the metrics of one trace; false: it cannot be read. */
static bool gather(const struct serve *s, struct served *at, struct metrics *m)
{
	struct kept_file file;
	bool done;

	if (!kept_identify(&file, at->path))
		return false;
	if (kept_get(s->kept, &file, m))
		return true;
	at->metrics = m;
	done = served_open(at) && served_profile(at, s->from, 0);
	if (done) {
		metrics_label(m, &at->profile);
		kept_put(s->kept, &file, m);
	}
	served_close(at);
	return done;
}

/* Find metrics that have the labels of others; returns their place, or n. */
static size_t find_labels(const struct metrics *m, size_t n, const char *labels)
{
	size_t i = 0;

	while (i < n && strcmp(m[i].labels, labels) != 0)
		i++;
	return i;
}

static void answer_metrics(const struct serve *s, const struct http_request *r,
			   struct http_reply *reply)
{
	bool open = strstr(r->accept, "application/openmetrics-text");
	struct served_list l;
	struct metrics *all;
	size_t n = 0;

	served_find(&l, s->from);
	all = util_alloc(l.count + 1, sizeof(*all));
	for (size_t i = 0; i < l.count; i++) {
		struct metrics m;
		size_t at;

		if (!gather(s, &l.at[i], &m))
			continue;
		/* A process that became another program is there once: the
		 * last one, as names have it. */
		at = find_labels(all, n, m.labels);
		if (at == n || m.started_ns >= all[at].started_ns)
			all[at] = m;
		n += at == n;
	}
	set_type(reply, open ? "application/openmetrics-text; version=1.0.0; "
			       "charset=utf-8"
			     : "text/plain; version=0.0.4; charset=utf-8");
	metrics_put(reply->body, open, all, n);
	free(all);
	served_free(&l);
}

/* ---- What there is. ---- */

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

/* Print what is known of a trace that could be opened. */
static void put_trace(FILE *out, const struct trace *t)
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

static void answer_status(const struct serve *s, const struct http_request *r,
			  struct http_reply *reply)
{
	FILE *out = reply->body;
	struct served_list l;

	(void)r;
	served_find(&l, s->from);
	fputs("{\"version\": 1, \"traces\": [", out);
	for (size_t i = 0; i < l.count; i++) {
		struct served *at = &l.at[i];

		fputs(i ? ",\n  {\"path\": " : "\n  {\"path\": ", out);
		json_put_text(out, at->path);
		if (served_open(at)) {
			put_trace(out, &at->trace);
		} else {
			fputs(",\n    \"state\": \"unreadable\", \"error\": ",
			      out);
			json_put_text(out, at->why.text);
		}
		putc('}', out);
		served_close(at);
	}
	fputs("\n]}\n", out);
	set_type(reply, "application/json");
	served_free(&l);
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

/* Print a trace as a row of the index. */
static void put_row(FILE *out, struct served *s)
{
	static const char *const names[] = {"heap", "allocs", "peak",
					    "cmdline"};
	uint32_t pid;

	fputs("<tr><td>", out);
	put_html(out, s->path);
	if (!served_open(s)) {
		fputs("<td colspan=4>", out);
		put_html(out, s->why.text);
		fputs("\n", out);
		return;
	}
	pid = s->trace.process.pid;
	fputs("<td>", out);
	put_html(out, program_of(&s->trace));
	fprintf(out, "<td>%" PRIu32 "<td>%s<td>", pid,
		trace_end_name(&s->trace));
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		fprintf(out,
			"<a href='/debug/pprof/%s?pid=%" PRIu32 "'>%s</a> ",
			names[i], pid, names[i]);
	fputs("\n", out);
	served_close(s);
}

static void answer_index(const struct serve *s, const struct http_request *r,
			 struct http_reply *reply)
{
	FILE *out = reply->body;
	struct served_list l;

	(void)r;
	served_find(&l, s->from);
	fputs("<!DOCTYPE html><meta charset=utf-8><title>memtrace</title>\n"
	      "<h1>memtrace</h1>\n<table border=1><tr><th>trace<th>program"
	      "<th>pid<th>state<th>profiles\n",
	      out);
	for (size_t i = 0; i < l.count; i++)
		put_row(out, &l.at[i]);
	fputs("</table>\n<p>Of all that run together, else of all that there "
	      "is:\n",
	      out);
	for (const char *const *name =
		     (const char *const[]){"heap", "allocs", "peak", NULL};
	     *name; name++)
		fprintf(out, "<a href='/debug/pprof/%s'>%s</a>\n", *name,
			*name);
	fputs("<p><a href='/metrics'>metrics</a> "
	      "<a href='/status'>status</a>\n"
	      "<p><code>go tool pprof -top http://HOST:PORT/debug/pprof/heap"
	      "</code>; <code>?seconds=N</code> is what N seconds change, "
	      "<code>?pid=N</code> one process\n",
	      out);
	set_type(reply, "text/html; charset=utf-8");
	served_free(&l);
}

/* ---- The paths. ---- */

static const struct route {
	const char *path;
	bool posts;
	void (*answer)(const struct serve *s, const struct http_request *r,
		       struct http_reply *reply);
} routes[] = {
	{"/", false, answer_index},
	{"/debug/pprof", false, answer_index},
	{"/debug/pprof/", false, answer_index},
	{"/debug/pprof/allocs", false, answer_allocs},
	{"/debug/pprof/cmdline", false, answer_cmdline},
	{"/debug/pprof/heap", false, answer_heap},
	{"/debug/pprof/peak", false, answer_peak},
	{"/debug/pprof/symbol", true, answer_symbol},
	{"/metrics", false, answer_metrics},
	{"/status", false, answer_status},
};

/* An http_answer. */
static void answer(void *context, const struct http_request *r,
		   struct http_reply *reply)
{
	size_t i = 0;

	while (i < sizeof(routes) / sizeof(*routes) &&
	       strcmp(routes[i].path, r->path) != 0)
		i++;
	if (i == sizeof(routes) / sizeof(*routes))
		refuse(reply, STATUS_NOT_FOUND,
		       "there is no such thing here; / has what there is");
	else if (strcmp(r->method, "GET") != 0 && !routes[i].posts)
		refuse(reply, STATUS_BAD_METHOD, "only GET");
	else
		routes[i].answer(context, r, reply);
}

/* Return how long a request is asked to take. */
static unsigned int patience(const struct http_request *r)
{
	uint32_t seconds = number_of(r->query, "seconds", 0, MAX_SECONDS);

	return seconds == UINT32_MAX ? 0 : seconds;
}

int serve_run(const struct served_from *from, struct error *e)
{
	struct serve s = {from, kept_new()};
	const struct http_server server = {
		.listen = from->options->listen ? from->options->listen
						: DEFAULT_LISTEN,
		.answer = answer,
		.patience = patience,
		.context = &s,
	};

	return http_serve(&server, e);
}
