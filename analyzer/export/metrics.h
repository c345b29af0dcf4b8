/* SPDX-License-Identifier: MIT */
/*
 * Metrics: the sums of profiles by name, without stacks. All names are here
 * and in metrics.c, for the files and for what is served.
 */
#ifndef ANALYZER_METRICS_H
#define ANALYZER_METRICS_H

#include <stdio.h>

#include "map.h"
#include "procstat.h"
#include "profile.h"

/* How a call is named. */
enum metrics_type {
	METRICS_MALLOC,
	METRICS_CALLOC,
	METRICS_REALLOC,
	METRICS_MEMALIGN,
	METRICS_NEW,
	METRICS_TYPES
};

/* The sizes' buckets: up to 16 B, 32 B ... 1 GiB, and what is above. */
#define METRICS_SIZES 27
/* The lifetimes': below 1 us, 10 us ... 1000 s, and what is above. */
#define METRICS_LIFETIMES 10

/* What was gathered of one profile; it has no pointers. */
struct metrics {
	unsigned int has; /* PROFILE_HAS_... */
	struct profile_totals totals;
	uint64_t rate_bytes; /* of a sample; 0: every block was recorded */
	char labels[320];    /* pid="1",program="a", or empty */

	/* Of a trace only. */
	bool is_trace, is_whole;	      /* all of its events are there */
	uint64_t calls[METRICS_TYPES], mmaps; /* if it is whole */
	uint64_t remote_frees;		      /* the same */
	uint64_t sizes[METRICS_SIZES + 1];    /* in it or in a smaller one */
	uint64_t lifetimes[METRICS_LIFETIMES + 1]; /* the same */
	uint64_t size_bytes;
	/* What the index entries say of sizes, if it is not whole. */
	uint64_t entries[METRICS_SIZES + 1], entries_bytes;
	uint64_t freed_bytes, failed, lost, missing, threads;
	char allocator[64];

	/* Of a trace that is served, and of its process while it runs. */
	bool is_final;	     /* its trace will not change any more */
	uint64_t running;    /* 1: it does */
	uint64_t gathered_s; /* when, since the epoch */
	uint64_t started_ns; /* CLOCK_REALTIME */
	struct procstat process;
};

/*
 * What is gathered while a trace is replayed. When it is followed, the clock
 * becomes known better by and by, and with it the buckets' bounds in clock
 * units: of lifetimes that are close to one, the numbers are kept apart.
 */
struct metrics_replay {
	struct metrics *metrics;
	const struct trace *trace;
	uint64_t from; /* clock value */
	/* Bounds, clock units; from the first to the second one it is not sure
	 * on which side a lifetime is. */
	uint64_t lifetime[METRICS_LIFETIMES][2];
	struct map close; /* lifetime -> blocks */
	struct trace_histogram entries;
};

/*
 * Begin the metrics of a trace, of which a window begins at `from`. Returns a
 * listener to the blocks that its profile is of, with all functions but
 * `others`: for prof_options.beside. The trace is what it is then: its segments
 * may be gone afterwards.
 */
struct replay_listener metrics_begin(struct metrics_replay *r,
				     struct metrics *m, const struct trace *t,
				     const struct prof_options *o);

/*
 * The same for a trace that is followed, in all: from its beginning, with
 * zeroed memory or what it had before; on to a later reading of it; and in the
 * end what has come of it, `folded` if it has an image by then. They fit while
 * the clock is the one that was thought; else all is to be read anew.
 */
struct replay_listener metrics_follow(struct metrics_replay *r,
				      struct metrics *m, struct trace *t);
void metrics_move(struct metrics_replay *r, struct trace *t);
bool metrics_fit(const struct metrics_replay *r);
void metrics_settle(struct metrics_replay *r, bool folded);
void metrics_free(struct metrics_replay *r);

/* End them with what the profile has: with an image what only its events could
 * tell is left out, as such counters would go down whenever some are folded. */
void metrics_end(struct metrics *m, const struct profile *p);

/* Make the metrics of any profile; of a trace by a replay of their own. */
void metrics_gather(struct metrics *m, const struct profile *p);

/* Tell them from others by pid and program, and say how the process does. */
void metrics_label(struct metrics *m, const struct profile *p);

/*
 * Let no counter be less than it was when the same trace was looked at before:
 * a clock that is known better by and by moves blocks from a bucket of
 * lifetimes to the next, and sizes come later once events are folded. Readers
 * take a counter that falls for that of a new process.
 */
void metrics_raise(struct metrics *m, const struct metrics *before);

/* Print the metrics of `n` profiles as Prometheus' text, or OpenMetrics. */
void metrics_put(FILE *out, bool open, const struct metrics *m, size_t n);

#endif
