/* SPDX-License-Identifier: MIT */
/*
 * A trace that is being recorded, replayed as it grows: each look at it costs
 * what has come since the last one.
 *
 * Threads write their events one by one, so of the last instants some may
 * come that belong before others that are there. Who wants sums that are those
 * of a replay of the whole asks for `exact`: then what was replayed stays so
 * much behind, and what is left of a look is replayed on top of it by
 * follow_rest(), in a copy (a fork) that is given up afterwards. If something
 * comes all the same that belongs before what was replayed, or if the recorder
 * has folded away what was not, all is read anew.
 */
#ifndef ANALYZER_FOLLOW_H
#define ANALYZER_FOLLOW_H

#include "prof.h"
#include "tally.h"

/* Of what so young is, exactly, it is not sure that all of it is there. */
#define FOLLOW_BEHIND_NS 100000000u

/* How to follow. Zeroed: totals and stacks, as far as they are there. */
struct follow_options {
	unsigned int keys; /* of the sums: PROF_BY_..., unless it has an image,
			      of which they are not told */
	bool exact;
	/* Begin a listener beside the sums, each time that all is read; move
	 * it to a later reading. NULL: none. */
	const struct replay_listener *(*begin)(void *context, struct trace *t);
	void (*move)(void *context, struct trace *t);
	void *context;
};

struct follow {
	struct trace trace;
	struct prof prof;
	struct tally tally; /* unless it is exact */
	struct replay replay;
	bool ended;	 /* the trace is whole: nothing more comes */
	bool from_image; /* the sums begin with a heap image's */
	uint64_t opened; /* how often all was read */

	/* The rest is follow.c's own. */
	const struct follow_options *options;
	struct replay_listener listener[2];
	uint64_t applied; /* clock value up to which events were replayed */
	bool open;
};

/*
 * Read a trace up to now, in full; `progress` may be NULL. 0, or -1 with `e`
 * filled. To be closed in either case; stays where it is, as do the options.
 */
int follow_open(struct follow *f, const char *path,
		const struct follow_options *o, replay_progress *progress,
		struct error *e);

/*
 * Read what has come since. If the recorder has given up a part of it
 * meanwhile, or the recording has ended, all is read anew. As above.
 */
int follow_on(struct follow *f, replay_progress *progress, struct error *e);

/*
 * Replay what is left of the last look. False: that is gone, or not sound.
 * follow_on() may not be called after it.
 */
bool follow_rest(struct follow *f);

/* Give back what is not needed until the next look, nor for the stacks. */
void follow_shrink(struct follow *f);

/* Return about how many bytes of memory it holds. */
uint64_t follow_bytes(const struct follow *f);

void follow_close(struct follow *f);

#endif
