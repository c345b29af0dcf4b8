/* SPDX-License-Identifier: MIT */
/*
 * The traces that are served or pushed: found anew at each request, as they
 * come, grow and go, and profiled as far as they can be read.
 */
#ifndef ANALYZER_SERVED_H
#define ANALYZER_SERVED_H

#include "select.h"
#include "states.h"

/* Which traces, and which blocks of them. */
struct served_from {
	const struct options *options;
	struct select *select; /* NULL: all blocks */
	char *const *arguments;
	size_t count;
};

/* A trace. Stays where it is while it is open. */
struct served {
	char *path;
	bool is_open; /* else `why`, and none of what follows */
	struct error why;
	struct trace *trace; /* that was opened, or the state's */
	struct trace opened;
	struct state *state;	 /* what it was replayed to, or NULL */
	struct metrics *metrics; /* to be made with the profile, or NULL */
	bool has_profile;
	struct profile profile;
};

struct served_list {
	struct served *at;
	size_t count;
};

/*
 * Find the traces, none of which is open then. What a directory lacks today it
 * may have tomorrow: that is no error.
 */
void served_find(struct served_list *l, const struct served_from *from);

/* Open a trace, without its events. False: it cannot be, and `why`. */
bool served_open(struct served *s);

/* The same, only to see who it is of: it must be opened again for a profile. */
bool served_peek(struct served *s);

/* Tell whether states can be had: all blocks of whole traces are served. */
bool served_has_states(const struct served_from *from);

/* Have the state of a trace, brought up to now. False: it cannot be read, and
 * `why`. */
bool served_follow(struct served *s, struct states *states);

/*
 * Profile a trace that is open, rows apart by `keys` if all of its events are
 * there; what there is of a state is void then. False: it cannot be read, or
 * changes faster than that, and `why`.
 */
bool served_profile(struct served *s, const struct served_from *from,
		    unsigned int keys);

/* Close a trace, its profile too. */
void served_close(struct served *s);

void served_free(struct served_list *l);

#endif
