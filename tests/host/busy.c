/* SPDX-License-Identifier: MIT */
/*
 * busy THREADS PAUSE_US [SECONDS_EACH]: threads that allocate, reallocate and
 * free without end, and without waiting for each other, in a table that is
 * common to all, so that most blocks are freed by another thread; each sleeps
 * for PAUSE_US after every 1,000 steps, 0: never. With SECONDS_EACH a thread
 * ends after so long, and another one takes its place.
 */
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#include "host.h"

#define BLOCKS 4096

static _Atomic(void *) block[BLOCKS];
static useconds_t pause_us;
static double seconds;

static NOINLINE void *make(uint64_t r)
{
	return keep(malloc(1 + r % 700));
}

static NOINLINE void *make_zeros(uint64_t r)
{
	return keep(calloc(1, 1 + r % 300));
}

static NOINLINE void *change(void *p, uint64_t r)
{
	return keep(realloc(p, 1 + r % 2000));
}

static void step(uint64_t r)
{
	_Atomic(void *) *at = &block[r % BLOCKS];
	void *p = atomic_exchange(at, NULL);

	r >>= 16;
	if (p && r % 4 == 0)
		p = change(p, r >> 8);
	else if (p)
		free(p), p = NULL;
	else
		p = r % 2 ? make(r >> 8) : make_zeros(r >> 8);
	if (p)
		free(atomic_exchange(at, p));
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *run(void *arg)
{
	uint64_t seed = (uintptr_t)arg * 2 + 1;
	double end = now() + seconds;

	for (unsigned int i = 1;; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		step(seed >> 20);
		if (i % 1000)
			continue;
		if (seconds > 0 && now() > end)
			return NULL;
		if (pause_us)
			usleep(pause_us);
	}
}

/* Have threads run in a place, one after another. */
static _Noreturn void *run_all(void *arg)
{
	for (uintptr_t i = (uintptr_t)arg;; i += 100) {
		pthread_t t;

		need(!pthread_create(&t, NULL, run, (void *)i), "thread");
		pthread_join(t, NULL);
	}
}

int main(int argc, char **argv)
{
	pthread_t t;

	need(argc > 2, "usage");
	pause_us = (useconds_t)atoi(argv[2]);
	seconds = argc > 3 ? atof(argv[3]) : 0;
	for (intptr_t i = 0; i < atoi(argv[1]); i++)
		need(!pthread_create(&t, NULL, run_all, (void *)i), "thread");
	pthread_join(t, NULL);
	return 0;
}
