/* SPDX-License-Identifier: MIT */
/*
 * Which allocations a hook lets pass: all while recording stands still, and
 * all but a sample with sample=SIZE. The hooks' own part is here.
 *
 * The sample is Poisson by bytes. Points lie among the bytes a thread asks
 * for, at distances drawn from the exponential distribution of mean `rate`;
 * a block is recorded if one falls on it. So the block's chance depends on its
 * size alone, include/memtrace/sample.h, and what it stands for is the
 * analyzer's to say. A thread counts down to its next point.
 *
 * Once something was sampled, its free is to be recorded and no other:
 * sampled.h.
 */
#ifndef PRELOAD_METER_H
#define PRELOAD_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "sys.h"

/* For all threads; written where the run changes, read by every hook. */
struct mt_gate {
	bool skims;   /* false: every event is recorded */
	uint32_t era; /* another one: threads are to draw again */
};

extern MT_OURS struct mt_gate mt_gate;

/* A thread's way to its next point. */
struct mt_meter {
	uint64_t left; /* bytes until the thread is to look around */
	uint64_t rest; /* bytes from there to the point */
	uint64_t random;
	uint32_t era; /* that it drew in */
};

extern MT_OURS __thread struct mt_meter mt_meter
	__attribute__((tls_model("initial-exec")));

/* Let threads look around (at the mailbox) after so many bytes, at the most:
 * while recording stands still sooner, for then they wait to be told to go
 * on. */
#define MT_LOOK_BYTES (64 * 1024u)
#define MT_LOOK_PAUSED_BYTES (2 * 1024u)

/* The bytes a block counts for: one of none can be sampled, too. */
static inline uint64_t mt_meter_bytes(uint64_t size)
{
	return size + !size;
}

/* Whether a block lies before anything is to be done. Context: any. */
static inline bool mt_meter_passes(uint64_t size)
{
	uint64_t bytes = mt_meter_bytes(size);

	if (unlikely(bytes >= mt_meter.left || mt_meter.era != mt_gate.era))
		return false;
	mt_meter.left -= bytes;
	return true;
}

/* Count a block that did not pass so; whether it is to be recorded.
 * Context: any. */
bool mt_meter_take(uint64_t size);

/*
 * Set what is recorded from now on: nothing while `paused`, else one block in
 * `rate_bytes`, 0: each. `seed` 0: another one each time. Context: init.
 */
void mt_meter_set(uint64_t rate_bytes, bool paused, uint64_t seed);

/* Return the bytes that a block of `size`, recorded now, stands for: its own
 * where each is. Context: any. */
uint64_t mt_meter_weight(uint64_t size);

/* Have threads draw again, in a forked child. Context: any. */
void mt_meter_renew(void);

#endif
