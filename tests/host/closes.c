/* SPDX-License-Identifier: MIT */
/*
 * closes daemon|range|loop FILE: closes all descriptors as daemons do, opens
 * files of its own, which may get the recorder's numbers, and allocates for
 * many a segment. FILE is to hold the program's own bytes and nothing else;
 * the trace is to be whole.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "host.h"

#define FILES 300
#define ROUNDS 60000

static NOINLINE void *closed_alloc(size_t n)
{
	return keep(malloc(n));
}

static void close_all(const char *how)
{
	int keep_out = 1;

	if (!strcmp(how, "range")) {
		need(!close_range(3, ~0U, 0), "close_range");
	} else if (!strcmp(how, "loop")) {
		for (int fd = 3; fd < 4096; fd++)
			close(fd);
	} else {
		pid_t pid = fork();

		if (pid > 0) {
			int status;

			waitpid(pid, &status, 0);
			_exit(WEXITSTATUS(status));
		}
		setsid();
		keep_out = dup(1);
		for (int fd = 0; fd < 4096; fd++)
			if (fd != keep_out)
				close(fd);
		dup2(keep_out, 1);
		close(keep_out);
	}
}

int main(int argc, char **argv)
{
	int fds[FILES];
	char name[4096];

	need(argc > 2, "closes HOW FILE");
	free(closed_alloc(1));
	close_all(argv[1]);
	/* The numbers the recorder may have had are the program's now. */
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "%s.%d", argv[2], i);
		fds[i] = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
		need(fds[i] >= 0, "open");
	}
	for (size_t i = 0; i < ROUNDS; i++)
		free(closed_alloc(i % 3000));
	for (int i = 0; i < FILES; i++) {
		struct stat st;

		need(write(fds[i], "mine\n", 5) == 5, "write");
		need(!fstat(fds[i], &st) && st.st_size == 5, "not my file");
	}
	say("done");
	return 4;
}
