/* SPDX-License-Identifier: MIT */
/*
 * Which allocations of a trace an expression takes that asks how long they
 * lived or whether they were freed: found out by a replay, and kept as a bit
 * for each allocation. Beside those, memory is proportional to live blocks.
 */
#ifndef ANALYZER_LIVES_H
#define ANALYZER_LIVES_H

#include "answers.h"
#include "replay.h"

/* Zeroed is empty. */
struct lives {
	uint8_t *bits; /* by replay_event.number */
	size_t bytes;
};

/* Tell whether an expression needs this. */
bool lives_are_asked(const struct expr *x);

/*
 * Replay all of a trace and decide about its blocks. One that was never seen
 * freed although its address was given again counts as freed then.
 */
void lives_find(struct lives *l, struct answers *a, struct trace *t,
		replay_progress *progress);

void lives_free(struct lives *l);

/* Tell whether an allocation is taken. */
static inline bool lives_take(const struct lives *l, uint64_t number)
{
	return number / 8 < l->bytes && l->bits[number / 8] >> number % 8 & 1;
}

#endif
