/* SPDX-License-Identifier: MIT */
/*
 * What was live over time; see curve.h. Points are made as events pass their
 * instants, so the replay needs no memory for events.
 */
#include "curve.h"

#include <stdlib.h>

#include "chosen.h"
#include "estimate.h"

struct maker {
	struct curve *curve;
	const struct trace *trace;
	const struct prof_options *options;
	struct curve_point now;
	uint64_t peak_bytes, peak_clock;
	bool peak_done;
	uint64_t start, end; /* clock values */
	size_t steps, made;  /* points but the peak's */
};

/* Return the instant of a point. */
static uint64_t instant(const struct maker *m, size_t i)
{
	unsigned __int128 span = m->end - m->start;

	return m->start + (uint64_t)(span * i / m->steps);
}

/* Append a point at a clock value. */
static void add_point(struct maker *m, uint64_t clock, bool peak)
{
	struct curve_point *p = &m->curve->at[m->curve->count++];

	*p = m->now;
	p->ns = trace_ns(m->trace, clock);
	p->peak = peak;
}

/* Make the peak's point if this is it: where prof.c saw it. */
static void look_for_peak(struct maker *m, uint64_t clock)
{
	if (m->peak_done || !m->peak_bytes || clock != m->peak_clock ||
	    m->now.live_bytes != m->peak_bytes)
		return;
	m->peak_done = true;
	add_point(m, clock, true);
}

/* Make the points that are before an event, but the last. */
static void pass(struct maker *m, uint64_t clock)
{
	while (m->made < m->steps && instant(m, m->made) <= clock) {
		uint64_t at = instant(m, m->made);

		/* A window may begin with it. */
		if (!m->made++)
			look_for_peak(m, at);
		add_point(m, at, false);
	}
}

/* Take note that a thread did something. */
static void see(struct maker *m, const struct replay_event *e)
{
	struct curve_span *s = &m->curve->spans[e->thread];
	uint64_t clock = e->event->time;

	pass(m, clock);
	if (clock < m->options->from)
		return;
	if (!s->used)
		s->start_ns = clock;
	s->used = true;
	s->end_ns = clock;
}

static void others(void *context, const struct replay_event *e)
{
	see(context, e);
}

/* Have the threads' spans in ns instead of clock values. */
static void convert_spans(struct maker *m, size_t threads)
{
	for (size_t i = 0; i < threads; i++) {
		struct curve_span *s = &m->curve->spans[i];

		if (!s->used)
			continue;
		s->start_ns = trace_ns(m->trace, s->start_ns);
		s->end_ns = trace_ns(m->trace, s->end_ns);
	}
}

/* Take note of a block that is live now. */
static void add_live(struct maker *m, const struct estimate *n, uint64_t clock)
{
	m->now.live_bytes += n->bytes;
	m->now.live_blocks += n->blocks;
	look_for_peak(m, clock);
}

static void begins(void *context, struct heap_block *b,
		   const struct replay_event *e, const struct heap_block *from)
{
	struct maker *m = context;
	struct estimate n = estimate_of(m->trace, b);

	(void)from;
	see(m, e);
	if (e->event->time >= m->options->from) {
		m->now.allocations += n.blocks;
		m->now.allocated_bytes += n.bytes;
	}
	add_live(m, &n, e->event->time);
}

static void ends(void *context, const struct heap_block *b,
		 const struct replay_event *e, enum replay_end why,
		 bool temporary)
{
	struct maker *m = context;
	struct estimate n = estimate_of(m->trace, b);

	(void)why;
	(void)temporary;
	see(m, e);
	m->now.live_bytes -= n.bytes;
	m->now.live_blocks -= n.blocks;
}

static void resumes(void *context, const struct heap_block *b,
		    const struct replay_event *e)
{
	struct maker *m = context;
	struct estimate n = estimate_of(m->trace, b);

	see(m, e);
	add_live(m, &n, e->event->time);
}

void curve_make(struct curve *c, const struct profile *p, size_t steps)
{
	struct trace *t = p->trace;
	const struct prof *prof = p->prof;
	struct maker m = {
		.curve = c,
		.trace = t,
		.options = &prof->options,
		.peak_bytes = prof->peak_bytes,
		.peak_clock = prof->peak_clock,
		.steps = steps,
		.start = trace_clock(t, 0),
		.end = trace_clock(t, p->duration_ns),
	};
	struct replay_listener listener = {
		.context = &m,
		.begins = begins,
		.ends = ends,
		.resumes = resumes,
		.others = others,
	};

	if (prof->options.from > m.start)
		m.start = prof->options.from;
	if (prof->options.until < m.end)
		m.end = prof->options.until;
	if (m.end < m.start)
		m.end = m.start;
	*c = (struct curve){
		.at = util_alloc(steps + 2, sizeof(*c->at)),
		.spans = util_alloc(t->thread_count, sizeof(*c->spans)),
	};
	chosen_replay(t, &prof->options, &listener, NULL);
	pass(&m, UINT64_MAX);
	add_point(&m, m.end, false);
	convert_spans(&m, t->thread_count);
}

void curve_free(struct curve *c)
{
	free(c->at);
	free(c->spans);
	*c = (struct curve){0};
}
