/* SPDX-License-Identifier: MIT */
/*
 * Starts itself as a child by vfork and exec, posix_spawn, system() and
 * popen(): five traces, the parent's whole, each child's of its own.
 */
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

#include "host.h"

extern char **environ;

static NOINLINE void *parent_alloc(void)
{
	return keep(malloc(60));
}

static NOINLINE void *spawned_alloc(void)
{
	return keep(malloc(70));
}

static void work(void)
{
	for (int i = 0; i < 100; i++)
		free(parent_alloc());
}

static void wait_for(pid_t pid)
{
	int status;

	need(pid > 0, "spawn");
	need(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 5,
	     "child");
}

int main(int argc, char **argv)
{
	char *args[] = {argv[0], (char *)"child", NULL};
	char command[4096], line[64];
	pid_t pid;

	if (argc > 1) {
		for (int i = 0; i < 25; i++)
			free(spawned_alloc());
		say("child");
		return 5;
	}
	work();
	pid = vfork();
	if (!pid) {
		execv(argv[0], args);
		_exit(1);
	}
	wait_for(pid);
	work();
	need(!posix_spawn(&pid, argv[0], NULL, NULL, args, environ), "spawn");
	wait_for(pid);
	work();
	pid = vfork();
	if (!pid)
		_exit(5);
	wait_for(pid);
	work();
	snprintf(command, sizeof(command), "%s child", argv[0]);
	need(WEXITSTATUS(system(command)) == 5, "system");
	work();
	FILE *f = popen(command, "r");

	need(f && fgets(line, sizeof(line), f), "popen");
	need(WEXITSTATUS(pclose(f)) == 5, "pclose");
	say(line);
	return 0;
}
