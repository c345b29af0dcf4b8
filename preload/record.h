/* SPDX-License-Identifier: MIT */
/*
 * The recorder proper: from a hook to an event in this thread's buffer.
 */
#ifndef PRELOAD_RECORD_H
#define PRELOAD_RECORD_H

#include <stdint.h>

#include "thread.h"
#include "unwind.h"

/*
 * Record an event whose hook was called from `at`; returns its stack, for
 * the second half of a realloc. An allocation is recorded after the real
 * call, a free before it. What cannot be recorded is counted as lost. Leaves
 * errno alone. Context: any.
 */
uint32_t mt_record(const struct mt_deal *deal, const struct mt_place *at);

/* The same, of the kinds that nearly all events are of. */
uint32_t mt_record_malloc(uint64_t address, uint64_t size,
			  const struct mt_place *at);
uint32_t mt_record_free(uint64_t address, uint64_t size,
			const struct mt_place *at);
uint32_t mt_record_new(uint64_t address, uint64_t size,
		       const struct mt_place *at);
uint32_t mt_record_delete(uint64_t address, uint64_t size,
			  const struct mt_place *at);

#endif
