/* SPDX-License-Identifier: MIT */
/*
 * What v1.0.zst is a recording of: two threads, a block that one hands to the
 * other, reallocs that grow and shrink, alignments, sizes, and a failure. It
 * is here to read, not to build: the trace is never made again.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>

static void *shared;

static void *other(void *arg)
{
	free(shared);
	return calloc(3, (size_t)arg);
}

int main(void)
{
	pthread_t t;
	void *p = malloc(100), *q, *fail;

	p = realloc(p, 5000);
	p = realloc(p, 20);
	shared = malloc(64);
	pthread_create(&t, NULL, other, (void *)50);
	pthread_join(t, &q);
	free(q);
	free(p);
	free(memalign(256, 1000));
	if (posix_memalign(&p, 64, 10) == 0)
		free(p);
	free(aligned_alloc(32, 96));
	for (int i = 0; i < 40; i++)
		free(malloc((size_t)i * 7));
	fail = malloc((size_t)-1 / 4);
	(void)fail;
	return malloc(77) == NULL;
}
