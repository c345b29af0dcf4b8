/* SPDX-License-Identifier: MIT */
/*
 * deep N...: for each N allocates three times at N levels of recursion below
 * main. Stacks to 1,024 frames are to be exact, deeper ones cut and counted.
 */
#include "host.h"

static NOINLINE void *deep_alloc(void)
{
	return keep(malloc(21));
}

static NOINLINE void *level(long n)
{
	void *p;

	if (n > 1)
		p = level(n - 1);
	else
		p = deep_alloc();
	return keep(p);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		for (int k = 0; k < 3; k++)
			free(level(atol(argv[i])));
	say("done");
	return 0;
}
