/* SPDX-License-Identifier: MIT */
/*
 * Prints what errno is after each hook, for calls that succeed and calls that
 * fail, and whether any of very many calls (which fill and seal buffers)
 * changed it. The recorder must make no difference.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/mman.h>

#include <new>

#include "host.h"

#define PRESET 12345

static volatile size_t huge_bytes = static_cast<size_t>(-1) / 4;

#define SHOW(name, expression)                         \
	do {                                           \
		errno = PRESET;                        \
		(void)keep((void *)(expression));      \
		int after = errno;                     \
		printf("%s: errno %d\n", name, after); \
	} while (0)

/* Count the calls that changed errno, of very many. */
static void churn()
{
	static void *kept[512];
	int changed = 0;

	for (size_t i = 0; i < 300000; i++) {
		errno = PRESET;
		free(kept[i % 512]);
		changed += errno != PRESET;
		errno = PRESET;
		kept[i % 512] = keep(malloc(i % 700));
		changed += errno != PRESET;
	}
	printf("changed: %d\n", changed);
}

static void *failing_new(size_t n)
{
	try {
		return keep(::operator new(n));
	} catch (const std::bad_alloc &) {
		return NULL;
	}
}

int main()
{
	void *p, *q = NULL;

	setvbuf(stdout, NULL, _IONBF, 0);
	p = keep(malloc(10));
	SHOW("malloc", p);
	SHOW("malloc huge", malloc(huge_bytes));
	SHOW("calloc", q = calloc(3, 5));
	SHOW("free", (free(q), 0L));
	SHOW("free NULL", (free(NULL), 0L));
	SHOW("calloc overflow", calloc(huge_bytes, 9));
	SHOW("realloc", p = realloc(p, 5000));
	SHOW("realloc huge", realloc(p, huge_bytes));
	SHOW("reallocarray overflow", reallocarray(p, huge_bytes, 9));
	SHOW("realloc 0", realloc(p, 0L));
	SHOW("posix_memalign", (long)posix_memalign(&q, 64, 100));
	SHOW("free aligned", (free(q), 0L));
	SHOW("posix_memalign 3", (long)posix_memalign(&q, 3, 100));
	SHOW("posix_memalign huge", (long)posix_memalign(&q, 64, huge_bytes));
	SHOW("aligned_alloc", q = aligned_alloc(256, 512));
	free(q);
	SHOW("aligned_alloc huge", aligned_alloc(256, huge_bytes));
	SHOW("memalign", q = memalign(256, 512));
	free(q);
	SHOW("memalign huge", memalign(256, huge_bytes));
	SHOW("valloc", q = valloc(512));
	free(q);
	SHOW("valloc huge", valloc(huge_bytes));
	SHOW("pvalloc", q = pvalloc(512));
	free(q);
	SHOW("pvalloc huge", pvalloc(huge_bytes));
	SHOW("new", q = ::operator new(7));
	SHOW("delete", (::operator delete(q), 0L));
	SHOW("new huge", failing_new(huge_bytes));
	SHOW("new nothrow huge", ::operator new(huge_bytes, std::nothrow));
	SHOW("large", q = malloc(1 << 20));
	SHOW("free large", (free(q), 0L));
	SHOW("mmap", q = mmap(NULL, 4096, PROT_READ,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L));
	SHOW("munmap", (long)munmap(q, 4096));
	SHOW("munmap bad", (long)munmap((void *)1, 4096));
	churn();
	return 0;
}
