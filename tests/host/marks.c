/* SPDX-License-Identifier: MIT */
/*
 * marks [N]: names moments: before and after a block of 1 MiB lives, in a
 * thread, in a forked child, while nothing is recorded; then N more, and N in
 * another child. Names may be long, and steer a terminal.
 */
#include <memtrace/memtrace.h>
#include <sys/wait.h>

#include "host.h"

static void *run(void *arg)
{
	memtrace_mark("in a thread");
	return arg;
}

static void mark_again(int times)
{
	for (int i = 0; i < times; i++)
		memtrace_mark("again");
}

int main(int argc, char **argv)
{
	static char name[1000];
	pid_t child;

	memtrace_mark("begin");
	free(keep(malloc(1 << 20)));
	memtrace_mark("end");
	memtrace_mark(NULL);
	run_threads(1, run);
	child = fork();
	need(child >= 0, "fork");
	if (!child) {
		memtrace_mark("in the child");
		_exit(0);
	}
	waitpid(child, NULL, 0);
	memtrace_stop();
	memtrace_mark("unseen");
	memtrace_start();
	memset(name, 'x', sizeof(name) - 1);
	memtrace_mark(name);
	memtrace_mark("\033[31mred");
	if (argc > 1) {
		mark_again(atoi(argv[1]));
		child = fork();
		need(child >= 0, "fork");
		mark_again(child ? 0 : atoi(argv[1]));
		if (child)
			waitpid(child, NULL, 0);
	}
	return 0;
}
