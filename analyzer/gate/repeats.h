/* SPDX-License-Identifier: MIT */
/*
 * What a test that is run again and again leaves each time.
 *
 * The first run of a test may leave what is initialised once. What each later
 * run leaves, from the same stack, grows with every run: that is a leak though
 * all of it can be reached. It takes three runs to see: growth from the second
 * to the third. What counts is live at the scan, so that what the program
 * tears down at its end, or replaces, is none.
 */
#ifndef ANALYZER_REPEATS_H
#define ANALYZER_REPEATS_H

#include "leaks.h"
#include "testruns.h"

/* The fewest runs of a test that are judged. */
#define REPEATS_RUNS 3

/* Blocks that each run of a test, beyond the first, left at a stack. */
struct repeat {
	const char *test;		 /* the trace's */
	const struct graph_block *block; /* one of them, with the stack */
	uint32_t runs;			 /* of the test */
	struct leak_sum least; /* left by a run, where it left the fewest */
	struct leak_sum all;   /* left by the runs beyond the first */
};

struct repeats {
	struct repeat *at; /* by test, then as their blocks are */
	size_t count;
};

/*
 * Find what grows among the blocks of a scan that are not lost anyway, with
 * the trace's threads for their tids.
 */
void repeats_find(struct repeats *r, const struct leaks *l,
		  const struct testruns *runs, const struct trace *t);

void repeats_free(struct repeats *r);

#endif
