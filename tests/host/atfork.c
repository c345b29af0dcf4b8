/* SPDX-License-Identifier: MIT */
/*
 * Allocates in handlers that run around fork(), before and after the C
 * library's own and in the child; and forks in a signal handler. The child's
 * go to the child's trace, the others to the parent's.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "host.h"

static NOINLINE void *prepare_alloc(void)
{
	return keep(malloc(10));
}

static NOINLINE void *parent_alloc(void)
{
	return keep(malloc(20));
}

static NOINLINE void *child_alloc(void)
{
	return keep(malloc(30));
}

static void prepare(void)
{
	free(prepare_alloc());
}

static void parent(void)
{
	free(parent_alloc());
}

static void child(void)
{
	free(child_alloc());
}

static void fork_once(void)
{
	pid_t pid = fork();
	int status = 0;

	if (!pid)
		exit(5);
	need(pid > 0 && waitpid(pid, &status, 0) == pid, "fork");
	need(WIFEXITED(status) && WEXITSTATUS(status) == 5, "child");
}

static void on_signal(int sig)
{
	(void)sig;
	fork_once();
}

int main(void)
{
	struct sigaction act = {.sa_handler = on_signal};

	need(!pthread_atfork(prepare, parent, child), "atfork");
	need(!sigaction(SIGUSR1, &act, NULL), "sigaction");
	for (int i = 0; i < 5; i++) {
		fork_once();
		raise(SIGUSR1);
	}
	say("done");
	return 0;
}
