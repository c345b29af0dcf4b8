/* SPDX-License-Identifier: MIT */
/*
 * threads SHORT AT_ONCE: starts and joins so many threads one after another,
 * then so many at once, each with ten allocations, some detached and ended by
 * cancellation. Every allocation of every thread is to be there.
 */
#include <pthread.h>

#include "host.h"

#define MAX_AT_ONCE 1000

static pthread_barrier_t barrier;

static NOINLINE void *short_alloc(size_t n)
{
	return keep(malloc(n));
}

static NOINLINE void *crowd_alloc(size_t n)
{
	return keep(malloc(n));
}

static void *run_short(void *arg)
{
	for (size_t i = 0; i < 10; i++)
		free(short_alloc(i + 1));
	if (!arg)
		return NULL;
	pthread_cancel(pthread_self());
	for (;;)
		pause();
}

static void *run_crowd(void *arg)
{
	void *kept = crowd_alloc(100);

	pthread_barrier_wait(&barrier);
	for (size_t i = 0; i < 9; i++)
		free(crowd_alloc(i + 1));
	pthread_barrier_wait(&barrier);
	free(kept);
	return arg;
}

int main(int argc, char **argv)
{
	static pthread_t thread[MAX_AT_ONCE];
	unsigned int at_once = argc > 2 ? (unsigned int)atoi(argv[2]) : 0;

	need(argc > 2 && at_once <= MAX_AT_ONCE, "threads SHORT AT_ONCE");
	for (long i = 0; i < atol(argv[1]); i++) {
		void *cancel = i % 3 == 0 ? &barrier : NULL;

		need(!pthread_create(&thread[0], NULL, run_short, cancel),
		     "short");
		pthread_join(thread[0], NULL);
	}
	need(!pthread_barrier_init(&barrier, NULL, at_once), "barrier");
	for (unsigned int i = 0; i < at_once; i++)
		need(!pthread_create(&thread[i], NULL, run_crowd, NULL),
		     "crowd");
	for (unsigned int i = 0; i < at_once; i++)
		pthread_join(thread[i], NULL);
	say("done");
	return 0;
}
