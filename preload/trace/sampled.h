/* SPDX-License-Identifier: MIT */
/*
 * The set of sampled blocks that live, so that only their frees are recorded.
 *
 * Every free asks it, and nearly all get their answer from one byte: the number
 * of members in the block's page, modulo 1 GiB. Pages that neighbour each other
 * do so in this table, too: one of its cache lines answers for 256 KiB of heap.
 *
 * Behind it is a table of addresses. A member is within WINDOW places of its
 * page's, and never moves; so the answer about a block is found without a
 * lock: who asks has the block, nobody else adds or removes it.
 *
 * A test of the address's low bits would do, were sampled blocks aligned to
 * pages: 0.4 ns less a pair of malloc and free. But they would lie elsewhere
 * than the program's allocator puts them, and take a page more each.
 *
 * In a forked child the set is empty: what it inherited is in no trace of its.
 */
#ifndef PRELOAD_SAMPLED_H
#define PRELOAD_SAMPLED_H

#include <stdbool.h>
#include <stdint.h>

#include "sys.h"

/* What a free reads; it answers "no" before there is a set. */
struct mt_sampled {
	const uint8_t *members; /* by page */
	uint64_t mask;
};

extern MT_OURS struct mt_sampled mt_sampled;

/* Make the set; false: no memory. Once is enough. Context: init. */
bool mt_sampled_init(void);

/* Whether a block may be in the set. Context: any. */
static inline bool mt_sampled_may_have(const void *p)
{
	uint64_t page = (uint64_t)(uintptr_t)p / MT_PAGE_BYTES;

	return __atomic_load_n(&mt_sampled.members[page & mt_sampled.mask],
			       __ATOMIC_RELAXED) != 0;
}

/* Add a block that was just allocated; false: there is no place. Context:
 * any. */
bool mt_sampled_add(const void *p);

/* Take a block out that is about to be freed; whether it was in it. Context:
 * any. */
bool mt_sampled_remove(const void *p);

#endif
