/* SPDX-License-Identifier: MIT */
/*
 * testmarks [RUNS]: a test runner. Each run has the tests "clean", which
 * initialises something once; "loses", which loses a block of 24 bytes;
 * "keeps", which keeps one of 40 more each time; and "replaces", which keeps
 * the last of 56.
 */
#include <memtrace/memtrace.h>

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

int main(int argc, char **argv)
{
	int runs = argc > 1 ? atoi(argv[1]) : 1;

	for (int i = 0; i < runs; i++) {
		run_test("clean", initialise);
		run_test("loses", lose);
		run_test("keeps", add_to_list);
		run_test("replaces", replace);
	}
	memtrace_test_begin(NULL);
	say("done");
	return 0;
}
