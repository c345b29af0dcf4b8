/* SPDX-License-Identifier: MIT */
/*
 * Strings kept once: equal text gives the same number and the same pointer,
 * so that names compare as integers.
 */
#ifndef ANALYZER_STRPOOL_H
#define ANALYZER_STRPOOL_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed is empty. Number 0 is the empty string. */
struct strpool {
	struct strpool_string *string; /* by number */
	size_t count, room;
	uint32_t *slot; /* numbers + 1, by hash; 0: free */
	size_t slots;
};

/* Return the number of `s`, entered when it is new. */
uint32_t strpool_add(struct strpool *p, const char *s);

/* Return the text of a number; it lives as long as the pool. */
const char *strpool_text(const struct strpool *p, uint32_t number);

void strpool_free(struct strpool *p);

#endif
