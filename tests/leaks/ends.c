/* SPDX-License-Identifier: MIT */
/* How a program ends, and what becomes of its children. */
#define _GNU_SOURCE
#include "case.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int leaves = 1;
static void *volatile more;

/* Free what is kept. */
static OUTLINE void drop(void)
{
	free(kept);
	kept = NULL;
}

/* Wait for all children. */
static OUTLINE void reap(void)
{
	while (wait(NULL) > 0)
		;
}

/* Run this program again as a case, in place of it. */
static OUTLINE void become(char *name)
{
	char *argv[] = {(char *)"case", name, NULL};

	execv("/proc/self/exe", argv);
	abort();
}

/* Lose blocks, which the caller could have got from here. */
static OUTLINE void lose_seven(void)
{
	for (int i = 0; i < 7; i++)
		make(40);
}

/* Expect: definite 1 block 40 bytes in make */
CASE(lose_and_return)
{
	make(40);
}

/* Expect: held_at_exit 7 blocks 280 bytes in make */
CASE(lose_and_exit)
{
	lose_seven();
	exit(3);
}

/* Expect: held_at_exit 7 blocks 280 bytes in make */
CASE(lose_and__exit)
{
	lose_seven();
	_exit(4);
}

/* Expect: held_at_exit 7 blocks 280 bytes in make */
CASE(lose_and__Exit)
{
	lose_seven();
	_Exit(5);
}

/* Expect: held_at_exit 7 blocks 280 bytes in make */
CASE(lose_and_quick_exit)
{
	lose_seven();
	quick_exit(6);
}

static OUTLINE void exit_3(void)
{
	exit(3);
}

static OUTLINE void _exit_4(void)
{
	_exit(4);
}

static OUTLINE void quick_exit_5(void)
{
	quick_exit(5);
}

/* The frames are large and written: what an allocator left on the stack may
 * come to lie in a frame's padding, and nobody can tell that from a pointer. */
static OUTLINE void exit_deep(void)
{
	volatile int depth[128] = {0};

	if (++leaves < 20)
		exit_deep();
	exit(depth[0]);
}

/* Expect: definite 7 blocks 280 bytes in make */
CASE(lose_then_exit)
{
	lose_seven();
	leave = exit_3;
}

/* Expect: definite 7 blocks 280 bytes in make */
CASE(lose_then__exit)
{
	lose_seven();
	leave = _exit_4;
}

/* Expect: definite 7 blocks 280 bytes in make */
CASE(lose_then_quick_exit)
{
	lose_seven();
	leave = quick_exit_5;
}

/* Expect: definite 7 blocks 280 bytes in make */
CASE(lose_then_exit_deep)
{
	lose_seven();
	leave = exit_deep;
}

/* Expect: none */
CASE(free_at_exit)
{
	kept = make(64);
	atexit(drop);
}

/* Expect: none */
CASE(free_at_quick_exit)
{
	kept = make(64);
	at_quick_exit(drop);
	quick_exit(0);
}

/* Expect: none */
CASE(keep_at__exit)
{
	kept = make(64);
	atexit(drop);
	_exit(0);
}

static OUTLINE void drop_given(int status, void *block)
{
	(void)status;
	free(block);
}

/* Expect: none */
CASE(free_on_exit)
{
	on_exit(drop_given, make(64));
}

static OUTLINE void lose_late(void)
{
	make(56);
}

/* Expect: definite 1 block 56 bytes in make */
CASE(lose_at_exit)
{
	atexit(lose_late);
}

static OUTLINE void clear_kept(void)
{
	kept = NULL;
}

/* Expect: definite 1 block 64 bytes in make */
CASE(clear_at_exit)
{
	kept = make(64);
	atexit(clear_kept);
}

/* What callers would still have used. */
static OUTLINE void dive(int depth, void *mine)
{
	void *own = make(32);

	if (depth)
		dive(depth - 1, own);
	else if (leaves)
		exit(0);
	kept = own;
	more = mine;
}

/* Expect: held_at_exit any */
CASE(dive_and_exit)
{
	dive(6, make(32));
}

static OUTLINE void dive_and_lose(int depth)
{
	if (!depth) {
		for (int i = 0; i < 5; i++)
			make(48);
		return;
	}
	dive_and_lose(depth - 1);
	leaves++;
}

/* Expect: definite 5 blocks 240 bytes in make */
CASE(lose_deep)
{
	dive_and_lose(40);
}

static OUTLINE void leave_early(volatile char *unused)
{
	(void)unused;
	if (leaves)
		exit(0);
}

/* Expect: held_at_exit any */
CASE(exit_with_local)
{
	char *mine = make(100);

	leave_early(mine);
	free(mine);
}

/* Expect: held_at_exit any */
CASE(exit_with_register)
{
	volatile uint64_t *mine = make(100);

	leave_early(NULL);
	mine[2] = 1;
	free((void *)mine);
}

/* Expect: held_at_exit any */
CASE(_exit_with_register)
{
	volatile uint64_t *mine = make(100);

	if (leaves)
		_exit((int)mine[2]);
	mine[2] = 1;
	free((void *)mine);
}

static sigjmp_buf back;

static OUTLINE void jump(void)
{
	make(72);
	siglongjmp(back, 1);
}

/* Expect: definite 1 block 72 bytes in make */
CASE(lose_by_longjmp)
{
	if (!sigsetjmp(back, 1))
		jump();
}

static OUTLINE void on_signal(int sig)
{
	(void)sig;
	exit(0);
}

/* Expect: held_at_exit any */
CASE(exit_in_handler)
{
	void *volatile mine = list(3, 32);

	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	free(mine);
}

/* Expect: none */
CASE(exit_in_handler_on_own_stack)
{
	void *volatile mine = list(3, 32);
	stack_t own = {.ss_sp = make(65536), .ss_size = 65536};
	struct sigaction act = {.sa_handler = on_signal,
				.sa_flags = SA_ONSTACK};

	sigaltstack(&own, NULL);
	sigaction(SIGUSR1, &act, NULL);
	kept = own.ss_sp;
	raise(SIGUSR1);
	free(mine);
}

/* Expect: 1 unchecked */
CASE(die_by_signal)
{
	make(32);
	raise(SIGKILL);
}

/* Expect: 1 unchecked */
CASE(die_by_abort)
{
	make(32);
	abort();
}

/* Expect: 1 unchecked */
CASE(die_by_fault)
{
	make(32);
	raise(SIGSEGV);
}

/* Expect: 2 processes; 1 unchecked; definite 1 block 40 bytes in make */
CASE(lose_and_exec)
{
	make(32);
	become((char *)"lose_and_return");
}

/* A child that allocates nothing has no trace. */
/* Expect: none */
CASE(fork_and__exit)
{
	kept = make(48);
	if (!fork())
		_exit(0);
	reap();
}

/* Expect: 2 processes; held_at_exit 7 blocks 280 bytes */
CASE(fork_and_lose_in_child)
{
	kept = make(48);
	if (!fork()) {
		lose_seven();
		exit(0);
	}
	reap();
}

/* Expect: definite 1 block 48 bytes in make */
CASE(fork_and_lose_in_parent)
{
	make(48);
	if (!fork())
		exit(0);
	reap();
}

/* Expect: 2 processes */
CASE(fork_and_drop_in_child)
{
	kept = list(3, 48);
	if (!fork()) {
		kept = NULL;
		free(make(8));
		exit(0);
	}
	reap();
}

/* Expect: 2 processes; definite 2 blocks 80 bytes in make */
CASE(fork_and_lose_in_both)
{
	fork();
	make(40);
	reap();
}

/* Expect: 8 processes; definite 8 blocks 320 bytes in make */
CASE(fork_tree)
{
	fork();
	fork();
	fork();
	make(40);
	reap();
}

/* Expect: 2 processes; definite 1 block 40 bytes in make */
CASE(fork_and_exec)
{
	if (!fork())
		become((char *)"lose_and_return");
	reap();
}

/* Expect: 2 processes; held_at_exit 7 blocks 280 bytes */
CASE(spawn)
{
	char *argv[] = {(char *)"case", (char *)"lose_and_exit", NULL};
	pid_t pid;

	posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ);
	reap();
}

/* Expect: 2 processes; definite 2 blocks 80 bytes in make */
CASE(vfork_and_exec)
{
	static char *argv[] = {(char *)"case", (char *)"lose_and_return", NULL};

	make(40);
	if (!vfork()) {
		execv("/proc/self/exe", argv);
		_exit(127);
	}
	reap();
}

/* Expect: 2 processes; held_at_exit 7 blocks 280 bytes */
CASE(daemon_lose)
{
	int ends[2];
	char c;

	if (pipe(ends))
		abort();
	if (!fork()) {
		if (setsid() < 0)
			abort();
		lose_seven();
		exit(0);
	}
	close(ends[1]);
	if (read(ends[0], &c, 1))
		abort();
}

/* Expect: 2 processes; 1 unchecked */
CASE(child_dies)
{
	if (!fork()) {
		make(40);
		raise(SIGKILL);
	}
	reap();
}

/* Expect: none */
CASE(close_all)
{
	kept = make(40);
	close_range(3, ~0u, 0);
}

/* Expect: definite 1 block 40 bytes in make */
CASE(close_all_and_lose)
{
	make(40);
	close_range(3, ~0u, 0);
}

/* Expect: held_at_exit 7 blocks 280 bytes in make */
CASE(print_and_lose)
{
	lose_seven();
	printf("no newline at the end");
	fprintf(stderr, "and this\n");
	exit(9);
}

/* Expect: definite 1 block 40 bytes in make */
CASE(change_directory_and_lose)
{
	make(40);
	if (chdir("/"))
		abort();
}
