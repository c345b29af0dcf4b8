/* SPDX-License-Identifier: MIT */
/*
 * The siblings of leaked blocks: those of the same sites that were freed, and
 * how long they lived. What nearly always dies young and sometimes never is
 * lost on a path that is seldom taken.
 */
#ifndef ANALYZER_SIBLINGS_H
#define ANALYZER_SIBLINGS_H

#include "replay.h"

/* A lifetime in clock units falls into one of 8 buckets to a power of two. */
#define SIBLINGS_BUCKETS 496

struct siblings_site {
	uint64_t freed;
	uint32_t lived[SIBLINGS_BUCKETS];
};

struct siblings {
	struct siblings_site *at;

	/* The rest is siblings.c's own. */
	const uint32_t *site_of;
	size_t node_count;
};

/*
 * Replay a trace, for `count` sites. `site_of` says for each stack which one it
 * is of, from 1 on; 0: of none. `progress` may be NULL.
 */
void siblings_run(struct siblings *s, struct trace *t, const uint32_t *site_of,
		  size_t count, replay_progress *progress);

/* Return what half of a site's freed blocks lived less than, in clock units, to
 * an eighth; 0 when none was freed. Sites count from 0 here. */
uint64_t siblings_median(const struct siblings *s, size_t site);

void siblings_free(struct siblings *s);

#endif
