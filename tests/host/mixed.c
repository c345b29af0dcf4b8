/* SPDX-License-Identifier: MIT */
/*
 * Uses the C allocation functions from four threads and checks the contents,
 * alignments and usable sizes it gets. To be run under other allocators,
 * linked or preloaded: all calls are to reach them and be recorded.
 */
#include <malloc.h>
#include <stdint.h>

#include "host.h"

#define THREADS 4
#define ROUNDS 5000

static NOINLINE void *mixed_malloc(size_t n)
{
	return keep(malloc(n));
}

static NOINLINE void *mixed_calloc(size_t n)
{
	return keep(calloc(1, n));
}

static NOINLINE void *mixed_realloc(void *p, size_t n)
{
	return keep(realloc(p, n));
}

static NOINLINE void *mixed_memalign(size_t n)
{
	void *p;

	need(!posix_memalign(&p, 128, n), "posix_memalign");
	need(!((uintptr_t)p % 128), "alignment");
	return keep(p);
}

static NOINLINE void *mixed_aligned(size_t n)
{
	void *p = aligned_alloc(64, n);

	need(p && !((uintptr_t)p % 64), "aligned_alloc");
	return keep(p);
}

/* Use a block whole, and free it. */
static void use(unsigned char *p, size_t n, int byte)
{
	need(p != NULL, "no memory");
	need(malloc_usable_size(p) >= n, "usable size");
	memset(p, byte, n);
	for (size_t i = 0; i < n; i += 97)
		need(p[i] == (unsigned char)byte, "contents");
	free(p);
}

static void *run(void *arg)
{
	for (size_t i = 1; i <= ROUNDS; i++) {
		unsigned char *p = mixed_calloc(i % 300 + 1);

		need(!p[i % 300], "calloc");
		p = mixed_realloc(p, i % 600 + 1);
		use(p, i % 600 + 1, 1);
		use(mixed_malloc(i % 2000 + 1), i % 2000 + 1, 2);
		use(mixed_memalign(i % 500 + 1), i % 500 + 1, 3);
		use(mixed_aligned(i % 7 * 64 + 64), i % 7 * 64 + 64, 4);
	}
	return arg;
}

int main(void)
{
	run_threads(THREADS, run);
	say("done");
	return 0;
}
