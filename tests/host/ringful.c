/* SPDX-License-Identifier: MIT */
/*
 * ringful CASE [STEPS]: fills a small ring many times over in ways that one
 * thread alone does not; tests/integration/ringful.sh knows what must come of
 * it. What each case allocates and frees is the same in every run.
 */
#include <memtrace/memtrace.h>
#include <sched.h>
#include <stdint.h>
#include <sys/wait.h>

#include "host.h"

#define THREADS 200
#define SLOTS 1024
#define HANDED 1000000

static void *volatile leaked;
static void *volatile queue[SLOTS];

static NOINLINE void *allocate(size_t size)
{
	return keep(malloc(size));
}

/* Replace random blocks `steps` times; all are freed in the end. */
static void churn(uint64_t seed, long steps)
{
	void *block[256] = {0};

	for (long i = 0; i < steps; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;

		void **b = &block[seed >> 56];

		free(*b);
		*b = allocate(1 + (seed >> 33) % 2000);
	}
	for (int i = 0; i < 256; i++)
		free(block[i]);
}

static void *one_of_many(void *arg)
{
	churn((uintptr_t)arg, 10000);
	return NULL;
}

/* Threads that come and go, two at a time. */
static void threads(void)
{
	pthread_t t[2];

	for (uintptr_t i = 0; i < THREADS; i += 2) {
		for (uintptr_t j = 0; j < 2; j++)
			need(!pthread_create(&t[j], NULL, one_of_many,
					     (void *)(i + j + 1)),
			     "thread");
		for (int j = 0; j < 2; j++)
			pthread_join(t[j], NULL);
	}
}

static void *frees(void *arg)
{
	for (long i = 0; i < HANDED; i++) {
		void *p;

		while (!(p = __atomic_exchange_n(&queue[i % SLOTS], NULL,
						 __ATOMIC_ACQUIRE)))
			sched_yield();
		free(p);
	}
	return arg;
}

/* One thread allocates what another frees, as fast as they can. */
static void handover(void)
{
	pthread_t t;

	need(!pthread_create(&t, NULL, frees, NULL), "thread");
	for (long i = 0; i < HANDED; i++) {
		while (queue[i % SLOTS])
			sched_yield();
		__atomic_store_n(&queue[i % SLOTS], allocate(16 + i % 200),
				 __ATOMIC_RELEASE);
	}
	pthread_join(t, NULL);
}

/* So many live blocks, one of them replaced at each of `steps`; none is freed
 * in the end. */
static void holds(long steps)
{
	static void *block[40000];
	uint64_t seed = 1;

	for (long i = 0; i < steps; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;

		void **b = &block[(seed >> 33) % 40000];

		free(*b);
		*b = allocate(1 + (seed >> 20) % 500);
	}
}

/* A scan while the ring is full, then `steps` more. */
static void scan(long steps)
{
	churn(1, 1000000);
	leaked = allocate(77);
	leaked = NULL;
	while (memtrace_leak_check() < 0)
		usleep(1000);
	churn(2, steps);
	usleep(200000);
}

/* A fork while the other thread folds; both go on. */
static void forks(void)
{
	pthread_t t[2];
	int status;

	for (uintptr_t j = 0; j < 2; j++)
		need(!pthread_create(&t[j], NULL, one_of_many, (void *)j),
		     "thread");
	churn(1, 1000000);
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();

		need(pid >= 0, "fork");
		if (!pid) {
			churn(3, 1000);
			exit(0);
		}
		churn(4, 20000);
		need(waitpid(pid, &status, 0) == pid && !status, "the child");
	}
	for (int j = 0; j < 2; j++)
		pthread_join(t[j], NULL);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (strcmp(name, "threads") == 0)
		threads();
	else if (strcmp(name, "handover") == 0)
		handover();
	else if (strcmp(name, "scan") == 0)
		scan(argc > 2 ? atol(argv[2]) : 0);
	else if (strcmp(name, "holds") == 0)
		holds(argc > 2 ? atol(argv[2]) : 0);
	else if (strcmp(name, "forks") == 0)
		forks();
	else
		need(0, "no such case");
	return 0;
}
