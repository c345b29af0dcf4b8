/* SPDX-License-Identifier: MIT */
/*
 * jumps FILE: a timer's handler leaves by siglongjmp(), at times out of the
 * middle of a hook (the allocator, libsafealloc.so, may be left so). The
 * recorder must not be stuck or go mute: once the timer is stopped, each
 * allocation is there with its stack. FILE gets how many allocations had
 * begun, and how many had come back, while the timer ran.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>

#include "host.h"

#define JUMPS 400
#define AFTER 50000

static sigjmp_buf back;
static volatile unsigned long begun, returned;
static volatile sig_atomic_t jumps;

static NOINLINE void *jumped_alloc(size_t n)
{
	return keep(malloc(n));
}

static NOINLINE void *after_alloc(size_t n)
{
	return keep(malloc(n));
}

static void on_timer(int sig)
{
	(void)sig;
	jumps++;
	siglongjmp(back, 1);
}

/* Allocate at changing depths until the timer has jumped often enough. */
static NOINLINE void allocate(unsigned int depth)
{
	if (depth) {
		allocate(depth - 1);
		keep(NULL);
		return;
	}
	for (size_t i = 0; i < 100; i++) {
		begun++;
		keep(jumped_alloc(i));
		returned++;
	}
}

int main(int argc, char **argv)
{
	struct sigaction act = {.sa_handler = on_timer};
	struct itimerval every = {{0, 200}, {0, 200}}, stop = {{0, 0}, {0, 0}};
	char text[64];

	need(argc > 1, "jumps FILE");
	need(!sigaction(SIGALRM, &act, NULL), "sigaction");
	sigsetjmp(back, 1);
	if (!jumps)
		need(!setitimer(ITIMER_REAL, &every, NULL), "setitimer");
	while (jumps < JUMPS && begun < 2000000)
		allocate((unsigned int)begun % 30);
	/* A last tick may jump here once more. */
	need(!setitimer(ITIMER_REAL, &stop, NULL), "setitimer");
	for (size_t i = 0; i < AFTER; i++)
		free(after_alloc(i % 500));

	int fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0644);
	int n = snprintf(text, sizeof(text), "%lu %lu\n", begun, returned);

	need(write(fd, text, (size_t)n) == n, "write");
	say("done");
	return 0;
}
