/* SPDX-License-Identifier: MIT */
/*
 * The bytes that are live, watched: when they cross limit=SIZE, when an
 * allocation fails, or when somebody asks, the moment is noted.
 *
 * No counter is shared by the hooks: a thread adds what it did to the sum each
 * time its buffer has taken a step, of 64 events at the most. So a crossing is
 * seen within that many events of each thread.
 */
#ifndef PRELOAD_LIMIT_H
#define PRELOAD_LIMIT_H

#include <stdint.h>

#include "thread.h"

/* Watch for live bytes to cross `bytes` (0: never). What was live before, of a
 * process that forked, counts on. Context: init. */
void mt_limit_begin(uint64_t bytes);

/* Add what a thread, this one, did since the last time; note a crossing, once
 * for each tenth that is more. Context: hook. */
void mt_limit_look(struct mt_thread *t);

/* Note that an allocation of `bytes` failed. Context: hook. */
void mt_limit_failed(uint64_t bytes, uint32_t stack);

/* Note the moment. Context: hook. */
void mt_limit_snapshot(void);

#endif
