/* SPDX-License-Identifier: MIT */
/*
 * What the kernel says of a running process, in the units that Prometheus'
 * clients give it in.
 */
#ifndef ANALYZER_PROCSTAT_H
#define ANALYZER_PROCSTAT_H

#include <stdbool.h>
#include <stdint.h>

struct procstat {
	uint64_t resident_bytes, virtual_bytes;
	double cpu_seconds;   /* user and system */
	double start_seconds; /* since the epoch */
};

/* Read /proc/PID/stat; false: there is no such process. Source: proc(5). */
bool procstat_read(struct procstat *s, uint32_t pid);

/*
 * Read the same as text; return the ")" behind the program's name, in which
 * there may be blanks: the state, field 3, comes next. NULL: there is none.
 */
#define PROCSTAT_BYTES 1024
char *procstat_text(uint32_t pid, char text[PROCSTAT_BYTES]);

#endif
