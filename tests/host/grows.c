/* SPDX-License-Identifier: MIT */
/*
 * grows: until it is killed or stdin ends, a thread that keeps a block of 1000
 * bytes a turn, and one that frees each of its blocks of 64 bytes at once, a
 * hundred a turn; a turn takes 10 ms. It starts with a block of 30 MiB.
 */
#include <poll.h>
#include <unistd.h>

#include "host.h"

static int ends;

static NOINLINE void *keep_some(size_t size)
{
	return keep(malloc(size));
}

static NOINLINE void waste(size_t size)
{
	free(keep(malloc(size)));
}

static NOINLINE void *start_big(size_t size)
{
	return keep(malloc(size));
}

static void *run(void *unused)
{
	(void)unused;
	while (!__atomic_load_n(&ends, __ATOMIC_RELAXED)) {
		for (int i = 0; i < 100; i++)
			waste(64);
		usleep(10000);
	}
	return NULL;
}

int main(void)
{
	struct pollfd in = {.fd = 0, .events = POLLIN};
	pthread_t thread;

	start_big(30 << 20);
	need(!pthread_create(&thread, NULL, run, NULL), "thread");
	while (poll(&in, 1, 10) == 0)
		keep_some(1000);
	__atomic_store_n(&ends, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	return 0;
}
