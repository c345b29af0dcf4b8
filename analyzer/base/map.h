/* SPDX-License-Identifier: MIT */
/*
 * A hash map from 64-bit keys to 64-bit values: open addressing, linear
 * probing, never more than half full. For everything but the live blocks,
 * whose table is heap.h.
 */
#ifndef ANALYZER_MAP_H
#define ANALYZER_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_entry {
	uint64_t key;
	uint64_t value;
	bool used;
};

/* Zeroed is empty. */
struct map {
	struct map_entry *entry;
	size_t slots; /* a power of two, or 0 */
	size_t count;
};

/* Return the place of `key`'s value, or NULL. Valid until the next put. */
uint64_t *map_get(const struct map *m, uint64_t key);

/*
 * Return the place of `key`'s value, entered as 0 when it is new, which
 * `*fresh` (unless NULL) tells. Valid until the next put.
 */
uint64_t *map_put(struct map *m, uint64_t key, bool *fresh);

void map_free(struct map *m);

#endif
