/* SPDX-License-Identifier: MIT */
/*
 * Which test ran when, by the marks of the program.
 *
 * A test runs from its begin to its end on that thread; without an end, to
 * the next begin there or the end of the recording. Tests of different threads
 * may overlap. One of the same name is another run of the same test.
 */
#ifndef ANALYZER_TESTRUNS_H
#define ANALYZER_TESTRUNS_H

#include "trace.h"

struct testrun {
	uint64_t begin, end; /* clock */
	uint64_t ended;	     /* the latest end up to here in the list */
	const char *name;    /* the trace's */
	uint32_t tid;
	uint32_t test; /* which test: tests are numbered as they first began */
	uint32_t run;  /* which run of it: 1, 2... */
};

struct testruns {
	struct testrun *at; /* in the order of their begin */
	size_t count;
	uint32_t *runs; /* by test: how many */
	size_t test_count;
};

/* List a trace's test runs. */
void testruns_list(struct testruns *r, const struct trace *t);

/*
 * Return the run that thread `tid` was in at `clock`, or else any thread: of
 * several the one begun last. NULL: no test was running.
 */
const struct testrun *testruns_at(const struct testruns *r, uint64_t clock,
				  uint32_t tid);

void testruns_free(struct testruns *r);

#endif
