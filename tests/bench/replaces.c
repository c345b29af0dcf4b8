/* SPDX-License-Identifier: MIT */
/*
 * Replace random ones of LIVE blocks PAIRS times: bench/replaces PAIRS LIVE.
 * Prints the most memory that was resident, in KiB.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static __attribute__((noinline)) void *allocate(size_t size)
{
	void *p = malloc(size);

	/* Keeps the call from becoming a jump. */
	__asm__ volatile("" : "+r"(p));
	return p;
}

int main(int argc, char **argv)
{
	long pairs = argc > 2 ? atol(argv[1]) : 0;
	uint32_t live = argc > 2 ? (uint32_t)atol(argv[2]) : 0;
	void **block = calloc(live, sizeof(*block));
	struct rusage usage;
	uint64_t seed = 1;

	if (!pairs || !live || !block) {
		fprintf(stderr, "usage: replaces PAIRS LIVE\n");
		return 2;
	}
	for (long i = 0; i < pairs; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;

		uint32_t k = (uint32_t)(seed >> 33) % live;

		free(block[k]);
		block[k] = allocate(16 + (seed >> 20) % 200);
	}
	getrusage(RUSAGE_SELF, &usage);
	printf("%ld\n", usage.ru_maxrss);
	return 0;
}
