/* SPDX-License-Identifier: MIT */
/*
 * Children that the C library knows nothing of: a fork-like raw clone whose
 * child allocates and leaves by a raw exit_group, and a CLONE_VM|CLONE_VFORK
 * child that allocates in its parent's memory. The parent's trace is to hold
 * its own allocations whole; the forked child's are never written into it.
 */
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "host.h"

static NOINLINE void *parent_alloc(size_t n)
{
	return keep(malloc(n));
}

static NOINLINE void *cloned_alloc(size_t n)
{
	return keep(malloc(n));
}

static NOINLINE void *shared_alloc(size_t n)
{
	return keep(malloc(n));
}

/* The CLONE_VM child: what it allocates is a matter of its parent's heap. */
static int share(void *arg)
{
	(void)arg;
	for (int i = 0; i < 10; i++)
		free(shared_alloc(70));
	return 0;
}

int main(void)
{
	static _Alignas(64) char stack[1 << 18];
	int status;
	pid_t pid;

	for (int i = 0; i < 1000; i++)
		free(parent_alloc(60));
	for (int turn = 0; turn < 5; turn++) {
		pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
		if (!pid) {
			for (int i = 0; i < 9000; i++)
				free(cloned_alloc(80));
			syscall(SYS_exit_group, 7);
		}
		need(waitpid(pid, &status, 0) == pid &&
			     WEXITSTATUS(status) == 7,
		     "clone");
		for (int i = 0; i < 1000; i++)
			free(parent_alloc(60));
	}
	pid = clone(share, stack + sizeof(stack),
		    CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	need(waitpid(pid, &status, 0) == pid && !status, "clone vm");
	for (int i = 0; i < 1000; i++)
		free(parent_alloc(60));
	say("done");
	return 0;
}
