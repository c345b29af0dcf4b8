/* SPDX-License-Identifier: MIT */
/*
 * Fibers on 16 KiB stacks from malloc that allocate in turns, for several
 * segments: their stacks are to be unwound, and the recorder is to stay
 * within what a small stack has left (the words at its end stay as they are).
 */
#include <stdint.h>
#include <ucontext.h>

#include "host.h"

#define FIBERS 32
#define STACK_BYTES (16 * 1024)
#define GUARD_WORDS 32
#define ROUNDS 1000
#define GUARD 0x5ca1ab1e0ddba11ull

static ucontext_t main_context, context[FIBERS];
static uint64_t *stack[FIBERS];

static NOINLINE void *fiber_alloc(size_t n)
{
	return keep(malloc(n));
}

static NOINLINE void *fiber_level(int level, size_t n)
{
	if (!level)
		return keep(fiber_alloc(n));
	return keep(fiber_level(level - 1, n));
}

static void fiber(int i)
{
	for (int round = 0; round < ROUNDS; round++) {
		free(fiber_level(round % 20, (size_t)round));
		swapcontext(&context[i], &main_context);
	}
}

int main(void)
{
	for (int i = 0; i < FIBERS; i++) {
		stack[i] = malloc(STACK_BYTES);
		need(stack[i] != NULL, "malloc");
		for (int k = 0; k < GUARD_WORDS; k++)
			stack[i][k] = GUARD;
		getcontext(&context[i]);
		context[i].uc_stack.ss_sp = stack[i];
		context[i].uc_stack.ss_size = STACK_BYTES;
		context[i].uc_link = &main_context;
		makecontext(&context[i], (void (*)(void))fiber, 1, i);
	}
	for (int round = 0; round <= ROUNDS; round++)
		for (int i = 0; i < FIBERS; i++)
			swapcontext(&main_context, &context[i]);
	for (int i = 0; i < FIBERS; i++) {
		for (int k = 0; k < GUARD_WORDS; k++)
			need(stack[i][k] == GUARD, "stack overrun");
		free(stack[i]);
	}
	say("done");
	return 0;
}
