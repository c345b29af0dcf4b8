/* SPDX-License-Identifier: MIT */
/*
 * A program with an allocator of its own in the executable, which therefore
 * comes before the recorder's: nothing is there to record and no harm done.
 */
#include <dlfcn.h>
#include <stdio.h>

#include "host.h"
#include "libsafealloc.c"

int main(int argc, char **argv)
{
	char *copy = strdup("copied by the C library");

	need(copy && !strcmp(copy, "copied by the C library"), "strdup");
	need(malloc_usable_size(copy) == 24, "not my malloc");
	free(copy);
	printf("%d argument%s\n", argc, argc == 1 ? "" : "s");
	if (argc > 1) {
		void *lib = dlopen(argv[1], RTLD_NOW);

		need(lib != NULL, "dlopen");
		dlclose(lib);
	}
	return 2;
}
