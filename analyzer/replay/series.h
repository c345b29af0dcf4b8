/* SPDX-License-Identifier: MIT */
/*
 * The heap over time: a span of the recording in buckets of equal length, and
 * of each what was live at the most and at its end, and what was allocated
 * and freed in it. A listener of the replay; or, in no time but coarser, read
 * from the index of the trace.
 */
#ifndef ANALYZER_SERIES_H
#define ANALYZER_SERIES_H

#include "estimate.h"
#include "replay.h"

/* Bytes are as requested; by the index, those live are usable ones. */
struct series_bucket {
	uint64_t max_bytes, max_blocks;	  /* live at the most; index: 0 */
	uint64_t last_bytes, last_blocks; /* live at its end */
	uint64_t allocations, allocated_bytes, frees;
	struct spread most, last, allocated; /* of estimates */
	struct doubt freed;
};

struct series {
	struct series_bucket *at;
	size_t count;
	uint64_t from, to; /* clock values: buckets divide [from, to) */
	uint64_t peak_bytes, peak_blocks, peak_clock; /* index: 0 */
	struct spread peak_spread;

	/* The rest is series.c's own. */
	const struct trace *trace;
	uint64_t live_bytes, live_blocks;
	struct spread live_spread;
	size_t open;	     /* the bucket that the last event was in */
	uint64_t open_until; /* no event before that clock is in a later one */
};

/* Begin, with `count` > 0 buckets. */
void series_begin(struct series *t, const struct trace *trace, uint64_t from,
		  uint64_t to, size_t count);

struct replay_listener series_listener(struct series *t);

/* End after the replay: the buckets behind the last event have what it left. */
void series_end(struct series *t);

/* What stands behind the buckets that the index fills. */
struct series_index {
	uint64_t segments;
	uint64_t longest;  /* clock units: finer than that is nothing known */
	uint64_t unsealed; /* events of the live file: in no bucket */
};

/*
 * Instead of a replay: fill the buckets from the index entries of a trace that
 * lasted no longer than they do. What a segment did is spread evenly over its
 * time, so sums are exact, and so is what was live where no segment is open.
 */
void series_read_index(struct series *t, const struct trace *trace,
		       struct series_index *index);

void series_free(struct series *t);

#endif
