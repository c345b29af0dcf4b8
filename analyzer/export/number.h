/* SPDX-License-Identifier: MIT */
/*
 * Numbers for frames: one for all that are of a function, or of a line of it.
 * Given in the order in which they are asked for, from 0.
 */
#ifndef ANALYZER_EXPORT_NUMBER_H
#define ANALYZER_EXPORT_NUMBER_H

#include "map.h"
#include "stacks.h"

/* Zeroed is empty. */
struct number {
	bool lines;		     /* tell lines of a function apart */
	const struct frame **frames; /* the first of each number */
	size_t count;

	/* The rest is number.c's own. */
	struct map of_frame, of_text, of_pair, of_line;
	size_t room;
};

/* Return a frame's number: of its name, file and, if asked for, line. */
uint32_t number_frame(struct number *n, const struct frame *f);

void number_free(struct number *n);

#endif
