/* SPDX-License-Identifier: MIT */
/*
 * What the resident set of the process is made of, noted in the trace now and
 * then, so that a report can say what lies between the live blocks and what
 * the system counts.
 */
#ifndef PRELOAD_MEMORY_H
#define PRELOAD_MEMORY_H

#include <memtrace/format.h>

/* Begin with a run. Context: init. */
void mt_memory_begin(void);

/*
 * Note it now. Marks and failures, which may be many, are heeded as long as
 * that is a hundredth of the time at the most. Takes 0.1 ms, and 1 ms more for
 * each 100 MB that are resident. Context: hook.
 */
void mt_memory_note(enum mt_why why);

#endif
