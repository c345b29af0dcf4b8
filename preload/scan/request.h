/* SPDX-License-Identifier: MIT */
/*
 * A scan on request: of the process as it is, while it runs.
 */
#ifndef PRELOAD_REQUEST_H
#define PRELOAD_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Stop all threads, fork, let them go, and have the fork scan its copy and
 * write that into the trace. Returns the number of the scan; what could not
 * be done is in its record. -1: another scan is still being made. `node` and
 * `sp` as in struct mt_scan_asked. Context: any.
 */
int64_t mt_request_scan(uint32_t node, uint64_t sp);

/* Wait for the scan that is being made; false: it takes too long.
 * Context: any. */
bool mt_request_wait(void);

/* Wait for the scan that is being made, for some time, then end it. After
 * that none is. Context: seal. */
void mt_request_finish(void);

/* Forget the scan of the process that this one was forked from. */
void mt_request_reset(void);

#endif
