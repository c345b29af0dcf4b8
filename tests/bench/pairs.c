/* SPDX-License-Identifier: MIT */
/*
 * Does nothing but malloc and free: pairs [N]. Prints the ns of CPU time that a
 * pair takes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 20000000;
	double start = cpu_ns();

	for (long i = 0; i < n; i++) {
		void *volatile p = malloc(16 + (size_t)(i & 127));

		free(p);
	}
	printf("%.3f\n", (cpu_ns() - start) / (double)n);
	return 0;
}
