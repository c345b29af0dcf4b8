/* SPDX-License-Identifier: MIT */
/*
 * A handler on an alternate stack interrupts a fiber whose stack is unmapped
 * before the handler comes to the same place again: what is kept of a stack
 * is not to be read once it may be gone.
 */
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "host.h"

#define STACK_BYTES (64 * 1024)
#define TURNS 20

static ucontext_t main_context, context;

static NOINLINE void *gone_alloc(size_t n)
{
	return keep(malloc(n));
}

static void on_user(int sig)
{
	(void)sig;
	free(gone_alloc(33));
}

static NOINLINE void level(int n)
{
	if (n)
		level(n - 1);
	else
		raise(SIGUSR1);
	keep(&n);
}

static void fiber(void)
{
	level(20);
}

int main(void)
{
	static char alt[STACK_BYTES];
	stack_t stack = {.ss_sp = alt, .ss_size = sizeof(alt)};
	struct sigaction act = {.sa_handler = on_user, .sa_flags = SA_ONSTACK};

	need(!sigaltstack(&stack, NULL), "sigaltstack");
	need(!sigaction(SIGUSR1, &act, NULL), "sigaction");
	for (int i = 0; i < TURNS; i++) {
		void *p = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		need(p != MAP_FAILED, "mmap");
		need(!getcontext(&context), "getcontext");
		context.uc_stack.ss_sp = p;
		context.uc_stack.ss_size = STACK_BYTES;
		context.uc_link = &main_context;
		makecontext(&context, fiber, 0);
		need(!swapcontext(&main_context, &context), "swapcontext");
		need(!munmap(p, STACK_BYTES), "munmap");
		raise(SIGUSR1);
	}
	say("done");
	return 0;
}
