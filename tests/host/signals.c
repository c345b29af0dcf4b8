/* SPDX-License-Identifier: MIT */
/*
 * signals FILE: a timer's handler allocates while the main loop allocates, at
 * any instruction of a hook (the allocator is libsafealloc.so). FILE gets the
 * numbers of allocations of the loop and of the handler: the trace is to hold
 * or to count each.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/time.h>

#include "host.h"

#define HANDLED_MIN 300

static atomic_uint handled;

static NOINLINE void *handler_alloc(size_t n)
{
	return keep(malloc(n));
}

static NOINLINE void *loop_alloc(size_t n)
{
	return keep(malloc(n));
}

static void on_timer(int sig)
{
	(void)sig;
	for (size_t i = 0; i < 3; i++)
		free(handler_alloc(40 + i));
	atomic_fetch_add(&handled, 3);
}

int main(int argc, char **argv)
{
	struct sigaction act = {.sa_handler = on_timer};
	struct itimerval every = {{0, 100}, {0, 100}}, stop = {0};
	unsigned int looped = 0;
	char text[64];

	need(argc > 1, "signals FILE");
	need(!sigaction(SIGALRM, &act, NULL), "sigaction");
	need(!setitimer(ITIMER_REAL, &every, NULL), "setitimer");
	while (looped < 200000 ||
	       (looped < 4000000 && atomic_load(&handled) < HANDLED_MIN)) {
		free(loop_alloc(looped % 1000));
		looped++;
	}
	need(!setitimer(ITIMER_REAL, &stop, NULL), "setitimer");

	int fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0644);
	int n = snprintf(text, sizeof(text), "%u %u\n", looped,
			 atomic_load(&handled));

	need(write(fd, text, (size_t)n) == n, "write");
	say("done");
	return 0;
}
