/* SPDX-License-Identifier: MIT */
/*
 * A profile summed up by one of its dimensions: by site, function, module,
 * thread, size or stack.
 *
 * A stack is charged to its innermost frame of the program (judge.h): that is
 * its site. "Inclusive" sums count a stack for every function, module or site
 * on it, once.
 */
#ifndef ANALYZER_GROUP_H
#define ANALYZER_GROUP_H

#include "profile.h"

enum group_by {
	GROUP_SITE,
	GROUP_FUNCTION,
	GROUP_MODULE,
	GROUP_THREAD, /* the profile must have PROF_BY_THREAD */
	GROUP_SIZE,   /* the profile must have PROF_BY_SIZE */
	GROUP_STACK,
};

struct group {
	const struct frame
		*frame;	 /* one of the group's; threads, sizes: NULL */
	uint64_t number; /* thread: place in `threads`; bytes; node; else 0 */
	struct profile_totals totals;
	struct profile_totals inclusive; /* site, function, module only */
};

struct groups {
	struct group *at;
	size_t count;
	struct profile_totals totals; /* of all */
	enum group_by by;

	/* The rest is group.c's own. */
	size_t room;
	struct strpool *keys; /* of sites */
	struct map *number;   /* key -> place in `at` + 1 */
	struct map *site;     /* a frame's address -> its site's key */
};

/* Sum a profile up. `inclusive`: those sums too, which takes a look at every
 * frame. */
void groups_build(struct groups *g, struct profile *p, enum group_by by,
		  bool inclusive);

/* Return the place in `at` of a row's group. */
size_t groups_of(struct groups *g, struct profile *p,
		 const struct profile_row *row);

/* Order two groups of the same kind by name; for ties. */
int groups_compare(const struct groups *g, const struct group *a,
		   const struct group *b);

void groups_free(struct groups *g);

#endif
