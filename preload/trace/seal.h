/* SPDX-License-Identifier: MIT */
/* From the live file into the trace: segments. */
#ifndef PRELOAD_SEAL_H
#define PRELOAD_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#include <memtrace/format.h>

#include "journal.h"

/*
 * Append a segment stamped with the time, as mt_journal_append().
 * Context: seal.
 */
int mt_seal_segment(struct mt_segment *head, const struct mt_bytes *extra,
		    const struct mt_bytes *columns, unsigned int n);

/*
 * Seal what the meta log and the stack table gained: all, or only what is
 * worth a segment. False: something is left; it is in the live file, and is
 * tried again the next time. Context: seal.
 */
bool mt_seal_definitions(bool all);

/* Nothing is sealed yet. Context: init. */
void mt_seal_reset(void);

/* Count events that had to be given up. Context: any. */
void mt_lost_events(uint64_t n);

/* Say once on stderr and in the trace what is wrong. Context: hook. */
void mt_problem(enum mt_problem problem, int error, const char *text);

#endif
