/* SPDX-License-Identifier: MIT */
/*
 * What metrics said of traces at earlier requests: in memory that a server
 * shares with the processes that answer for it.
 */
#ifndef ANALYZER_KEPT_H
#define ANALYZER_KEPT_H

#include "export/metrics.h"

struct kept;

/* Return an empty store for those that are forked from now on; NULL: there is
 * no memory, and nothing is kept. */
struct kept *kept_new(void);

/* Which file it is, and how it is. */
struct kept_file {
	uint64_t device, inode, bytes, seconds, ns;
};

/* Say that of the file at `path`; false: there is none. */
bool kept_identify(struct kept_file *file, const char *path);

/* Fetch what was said of a file, if that is all there will ever be; false: it
 * is not known, or the file has changed. */
bool kept_get(struct kept *k, const struct kept_file *file, struct metrics *m);

/* Keep what is said of a file that was so before it was read. No counter may
 * be less than it was: see metrics_raise(). */
void kept_put(struct kept *k, const struct kept_file *file, struct metrics *m);

#endif
