/* SPDX-License-Identifier: MIT */
/*
 * Hands blocks to another thread that frees them, one at a time, so the next
 * allocation often gives this thread the address it was given last. Each
 * allocation and each free is to be there all the same.
 */
#include <semaphore.h>

#include "host.h"

#define ROUNDS 2000

static sem_t given, taken;
static void *block;

static NOINLINE void *give_malloc(size_t n)
{
	return keep(malloc(n));
}

static NOINLINE void *give_calloc(size_t n)
{
	return keep(calloc(1, n));
}

static NOINLINE void *give_realloc(size_t n)
{
	return keep(realloc(NULL, n));
}

static NOINLINE void *give_aligned(size_t n)
{
	return keep(aligned_alloc(64, n));
}

static void *take(void *arg)
{
	for (int i = 0; i < 4 * ROUNDS; i++) {
		sem_wait(&given);
		free(block);
		sem_post(&taken);
	}
	return arg;
}

int main(void)
{
	static void *(*const give[])(size_t) = {give_malloc, give_calloc,
						give_realloc, give_aligned};
	size_t again = 0;
	void *last = NULL;
	pthread_t thread;

	need(!sem_init(&given, 0, 0) && !sem_init(&taken, 0, 0), "sem_init");
	need(!pthread_create(&thread, NULL, take, NULL), "thread");
	for (int i = 0; i < 4 * ROUNDS; i++) {
		/* Larger than what glibc's thread caches keep. */
		block = give[i / ROUNDS](4096);
		need(block != NULL, "no memory");
		again += block == last;
		last = block;
		sem_post(&given);
		sem_wait(&taken);
	}
	pthread_join(thread, NULL);
	if (getenv("HANDOVER_AGAIN"))
		need(again > ROUNDS, "few addresses came again");
	say("done");
	return 0;
}
