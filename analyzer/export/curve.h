/* SPDX-License-Identifier: MIT */
/*
 * What was live over time, at a number of instants that are evenly apart: a
 * replay of its own, which counts what the profile counts.
 */
#ifndef ANALYZER_EXPORT_CURVE_H
#define ANALYZER_EXPORT_CURVE_H

#include "profile.h"

/* What had happened until an instant. */
struct curve_point {
	uint64_t ns; /* since the start of the recording */
	uint64_t live_bytes, live_blocks;
	uint64_t allocated_bytes, allocations; /* since the first point */
	bool peak;			       /* it is the peak itself */
};

/* From a thread's first event to its last. */
struct curve_span {
	bool used; /* it has events in the window */
	uint64_t start_ns, end_ns;
};

struct curve {
	struct curve_point *at; /* in the order of time */
	size_t count;
	struct curve_span *spans; /* by place in the profile's threads */
};

/*
 * Replay the profile's trace; make `steps` + 1 points, the first at the start
 * of its window, the last at the end, and one more for the peak.
 */
void curve_make(struct curve *c, const struct profile *p, size_t steps);

void curve_free(struct curve *c);

#endif
