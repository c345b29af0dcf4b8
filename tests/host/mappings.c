/* SPDX-License-Identifier: MIT */
/*
 * Maps, moves, grows and unmaps memory and prints no address: with mmap=1 the
 * trace is to hold each call with its lengths, without it none.
 */
#include <sys/mman.h>

#include "host.h"

#define PAGE 4096ul

static NOINLINE void *map_pages(size_t n)
{
	return keep(mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static NOINLINE void *remap_pages(void *p, size_t from, size_t to)
{
	return keep(mremap(p, from * PAGE, to * PAGE, MREMAP_MAYMOVE));
}

static NOINLINE int unmap_pages(void *p, size_t n)
{
	int r = munmap(p, n * PAGE);

	keep(p);
	return r;
}

int main(void)
{
	for (size_t i = 1; i <= 20; i++) {
		char *p = map_pages(10 * i);

		need(p != MAP_FAILED, "mmap");
		p[0] = 'x';
		p = remap_pages(p, 10 * i, 30 * i);
		need(p != MAP_FAILED && p[0] == 'x', "mremap");
		p[30 * i * PAGE - 1] = 'y';
		need(!unmap_pages(p, 5), "munmap");
		need(!unmap_pages(p + 5 * PAGE, 30 * i - 5), "munmap");
	}
	need(map_pages((size_t)1 << 50) == MAP_FAILED, "too much");
	say("done");
	return 0;
}
