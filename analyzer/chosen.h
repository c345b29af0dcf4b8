/* SPDX-License-Identifier: MIT */
/*
 * A listener to the blocks that were chosen only: stands between the replay
 * and another listener, so that no model needs to know of selections.
 */
#ifndef ANALYZER_CHOSEN_H
#define ANALYZER_CHOSEN_H

#include "select.h"

struct chosen {
	struct select *select; /* NULL: all blocks */
	const struct replay_listener *to;
};

/* Make the listener of `c`, which must outlive the replay; to be the first. */
struct replay_listener chosen_listener(struct chosen *c);

#endif
