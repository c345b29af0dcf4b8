/* SPDX-License-Identifier: MIT */
/*
 * What the traces that are served were replayed to: a state for each, which
 * goes on from where it was when it is asked for again. For a process that
 * lasts; its forks answer from what they find.
 *
 * States take memory: those that were not asked for for some time go, and the
 * ones that were longest not, as long as all take too much.
 */
#ifndef ANALYZER_STATES_H
#define ANALYZER_STATES_H

#include "follow.h"
#include "kept.h"

#define STATES_BYTES (512ull << 20)
#define STATES_IDLE_NS 600000000000ull

struct state {
	struct state *next;
	char *path;
	struct kept_file file; /* before it was read */
	struct follow follow;
	struct metrics metrics;

	/* The rest is states.c's own. */
	struct follow_options options;
	struct metrics_replay replay;
	struct replay_listener listener;
	uint64_t asked_ns; /* CLOCK_MONOTONIC */
};

struct states {
	struct state *first;	   /* the one that was asked for last */
	replay_progress *progress; /* or NULL */
};

/* Return the state of a trace as it was when it was asked for last, or
 * NULL. */
struct state *states_find(const struct states *s, const char *path);

/* Return the state of a trace as it is now; NULL with `e` filled: it cannot be
 * read. */
struct state *states_get(struct states *s, const char *path, struct error *e);

/* Give back what is not needed until the next request; drop what is old, or
 * too much. */
void states_tidy(struct states *s);

/*
 * Make a profile of what a state and the last instants come to, rows apart by
 * `keys` if all of its events are there; with metrics, if `m` is not NULL.
 * The stacks are those of the profile, which profile_open_trace() has set up.
 * The state is void then. False: the recorder was faster.
 */
bool state_profile(struct state *st, struct profile *p, unsigned int keys,
		   struct metrics *m);

#endif
