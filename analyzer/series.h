/* SPDX-License-Identifier: MIT */
/*
 * The heap over time: a span of the recording in buckets of equal length, and
 * of each what was live at the most and at its end, and what was allocated
 * and freed in it. A listener of the replay.
 */
#ifndef ANALYZER_SERIES_H
#define ANALYZER_SERIES_H

#include "replay.h"

/* Bytes are as requested. */
struct series_bucket {
	uint64_t max_bytes, max_blocks;	  /* live at the most */
	uint64_t last_bytes, last_blocks; /* live at its end */
	uint64_t allocations, allocated_bytes, frees;
};

struct series {
	struct series_bucket *at;
	size_t count;
	uint64_t from, to; /* clock values: buckets divide [from, to) */
	uint64_t peak_bytes, peak_blocks, peak_clock;

	/* The rest is series.c's own. */
	uint64_t live_bytes, live_blocks;
	size_t open; /* the bucket that the last event was in */
};

/* Begin, with `count` > 0 buckets. */
void series_begin(struct series *t, uint64_t from, uint64_t to, size_t count);

struct replay_listener series_listener(struct series *t);

/* End after the replay: the buckets behind the last event have what it left. */
void series_end(struct series *t);

void series_free(struct series *t);

#endif
