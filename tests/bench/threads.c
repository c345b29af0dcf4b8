/* SPDX-License-Identifier: MIT */
/*
 * N threads that share nothing but the allocator, each allocating and freeing
 * PAIRS blocks from stacks a few frames deep: bench/threads N PAIRS. With a
 * core for each it should take as long with two threads as with one.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_THREADS 64
#define HELD 64

static unsigned long pairs;

/* Allocate from a stack that is `depth` frames deeper. */
static __attribute__((noinline)) void *allocate(unsigned int depth, size_t size)
{
	void *p = depth ? allocate(depth - 1, size) : malloc(size);

	/* Keeps the call from becoming a jump. */
	__asm__ volatile("" : "+r"(p));
	return p;
}

/* Replace the oldest of a few blocks, again and again. */
static void *churn(void *arg)
{
	void *held[HELD] = {0};

	(void)arg;
	for (unsigned long i = 0; i < pairs; i++) {
		free(held[i % HELD]);
		held[i % HELD] = allocate(i % 8, 16 + i % 32 * 16);
	}
	for (unsigned int i = 0; i < HELD; i++)
		free(held[i]);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread[MAX_THREADS];
	unsigned int n = argc > 2 ? (unsigned int)atoi(argv[1]) : 0;

	if (!n || n > MAX_THREADS) {
		fprintf(stderr, "usage: threads N PAIRS\n");
		return 2;
	}
	pairs = strtoul(argv[2], NULL, 10);
	for (unsigned int i = 0; i < n; i++)
		if (pthread_create(&thread[i], NULL, churn, NULL))
			return 1;
	for (unsigned int i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	return 0;
}
