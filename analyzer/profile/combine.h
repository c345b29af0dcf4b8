/* SPDX-License-Identifier: MIT */
/*
 * Several profiles as one: those of a process tree, or of many runs.
 *
 * Sums are sums. So are peaks, which the processes had at moments of their
 * own: the profile says so in a note.
 */
#ifndef ANALYZER_COMBINE_H
#define ANALYZER_COMBINE_H

#include "profile.h"

/*
 * Add profile `from` to `to`, which was begun with profile_begin(), all that a
 * profile can have and all its keys: it keeps what every part has, and is named
 * like the first that has a name. The names of its frames are looked up for it.
 * `from` must outlive it.
 */
void combine_add(struct profile *to, struct profile *from);

#endif
