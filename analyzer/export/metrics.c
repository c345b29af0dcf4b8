/* SPDX-License-Identifier: MIT */
/*
 * Metrics, for Prometheus (text format 0.0.4) and as OpenMetrics (1.0.0); see
 * metrics.h. What the source does not know has no metric. The two differ in
 * how a counter's family is named, in a histogram's bounds, and in the last
 * line.
 *
 * A family is named once, with the samples of all profiles below it.
 */
#include "metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chosen.h"
#include "estimate.h"
#include "image.h"
#include "options.h"
#include "term.h"

#define FIRST_SIZE_LOG2 4

/* The image's bucket whose bound is 1 us, and how many of them are a decade. */
#define FIRST_LIFETIME 12
#define LIFETIME_STEP 4

/* What of a bound in clock units it may be off when a recording begins. */
#define CLOSE 8192

static const char *const type_name[METRICS_TYPES] = {
	"malloc", "calloc", "realloc", "memalign", "new",
};

static const char *const lifetime_bound[METRICS_LIFETIMES] = {
	"1e-06", "1e-05", "0.0001", "0.001", "0.01",
	"0.1",	 "1.0",	  "10.0",   "100.0", "1000.0",
};

/* ---- Gathering. ---- */

/* Write a text as a label's value: escaped, valid UTF-8, cut if need be. */
static void escape(char *to, size_t room, const char *text)
{
	while (*text && room > 4) {
		unsigned int n = term_utf8(text);
		int put = *text == '\n' ? sprintf(to, "\\n")
			  : *text == '"' || *text == '\\'
				  ? sprintf(to, "\\%c", *text)
			  : n ? sprintf(to, "%.*s", (int)n, text)
			      : sprintf(to, "?");

		to += put;
		room -= (size_t)put;
		text += n ? n : 1;
	}
	*to = '\0';
}

/* Return the type of an allocating kind. */
static enum metrics_type type_of(unsigned int kind)
{
	switch (kind) {
	case MT_MALLOC:
		return METRICS_MALLOC;
	case MT_CALLOC:
		return METRICS_CALLOC;
	case MT_REALLOC:
	case MT_REALLOCARRAY:
		return METRICS_REALLOC;
	case MT_NEW:
	case MT_NEW_ARRAY:
		return METRICS_NEW;
	default:
		return METRICS_MEMALIGN;
	}
}

/* Return the bucket of a size. */
static unsigned int bucket_of(uint64_t size)
{
	unsigned int b = 0;

	while (b < METRICS_SIZES && size > 1ull << (b + FIRST_SIZE_LOG2))
		b++;
	return b;
}

/* Count a block by what made it and by its size. */
static void begins(void *context, struct heap_block *b,
		   const struct replay_event *e, const struct heap_block *from)
{
	struct metrics_replay *r = context;
	struct estimate n;

	(void)from;
	if (e->event->time < r->from)
		return;
	n = estimate_of(r->trace, b);
	r->metrics->calls[type_of(e->event->kind)] += n.blocks;
	r->metrics->sizes[bucket_of(b->size)] += n.blocks;
	r->metrics->size_bytes += n.bytes;
}

static void carries(void *context, struct heap_block *b,
		    const struct replay_event *e)
{
	(void)context;
	(void)b;
	(void)e;
}

/* Return where a lifetime is counted. */
static uint64_t *place_of(struct metrics_replay *r, uint64_t span)
{
	unsigned int i = 0;

	while (i < METRICS_LIFETIMES && span >= r->lifetime[i][0])
		i++;
	if (i && span < r->lifetime[i - 1][1])
		return map_put(&r->close, span, NULL);
	return &r->metrics->lifetimes[i];
}

/* Add the end of a block after a span of clock units, or take it back. */
static void add_end(struct metrics_replay *r, const struct heap_block *b,
		    const struct replay_event *e, uint64_t span, uint64_t sign)
{
	struct estimate n = estimate_of(r->trace, b);

	if (b->born >= r->from)
		*place_of(r, span) += sign * n.blocks;
	r->metrics->freed_bytes += sign * n.bytes;
	r->metrics->remote_frees +=
		e->thread != b->thread ? sign * n.blocks : 0;
}

static void ends(void *context, const struct heap_block *b,
		 const struct replay_event *e, enum replay_end why,
		 bool temporary)
{
	struct metrics_replay *r = context;

	(void)temporary;
	if (why != REPLAY_LOST && e->event->time >= r->from)
		add_end(r, b, e, e->event->time - b->born, 1);
}

/* Take back the end of a block that lives on. */
static void resumes(void *context, const struct heap_block *b,
		    const struct replay_event *e)
{
	struct metrics_replay *r = context;

	if (e->ended >= r->from)
		add_end(r, b, e, e->ended - b->born, UINT64_MAX);
}

/* Tell whether the sums of a heap image are among a profile's. */
static bool has_image(const struct trace *t, const struct prof_options *o)
{
	return t->image && !o->from && !o->takes && !o->keys;
}

/* Take what the heap image has of the events that are gone. */
static void take_image(struct metrics *m, const struct mt_image_sums *s)
{
	for (unsigned int i = 0; i < MT_IMAGE_TIMES; i++) {
		unsigned int b = 0;

		while (b < METRICS_LIFETIMES &&
		       i > FIRST_LIFETIME + b * LIFETIME_STEP)
			b++;
		m->lifetimes[b] += s->time[i].blocks;
	}
}

/*
 * Take the sizes from the index entries, which are summed up as segments go:
 * those of the blocks of the live file come later.
 */
static void take_entries(struct metrics *m, const struct trace_histogram *h)
{
	m->entries_bytes = h->allocated_bytes;
	for (unsigned int i = 0; i < MT_SIZE_CLASSES; i++)
		m->entries[bucket_of(mt_class_max(i))] += h->requested[i];
}

/* Return the bound of a bucket of lifetimes, in clock units. */
static uint64_t bound_of(const struct trace *t, int i)
{
	uint64_t ns = 1000;

	while (i--)
		ns *= 10;
	return trace_clock(t, ns) - t->process.clock;
}

static struct replay_listener listener(struct metrics_replay *r)
{
	return (struct replay_listener){
		.context = r,
		.begins = begins,
		.ends = ends,
		.resumes = resumes,
		.carries = carries,
	};
}

struct replay_listener metrics_begin(struct metrics_replay *r,
				     struct metrics *m, const struct trace *t,
				     const struct prof_options *o)
{
	*m = (struct metrics){.is_trace = true, .is_whole = !has_image(t, o)};
	*r = (struct metrics_replay){
		.metrics = m,
		.trace = t,
		.from = o->from,
	};
	for (int i = 0; i < METRICS_LIFETIMES; i++)
		r->lifetime[i][0] = r->lifetime[i][1] = bound_of(t, i);
	if (!m->is_whole) {
		take_image(m, t->image->sums);
		trace_histogram(t, &r->entries);
		take_entries(m, &r->entries);
	}
	return listener(r);
}

struct replay_listener metrics_follow(struct metrics_replay *r,
				      struct metrics *m, struct trace *t)
{
	struct prof_options all = {0};

	metrics_free(r);
	metrics_begin(r, m, t, &all);
	for (int i = 0; i < METRICS_LIFETIMES; i++) {
		uint64_t *bound = r->lifetime[i], close = bound[0] / CLOSE + 1;

		bound[0] -= close < bound[0] ? close : bound[0];
		bound[1] += close;
	}
	r->entries = (struct trace_histogram){0};
	trace_enter(t, &r->entries);
	return listener(r);
}

void metrics_move(struct metrics_replay *r, struct trace *t)
{
	r->trace = t;
	trace_enter(t, &r->entries);
}

bool metrics_fit(const struct metrics_replay *r)
{
	for (int i = 0; i < METRICS_LIFETIMES; i++) {
		uint64_t bound = bound_of(r->trace, i);

		if (bound < r->lifetime[i][0] || bound > r->lifetime[i][1])
			return false;
	}
	return true;
}

void metrics_settle(struct metrics_replay *r, bool folded)
{
	for (int i = 0; i < METRICS_LIFETIMES; i++)
		r->lifetime[i][0] = r->lifetime[i][1] = bound_of(r->trace, i);
	for (size_t i = 0; i < r->close.slots; i++)
		if (r->close.entry[i].used)
			*place_of(r, r->close.entry[i].key) +=
				r->close.entry[i].value;
	r->metrics->is_whole = !folded;
	memset(r->metrics->entries, 0, sizeof(r->metrics->entries));
	take_entries(r->metrics, &r->entries);
}

void metrics_free(struct metrics_replay *r)
{
	map_free(&r->close);
	*r = (struct metrics_replay){0};
}

/* Add to each bucket those before it. */
static void add_up(uint64_t *bucket, size_t n)
{
	for (size_t i = 1; i < n; i++)
		bucket[i] += bucket[i - 1];
}

void metrics_end(struct metrics *m, const struct profile *p)
{
	const struct trace *t = p->trace;

	m->has = p->has;
	m->totals = p->totals;
	m->rate_bytes = p->rate_bytes;
	if (!t)
		return;
	if (!m->is_whole) {
		memcpy(m->sizes, m->entries, sizeof(m->sizes));
		m->size_bytes = m->entries_bytes;
		m->freed_bytes =
			m->totals.allocated_bytes - m->totals.exit_bytes;
	}
	add_up(m->sizes, METRICS_SIZES + 1);
	add_up(m->lifetimes, METRICS_LIFETIMES + 1);
	m->mmaps = p->prof->mmaps;
	m->failed = p->prof->failed;
	m->lost = t->lost.events;
	m->threads = t->thread_count;
	escape(m->allocator, sizeof(m->allocator),
	       t->allocator ? t->allocator : "");
}

void metrics_gather(struct metrics *m, const struct profile *p)
{
	struct metrics_replay r;
	struct replay_listener l;
	uint64_t missing = 0;

	*m = (struct metrics){0};
	if (p->trace) {
		/* The replay finds them missing once more. */
		missing = p->trace->missing;
		l = metrics_begin(&r, m, p->trace, &p->prof->options);
		chosen_replay(p->trace, &p->prof->options, &l, NULL);
	}
	metrics_end(m, p);
	m->missing = missing;
}

void metrics_label(struct metrics *m, const struct profile *p)
{
	char program[256];

	escape(program, sizeof(program), p->program);
	snprintf(m->labels, sizeof(m->labels),
		 "pid=\"%" PRIu32 "\",program=\"%s\"", p->pid, program);
	m->started_ns = p->real_ns;
	m->gathered_s = (uint64_t)time(NULL);
	m->is_final = p->trace && p->trace->state != TRACE_RUNNING &&
		      !p->trace->live_is_copy;
	m->running = p->trace && p->trace->state == TRACE_RUNNING &&
		     procstat_read(&m->process, p->pid);
}

/* Raise numbers to what they were. */
static void raise_all(uint64_t *now, const uint64_t *before, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (now[i] < before[i])
			now[i] = before[i];
}

void metrics_raise(struct metrics *m, const struct metrics *before)
{
	struct profile_totals *now = &m->totals;
	const struct profile_totals *then = &before->totals;

	raise_all(&now->allocations, &then->allocations, 1);
	raise_all(&now->allocated_bytes, &then->allocated_bytes, 1);
	raise_all(&now->frees, &then->frees, 1);
	raise_all(&now->temporary, &then->temporary, 1);
	raise_all(&now->lifetime_ns, &then->lifetime_ns, 1);
	raise_all(&now->peak_bytes, &then->peak_bytes, 1);
	raise_all(m->calls, before->calls, METRICS_TYPES);
	raise_all(&m->mmaps, &before->mmaps, 1);
	raise_all(&m->remote_frees, &before->remote_frees, 1);
	raise_all(m->sizes, before->sizes, METRICS_SIZES + 1);
	raise_all(m->lifetimes, before->lifetimes, METRICS_LIFETIMES + 1);
	raise_all(&m->size_bytes, &before->size_bytes, 1);
	raise_all(&m->freed_bytes, &before->freed_bytes, 1);
	raise_all(&m->failed, &before->failed, 1);
	raise_all(&m->lost, &before->lost, 1);
	raise_all(&m->missing, &before->missing, 1);
}

/* ---- Printing. ---- */

struct output {
	FILE *to;
	bool open; /* OpenMetrics */
};

/* Print the name of a sample, with its labels, one of which may be given. */
static void put_name(const struct output *o, const struct metrics *m,
		     const char *name, const char *label, const char *value)
{
	fputs(name, o->to);
	if (!*m->labels && !label) {
		putc(' ', o->to);
		return;
	}
	fprintf(o->to, "{%s%s", m->labels, *m->labels && label ? "," : "");
	if (label)
		fprintf(o->to, "%s=\"%s\"", label, value);
	fputs("} ", o->to);
}

/* Print a sample. */
static void put(const struct output *o, const struct metrics *m,
		const char *name, const char *label, const char *value,
		uint64_t n)
{
	put_name(o, m, name, label, value);
	fprintf(o->to, "%" PRIu64 "\n", n);
}

static void put_allocations(const struct output *o, const struct metrics *m)
{
	static const char name[] = "memtrace_heap_allocations_total";

	if (!m->is_whole) {
		put(o, m, name, NULL, NULL, m->totals.allocations);
		return;
	}
	for (int i = 0; i < METRICS_TYPES; i++)
		put(o, m, name, "type", type_name[i], m->calls[i]);
	if (m->mmaps)
		put(o, m, name, "type", "mmap", m->mmaps);
}

/* Print the sizes that were asked for. */
static void put_sizes(const struct output *o, const struct metrics *m)
{
	static const char bucket[] =
		"memtrace_heap_allocation_size_bytes_bucket";
	uint64_t all = m->sizes[METRICS_SIZES];

	for (int b = 0; b < METRICS_SIZES; b++) {
		char *le = util_format("%llu%s", 1ull << (b + FIRST_SIZE_LOG2),
				       o->open ? ".0" : "");

		put(o, m, bucket, "le", le, m->sizes[b]);
		free(le);
	}
	put(o, m, bucket, "le", "+Inf", all);
	put(o, m, "memtrace_heap_allocation_size_bytes_sum", NULL, NULL,
	    m->size_bytes);
	put(o, m, "memtrace_heap_allocation_size_bytes_count", NULL, NULL, all);
}

/* Print the freed blocks' lifetimes. */
static void put_lifetimes(const struct output *o, const struct metrics *m)
{
	static const char bucket[] = "memtrace_heap_lifetime_seconds_bucket";
	uint64_t all = m->lifetimes[METRICS_LIFETIMES];

	for (int b = 0; b < METRICS_LIFETIMES; b++)
		put(o, m, bucket, "le", lifetime_bound[b], m->lifetimes[b]);
	put(o, m, bucket, "le", "+Inf", all);
	put_name(o, m, "memtrace_heap_lifetime_seconds_sum", NULL, NULL);
	fprintf(o->to, "%.9f\n", (double)m->totals.lifetime_ns / 1e9);
	put(o, m, "memtrace_heap_lifetime_seconds_count", NULL, NULL, all);
}

static void put_dropped(const struct output *o, const struct metrics *m)
{
	static const char name[] = "memtrace_profiler_dropped_events_total";

	put(o, m, name, "reason", "lost", m->lost);
	put(o, m, name, "reason", "unreadable", m->missing);
}

static void put_build(const struct output *o, const struct metrics *m)
{
	fprintf(o->to,
		"memtrace_build_info{%s%sversion=\"" OPTIONS_VERSION
		"\",allocator=\"",
		m->labels, *m->labels ? "," : "");
	fputs(m->allocator, o->to);
	fputs("\",mode=\"trace\"} 1\n", o->to);
}

static void put_cpu(const struct output *o, const struct metrics *m)
{
	put_name(o, m, "process_cpu_seconds_total", NULL, NULL);
	fprintf(o->to, "%.2f\n", m->process.cpu_seconds);
}

static void put_start(const struct output *o, const struct metrics *m)
{
	put_name(o, m, "process_start_time_seconds", NULL, NULL);
	fprintf(o->to, "%.2f\n", m->process.start_seconds);
}

/* Where a plain number is in struct metrics. */
#define AT(field) offsetof(struct metrics, field)

/* Who has a metric. */
enum whose {
	WHOSE_ALL,
	WHOSE_TRACE,
	WHOSE_WHOLE,   /* a trace's that has all of its events */
	WHOSE_SERVED,  /* one's that is told from others */
	WHOSE_RUNNING, /* one's whose process runs */
	WHOSE_SAMPLED, /* one's that has a sample of the blocks */
};

static const struct family {
	const char *name, *type, *help; /* of counters without "_total" */
	enum whose whose;
	unsigned int has; /* PROFILE_HAS_..., all of them */
	size_t at;	  /* the number, unless there is a function */
	void (*put)(const struct output *o, const struct metrics *m);
} families[] = {
	{"memtrace_profiler_sample_interval_bytes", "gauge",
	 "One block in so many bytes is recorded: all else is an estimate.",
	 WHOSE_SAMPLED, 0, AT(rate_bytes), NULL},
	{"memtrace_heap_inuse_bytes", "gauge",
	 "Bytes that are live, or were at the end.", WHOSE_ALL,
	 PROFILE_HAS_EXIT, AT(totals.exit_bytes), NULL},
	{"memtrace_heap_inuse_objects", "gauge",
	 "Blocks that are live, or were at the end.", WHOSE_ALL,
	 PROFILE_HAS_EXIT | PROFILE_HAS_BLOCKS, AT(totals.exit_blocks), NULL},
	{"memtrace_heap_peak_bytes", "gauge", "The most bytes that were live.",
	 WHOSE_ALL, PROFILE_HAS_PEAK, AT(totals.peak_bytes), NULL},
	{"memtrace_heap_allocated_bytes", "counter", "Bytes allocated.",
	 WHOSE_ALL, PROFILE_HAS_ALLOCATED, AT(totals.allocated_bytes), NULL},
	{"memtrace_heap_allocations", "counter", "Allocations.", WHOSE_ALL,
	 PROFILE_HAS_ALLOCATED, 0, put_allocations},
	{"memtrace_heap_frees", "counter", "Blocks freed.", WHOSE_ALL,
	 PROFILE_HAS_FREES, AT(totals.frees), NULL},
	{"memtrace_heap_temporary_allocations", "counter",
	 "Blocks freed by their thread before its next allocation.", WHOSE_ALL,
	 PROFILE_HAS_TEMPORARY, AT(totals.temporary), NULL},
	{"memtrace_heap_allocation_size_bytes", "histogram",
	 "Sizes that were asked for.", WHOSE_TRACE, 0, 0, put_sizes},
	{"memtrace_heap_lifetime_seconds", "histogram",
	 "How long the blocks lived that were freed.", WHOSE_TRACE, 0, 0,
	 put_lifetimes},
	{"memtrace_heap_freed_bytes", "counter", "Bytes freed.", WHOSE_TRACE, 0,
	 AT(freed_bytes), NULL},
	{"memtrace_heap_remote_frees", "counter",
	 "Blocks freed by another thread than allocated them.", WHOSE_WHOLE, 0,
	 AT(remote_frees), NULL},
	{"memtrace_heap_failed_allocations", "counter",
	 "Allocations that failed.", WHOSE_TRACE, 0, AT(failed), NULL},
	{"memtrace_threads", "gauge", "Threads that were recorded.",
	 WHOSE_TRACE, 0, AT(threads), NULL},
	{"memtrace_profiler_dropped_events", "counter",
	 "Events that are not in the sums.", WHOSE_TRACE, 0, 0, put_dropped},
	{"memtrace_build_info", "gauge", "What recorded, and what.",
	 WHOSE_TRACE, 0, 0, put_build},
	{"memtrace_running", "gauge", "1 while the process runs, else 0.",
	 WHOSE_SERVED, 0, AT(running), NULL},
	{"memtrace_gathered_time_seconds", "gauge",
	 "When the trace was read, since the epoch.", WHOSE_SERVED, 0,
	 AT(gathered_s), NULL},
	{"process_resident_memory_bytes", "gauge", "Resident memory.",
	 WHOSE_RUNNING, 0, AT(process.resident_bytes), NULL},
	{"process_virtual_memory_bytes", "gauge", "Virtual memory.",
	 WHOSE_RUNNING, 0, AT(process.virtual_bytes), NULL},
	{"process_cpu_seconds", "counter", "User and system time.",
	 WHOSE_RUNNING, 0, 0, put_cpu},
	{"process_start_time_seconds", "gauge",
	 "When it was started, since the epoch.", WHOSE_RUNNING, 0, 0,
	 put_start},
};

/* Tell whether a profile has a family. */
static bool has(const struct metrics *m, const struct family *f)
{
	bool whose[] = {
		[WHOSE_ALL] = true,
		[WHOSE_TRACE] = m->is_trace,
		[WHOSE_WHOLE] = m->is_trace && m->is_whole,
		[WHOSE_SERVED] = *m->labels,
		[WHOSE_RUNNING] = m->running,
		[WHOSE_SAMPLED] = m->rate_bytes,
	};

	return (m->has & f->has) == f->has && whose[f->whose];
}

/* Begin a family. */
static void put_head(const struct output *o, const struct family *f)
{
	const char *total = !o->open && *f->type == 'c' ? "_total" : "";

	fprintf(o->to, "# HELP %s%s %s\n# TYPE %s%s %s\n", f->name, total,
		f->help, f->name, total, f->type);
}

/* Print a family's sample of one profile. */
static void put_one(const struct output *o, const struct family *f,
		    const struct metrics *m)
{
	char *name;

	if (f->put) {
		f->put(o, m);
		return;
	}
	name = util_format("%s%s", f->name, *f->type == 'c' ? "_total" : "");
	put(o, m, name, NULL, NULL,
	    *(const uint64_t *)((const char *)m + f->at));
	free(name);
}

void metrics_put(FILE *out, bool open, const struct metrics *m, size_t n)
{
	const struct output o = {out, open};

	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		const struct family *f = &families[i];
		bool begun = false;

		for (size_t j = 0; j < n; j++) {
			if (!has(&m[j], f))
				continue;
			if (!begun)
				put_head(&o, f);
			begun = true;
			put_one(&o, f, &m[j]);
		}
	}
	if (open)
		fputs("# EOF\n", out);
}
