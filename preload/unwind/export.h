/* SPDX-License-Identifier: MIT */
/* What every hook needs. */
#ifndef PRELOAD_EXPORT_H
#define PRELOAD_EXPORT_H

#include <stdint.h>

#include "unwind.h"

#define EXPORT __attribute__((visibility("default")))

/* Where the function that uses this was called from (it keeps bp). */
#define CALLER                                                       \
	((struct mt_place){                                          \
		.pc = (uint64_t)__builtin_return_address(0),         \
		.sp = (uint64_t)__builtin_frame_address(0) + 16,     \
		.bp = *(const uint64_t *)__builtin_frame_address(0), \
	})

/*
 * Below its frame address, __builtin_unwind_init() makes a function save the
 * five registers that it is to give back to its caller; a slot for alignment.
 */
#define MT_SAVED_BYTES 48

#endif
