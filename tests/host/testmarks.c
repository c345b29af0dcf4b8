/* SPDX-License-Identifier: MIT */
/*
 * testmarks [RUNS | forks]: a test runner. Each run has the tests "clean",
 * which initialises something once; "loses", which loses a block of 24 bytes;
 * "keeps", which keeps one of 40 more each time; and "replaces", which keeps
 * the last of 56. With "forks" the test "forks" has a child and that one a
 * child: each loses a block, the first one in a test of its own too.
 */
#include <memtrace/memtrace.h>

#include <sys/wait.h>

#include "host.h"

static void *volatile once, *volatile last;
static void **volatile list;

static NOINLINE void initialise(void)
{
	if (!once)
		once = malloc(8);
}

static NOINLINE void lose(void)
{
	keep(malloc(24));
}

static NOINLINE void add_to_list(void)
{
	void **node = malloc(40);

	need(node != NULL, "no memory");
	*node = (void *)list;
	list = node;
}

static NOINLINE void replace(void)
{
	free(last);
	last = malloc(56);
}

static NOINLINE void run_test(const char *name, void (*test)(void))
{
	memtrace_test_begin(name);
	test();
	memtrace_test_end();
}

static NOINLINE void lose_in_child(void)
{
	keep(malloc(32));
}

static int depth; /* 1: the child, 2: its child */

/* Fork, and let the child lose a block after what it does. It goes on to the
 * end of main: what it calls exit() from holds blocks. */
static NOINLINE void fork_and(void (*then)(void))
{
	pid_t child = fork();
	int mine = depth + 1;

	need(child >= 0, "no child");
	if (child) {
		wait(NULL);
		return;
	}
	depth = mine;
	then();
	if (depth == mine)
		lose_in_child();
}

static void have_none(void)
{
}

static void have_child(void)
{
	fork_and(have_none);
	if (depth == 1)
		run_test("inner", lose);
}

static NOINLINE void forks(void)
{
	fork_and(have_child);
}

int main(int argc, char **argv)
{
	int runs = argc > 1 ? atoi(argv[1]) : 1;

	if (argc > 1 && strcmp(argv[1], "forks") == 0)
		run_test("forks", forks);
	for (int i = 0; i < runs; i++) {
		run_test("clean", initialise);
		run_test("loses", lose);
		run_test("keeps", add_to_list);
		run_test("replaces", replace);
	}
	memtrace_test_begin(NULL);
	if (!depth)
		say("done");
	return 0;
}
