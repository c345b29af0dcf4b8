/* SPDX-License-Identifier: MIT */
/*
 * What the programs of this directory share. Each is several cases, one
 * function each, with what is to be found of it; without an argument it lists
 * them. What is expected is "none", or of each bad free, one behind the other
 * with commas between:
 *
 *   KIND FUNCTION ALLOC_FUNCTION [KEY=VALUE...]
 *
 * with "-" for a function that is not known, and the JSON object's keys.
 */
#ifndef TESTS_BADFREE_CASES_H
#define TESTS_BADFREE_CASES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A case has a frame of its own; run sees to it that calls are no jumps. */
#define OUTLINE __attribute__((noinline, noclone, unused))

struct badfree_case {
	const char *name;
	void (*act)(void);
	const char *expect;
};

/* Run the case that is named, or list all. */
static int run_cases(const struct badfree_case *cases, int argc, char **argv)
{
	for (const struct badfree_case *c = cases; c->name; c++) {
		if (argc < 2)
			printf("%s: %s\n", c->name, c->expect);
		else if (strcmp(argv[1], c->name) == 0)
			c->act();
	}
	return 0;
}

#endif
