/* SPDX-License-Identifier: MIT */
/*
 * The traces that a recorded process and its descendants left: found by the
 * names that out= allows, told from others by what they say of themselves.
 */
#ifndef ANALYZER_FAMILY_H
#define ANALYZER_FAMILY_H

#include <sys/types.h>

#include "util.h"

struct family_trace {
	char *path;
	char *live_path; /* NULL: the recording was ended in order */
	uint32_t pid, parent_pid;
	uint64_t start_ns; /* CLOCK_MONOTONIC */
	uint64_t bytes;	   /* of the file */
	uint64_t events;
	uint64_t lost; /* events that the recorder had to drop */
};

/* In order of their start. Zeroed is empty. */
struct family {
	struct family_trace *at;
	size_t count, room;
};

/*
 * Find the traces of process `pid` and of its descendants among the files
 * that `pattern` (see memtrace/pattern.h) can name, those started at
 * `since_ns` of CLOCK_MONOTONIC or later.
 */
void family_find(struct family *f, const char *pattern, const char *host,
		 pid_t pid, uint64_t since_ns);

/*
 * Return the trace of what `pid` ran last (after an exec it has several), or
 * NULL.
 */
struct family_trace *family_last(struct family *f, pid_t pid);

/*
 * Write into a trace's live file that a signal ended it, which only a parent
 * can tell. -1: there is none, it says an end already, or it is not writable;
 * a report then says "killed".
 */
int family_mark_signal(const struct family_trace *t, int signal);

void family_free(struct family *f);

#endif
