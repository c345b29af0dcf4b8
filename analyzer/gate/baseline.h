/* SPDX-License-Identifier: MIT */
/*
 * A baseline: the leaks that a project has already, as a text file to be kept
 * with its source. One line a fingerprint and kind, sorted, with the most
 * blocks and bytes that one process may leak of it, and for people what the
 * fingerprint is of:
 *
 *   # memtrace baseline 1
 *   dbafc05c1049dd42 definite 10 320 app!make < app!main
 */
#ifndef ANALYZER_BASELINE_H
#define ANALYZER_BASELINE_H

#include <stdio.h>

#include "fingerprint.h"
#include "leaks.h"

struct baseline_line {
	char fingerprint[FINGERPRINT_TEXT];
	enum leak_kind kind;
	struct leak_sum most;
	char *frames;
	uint64_t number; /* of the line, in a file that was read */
	bool seen;	 /* the user's */
};

/* Zeroed is empty. */
struct baseline {
	struct baseline_line *lines; /* sorted */
	size_t count, room;
};

/* Read a file. 0, or -1 with `e` filled, which names the line. */
int baseline_read(struct baseline *b, const char *path, struct error *e);

/* Add a line; `frames` is copied. To be sorted before it is used. */
struct baseline_line *baseline_add(struct baseline *b, const char *fingerprint,
				   enum leak_kind kind, struct leak_sum most,
				   const char *frames);

void baseline_sort(struct baseline *b);

/* Return a leak's line, or NULL. */
struct baseline_line *baseline_find(const struct baseline *b,
				    const char *fingerprint,
				    enum leak_kind kind);

/* Write a file that baseline_read() reads as it is. */
void baseline_write(const struct baseline *b, FILE *out);

void baseline_free(struct baseline *b);

#endif
