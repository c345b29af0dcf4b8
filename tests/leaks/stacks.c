/* SPDX-License-Identifier: MIT */
/* Stacks: dead slots, coroutines, blocks that only registers know. */
#define _GNU_SOURCE
#include "case.h"

#include <alloca.h>
#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

static ucontext_t caller, other[3];

/* Leave pointers all over the stack, which then is dead. */
static OUTLINE void litter(int depth)
{
	void *volatile slot[8];

	for (int i = 0; i < 8; i++)
		slot[i] = make(24);
	if (depth)
		litter(depth - 1);
	slot[0] = slot[7];
}

/* Expect: definite 80 blocks 1920 bytes in make */
CASE(lose_in_dead_frames)
{
	litter(9);
}

/* Expect: held_at_exit 80 blocks 1920 bytes in make */
CASE(lose_in_dead_frames_and_exit)
{
	litter(9);
	exit(0);
}

/* Expect: held_at_exit 80 blocks 1920 bytes in make */
CASE(lose_in_dead_frames_and__exit)
{
	litter(9);
	_exit(0);
}

/* Expect: definite 80 blocks 1920 bytes in make */
CASE(lose_in_dead_frames_and_print)
{
	litter(9);
	printf("%d\n", 1);
	fflush(stdout);
}

/* Expect: definite 1 block 500 bytes in make */
CASE(lose_from_alloca)
{
	void **room = alloca(4096);

	room[100] = make(500);
	kept = room[100];
	kept = NULL;
}

/* Expect: held_at_exit any */
CASE(exit_with_alloca)
{
	void *volatile *room = alloca(4096);

	room[100] = make(500);
	exit(0);
}

/* Make a coroutine. */
static OUTLINE void prepare(ucontext_t *c, void *stack, size_t size,
			    void (*f)(void))
{
	getcontext(c);
	c->uc_stack.ss_sp = stack;
	c->uc_stack.ss_size = size;
	c->uc_link = &caller;
	makecontext(c, f, 0);
}

static OUTLINE void hold_and_yield(void)
{
	void *volatile mine = list(3, 40);

	swapcontext(&other[0], &caller);
	free(mine);
}

/* Expect: none */
CASE(keep_on_mapped_coroutine)
{
	prepare(&other[0], map_pages(16), 65536, hold_and_yield);
	swapcontext(&caller, &other[0]);
}

/* Expect: none */
CASE(keep_on_allocated_coroutine)
{
	kept = make(65536);
	prepare(&other[0], kept, 65536, hold_and_yield);
	swapcontext(&caller, &other[0]);
}

/* Expect: none */
CASE(keep_on_huge_coroutine)
{
	kept = make(1 << 20);
	prepare(&other[0], kept, 1 << 20, hold_and_yield);
	swapcontext(&caller, &other[0]);
}

static OUTLINE void lose_and_yield(void)
{
	make(48);
	swapcontext(&other[0], &caller);
}

/* Expect: definite 1 block 48 bytes in make */
CASE(lose_and_end_coroutine)
{
	void *stack = make(65536);

	prepare(&other[0], stack, 65536, lose_and_yield);
	swapcontext(&caller, &other[0]);
	free(stack);
}

static OUTLINE void hold_and_exit(void)
{
	void *volatile mine = list(3, 40);

	exit(mine == NULL);
}

/* Expect: none */
CASE(exit_on_mapped_coroutine)
{
	prepare(&other[0], map_pages(16), 65536, hold_and_exit);
	swapcontext(&caller, &other[0]);
}

/* Expect: none */
CASE(exit_on_allocated_coroutine)
{
	void *volatile mine = list(2, 24);

	prepare(&other[0], make(65536), 65536, hold_and_exit);
	swapcontext(&caller, &other[0]);
	free(mine);
}

static OUTLINE void yield_to_next(void)
{
	void *volatile mine = list(3, 40);

	swapcontext(&other[0], &other[1]);
	free(mine);
}

static OUTLINE void yield_back(void)
{
	void *volatile mine = list(3, 48);

	swapcontext(&other[1], &other[2]);
	free(mine);
}

/* Expect: none */
CASE(exit_on_small_coroutine)
{
	char *pages = (char *)map_pages(5);

	mprotect(pages, 4096, PROT_NONE);
	prepare(&other[0], pages + 4096, 16384, hold_and_exit);
	swapcontext(&caller, &other[0]);
}

/* Expect: none */
CASE(exit_between_coroutines)
{
	/* Side by side in one mapping, as pools of them are. */
	char *pages = (char *)map_pages(48);

	prepare(&other[0], pages, 65536, yield_to_next);
	prepare(&other[2], pages + 65536, 65536, hold_and_exit);
	prepare(&other[1], pages + 131072, 65536, yield_back);
	swapcontext(&caller, &other[0]);
}

static OUTLINE void hold_and_return(int sig)
{
	(void)sig;
	kept = make(32);
}

/* Expect: none */
CASE(keep_from_handler)
{
	stack_t own = {.ss_sp = map_pages(16), .ss_size = 65536};
	struct sigaction act = {.sa_handler = hold_and_return,
				.sa_flags = SA_ONSTACK};

	sigaltstack(&own, NULL);
	sigaction(SIGUSR1, &act, NULL);
	raise(SIGUSR1);
}

static OUTLINE void lose_in_handler(int sig)
{
	(void)sig;
	make(32);
}

/* Expect: definite 1 block 32 bytes in make */
CASE(lose_from_handler)
{
	signal(SIGUSR1, lose_in_handler);
	raise(SIGUSR1);
}

/* Expect: none */
CASE(keep_own_signal_stack)
{
	stack_t own = {.ss_sp = make(16384), .ss_size = 16384};

	kept = own.ss_sp;
	sigaltstack(&own, NULL);
}

/* Expect: none */
CASE(keep_in_argument_vector)
{
	extern char **environ;

	environ[0] = strcpy(make(8), "A=b");
}
