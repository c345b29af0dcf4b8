/* SPDX-License-Identifier: MIT */
/*
 * A scan: what the program's memory points to, written into the trace, so that
 * the analyzer can tell blocks that are lost from those that can be reached.
 */
#ifndef PRELOAD_SCAN_H
#define PRELOAD_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include <memtrace/format.h>

#include "park.h"

/* What is to be scanned, and for whom. */
struct mt_scan_asked {
	uint64_t clock;	 /* the moment that the scan is of */
	uint64_t sp;	 /* of the innermost frame of the program that asked: */
	uint32_t node;	 /* what is inside of it is no root; its stack or 0 */
	uint32_t tid;	 /* and thread */
	uint32_t pid;	 /* of the process, which may be another */
	uint32_t number; /* of mt_scan_number() */
	enum mt_scan_why why;
	enum mt_scan_status status;	 /* else than WHOLE: say only this */
	struct mt_seen_threads *threads; /* the others */
};

/* Begin with the scans of a run, in its first thread. Context: init. */
void mt_scan_begin(void);

/* Return the number of another scan. Context: seal. */
uint32_t mt_scan_number(void);

/*
 * Scan the memory of this process and write it into the trace. Costs time in
 * proportion to the memory in use, and 1.4 MiB of memory. When it cannot be
 * done, the trace says so. Context: seal, or a fork that shares the journal.
 */
void mt_scan(const struct mt_scan_asked *asked);

/* Let a fork scan as well, and after it, say how long that took; as
 * mt_journal_share(). Context: seal. */
bool mt_scan_share(void);
void mt_scan_shared(uint32_t pause_us, uint32_t fork_us);

#endif
