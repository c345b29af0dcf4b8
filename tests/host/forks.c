/* SPDX-License-Identifier: MIT */
/*
 * A storm of forks from four threads while others allocate; the children
 * allocate and exit, by exit() or _exit(), some fork once more. Each is to
 * have a trace of its own with its own allocations, and one writer.
 */
#include <sys/wait.h>

#include "host.h"

#define THREADS 4
#define CHILDREN 5

static NOINLINE void *parent_alloc(size_t n)
{
	return keep(malloc(n));
}

static NOINLINE void *child_alloc(size_t n)
{
	return keep(malloc(n));
}

static NOINLINE void *grandchild_alloc(size_t n)
{
	return keep(malloc(n));
}

static void wait_for(pid_t pid)
{
	int status;

	need(pid > 0, "fork");
	need(waitpid(pid, &status, 0) == pid && !status, "child");
}

static void child(int i)
{
	for (int k = 0; k < 10; k++)
		free(child_alloc(100));
	if (i == 0) {
		pid_t pid = fork();

		if (!pid) {
			for (int k = 0; k < 5; k++)
				free(grandchild_alloc(100));
			exit(0);
		}
		wait_for(pid);
	}
	if (i % 2)
		_exit(0);
	exit(0);
}

static void *run(void *arg)
{
	(void)arg;
	for (int i = 0; i < CHILDREN; i++) {
		void *p = parent_alloc(500);
		pid_t pid = fork();

		if (!pid) {
			free(p);
			child(i);
		}
		for (int k = 0; k < 999; k++)
			free(parent_alloc(50));
		wait_for(pid);
		free(p);
	}
	return NULL;
}

int main(void)
{
	run_threads(THREADS, run);
	say("done");
	return 0;
}
