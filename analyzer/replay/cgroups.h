/* SPDX-License-Identifier: MIT */
/*
 * How far a process was from the bound of its control group's memory, and
 * whether the kernel killed it over that.
 */
#ifndef ANALYZER_CGROUPS_H
#define ANALYZER_CGROUPS_H

#include "trace.h"

/* How sure it is that the kernel killed it because memory was out. */
enum cgroups_kill {
	CGROUPS_NOT_KILLED,
	CGROUPS_MAYBE_KILLED, /* it was killed, and was near the bound */
	CGROUPS_KILLED,	      /* and the group counted a kill since its start */
};

struct cgroups {
	uint64_t max_bytes;  /* 0: it is not bounded */
	uint64_t most_bytes; /* of the group, that were seen, or that it says */
	enum cgroups_kill kill;
};

/* Judge by the notes of a trace, and if it was killed, by what the group's
 * directory says now, when it is there. */
struct cgroups cgroups_judge(const struct trace *t);

/* Return the number of OOM kills in the text of memory.events (cgroup v2) or
 * memory.oom_control (v1). */
uint64_t cgroups_kills(const char *text);

#endif
