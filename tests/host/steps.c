/* SPDX-License-Identifier: MIT */
/*
 * Does a little of everything that makes the recorder call the system: seals
 * segments, starts threads, loads and unloads a library, maps memory. To be
 * run with those calls failing one after another.
 */
#include <dlfcn.h>
#include <pthread.h>

#include "host.h"

static NOINLINE void *step_alloc(size_t n)
{
	return keep(malloc(n));
}

static NOINLINE void *nested_alloc(unsigned int depth, size_t n)
{
	void *p = depth ? nested_alloc(depth - 1, n) : step_alloc(n);

	return keep(p);
}

static void *churn(void *arg)
{
	static __thread void *kept[64];

	for (size_t i = 0; i < 20000; i++) {
		void **slot = &kept[i % 64];

		free(*slot);
		*slot = nested_alloc(i % 50, i % 777);
		need(*slot != NULL, "no memory");
		memset(*slot, 1, i % 777);
	}
	for (int i = 0; i < 64; i++) {
		free(kept[i]);
		kept[i] = NULL;
	}
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	churn(NULL);
	for (int i = 0; i < 3; i++) {
		need(!pthread_create(&thread, NULL, churn, NULL), "thread");
		pthread_join(thread, NULL);
	}
	if (argc > 1) {
		void *lib = dlopen(argv[1], RTLD_NOW);

		need(lib && !dlclose(lib), "dlopen");
	}
	churn(NULL);
	say("done");
	return 3;
}
