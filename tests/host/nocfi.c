/* SPDX-License-Identifier: MIT */
/*
 * A program without unwind tables, and code written at run time that calls
 * malloc: their stacks end where nothing is known, and no harm comes of it.
 */
/* Build: -fno-asynchronous-unwind-tables -fno-unwind-tables */
#include <sys/mman.h>

#include "host.h"

/* push rbx; mov rbx, rdi; mov rdi, rsi; call rbx; pop rbx; ret */
static const unsigned char code[] = {0x53, 0x48, 0x89, 0xfb, 0x48, 0x89,
				     0xf7, 0xff, 0xd3, 0x5b, 0xc3};

static NOINLINE void *nocfi_alloc(size_t n)
{
	return keep(malloc(n));
}

int main(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *(*jit)(void *(*)(size_t), size_t);

	need(page != MAP_FAILED, "mmap");
	memcpy(page, code, sizeof(code));
	need(!mprotect(page, 4096, PROT_READ | PROT_EXEC), "mprotect");
	memcpy(&jit, &page, sizeof(jit));
	for (size_t i = 0; i < 1000; i++) {
		free(nocfi_alloc(i));
		free(jit(malloc, i));
		free(jit(nocfi_alloc, i));
	}
	say("done");
	return 0;
}
