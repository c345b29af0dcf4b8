/* SPDX-License-Identifier: MIT */
/*
 * Metrics, for Prometheus (text format 0.0.4) and as OpenMetrics (1.0.0): the
 * sums of a trace by name, without stacks. What the source does not know has
 * no metric. The two differ in how a counter's family is named and in the
 * last line. Sizes come from the profile's rows; what kind of call made a
 * block, and who freed it, from a replay of its own.
 */
#include "export.h"

#include <inttypes.h>
#include <stdlib.h>

#include "chosen.h"
#include "lifespan.h"

/* The sizes' buckets: up to 16 B, 32 B ... 1 GiB. */
#define FIRST_BUCKET_LOG2 4
#define BUCKETS 27

/* How a call is named. */
enum type {
	TYPE_MALLOC,
	TYPE_CALLOC,
	TYPE_REALLOC,
	TYPE_MEMALIGN,
	TYPE_NEW,
	TYPES,
};

static const char *const type_name[TYPES] = {
	"malloc", "calloc", "realloc", "memalign", "new",
};

/* What is counted by the replay. */
struct calls {
	const struct trace *trace;
	const struct prof_options *options;
	uint64_t of[TYPES];
	uint64_t remote_frees, freed_bytes;
};

struct metrics {
	FILE *out;
	bool open; /* OpenMetrics */
	struct profile *profile;
};

/* Return the type of an allocating kind. */
static enum type type_of(unsigned int kind)
{
	switch (kind) {
	case MT_MALLOC:
		return TYPE_MALLOC;
	case MT_CALLOC:
		return TYPE_CALLOC;
	case MT_REALLOC:
	case MT_REALLOCARRAY:
		return TYPE_REALLOC;
	case MT_NEW:
	case MT_NEW_ARRAY:
		return TYPE_NEW;
	default:
		return TYPE_MEMALIGN;
	}
}

/* Count a block by what made it; its owner says whether it is taken. */
static void begins(void *context, struct heap_block *b,
		   const struct replay_event *e, const struct heap_block *from)
{
	struct calls *c = context;
	const struct prof_options *o = c->options;

	(void)from;
	b->owner = !o->takes || o->takes(o->takes_context, e);
	if (b->owner && e->event->time >= o->from)
		c->of[type_of(e->event->kind)] +=
			estimate_of(c->trace, b).blocks;
}

static void carries(void *context, struct heap_block *b,
		    const struct replay_event *e)
{
	const struct prof_options *o = ((struct calls *)context)->options;

	b->owner = !o->takes || o->takes(o->takes_context, e);
}

/* Tell whether the end of a block, at an event, is to be counted. */
static bool counts_end(const struct calls *c, const struct heap_block *b,
		       const struct replay_event *e)
{
	return b->owner && e->event->time >= c->options->from;
}

/* Count a block that ends. */
static void ends(void *context, const struct heap_block *b,
		 const struct replay_event *e, enum replay_end why,
		 bool temporary)
{
	struct calls *c = context;
	struct estimate n;

	(void)temporary;
	if (why == REPLAY_LOST || !counts_end(c, b, e))
		return;
	n = estimate_of(c->trace, b);
	c->freed_bytes += n.bytes;
	c->remote_frees += e->thread != b->thread ? n.blocks : 0;
}

/* Take back the end of a block that lives on. */
static void resumes(void *context, const struct heap_block *b,
		    const struct replay_event *e)
{
	struct calls *c = context;
	struct estimate n;

	if (!b->owner || e->ended < c->options->from)
		return;
	n = estimate_of(c->trace, b);
	c->freed_bytes -= n.bytes;
	c->remote_frees -= e->thread != b->thread ? n.blocks : 0;
}

/* Replay a trace for what its profile has not. */
static void count_calls(struct calls *c, struct trace *t,
			const struct prof_options *o)
{
	struct replay_listener listener = {
		.context = c,
		.begins = begins,
		.ends = ends,
		.resumes = resumes,
		.carries = carries,
	};
	struct replay r;

	*c = (struct calls){.options = o, .trace = t};
	replay_run(&r, t, o->until, &listener, 1, NULL);
	replay_free(&r);
}

/* Begin a family of samples. */
static void put_head(const struct metrics *m, const char *name,
		     const char *type, const char *help)
{
	bool total = !m->open && type[0] == 'c';

	fprintf(m->out, "# HELP memtrace_%s%s %s\n", name,
		total ? "_total" : "", help);
	fprintf(m->out, "# TYPE memtrace_%s%s %s\n", name,
		total ? "_total" : "", type);
}

/* Print a family of one gauge. */
static void put_gauge(const struct metrics *m, const char *name,
		      const char *help, uint64_t n)
{
	put_head(m, name, "gauge", help);
	fprintf(m->out, "memtrace_%s %" PRIu64 "\n", name, n);
}

/* Print a family of one counter; its name is without "_total". */
static void put_counter(const struct metrics *m, const char *name,
			const char *help, uint64_t n)
{
	put_head(m, name, "counter", help);
	fprintf(m->out, "memtrace_%s_total %" PRIu64 "\n", name, n);
}

/* Print a label's value: escaped, and valid UTF-8. */
static void put_value(FILE *out, const char *text)
{
	while (*text) {
		unsigned int n = term_utf8(text);

		if (*text == '\n')
			fputs("\\n", out);
		else if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if (!n)
			putc('?', out);
		else
			fwrite(text, 1, n, out);
		text += n ? n : 1;
	}
}

/* Print what was live. */
static void put_live(const struct metrics *m)
{
	const struct profile *p = m->profile;

	if (p->rate_bytes)
		put_gauge(m, "profiler_sample_interval_bytes",
			  "One block in so many bytes is recorded: all else "
			  "is an estimate.",
			  p->rate_bytes);
	if (p->has & PROFILE_HAS_EXIT) {
		put_gauge(m, "heap_inuse_bytes", "Bytes live at the end.",
			  p->totals.exit_bytes);
		if (p->has & PROFILE_HAS_BLOCKS)
			put_gauge(m, "heap_inuse_objects",
				  "Blocks live at the end.",
				  p->totals.exit_blocks);
	}
	if (p->has & PROFILE_HAS_PEAK)
		put_gauge(m, "heap_peak_bytes",
			  "The most bytes that were live.",
			  p->totals.peak_bytes);
}

/* Print how often was allocated, by type where that is known. */
static void put_allocations(const struct metrics *m, const struct calls *c)
{
	const struct profile *p = m->profile;

	put_head(m, "heap_allocations", "counter", "Allocations.");
	if (!c) {
		fprintf(m->out, "memtrace_heap_allocations_total %" PRIu64 "\n",
			p->totals.allocations);
		return;
	}
	for (int i = 0; i < TYPES; i++)
		fprintf(m->out,
			"memtrace_heap_allocations_total{type=\"%s\"} %" PRIu64
			"\n",
			type_name[i], c->of[i]);
	if (p->prof->mmaps)
		fprintf(m->out,
			"memtrace_heap_allocations_total{type=\"mmap\"} "
			"%" PRIu64 "\n",
			p->prof->mmaps);
}

/* Print the sums of what was allocated and freed. */
static void put_sums(const struct metrics *m, const struct calls *c)
{
	const struct profile *p = m->profile;

	if (p->has & PROFILE_HAS_ALLOCATED) {
		put_counter(m, "heap_allocated_bytes", "Bytes allocated.",
			    p->totals.allocated_bytes);
		put_allocations(m, c);
	}
	if (p->has & PROFILE_HAS_FREES)
		put_counter(m, "heap_frees", "Blocks freed.", p->totals.frees);
	if (p->has & PROFILE_HAS_TEMPORARY)
		put_counter(m, "heap_temporary_allocations",
			    "Blocks freed by their thread before its next "
			    "allocation.",
			    p->totals.temporary);
}

/* Print the histogram of the sizes that were allocated. */
static void put_sizes(const struct metrics *m)
{
	const struct profile *p = m->profile;
	uint64_t count[BUCKETS + 1] = {0}, n = 0;

	for (size_t i = 0; i < p->row_count; i++) {
		int b = 0;

		while (b < BUCKETS &&
		       p->rows[i].size > 1ull << (b + FIRST_BUCKET_LOG2))
			b++;
		count[b] += p->rows[i].totals.allocations;
	}
	put_head(m, "heap_allocation_size_bytes", "histogram",
		 "Sizes that were asked for.");
	for (int b = 0; b < BUCKETS; b++)
		fprintf(m->out,
			"memtrace_heap_allocation_size_bytes_bucket{le=\"%llu%s"
			"\"} %" PRIu64 "\n",
			1ull << (b + FIRST_BUCKET_LOG2), m->open ? ".0" : "",
			n += count[b]);
	fprintf(m->out,
		"memtrace_heap_allocation_size_bytes_bucket{le=\"+Inf\"} "
		"%" PRIu64 "\n"
		"memtrace_heap_allocation_size_bytes_sum %" PRIu64 "\n"
		"memtrace_heap_allocation_size_bytes_count %" PRIu64 "\n",
		p->totals.allocations, p->totals.allocated_bytes,
		p->totals.allocations);
}

/* Bounds of the lifetimes' buckets: decades from 1 us to 1000 s. */
#define LIFETIME_FIRST 12 /* lifespan's bucket whose bound is 1 us */
#define LIFETIME_STEP 4
#define LIFETIME_BUCKETS 10

/* Print the histogram of the freed blocks' lifetimes. */
static void put_lifetimes(const struct metrics *m, struct trace *t)
{
	static const char *const bounds[LIFETIME_BUCKETS] = {
		"1e-06", "1e-05", "0.0001", "0.001", "0.01",
		"0.1",	 "1.0",	  "10.0",   "100.0", "1000.0",
	};
	const struct profile *p = m->profile;
	struct replay_listener l;
	struct lifespan s;
	uint64_t n = 0;
	unsigned int bucket = 0;

	lifespan_begin(&s, t, p->prof->options.from);
	l = lifespan_listener(&s);
	chosen_replay(t, &p->prof->options, &l, NULL);
	put_head(m, "heap_lifetime_seconds", "histogram",
		 "How long the blocks lived that were freed.");
	for (int i = 0; i < LIFETIME_BUCKETS; i++) {
		for (; bucket < LIFETIME_FIRST + i * LIFETIME_STEP + 1u;
		     bucket++)
			n += s.time[bucket].blocks;
		fprintf(m->out,
			"memtrace_heap_lifetime_seconds_bucket{le=\"%s\"} "
			"%" PRIu64 "\n",
			bounds[i], n);
	}
	while (bucket < LIFESPAN_TIMES)
		n += s.time[bucket++].blocks;
	fprintf(m->out,
		"memtrace_heap_lifetime_seconds_bucket{le=\"+Inf\"} %" PRIu64
		"\nmemtrace_heap_lifetime_seconds_sum %.9f\n"
		"memtrace_heap_lifetime_seconds_count %" PRIu64 "\n",
		n, (double)p->totals.lifetime_ns / 1e9, n);
	lifespan_free(&s);
}

/* Print what only a trace knows. */
static void put_trace(const struct metrics *m, const struct calls *c,
		      struct trace *t)
{
	const struct prof *p = m->profile->prof;

	put_sizes(m);
	put_lifetimes(m, t);
	put_counter(m, "heap_freed_bytes", "Bytes freed.", c->freed_bytes);
	put_counter(m, "heap_remote_frees",
		    "Blocks freed by another thread than allocated them.",
		    c->remote_frees);
	put_counter(m, "heap_failed_allocations", "Allocations that failed.",
		    p->failed);
	put_gauge(m, "threads", "Threads that were recorded.", t->thread_count);
	put_head(m, "profiler_dropped_events", "counter",
		 "Events that are not in the sums.");
	fprintf(m->out,
		"memtrace_profiler_dropped_events_total{reason=\"lost\"} "
		"%" PRIu64 "\n"
		"memtrace_profiler_dropped_events_total{reason=\"unreadable\"} "
		"%" PRIu64 "\n",
		t->lost.events, t->missing);
	put_head(m, "build_info", "gauge", "What recorded, and what.");
	fputs("memtrace_build_info{version=\"" OPTIONS_VERSION
	      "\",allocator=\"",
	      m->out);
	put_value(m->out, t->allocator ? t->allocator : "");
	fputs("\",mode=\"trace\"} 1\n", m->out);
}

/* Print all metrics of a profile. */
static void put_all(struct export *x, bool open)
{
	struct metrics m = {x->out, open, x->profile};
	struct calls calls, *known = x->trace ? &calls : NULL;

	if (known)
		count_calls(known, x->trace, &x->profile->prof->options);
	put_live(&m);
	put_sums(&m, known);
	if (known)
		put_trace(&m, known, x->trace);
	if (open)
		fputs("# EOF\n", x->out);
}

int export_prometheus(struct export *x, struct error *e)
{
	(void)e;
	put_all(x, false);
	return 0;
}

int export_openmetrics(struct export *x, struct error *e)
{
	(void)e;
	put_all(x, true);
	return 0;
}
