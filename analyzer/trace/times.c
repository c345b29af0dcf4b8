/* SPDX-License-Identifier: MIT */
/*
 * The times of a trace: its clock and ns, how long it lasted, how it ended.
 */
#include "trace.h"

uint64_t trace_ns(const struct trace *t, uint64_t clock)
{
	const struct mt_meta_process *p = &t->process;
	unsigned __int128 ns;

	if (clock <= p->clock)
		return 0;
	if (p->clock_kind == MT_CLOCK_MONOTONIC)
		return clock - p->clock;
	if (t->end_clock <= p->clock || t->end_clock_ns <= p->clock_ns)
		return 0;
	ns = (unsigned __int128)(clock - p->clock) *
	     (t->end_clock_ns - p->clock_ns) / (t->end_clock - p->clock);
	return ns > UINT64_MAX ? UINT64_MAX : (uint64_t)ns;
}

uint64_t trace_span_ns(const struct trace *t, uint64_t span)
{
	uint64_t clock;

	if (__builtin_add_overflow(t->process.clock, span, &clock))
		return UINT64_MAX;
	return trace_ns(t, clock);
}

uint64_t trace_clock(const struct trace *t, uint64_t ns)
{
	const struct mt_meta_process *p = &t->process;
	unsigned __int128 span = ns;

	if (p->clock_kind != MT_CLOCK_MONOTONIC) {
		if (t->end_clock <= p->clock || t->end_clock_ns <= p->clock_ns)
			return p->clock;
		/* Rounded up: trace_ns() of it is not before `ns`. */
		span = (span * (t->end_clock - p->clock) +
			(t->end_clock_ns - p->clock_ns) - 1) /
		       (t->end_clock_ns - p->clock_ns);
	}
	return span > UINT64_MAX - p->clock ? UINT64_MAX
					    : p->clock + (uint64_t)span;
}

void trace_extend(struct trace *t, uint64_t clock)
{
	uint64_t ns = trace_ns(t, clock);

	if (clock > t->end_clock && ns &&
	    !__builtin_add_overflow(t->process.clock_ns, ns, &ns)) {
		t->end_clock = clock;
		t->end_clock_ns = ns;
	}
}

uint64_t trace_duration_ns(const struct trace *t)
{
	if (t->end_clock_ns <= t->process.clock_ns)
		return 0;
	return t->end_clock_ns - t->process.clock_ns;
}

const char *trace_end_name(const struct trace *t)
{
	if (t->state == TRACE_RUNNING)
		return "running";
	if (t->state == TRACE_KILLED)
		return "killed";
	switch (t->end) {
	case MT_END_EXIT:
		return "exit";
	case MT_END_UNDERSCORE_EXIT:
		return "_exit";
	case MT_END_EXEC:
		return "exec";
	case MT_END_SIGNAL:
		return "signal";
	default:
		return "unknown";
	}
}
