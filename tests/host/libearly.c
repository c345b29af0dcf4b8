/* SPDX-License-Identifier: MIT */
/*
 * Preloaded behind the recorder, this library is constructed before it and
 * destructed after it, and allocates in both: all of it is to be recorded.
 */
#include "host.h"

static void *early[10];

static NOINLINE void *early_alloc(size_t n)
{
	return keep(malloc(n));
}

static NOINLINE void *late_alloc(size_t n)
{
	return keep(malloc(n));
}

static __attribute__((constructor(101))) void construct(void)
{
	for (int i = 0; i < 10; i++)
		early[i] = early_alloc(100 + (size_t)i);
}

static __attribute__((destructor(101))) void destruct(void)
{
	for (int i = 0; i < 7; i++)
		free(late_alloc(200));
	for (int i = 0; i < 10; i++)
		free(early[i]);
	say("late");
}
