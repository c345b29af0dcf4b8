/* SPDX-License-Identifier: MIT */
/*
 * The memory that a stack is in: what may be read while it is walked.
 */
#ifndef PRELOAD_EXTENT_H
#define PRELOAD_EXTENT_H

#include <stdbool.h>
#include <stdint.h>

struct mt_extent {
	uint64_t start, end; /* addresses; 0, 0: none */
};

/* Zeroed knows none. */
struct mt_extents {
	struct mt_extent now;	 /* around sp, readable above it */
	struct mt_extent before; /* an alternate stack, say */
};

/* Whether 8 bytes at an address are in one. Context: any. */
static inline bool mt_extent_holds(const struct mt_extent *r, uint64_t address)
{
	return address - r->start <= r->end - r->start - 8 && r->end;
}

/* Make r->now the one that holds `sp`; false: there is none. Context: hook. */
bool mt_extents_enter(struct mt_extents *r, uint64_t sp);

#endif
