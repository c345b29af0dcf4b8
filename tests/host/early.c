/* SPDX-License-Identifier: MIT */
/*
 * Allocates before every constructor (.preinit_array), in a constructor, in
 * main, in an atexit handler and in a destructor: each is to be recorded.
 */
#include "host.h"

static NOINLINE void *preinit_alloc(void)
{
	return keep(malloc(11));
}

static NOINLINE void *construct_alloc(void)
{
	return keep(calloc(2, 11));
}

static NOINLINE void *atexit_alloc(void)
{
	return keep(malloc(13));
}

static NOINLINE void *destruct_alloc(void)
{
	return keep(malloc(17));
}

static void preinit(void)
{
	free(preinit_alloc());
	free(preinit_alloc());
}

typedef void (*preinit_fn)(void);
static __attribute__((section(".preinit_array"), used))
const preinit_fn preinit_entry = preinit;

static __attribute__((constructor)) void construct(void)
{
	free(construct_alloc());
}

static void at_exit(void)
{
	for (int i = 0; i < 3; i++)
		free(atexit_alloc());
}

static __attribute__((destructor)) void destruct(void)
{
	for (int i = 0; i < 4; i++)
		free(destruct_alloc());
}

int main(void)
{
	need(!atexit(at_exit), "atexit");
	say("main");
	return 3;
}
