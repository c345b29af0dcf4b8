/* SPDX-License-Identifier: MIT */
/*
 * Chrome's trace events, which Perfetto reads: counters of what was live and
 * of the rate of allocation, an instant for the peak, and for each thread a
 * slice from its first event to its last with its sums.
 * Source: "Trace Event Format", docs.google.com/document/d/
 * 1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU.
 */
#include "export.h"

#include <inttypes.h>
#include <stdlib.h>

#include "curve.h"
#include "json.h"
#include "oneline.h"

/* Points of a counter, but for the first and the peak's. */
#define STEPS 1000

#define NS_PER_US 1000u
#define NS_PER_S 1000000000u

struct chrome {
	const struct profile *profile;
	struct curve curve;
	FILE *out;
};

/* Begin an event; its arguments and two braces are to follow. */
static void put_event(const struct chrome *c, char phase, const char *name,
		      uint64_t ns)
{
	fprintf(c->out, ",\n{\"ph\":\"%c\",\"pid\":%u,\"name\":", phase,
		c->profile->pid);
	json_put_text(c->out, name);
	fprintf(c->out, ",\"ts\":%" PRIu64 ".%03u", ns / NS_PER_US,
		(unsigned int)(ns % NS_PER_US));
}

/* Write a counter's point. */
static void put_counter(const struct chrome *c, const char *name, uint64_t ns,
			const char *unit, uint64_t value)
{
	put_event(c, 'C', name, ns);
	fprintf(c->out, ",\"args\":{\"%s\":%" PRIu64 "}}", unit, value);
}

/* Return the bytes a second that were allocated from a point to the next. */
static uint64_t rate_after(const struct curve *c, size_t i)
{
	const struct curve_point *p = &c->at[i];
	uint64_t bytes, ns;

	if (i + 1 == c->count || p[1].ns == p->ns)
		return 0;
	bytes = p[1].allocated_bytes - p->allocated_bytes;
	ns = p[1].ns - p->ns;
	return (uint64_t)((unsigned __int128)bytes * NS_PER_S / ns);
}

/* Write the counters, and the peak. */
static void put_curve(const struct chrome *c)
{
	for (size_t i = 0; i < c->curve.count; i++) {
		const struct curve_point *p = &c->curve.at[i];

		put_counter(c, "live bytes", p->ns, "bytes", p->live_bytes);
		put_counter(c, "live blocks", p->ns, "blocks", p->live_blocks);
		put_counter(c, "allocation rate", p->ns, "bytes_per_second",
			    rate_after(&c->curve, i));
		if (!p->peak)
			continue;
		put_event(c, 'i', "peak", p->ns);
		fprintf(c->out,
			",\"s\":\"p\",\"tid\":%u,\"args\":{\"bytes\":%" PRIu64
			",\"blocks\":%" PRIu64 "}}",
			c->profile->pid, p->live_bytes, p->live_blocks);
	}
}

/* Write a name that a viewer gives to the process, or to a thread. */
static void put_name(const struct chrome *c, const char *what, uint32_t tid,
		     const char *name)
{
	put_event(c, 'M', what, 0);
	fprintf(c->out, ",\"tid\":%u,\"args\":{\"name\":", tid);
	json_put_text(c->out, name);
	fputs("}}", c->out);
}

/* Return the sums of all threads, by place; to be freed. */
static struct profile_totals *sum_threads(const struct profile *p)
{
	struct profile_totals *t = util_alloc(p->thread_count, sizeof(*t));

	for (size_t i = 0; i < p->row_count; i++)
		if (p->rows[i].thread < p->thread_count)
			profile_add_totals(&t[p->rows[i].thread],
					   &p->rows[i].totals);
	return t;
}

/* Write a thread's name and its slice, if it has events. */
static void put_thread(const struct chrome *c, size_t i,
		       const struct profile_totals *t)
{
	const struct profile_thread *thread = &c->profile->threads[i];
	const struct curve_span *span = &c->curve.spans[i];
	char *name = thread->name && *thread->name
			     ? util_format("%s", thread->name)
			     : util_format("thread %u", thread->index);
	uint64_t ns = span->end_ns - span->start_ns;

	put_name(c, "thread_name", thread->tid, name);
	if (span->used) {
		put_event(c, 'X', name, span->start_ns);
		fprintf(c->out,
			",\"dur\":%" PRIu64 ".%03u,\"tid\":%u,\"args\":"
			"{\"allocations\":%" PRIu64
			",\"allocated_bytes\":%" PRIu64
			",\"peak_bytes\":%" PRIu64 ",\"exit_bytes\":%" PRIu64
			"}}",
			ns / NS_PER_US, (unsigned int)(ns % NS_PER_US),
			thread->tid, t->allocations, t->allocated_bytes,
			t->peak_bytes, t->exit_bytes);
	}
	free(name);
}

/* Write what the file is of; the first event, without a comma. */
static void put_head(const struct chrome *c)
{
	const struct profile *p = c->profile;
	char *command = oneline_command(p), *sampled = export_estimates(p);

	fputs("{\"displayTimeUnit\":\"ms\",\n\"otherData\":{\"command\":",
	      c->out);
	json_put_text(c->out, command);
	fputs(",\"host\":", c->out);
	json_put_text(c->out, p->host ? p->host : "");
	fprintf(c->out,
		",\"exporter\":\"memtrace %s\"},\n\"traceEvents\":[\n"
		"{\"ph\":\"M\",\"pid\":%u,\"name\":\"process_labels\","
		"\"args\":{\"labels\":\"memtrace%s\"}}",
		OPTIONS_VERSION, p->pid, sampled);
	put_name(c, "process_name", p->pid, p->program);
	free(command);
	free(sampled);
}

int export_chrome(struct export *x, struct error *e)
{
	struct chrome c = {.profile = x->profile, .out = x->out};
	struct profile_totals *threads = sum_threads(x->profile);

	(void)e;
	curve_make(&c.curve, x->profile, STEPS);
	put_head(&c);
	for (size_t i = 0; i < x->profile->thread_count; i++)
		put_thread(&c, i, &threads[i]);
	put_curve(&c);
	fputs("\n]}\n", x->out);
	curve_free(&c.curve);
	free(threads);
	return 0;
}
