/* SPDX-License-Identifier: MIT */
/*
 * The command push; see push.h. Of what was allocated, a push has what came
 * since the last one that was taken: the server adds them up. What is live is
 * that of the moment.
 * Source: Pyroscope's server API, POST /ingest with format=pprof.
 */
#include "push.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "delta.h"
#include "export/export.h"
#include "upload.h"

#define KEYS (PROF_BY_SIZE | PROF_BY_THREAD)

/* What was pushed last: the rows of then, and when it was. */
struct pushed {
	struct served *served; /* NULL: nothing */
	uint64_t until_ns;     /* CLOCK_REALTIME */
};

/* Return a text as it stands in a query, to be freed. Source: RFC 3986. */
static char *escape(const char *text)
{
	char *escaped = util_alloc(strlen(text) + 1, 3), *to = escaped;

	for (; *text; text++)
		if ((*text >= 'a' && *text <= 'z') ||
		    (*text >= 'A' && *text <= 'Z') ||
		    (*text >= '0' && *text <= '9') || strchr("-._~", *text))
			*to++ = *text;
		else
			to += sprintf(to, "%%%02X", (unsigned char)*text);
	return escaped;
}

/* Return where to push a span of time to. */
static char *url_of(const struct options *o, const struct profile *p,
		    uint64_t from_ns, uint64_t until_ns)
{
	char *name = escape(o->name ? o->name : p->program);
	char *url = util_format("%s%cname=%s&from=%" PRIu64 "&until=%" PRIu64
				"&format=pprof",
				o->url, strchr(o->url, '?') ? '&' : '?', name,
				from_ns / 1000000000u, until_ns / 1000000000u);

	free(name);
	return url;
}

/* Send a profile. */
static int send_profile(struct profile *p, const struct options *o,
			const char *url, struct error *e)
{
	struct export x = {.profile = p, .options = o};
	char *bytes = NULL;
	size_t n;
	int status;

	x.out = open_memstream(&bytes, &n);
	if (!x.out)
		abort();
	status = export_pprof(&x, e);
	if (fclose(x.out))
		abort();
	if (!status)
		status = upload_post(url, "application/octet-stream", bytes, n,
				     e);
	free(bytes);
	return status;
}

/* Close what was opened, if anything was. */
static void drop(struct served *s)
{
	if (s)
		served_close(s);
	free(s);
}

/* Push what a trace says now; `last` becomes it when it was taken. */
static int push(struct served *now, struct pushed *last,
		const struct options *o, struct error *e)
{
	struct profile *p = &now->profile;
	uint64_t until = p->real_ns + p->duration_ns;
	uint64_t from = last->served ? last->until_ns : p->real_ns;
	char *url = url_of(o, p, from, until);
	struct profile_row *rows = util_alloc(p->row_count + 1, sizeof(*rows));
	size_t count = p->row_count;
	int status;

	memcpy(rows, p->rows, count * sizeof(*rows));
	if (last->served) {
		delta_take(p, &last->served->profile, true);
		p->real_ns = from;
		p->duration_ns = until - from;
	}
	status = send_profile(p, o, url, e);
	free(url);
	if (status) {
		free(rows);
		drop(now);
		return -1;
	}
	/* As it was: the next one is taken from that. */
	free(p->rows);
	p->rows = rows;
	p->row_count = count;
	p->row_room = count + 1;
	drop(last->served);
	last->served = now;
	last->until_ns = until;
	return 0;
}

/* Open a trace and profile it; NULL with `e` filled. */
static struct served *look(const char *path, const struct served_from *from,
			   struct error *e)
{
	struct served *s = util_alloc(1, sizeof(*s));

	s->path = (char *)path;
	if (served_open(s) && served_profile(s, from, KEYS))
		return s;
	*e = s->why;
	drop(s);
	return NULL;
}

/* Say that a push was not taken: the next one has what it had. */
static void complain(const char *path, const struct error *e)
{
	fputs("memtrace-report: ", stderr);
	term_put_text(stderr, path);
	fputs(": ", stderr);
	term_put_text(stderr, e->text);
	fputc('\n', stderr);
}

/* Wait for a span of time. */
static void wait_ns(uint64_t ns)
{
	struct timespec t = {(time_t)(ns / 1000000000u),
			     (long)(ns % 1000000000u)};

	nanosleep(&t, NULL);
}

/* Push until the program has ended. */
static int push_all(const char *path, const struct served_from *from,
		    struct error *e)
{
	uint64_t every_ns = from->options->every_ns;
	struct pushed last = {0};
	bool runs = true;
	int status = 0;

	while (!status && runs) {
		struct error refused = {0};
		struct served *now = look(path, from, e);

		if (!now)
			return -1;
		runs = every_ns && now->trace->state == TRACE_RUNNING;
		status = push(now, &last, from->options, &refused);
		if (status && runs) {
			complain(path, &refused);
			status = 0;
		} else if (status) {
			*e = refused;
		}
		if (runs)
			wait_ns(every_ns);
	}
	drop(last.served);
	return status;
}

int push_run(const struct served_from *from, struct error *e)
{
	struct served_list l;
	int status;

	if (!from->options->url)
		options_usage("push needs --url, not", "nothing", NULL);
	served_find(&l, from);
	if (l.count != 1)
		error_set(e, ERROR_NO_OFFSET, "one trace is pushed, not %zu",
			  l.count);
	status = l.count == 1 ? push_all(l.at[0].path, from, e) : -1;
	served_free(&l);
	return status;
}
