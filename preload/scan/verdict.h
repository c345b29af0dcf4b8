/* SPDX-License-Identifier: MIT */
/*
 * A verdict on the trace that is being written: memtrace-report, run for it.
 */
#ifndef PRELOAD_VERDICT_H
#define PRELOAD_VERDICT_H

/* What memtrace-report check says (its exit status), and what else can be. */
enum mt_verdict {
	MT_VERDICT_CLEAN = 0,
	MT_VERDICT_LEAKS = 3,
	MT_VERDICT_NONE = 127, /* it was not found, or ended otherwise */
};

/*
 * Have `memtrace-report check` judge a trace by its last scan, and wait for
 * it; its report goes to our stderr. The program is $MEMTRACE_REPORT, else
 * beside this library or in the bin/ next to its directory, else in $PATH.
 * No SIGCHLD comes of it. Context: any.
 */
int mt_verdict_on(const char *trace);

#endif
