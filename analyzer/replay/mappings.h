/* SPDX-License-Identifier: MIT */
/*
 * The memory mappings of a recording made with mmap=1: ranges of addresses
 * that are mapped now, and how many bytes that is and was at most.
 */
#ifndef ANALYZER_MAPPINGS_H
#define ANALYZER_MAPPINGS_H

#include <stddef.h>
#include <stdint.h>

struct mapping {
	uint64_t start, end;
};

/* Zeroed is empty. */
struct mappings {
	struct mapping *at; /* in order, apart from each other */
	size_t count, room;
	uint64_t bytes, peak_bytes;
};

/* Map [start, start + bytes), what was there before included. */
void mappings_add(struct mappings *m, uint64_t start, uint64_t bytes);

/* Unmap what there is of [start, start + bytes). */
void mappings_remove(struct mappings *m, uint64_t start, uint64_t bytes);

void mappings_free(struct mappings *m);

#endif
