/* SPDX-License-Identifier: MIT */
/*
 * The clock of the run: the TSC where the kernel trusts it, which costs ten
 * nanoseconds, else CLOCK_MONOTONIC. Context: any.
 */
#ifndef PRELOAD_CLOCK_H
#define PRELOAD_CLOCK_H

#include "sys.h"

/* Whether it is the TSC. */
extern MT_OURS bool mt_clock_tsc;

/* Now, in units of the clock. */
static inline uint64_t mt_clock(void)
{
	return likely(mt_clock_tsc) ? mt_cycles() : sys_monotonic_ns();
}

#endif
