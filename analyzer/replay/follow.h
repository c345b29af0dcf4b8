/* SPDX-License-Identifier: MIT */
/*
 * A trace that is being recorded, replayed as it grows: each look at it costs
 * what has come since the last one.
 */
#ifndef ANALYZER_FOLLOW_H
#define ANALYZER_FOLLOW_H

#include "prof.h"
#include "tally.h"

struct follow {
	struct trace trace;
	struct prof prof;
	struct tally tally;
	bool ended; /* the trace is whole: nothing more comes */

	/* The rest is follow.c's own. */
	struct replay replay;
	struct replay_listener listener[2];
	bool open;
};

/*
 * Read a trace up to now, in full; `progress` may be NULL. 0, or -1 with `e`
 * filled. To be closed in either case; stays where it is.
 */
int follow_open(struct follow *f, const char *path, replay_progress *progress,
		struct error *e);

/*
 * Read what has come since. If the recorder has given up a part of it
 * meanwhile, or the recording has ended, all is read anew. As above.
 */
int follow_on(struct follow *f, replay_progress *progress, struct error *e);

void follow_close(struct follow *f);

#endif
