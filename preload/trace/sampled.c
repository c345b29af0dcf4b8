/* SPDX-License-Identifier: MIT */
/* The set of sampled blocks that live; see sampled.h. */
#include "sampled.h"

#define PAGES (1ul << 18)
#define PLACES_PER_PAGE 4
/* At the least rate, a block a page in the mean, one in a million finds its
 * window full. */
#define WINDOW 16
#define PLACES (PAGES * PLACES_PER_PAGE)

static const uint8_t none;
MT_HOT struct mt_sampled mt_sampled = {.members = &none};

/* Addresses, 0: free. Kept inverted: no scan is to take them for pointers. */
static uint64_t *places;

bool mt_sampled_init(void)
{
	uint8_t *members;

	if (places)
		return true;
	members = sys_map(PAGES, SYS_FORK_ZERO);
	places = sys_map(PLACES * sizeof(*places), SYS_FORK_ZERO);
	if (!members || !places)
		return false;
	mt_sampled.members = members;
	__atomic_store_n(&mt_sampled.mask, PAGES - 1, __ATOMIC_RELEASE);
	return true;
}

static uint8_t *members_of(uint64_t address)
{
	return (uint8_t *)(uintptr_t)&mt_sampled
		.members[address / MT_PAGE_BYTES & mt_sampled.mask];
}

/* Return the i-th place of an address's window. */
static uint64_t *place_of(uint64_t address, unsigned int i)
{
	uint64_t home = address / MT_PAGE_BYTES * PLACES_PER_PAGE;

	return &places[(home + i) & (PLACES - 1)];
}

bool mt_sampled_add(const void *p)
{
	uint64_t address = (uint64_t)(uintptr_t)p;

	for (unsigned int i = 0; i < WINDOW; i++) {
		uint64_t *place = place_of(address, i), free = 0;

		if (*place || !__atomic_compare_exchange_n(
				      place, &free, ~address, false,
				      __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			continue;
		__atomic_fetch_add(members_of(address), 1, __ATOMIC_RELAXED);
		return true;
	}
	return false;
}

bool mt_sampled_remove(const void *p)
{
	uint64_t address = (uint64_t)(uintptr_t)p;

	for (unsigned int i = 0; i < WINDOW; i++) {
		uint64_t *place = place_of(address, i);

		if (__atomic_load_n(place, __ATOMIC_RELAXED) != ~address)
			continue;
		__atomic_store_n(place, 0, __ATOMIC_RELAXED);
		__atomic_fetch_sub(members_of(address), 1, __ATOMIC_RELAXED);
		return true;
	}
	return false;
}
