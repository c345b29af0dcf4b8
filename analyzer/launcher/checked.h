/* SPDX-License-Identifier: MIT */
/*
 * The verdict on what a program left: `memtrace-report check` looks at its
 * traces, and its answer becomes an exit status.
 */
#ifndef ANALYZER_CHECKED_H
#define ANALYZER_CHECKED_H

#include <sys/types.h>

#include "family.h"

/* Exit statuses of a gate: there are leaks; it had nothing to judge. */
enum {
	CHECKED_BREACH = 3,
	CHECKED_VACUOUS = 4,
};

struct checked_case {
	const char *report;  /* the path of memtrace-report */
	const char *options; /* of check, with commas: "max-leak-bytes=9,..." */
	const struct family *family; /* what was recorded */
	pid_t pid;		     /* of the program */
	int status;		     /* its exit status */
};

/*
 * Judge by the traces and $LSAN_OPTIONS. What is wrong is said on stderr, and
 * `*said` set; a clean program is not talked about. Return the exit status:
 * the program's, unless it is 0 and there is a breach or nothing could be
 * judged.
 */
int checked_judge(const struct checked_case *c, bool *said);

#endif
