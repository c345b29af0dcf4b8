/* SPDX-License-Identifier: MIT */
/*
 * Profiles of traces as they are now, to be taken from later ones: made by a
 * fork, so that the states that they are of can go on.
 */
#ifndef ANALYZER_EARLIER_H
#define ANALYZER_EARLIER_H

#include "served.h"

struct earlier {
	char **path;
	struct profile *profile; /* rows and threads' indexes only */
	size_t count;
};

/* Profile what is open of a list, as served_profile() does. */
void earlier_make(struct earlier *e, struct served_list *l,
		  const struct served_from *from, unsigned int keys);

/* Return the one of a path, or NULL. */
struct profile *earlier_find(const struct earlier *e, const char *path);

void earlier_free(struct earlier *e);

#endif
