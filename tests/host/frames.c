/* SPDX-License-Identifier: MIT */
/*
 * Frames that move: alloca and variable arrays between allocations, longjmp
 * out of them, no frame pointers. Each allocation is to have the stack it was
 * made from: frames_alloc() under the function that called it at the time.
 */
/* Build: -fomit-frame-pointer */
#include <alloca.h>
#include <setjmp.h>

#include "host.h"

static jmp_buf back;

static NOINLINE void *frames_alloc(size_t n)
{
	return keep(malloc(n));
}

static NOINLINE void by_alloca(size_t n)
{
	for (size_t i = 1; i < n; i++) {
		char *room = alloca(i * 8);

		memset(room, 0, i * 8);
		keep(room);
		free(frames_alloc(i));
	}
}

static NOINLINE void by_array(size_t n)
{
	char room[n];

	memset(room, 0, n);
	keep(room);
	free(frames_alloc(n));
}

static NOINLINE void by_jump(int level)
{
	free(frames_alloc(5));
	if (level)
		by_jump(level - 1);
	if (!keep(NULL))
		longjmp(back, 1);
	keep(NULL);
}

int main(void)
{
	by_alloca(100);
	for (size_t i = 1; i < 100; i++)
		by_array(i);
	for (int i = 0; i < 100; i++)
		if (!setjmp(back))
			by_jump(i % 10);
	say("done");
	return 0;
}
