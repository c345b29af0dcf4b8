/* SPDX-License-Identifier: MIT */
/*
 * deepbind DIR: plugins that see another malloc than the program: one loaded
 * with RTLD_DEEPBIND, one in a namespace with a C library of its own. Blocks
 * of the first are freed here: a free without an allocation is no harm.
 */
#include <dlfcn.h>
#include <stdio.h>

#include "host.h"

typedef void *(*work_fn)(size_t);

static NOINLINE void *seen_alloc(size_t n)
{
	return keep(malloc(n));
}

int main(int argc, char **argv)
{
	char a[4096], b[4096];
	void *lib;
	work_fn work;

	need(argc > 1, "deepbind DIR");
	snprintf(a, sizeof(a), "%s/libplugin_a.so", argv[1]);
	snprintf(b, sizeof(b), "%s/libplugin_b.so", argv[1]);
	lib = dlopen(a, RTLD_NOW | RTLD_DEEPBIND);
	work = lib ? (work_fn)dlsym(lib, "plugin_work") : NULL;
	need(work != NULL, "deepbind");
	for (size_t i = 0; i < 500; i++) {
		free(work(i));
		free(seen_alloc(i));
	}
	lib = dlmopen(LM_ID_NEWLM, b, RTLD_NOW);
	work = lib ? (work_fn)dlsym(lib, "plugin_work") : NULL;
	need(work != NULL, "dlmopen");
	for (size_t i = 0; i < 500; i++) {
		need(work(i) != NULL, "no memory");
		free(seen_alloc(i));
	}
	need(!dlclose(lib), "dlclose");
	say("done");
	return 0;
}
