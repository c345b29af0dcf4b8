/* SPDX-License-Identifier: MIT */
/*
 * An allocator that signal handlers may call, for the programs whose handlers
 * do: a block is cut off a fixed arena with one atomic addition, and freeing
 * does nothing. Preloaded behind the recorder it is the real allocator.
 */
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES (1ull << 30)

static _Alignas(4096) char arena[ARENA_BYTES];
static _Atomic size_t used;

/* Return `size` bytes aligned to `align`, or NULL. */
static void *cut(size_t align, size_t size)
{
	size_t whole = size + align + 16, at;

	if (size > ARENA_BYTES / 2 || align > ARENA_BYTES / 4)
		return NULL;
	at = atomic_fetch_add(&used, (whole + 15) & ~(size_t)15);
	if (at + whole > ARENA_BYTES)
		return NULL;

	uintptr_t p = ((uintptr_t)arena + at + 16 + align - 1) & -align;

	((size_t *)p)[-1] = size;
	return (void *)p;
}

void *malloc(size_t size)
{
	void *p = cut(16, size);

	if (!p)
		errno = ENOMEM;
	return p;
}

void free(void *p)
{
	(void)p;
}

void *calloc(size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return malloc(bytes);
}

size_t malloc_usable_size(void *p)
{
	return p ? ((size_t *)p)[-1] : 0;
}

void *realloc(void *p, size_t size)
{
	void *q = malloc(size);
	size_t old = malloc_usable_size(p);

	if (p && q)
		memcpy(q, p, old < size ? old : size);
	return q;
}

void *memalign(size_t align, size_t size)
{
	return cut(align < 16 ? 16 : align, size);
}

void *aligned_alloc(size_t align, size_t size)
{
	return memalign(align, size);
}

int posix_memalign(void **p, size_t align, size_t size)
{
	*p = memalign(align, size);
	return *p ? 0 : ENOMEM;
}
