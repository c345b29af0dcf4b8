/* SPDX-License-Identifier: MIT */
/* Which allocations a hook lets pass; see meter.h. */
#include "meter.h"

#include <memtrace/sample.h>

#include "clock.h"

/* While recording stands still, the next point is never reached. */
#define NEVER (UINT64_MAX / 2)

MT_HOT struct mt_gate mt_gate = {.era = 1};
__thread struct mt_meter mt_meter;

static struct {
	uint64_t rate_bytes;
	uint64_t seed;
	uint32_t seeded; /* threads, so far */
	bool paused;
} meter;

/* Draw the way to the next point. */
static uint64_t draw(void)
{
	return meter.paused
		       ? NEVER
		       : mt_sample_draw(&mt_meter.random, meter.rate_bytes);
}

/* Begin anew: exponential distances have no memory. */
static uint64_t renew(void)
{
	uint64_t n = __atomic_fetch_add(&meter.seeded, 1, __ATOMIC_RELAXED);
	uint64_t seed = meter.seed;

	if (!seed)
		seed = mt_clock() << 20 ^ (uint64_t)(uintptr_t)&mt_meter ^
		       (uint64_t)sys_tid() << 44;
	/* Twice: streams that begin a step apart would be nearly the same. */
	seed = mt_sample_random(&seed) ^ (n << 32 | mt_gate.era);
	mt_meter.random = mt_sample_random(&seed);
	mt_meter.era = __atomic_load_n(&mt_gate.era, __ATOMIC_ACQUIRE);
	return draw();
}

bool mt_meter_take(uint64_t size)
{
	uint64_t bytes = mt_meter_bytes(size);
	uint64_t way = mt_meter.left + mt_meter.rest;
	bool taken = false;

	if (!mt_gate.skims)
		return true;
	if (mt_meter.era != mt_gate.era)
		way = renew();
	if (bytes < way) {
		way -= bytes;
	} else {
		way = draw();
		taken = true;
	}
	mt_meter.left = meter.paused ? MT_LOOK_PAUSED_BYTES : MT_LOOK_BYTES;
	if (way < mt_meter.left)
		mt_meter.left = way;
	mt_meter.rest = way - mt_meter.left;
	return taken && !meter.paused;
}

uint64_t mt_meter_weight(uint64_t size)
{
	return meter.rate_bytes ? mt_sample_weight(size, meter.rate_bytes)
				: size;
}

void mt_meter_renew(void)
{
	__atomic_fetch_add(&mt_gate.era, 1, __ATOMIC_RELEASE);
}

void mt_meter_set(uint64_t rate_bytes, bool paused, uint64_t seed)
{
	meter.rate_bytes = rate_bytes;
	meter.paused = paused;
	meter.seed = seed;
	__atomic_store_n(&mt_gate.skims, paused || rate_bytes,
			 __ATOMIC_RELEASE);
	mt_meter_renew();
}
