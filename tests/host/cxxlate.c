/* SPDX-License-Identifier: MIT */
/*
 * cxxlate DIR: a C program that gets C++ by dlopen(RTLD_LOCAL) only, so that
 * libstdc++'s operators are in nobody's sight but the plugin's. Each form of
 * new is to be recorded, and a failing one to throw.
 */
#include <dlfcn.h>
#include <stdio.h>

#include "host.h"

#define TURNS 100

int main(int argc, char **argv)
{
	char path[4096];
	int (*work)(unsigned int);
	void *lib;

	need(argc > 1, "cxxlate DIR");
	snprintf(path, sizeof(path), "%s/libcxxlate.so", argv[1]);
	for (int i = 0; i < 2; i++) {
		lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		need(lib != NULL, "dlopen");
		work = (int (*)(unsigned int))dlsym(lib, "cxx_work");
		need(work != NULL, "dlsym");
		need(work(TURNS) == TURNS, "not every failure was thrown");
		need(!dlclose(lib), "dlclose");
	}
	say("done");
	return 0;
}
