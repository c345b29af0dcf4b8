/* SPDX-License-Identifier: MIT */
/*
 * Numbers for live blocks, so that a listener of the replay can keep more of
 * them than heap_block.owner holds, in an array of its own. The number of a
 * block that is gone is given again, so the array is as long as there were
 * such blocks at the most.
 *
 * A block that a realloc takes may live on (replay.h: resumes), so its number
 * is kept till the thread's next realloc.
 */
#ifndef ANALYZER_SLOTS_H
#define ANALYZER_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed is empty. */
struct slots {
	uint32_t count; /* all numbers that were given are below */

	/* The rest is slots.c's own: numbers + 1, 0 is none. */
	uint32_t unused;
	uint32_t *next; /* of the unused ones, by number */
	size_t room;
	uint32_t *moving; /* what its last realloc took, by thread */
	size_t threads;
};

/* Return a number that no block has. */
uint32_t slots_take(struct slots *s);

/* A block ends: `moved` by a realloc of the thread, or for good. */
void slots_end(struct slots *s, uint32_t number, uint32_t thread, bool moved);

/* What the thread's last realloc took lives on, with its number. */
void slots_resume(struct slots *s, uint32_t thread);

void slots_free(struct slots *s);

#endif
