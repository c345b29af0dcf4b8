/* SPDX-License-Identifier: MIT */
/*
 * Which blocks a report is about: the condition that --where, --thread,
 * --size, --lifetime, --focus and --ignore make together, asked about each
 * allocation of a replay; and which frames are shown, by --hide.
 *
 * An event's stack, thread and kind are looked up in tables of answers, filled
 * in as they are asked for, so that an event costs O(1). How long a block
 * lived is known at its end only: a condition that needs it gets a replay
 * of its own first, whose outcome is a bit for each allocation.
 */
#ifndef ANALYZER_SELECT_H
#define ANALYZER_SELECT_H

#include "options.h"
#include "profile.h"

struct select;

/*
 * Read the options. `*s` is NULL when they choose nothing. 0, or -1 with `e`
 * filled: its offset is that of the wrong character of --where, if it is that.
 */
int select_new(struct select **s, const struct options *o, struct error *e);
void select_free(struct select *s);

/*
 * Set up for a trace and its stacks, which must outlive all questions about
 * it; hides the frames, and replays the trace if need be. Can be called again
 * for another one.
 */
void select_trace(struct select *s, struct trace *t, struct stacks *stacks,
		  replay_progress *progress);

/* Tell whether not all blocks are taken. `s` may be NULL: all are. */
bool select_chooses(const struct select *s);

/*
 * Tell whether the block that begins with an event is to be counted. The
 * event must be of a replay from the trace's beginning, so that its number is
 * right. `s` may be NULL: yes.
 */
bool select_takes(struct select *s, const struct replay_event *e);

/* Have a replay ask, unless there is nothing to ask. `s` may be NULL. */
void select_set_options(struct select *s, struct prof_options *o);

/*
 * Leave the rows of an import that are not chosen out of it, and hide the
 * frames. -1 with `e` filled: it lacks what is asked for. `s` may be NULL.
 */
int select_rows(struct select *s, struct profile *p, struct error *e);

/* Tell whether a pc of the stacks has a frame left. `s` may be NULL: yes. */
bool select_shows(struct select *s, uint32_t pc);

/*
 * Check that the history of a trace reaches back to the times that are asked
 * for. 0, or -1 with `e` filled: it does not.
 */
int select_check_history(const struct options *o, const struct trace *t,
			 struct error *e);

/*
 * Set the window [from, until) of clock values by --from, --to and --at: from
 * the instant of --from on, to before the one of --to, or to the one of --at
 * with all that happened at it.
 */
void select_window(const struct options *o, const struct trace *t,
		   uint64_t *from, uint64_t *until);

#endif
