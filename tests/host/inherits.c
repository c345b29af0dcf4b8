/* SPDX-License-Identifier: MIT */
/*
 * A child hangs a block at the end of a list that it inherited, and frees one
 * of that: it has lost nothing. With an argument it loses one of its own; the
 * parent loses one before the fork, for which the child does not answer.
 *
 * Build: -O1
 */
#include <sys/wait.h>

#include "host.h"

struct node {
	struct node *next;
	char room[40];
};

static struct node *head;
static void *volatile sink;

static NOINLINE struct node *make(void)
{
	return calloc(1, sizeof(struct node));
}

static NOINLINE void hang(void)
{
	free(head->next->next);
	head->next->next = make();
}

static NOINLINE void child_loses(void)
{
	sink = make();
	sink = NULL;
}

static NOINLINE void parent_loses(void)
{
	sink = malloc(77);
	sink = NULL;
}

static NOINLINE void build(void)
{
	head = make();
	head->next = make();
	head->next->next = make();
}

/* Overwrite what dead frames still hold. */
static NOINLINE void scrub(void)
{
	char zeros[8192];

	memset(zeros, 0, sizeof(zeros));
	__asm__ volatile("" : : "r"(zeros) : "memory");
}

int main(int argc, char **argv)
{
	pid_t pid;

	(void)argv;
	build();
	parent_loses();
	scrub();
	pid = fork();
	if (!pid) {
		hang();
		if (argc > 1)
			child_loses();
		scrub();
		return 0;
	}
	waitpid(pid, NULL, 0);
	scrub();
	return 0;
}
