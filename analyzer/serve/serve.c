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
#include <sys/mman.h>
#include <unistd.h>

#include "combine.h"
#include "delta.h"
#include "earlier.h"
#include "export/export.h"
#include "export/metrics.h"
#include "http.h"
#include "json.h"
#include "kept.h"
#include "listing.h"

/* Go's own port for this. */
#define DEFAULT_LISTEN "127.0.0.1:6060"

/* A profile of a span of time can be of so long a one. */
#define MAX_SECONDS 300

/* Rows are told apart by these, where that can be. */
#define KEYS (PROF_BY_SIZE | PROF_BY_THREAD)

#define STATUS_BAD_REQUEST 400
#define STATUS_NOT_FOUND 404
#define STATUS_BAD_METHOD 405
#define STATUS_ERROR 500

struct serve {
	const struct served_from *from;
	struct kept *kept;
	struct states states; /* in the keeper, and in its forks */
	/* What was prepared for the request that is answered. */
	bool is_prepared;
	struct served_list prepared;
	size_t chosen; /* how many of them were to be opened */
};

/* How far the keeper is in reading a trace from its beginning: shared with the
 * server. Zeros: it does not. */
static struct {
	uint64_t done, total;
} * reading;

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
	       s->trace->process.real_ns >= other->trace->process.real_ns;
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
		if (l->at[i].is_open && l->at[i].trace->process.pid == pid &&
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
			l->at[i].trace->state == TRACE_RUNNING;
	for (size_t i = 0; i < l->count && runs; i++)
		if (l->at[i].is_open && l->at[i].trace->state != TRACE_RUNNING)
			served_close(&l->at[i]);
}

/*
 * Open the traces that a request is about, to see who they are of; those that
 * have a state, with that. Returns how many.
 */
static size_t choose(struct serve *s, const struct http_request *r,
		     struct served_list *l)
{
	uint32_t pid = number_of(r->query, "pid", 0, INT32_MAX);
	size_t n = 0;

	served_find(l, s->from);
	for (size_t i = 0; i < l->count; i++) {
		struct served *at = &l->at[i];
		const struct state *st = states_find(&s->states, at->path);

		/* Of another process there may be a new file. */
		if (st && (!pid || st->follow.trace.process.pid == pid))
			served_follow(at, &s->states);
		else
			served_peek(at);
	}
	if (pid)
		choose_pid(l, pid);
	else
		choose_running(l);
	for (size_t i = 0; i < l->count; i++)
		n += l->at[i].is_open;
	return n;
}

/* Refuse a request that is about no trace. */
static void refuse_none(const struct http_request *r,
			const struct served_list *l, struct http_reply *reply)
{
	size_t i = 0;

	while (i < l->count && !error_is_set(&l->at[i].why))
		i++;
	if (number_of(r->query, "pid", 0, INT32_MAX))
		refuse(reply, STATUS_NOT_FOUND, "no trace of that pid");
	else
		refuse(reply, STATUS_NOT_FOUND, "no trace that can be read%s%s",
		       i < l->count ? ": " : "",
		       i < l->count ? l->at[i].why.text : "");
}

/* Choose the traces of a request, and open them for profiles. */
static size_t choose_whole(struct serve *s, const struct http_request *r,
			   struct served_list *l)
{
	size_t n = choose(s, r, l);

	for (size_t i = 0; i < l->count; i++) {
		struct served *at = &l->at[i];

		if (!at->is_open || at->state)
			continue;
		served_close(at);
		if (served_has_states(s->from))
			served_follow(at, &s->states);
		else
			served_open(at);
	}
	return n;
}

/* ---- Profiles. ---- */

/* Profile all that is open; returns how many could be. */
static size_t profile_all(struct serve *s, struct served_list *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->count; i++) {
		struct served *at = &l->at[i];

		if (!at->is_open)
			continue;
		if (served_profile(at, s->from, KEYS))
			n++;
		else
			served_close(at);
	}
	return n;
}

/* Make what happened since `before` of what is open: the same traces. */
static void take_before(struct served_list *l, const struct earlier *before,
			uint64_t seconds)
{
	for (size_t i = 0; i < l->count; i++) {
		struct profile *p = &l->at[i].profile, *b;

		if (!l->at[i].has_profile)
			continue;
		b = earlier_find(before, l->at[i].path);
		if (b)
			delta_take(p, b, false);
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
		all.keys = KEYS;
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

/* Say why a span of time cannot be had; false: it can. */
static bool refuse_span(struct http_reply *reply, uint32_t seconds,
			enum options_at at)
{
	if (seconds != UINT32_MAX && !(seconds && at == OPTIONS_AT_PEAK))
		return false;
	refuse(reply, STATUS_BAD_REQUEST,
	       at == OPTIONS_AT_PEAK ? "the peak is of the whole run"
				     : "seconds=N takes 1 to %d",
	       MAX_SECONDS);
	return true;
}

/* Profile what a request is about, less what there was some seconds ago. */
static size_t profile_span(struct serve *s, const struct http_request *r,
			   struct served_list *l, uint32_t seconds)
{
	struct earlier before;
	size_t n;

	earlier_make(&before, l, s->from, KEYS);
	served_free(l);
	s->states.progress = NULL;
	sleep(seconds);
	choose_whole(s, r, l);
	n = profile_all(s, l);
	take_before(l, &before, seconds);
	earlier_free(&before);
	return n;
}

/* Answer with a profile. */
static void answer_profile(struct serve *s, const struct http_request *r,
			   struct http_reply *reply, const char *name,
			   enum options_at at)
{
	uint32_t seconds = number_of(r->query, "seconds", 0, MAX_SECONDS);
	struct options o = *s->from->options;
	struct served_list *l = &s->prepared;
	struct error e = {0};
	size_t n;

	o.at = at;
	if (refuse_span(reply, seconds, at))
		return;
	if (!s->is_prepared)
		s->chosen = choose_whole(s, r, l);
	if (!s->chosen) {
		refuse_none(r, l, reply);
		return;
	}
	n = seconds ? profile_span(s, r, l, seconds) : profile_all(s, l);
	if (!n) {
		refuse(reply, STATUS_ERROR, "no trace can be read");
		return;
	}
	if (write_profiles(l, n, &o, reply->body, &e)) {
		refuse(reply, STATUS_ERROR, "%s", e.text);
		return;
	}
	set_type(reply, "application/octet-stream");
	snprintf(reply->filename, sizeof(reply->filename), "%s%s", name,
		 seconds ? "-delta" : "");
}

static void answer_heap(struct serve *s, const struct http_request *r,
			struct http_reply *reply)
{
	answer_profile(s, r, reply, "heap", OPTIONS_AT_ALL);
}

static void answer_allocs(struct serve *s, const struct http_request *r,
			  struct http_reply *reply)
{
	answer_profile(s, r, reply, "allocs", OPTIONS_AT_TOTAL);
}

static void answer_peak(struct serve *s, const struct http_request *r,
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

static void answer_cmdline(struct serve *s, const struct http_request *r,
			   struct http_reply *reply)
{
	struct served_list l;
	const struct trace *t;

	if (!choose(s, r, &l)) {
		refuse_none(r, &l, reply);
		return;
	}
	t = first_open(&l)->trace;
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
	stacks_add_module(&names, &s->trace->modules[module]);
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

static void answer_symbol(struct serve *s, const struct http_request *r,
			  struct http_reply *reply)
{
	const char *text = r->body_bytes ? r->body : r->query;
	struct served_list l;

	/* That there are names at all. */
	fputs("num_symbols: 1\n", reply->body);
	if (!util_starts(text, "0x"))
		return;
	if (!choose(s, r, &l)) {
		refuse_none(r, &l, reply);
		return;
	}
	for (size_t i = 0; i < l.count; i++) {
		struct served *at = &l.at[i];
		struct sym_options none = {0};

		if (!at->is_open)
			continue;
		profile_open_trace(&at->profile, at->trace, &none);
		at->has_profile = true;
	}
	put_symbols(reply->body, &l, text);
}

/* ---- Metrics. ---- */

/* Gather the metrics of one trace; false: it cannot be read. */
static bool gather(struct serve *s, struct served *at, struct metrics *m)
{
	struct kept_file file;
	bool done;

	if (at->state)
		file = at->state->file;
	else if (!kept_identify(&file, at->path))
		return false;
	else if (kept_get(s->kept, &file, m))
		return true;
	at->metrics = m;
	done = (at->state || served_open(at)) && served_profile(at, s->from, 0);
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

static void answer_metrics(struct serve *s, const struct http_request *r,
			   struct http_reply *reply)
{
	bool open = strstr(r->accept, "application/openmetrics-text");
	struct served_list *l = &s->prepared;
	struct metrics *all;
	size_t n = 0;

	if (!s->is_prepared)
		served_find(l, s->from);
	all = util_alloc(l->count + 1, sizeof(*all));
	for (size_t i = 0; i < l->count; i++) {
		struct metrics m;
		size_t at;

		if (!gather(s, &l->at[i], &m))
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
}

/* Have the states of all traces of which metrics are to be gathered. */
static void prepare_metrics(struct serve *s)
{
	struct served_list *l = &s->prepared;

	served_find(l, s->from);
	for (size_t i = 0; i < l->count; i++) {
		struct kept_file file;
		struct metrics m;

		if (kept_identify(&file, l->at[i].path) &&
		    !kept_get(s->kept, &file, &m))
			served_follow(&l->at[i], &s->states);
	}
}

/* ---- What there is. ---- */

static void answer_status(struct serve *s, const struct http_request *r,
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
			listing_put_json(out, at->trace);
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

static void answer_index(struct serve *s, const struct http_request *r,
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
		listing_put_row(out, &l.at[i]);
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
	bool profiles; /* of traces: they are prepared in the keeper */
	void (*answer)(struct serve *s, const struct http_request *r,
		       struct http_reply *reply);
} routes[] = {
	{"/", false, false, answer_index},
	{"/debug/pprof", false, false, answer_index},
	{"/debug/pprof/", false, false, answer_index},
	{"/debug/pprof/allocs", false, true, answer_allocs},
	{"/debug/pprof/cmdline", false, false, answer_cmdline},
	{"/debug/pprof/heap", false, true, answer_heap},
	{"/debug/pprof/peak", false, true, answer_peak},
	{"/debug/pprof/symbol", true, false, answer_symbol},
	{"/metrics", false, true, answer_metrics},
	{"/status", false, false, answer_status},
};

/* Return the route of a path, or NULL. */
static const struct route *route_of(const char *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++)
		if (strcmp(routes[i].path, path) == 0)
			return &routes[i];
	return NULL;
}

/* An http_answer. */
static void answer(void *context, const struct http_request *r,
		   struct http_reply *reply)
{
	const struct route *route = route_of(r->path);

	if (!route)
		refuse(reply, STATUS_NOT_FOUND,
		       "there is no such thing here; / has what there is");
	else if (strcmp(r->method, "GET") != 0 && !route->posts)
		refuse(reply, STATUS_BAD_METHOD, "only GET");
	else
		route->answer(context, r, reply);
}

/* ---- In the keeper. ---- */

/* Tell whether a request is answered from states. */
static bool is_prepared(const struct http_request *r)
{
	const struct route *route = route_of(r->path);

	return route && route->profiles && strcmp(r->method, "GET") == 0;
}

/* Take note of how far the reading is. */
static void progress(uint64_t done, uint64_t total)
{
	reading->done = done;
	reading->total = total;
}

/* Bring the states up to now that the answer to a request needs. */
static void prepare(void *context, const struct http_request *r)
{
	struct serve *s = context;

	s->states.progress = progress;
	s->is_prepared = served_has_states(s->from);
	if (!s->is_prepared)
		return;
	if (route_of(r->path)->answer == answer_metrics)
		prepare_metrics(s);
	else
		s->chosen = choose_whole(s, r, &s->prepared);
	progress(0, 0);
}

/* Forget what was prepared. */
static void tidy(void *context)
{
	struct serve *s = context;

	if (s->is_prepared)
		served_free(&s->prepared);
	s->is_prepared = false;
	states_tidy(&s->states);
}

/* ---- The server. ---- */

/* Return how long a request is asked to take. */
static unsigned int patience(const struct http_request *r)
{
	uint32_t seconds = number_of(r->query, "seconds", 0, MAX_SECONDS);

	return seconds == UINT32_MAX ? 0 : seconds;
}

/* Return why an answer is late. */
static char *why_late(void *context)
{
	uint64_t done = reading->done, total = reading->total;

	(void)context;
	if (!total)
		return util_format("this takes too long, or the server ends\n");
	return util_format("a trace is being read from its beginning, %" PRIu64
			   " of %" PRIu64 " events so far: ask again\n",
			   done, total);
}

int serve_run(const struct served_from *from, struct error *e)
{
	struct serve s = {.from = from, .kept = kept_new()};
	const struct http_server server = {
		.listen = from->options->listen ? from->options->listen
						: DEFAULT_LISTEN,
		.answers =
			{
				.answer = answer,
				.is_prepared = is_prepared,
				.prepare = prepare,
				.tidy = tidy,
				.patience = patience,
				.why_late = why_late,
				.context = &s,
			},
	};

	reading = mmap(NULL, sizeof(*reading), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (reading == MAP_FAILED)
		return error_set(e, ERROR_NO_OFFSET, "there is no memory");
	return http_serve(&server, e);
}
