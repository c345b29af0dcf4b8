// SPDX-License-Identifier: MIT
//
// Build: -std=gnu++17
//
// Says itself what tracers are to be told of its blocks, in a file:
//
//   kinds FILE  every way to get and give back a block, and those that fail
//   many FILE   blocks of many sizes, of which some are freed
//
// A line is "alloc ADDRESS SIZE" or "free ADDRESS". Nothing else allocates.
#include <fcntl.h>
#include <malloc.h>
#include <new>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile size_t too_much = ~(size_t)0 / 2;

static struct {
	uintptr_t address;
	size_t size;
	bool is_free;
} lines[20000];
static unsigned int line_count;

// Note an allocation, if there is a block; return it.
static char *got(void *p, size_t size)
{
	if (p) {
		lines[line_count].address = (uintptr_t)p;
		lines[line_count++].size = size;
	}
	return (char *)p;
}

// Note that a block is about to end; return it.
static char *given(void *p)
{
	if (p) {
		lines[line_count].address = (uintptr_t)p;
		lines[line_count++].is_free = true;
	}
	return (char *)p;
}

static void reallocs()
{
	char *p = got(realloc(NULL, 70), 70);
	char *q = got(malloc(70), 70); // so that p has to move
	size_t usable;

	p = got(realloc(given(p), 20000), 20000);
	p = got(realloc(given(p), 19000), 19000);
	usable = malloc_usable_size(p);
	given(p);
	if (realloc(p, too_much))
		abort();
	got(p, usable); // it lives on
	p = got(reallocarray(given(p), 10, 30), 300);
	if (realloc(given(p), 0))
		abort();
	free(given(q));
}

static void aligned()
{
	void *p;

	if (posix_memalign(&p, 64, 200))
		abort();
	got(p, 200);
	free(given(p));
	free(given(got(aligned_alloc(64, 128), 128)));
	free(given(got(memalign(128, 300), 300)));
	free(given(got(valloc(10), 10)));
}

static void operators()
{
	operator delete(given(got(operator new(33), 33)));
	operator delete[](given(got(operator new[](44), 44)));
	operator delete(given(got(operator new(55, std::nothrow), 55)),
			std::nothrow);
	operator delete(given(got(operator new(66, std::align_val_t(64)), 66)),
			std::align_val_t(64));
}

static void kinds()
{
	got(malloc(100), 100);
	free(given(got(malloc(0), 0)));
	free(given(got(calloc(3, 50), 150)));
	reallocs();
	aligned();
	operators();
	got(malloc(too_much), 0);
	got(calloc(too_much, 16), 0);
	free(NULL);
}

static void many()
{
	static void *kept[64];
	uint32_t random = 1;

	for (int i = 0; i < 4000; i++) {
		void **slot = &kept[i % 64];
		size_t size;

		random = random * 1664525 + 1013904223;
		size = (random >> 8) % 20000;
		if (random >> 30 == 0) {
			*slot = got(realloc(given(*slot), size + 1), size + 1);
			continue;
		}
		free(given(*slot));
		*slot = got(malloc(size), size);
	}
}

int main(int argc, char **argv)
{
	static char buffer[1 << 16];
	int fd = argc > 2 ? open(argv[2], O_WRONLY | O_CREAT, 0600) : -1;

	if (fd < 0)
		return 2;
	dup2(fd, STDOUT_FILENO);
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	if (strcmp(argv[1], "kinds") == 0)
		kinds();
	else
		many();
	for (unsigned int i = 0; i < line_count; i++) {
		if (lines[i].is_free)
			printf("free %zu\n", lines[i].address);
		else
			printf("alloc %zu %zu\n", lines[i].address,
			       lines[i].size);
	}
	return 0;
}
