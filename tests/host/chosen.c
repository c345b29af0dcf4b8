/* SPDX-License-Identifier: MIT */
/*
 * Makes blocks that differ in all that a report can choose them by: their
 * sizes, kinds and alignment, the thread, the function, how long they live.
 */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "host.h"

/* Live through so many ms. */
static void pass(long ms)
{
	struct timespec left = {0, ms * 1000000};

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

/* 40 blocks of 100 bytes, each freed before the next. */
static NOINLINE void chosen_parse(void)
{
	for (int i = 0; i < 40; i++)
		free(keep(malloc(100)));
}

/* 3 blocks of 2 MiB that nobody frees. */
static NOINLINE void chosen_leak(void)
{
	for (int i = 0; i < 3; i++)
		keep(malloc(2 << 20));
}

/* A block of 5,000 bytes, moved once to 60,000. */
static NOINLINE void chosen_grow(void)
{
	void *p = keep(malloc(5000));

	free(keep(realloc(p, 60000)));
}

/* 5 aligned blocks. */
static NOINLINE void chosen_align(void)
{
	void *p;

	for (int i = 0; i < 5; i++) {
		need(!posix_memalign(&p, 256, 300), "posix_memalign");
		free(keep(p));
	}
}

/* 7 blocks that live for 60 ms. */
static NOINLINE void chosen_hold(void)
{
	void *p[7];

	for (int i = 0; i < 7; i++)
		p[i] = keep(calloc(1, 64));
	pass(60);
	for (int i = 0; i < 7; i++)
		free(p[i]);
}

static void *run(void *arg)
{
	need(!pthread_setname_np(pthread_self(), "worker"), "name");
	chosen_hold();
	chosen_parse();
	return arg;
}

int main(void)
{
	pthread_t thread;

	chosen_parse();
	chosen_leak();
	chosen_grow();
	chosen_align();
	need(!pthread_create(&thread, NULL, run, NULL), "thread");
	need(!pthread_join(thread, NULL), "join");
	say("done");
	return 0;
}
