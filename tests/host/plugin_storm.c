/* SPDX-License-Identifier: MIT */
/*
 * plugin_storm DIR: one thread loads and unloads a plugin, another throws its
 * allocations at the recorder from ever new stacks, a third walks the loaded
 * objects: no deadlock with the loader's lock, and every allocation is there.
 */
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>

#include "host.h"

#define TURNS 300

static NOINLINE void *storm_alloc(unsigned int depth)
{
	void *p;

	if (depth)
		p = storm_alloc(depth - 1);
	else
		p = malloc(64);
	return keep(p);
}

static void *allocate(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < 30000; i++)
		free(storm_alloc(i % 40));
	return NULL;
}

static NOINLINE void *walk_alloc(void)
{
	return keep(malloc(72));
}

/* Allocate with the loader's lock held. */
static int visit(struct dl_phdr_info *info, size_t bytes, void *arg)
{
	(void)info;
	(void)bytes;
	(void)arg;
	free(walk_alloc());
	return 1;
}

static void *walk(void *arg)
{
	(void)arg;
	for (int i = 0; i < 2000; i++)
		dl_iterate_phdr(visit, NULL);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread[2];
	char path[4096];

	need(argc > 1, "plugin_storm DIR");
	snprintf(path, sizeof(path), "%s/libplugin_a.so", argv[1]);
	need(!pthread_create(&thread[0], NULL, allocate, NULL), "thread");
	need(!pthread_create(&thread[1], NULL, walk, NULL), "thread");
	for (int i = 0; i < TURNS; i++) {
		void *lib = dlopen(path, RTLD_NOW);
		void *(*work)(size_t) =
			lib ? (void *(*)(size_t))dlsym(lib, "plugin_work")
			    : NULL;

		need(work != NULL, "dlopen");
		free(work(10));
		need(!dlclose(lib), "dlclose");
	}
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	say("done");
	return 0;
}
