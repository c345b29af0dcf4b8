/* SPDX-License-Identifier: MIT */
/*
 * How far a word is from another, for "did you mean": both sides name the
 * nearest right option when they are given a wrong one. Context: any.
 */
#ifndef MEMTRACE_NEAREST_H
#define MEMTRACE_NEAREST_H

#include <stddef.h>

/* Bytes of a word that count. */
#define MT_NEAREST_BYTES 63

/*
 * Return the edits (insert, delete, change a byte) that turn `word` into the
 * `n` bytes of `text`, of each the first MT_NEAREST_BYTES (Levenshtein 1966).
 */
static inline size_t mt_edit_distance(const char *word, const char *text,
				      size_t n)
{
	size_t row[MT_NEAREST_BYTES + 1];

	if (n > MT_NEAREST_BYTES)
		n = MT_NEAREST_BYTES;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; word[i - 1] && i <= MT_NEAREST_BYTES; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = corner + (word[i - 1] != text[j - 1]);

			corner = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

#endif
