/* SPDX-License-Identifier: MIT */
/*
 * A handler on an alternate stack allocates, called by raise() and by a fault
 * in the middle of a function: the stacks go through the signal frame to main.
 */
#include <signal.h>
#include <sys/mman.h>

#include "host.h"

#define ALT_BYTES (16 * 1024)

static char *page;

static NOINLINE void *alt_alloc(size_t n)
{
	return keep(malloc(n));
}

static void on_user(int sig)
{
	(void)sig;
	free(alt_alloc(31));
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	need(info->si_addr == page, "other fault");
	free(alt_alloc(32));
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

static NOINLINE void fault(void)
{
	mprotect(page, 4096, PROT_NONE);
	*(volatile char *)page = 1;
}

int main(void)
{
	struct sigaction act = {.sa_handler = on_user, .sa_flags = SA_ONSTACK};
	stack_t alt = {.ss_sp = malloc(ALT_BYTES), .ss_size = ALT_BYTES};

	need(alt.ss_sp && !sigaltstack(&alt, NULL), "sigaltstack");
	need(!sigaction(SIGUSR1, &act, NULL), "sigaction");
	act.sa_flags |= SA_SIGINFO;
	act.sa_sigaction = on_fault;
	need(!sigaction(SIGSEGV, &act, NULL), "sigaction");
	page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(page != MAP_FAILED, "mmap");
	for (int i = 0; i < 50; i++) {
		raise(SIGUSR1);
		fault();
	}
	say("done");
	return 0;
}
