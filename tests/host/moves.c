/* SPDX-License-Identifier: MIT */
/*
 * moves chroot DIR | chdir | setuid | umask: takes the ground from under the
 * recorder's files after start, then allocates for many segments and forks.
 * The parent's trace is to be whole, no file is to appear elsewhere.
 */
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "host.h"

#define ROUNDS 60000

static NOINLINE void *moved_alloc(size_t n)
{
	return keep(malloc(n));
}

static void move(int argc, char **argv)
{
	if (!strcmp(argv[1], "chroot")) {
		need(argc > 2 && !chroot(argv[2]) && !chdir("/"), "chroot");
	} else if (!strcmp(argv[1], "chdir")) {
		need(!chdir("/"), "chdir");
	} else if (!strcmp(argv[1], "umask")) {
		umask(0777);
	} else {
		need(!setgroups(0, NULL) && !setgid(65534) && !setuid(65534),
		     "setuid");
	}
}

int main(int argc, char **argv)
{
	int status;
	pid_t pid;

	need(argc > 1, "moves HOW");
	free(moved_alloc(1));
	move(argc, argv);
	for (size_t i = 0; i < ROUNDS; i++)
		free(moved_alloc(i % 3000));
	pid = fork();
	if (!pid) {
		for (size_t i = 0; i < ROUNDS; i++)
			free(moved_alloc(i % 3000));
		_exit(6);
	}
	need(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 6,
	     "child");
	say("done");
	return 0;
}
