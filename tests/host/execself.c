/* SPDX-License-Identifier: MIT */
/*
 * execself N: allocates N times ten blocks and executes itself with N - 1,
 * under the same pid, down to 1; at first tries a program that is not there.
 * Each program is to have its own trace; the one whose exec failed goes on.
 */
#include <stdio.h>

#include "host.h"

static NOINLINE void *exec_alloc(void)
{
	return keep(malloc(60));
}

static NOINLINE void *after_failed_exec(void)
{
	return keep(malloc(61));
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 0;
	char next[16];

	for (int i = 0; i < 10 * n; i++)
		keep(exec_alloc());
	execl("/nonexistent/program", "program", (char *)NULL);
	free(after_failed_exec());
	say("turn");
	if (n <= 1)
		return 0;
	snprintf(next, sizeof(next), "%d", n - 1);
	execl(argv[0], argv[0], next, (char *)NULL);
	return 1;
}
