/* SPDX-License-Identifier: MIT */
/*
 * plugins DIR FILE: loads and unloads two plugins in turn, which come to stand
 * at the same addresses; both allocate in constructors and functions. Each
 * allocation is to be named after the plugin that was there at the time. FILE
 * gets the number of turns that found a plugin where the other had been.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>

#include "host.h"

#define TURNS 50

typedef void *(*work_fn)(size_t);

/* Use a plugin once; return where it stood. */
static void *use(const char *path, size_t n)
{
	void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	work_fn work = lib ? (work_fn)dlsym(lib, "plugin_work") : NULL;

	need(work != NULL, "dlopen");
	for (int i = 0; i < 4; i++)
		free(work(n));
	need(!dlclose(lib), "dlclose");
	return (void *)work;
}

int main(int argc, char **argv)
{
	char a[4096], b[4096], text[32];
	int reused = 0, n, fd;

	need(argc > 2, "plugins DIR FILE");
	snprintf(a, sizeof(a), "%s/libplugin_a.so", argv[1]);
	snprintf(b, sizeof(b), "%s/libplugin_b.so", argv[1]);
	for (size_t i = 0; i < TURNS; i++)
		reused += use(a, 1000 + i) == use(b, 2000 + i);
	fd = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0644);
	n = snprintf(text, sizeof(text), "%d\n", reused);
	need(write(fd, text, (size_t)n) == n, "write");
	say("done");
	return 0;
}
