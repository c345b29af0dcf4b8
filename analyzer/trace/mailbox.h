/* SPDX-License-Identifier: MIT */
/*
 * The other end of a recorder's mailbox: a program that runs is told to do
 * something, through its live file.
 */
#ifndef ANALYZER_MAILBOX_H
#define ANALYZER_MAILBOX_H

#include <memtrace/format.h>

#include "util.h"

/*
 * Have process `pid` do a command, and wait until it has. Return 0, what came
 * of it in `*result` and its trace's path in `*trace`, to be freed (NULL when
 * `trace` is); or -1 and why not, with what to do, in `e`.
 */
int mailbox_ask(uint32_t pid, enum mt_command command, const char *text,
		uint64_t timeout_ns, int32_t *result, char **trace,
		struct error *e);

/* Return the path of the trace that process `pid` is recorded to, to be freed;
 * NULL with `e` filled. */
char *mailbox_trace(uint32_t pid, struct error *e);

/* Have process `pid` scanned, and wait till that is in its trace: as above. */
int mailbox_scan(uint32_t pid, uint64_t timeout_ns, int32_t *number,
		 char **trace, struct error *e);

#endif
