/* SPDX-License-Identifier: MIT */
/*
 * What a group is called in every run, so that runs can be compared.
 *
 * Of a site it is the function, what it is inlined into, and of a library its
 * base name without the version. So a rebuild, a moved line, another directory
 * or another name of the program disturb nothing.
 */
#ifndef ANALYZER_SAMENAME_H
#define ANALYZER_SAMENAME_H

#include "group.h"

/* Return the name of one of the profile's groups, which may be that of several;
 * free it. */
char *samename_of(struct profile *p, enum group_by by, const struct group *g);

#endif
