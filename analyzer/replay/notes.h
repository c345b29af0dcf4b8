/* SPDX-License-Identifier: MIT */
/*
 * What the program said of its blocks through LSan's interface, as it stood
 * at a scan: which blocks are nobody's leak, and which memory is a root.
 */
#ifndef ANALYZER_NOTES_H
#define ANALYZER_NOTES_H

#include "trace.h"

struct notes_span; /* a thread's allocations between two clocks */
struct notes_range;

struct notes {
	struct notes_span *spans; /* by thread, then clock */
	size_t span_count;
	struct mt_meta_note *blocks; /* by address, then clock */
	size_t block_count;
	struct notes_range *roots;
	size_t root_count;
};

/* Gather what was said up to a clock value; to be freed. */
void notes_begin(struct notes *n, const struct trace *t, uint64_t clock);
void notes_free(struct notes *n);

/* Tell whether a block is not to be called leaked. */
bool notes_ignore(const struct notes *n, uint64_t address, uint64_t size,
		  uint64_t born, uint32_t tid);

/* Tell whether an address is in memory that is a root by what was said. */
bool notes_is_root(const struct notes *n, uint64_t address);

#endif
