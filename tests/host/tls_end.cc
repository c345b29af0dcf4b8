/* SPDX-License-Identifier: MIT */
/*
 * Threads that allocate in pthread key destructors, in all the rounds there
 * are, and in destructors of thread_local objects: each is to be recorded.
 */
#include <pthread.h>

#include "host.h"

#define THREADS 8

static pthread_key_t key;

extern "C" NOINLINE void *key_alloc(void)
{
	return keep(malloc(33));
}

extern "C" NOINLINE void *object_alloc(void)
{
	return keep(malloc(44));
}

/* Allocate, and ask for another round. */
static void at_thread_end(void *p)
{
	free(p);
	pthread_setspecific(key, key_alloc());
}

struct object {
	void *p;

	object() : p(object_alloc())
	{
	}
	~object()
	{
		free(p);
		free(object_alloc());
	}
};

static thread_local object one;

static void *run(void *)
{
	need(one.p != NULL, "object");
	pthread_setspecific(key, key_alloc());
	return NULL;
}

int main()
{
	pthread_t thread[THREADS];

	need(!pthread_key_create(&key, at_thread_end), "key");
	for (pthread_t &t : thread)
		need(!pthread_create(&t, NULL, run, NULL), "thread");
	for (pthread_t &t : thread)
		pthread_join(t, NULL);
	say("done");
	return 0;
}
