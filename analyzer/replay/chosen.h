/* SPDX-License-Identifier: MIT */
/*
 * A replay for a listener that shall hear of the blocks that were chosen only:
 * so no model needs to know of selections.
 */
#ifndef ANALYZER_CHOSEN_H
#define ANALYZER_CHOSEN_H

#include "prof.h"

/*
 * Replay a trace up to the end of the window of `o`, for the blocks that it
 * takes. Mappings and failed calls are no blocks: the listener hears of them
 * when all blocks are taken. `progress` may be NULL.
 */
void chosen_replay(struct trace *t, const struct prof_options *o,
		   const struct replay_listener *l, replay_progress *progress);

#endif
