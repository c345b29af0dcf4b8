/* SPDX-License-Identifier: MIT */
/*
 * ends HOW: allocates, then ends in the way named. What was allocated up to
 * that instant is to be in the trace, which is to say how it ended.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

#include "host.h"

static NOINLINE void *end_alloc(size_t n)
{
	return keep(malloc(n));
}

static void *idle(void *arg)
{
	for (int i = 0; i < 100; i++)
		keep(end_alloc(10));
	if (arg)
		pthread_barrier_wait(arg);
	for (;;)
		pause();
	return NULL;
}

/* Leave threads behind that have allocated and live on. */
static void start_threads(void)
{
	static pthread_barrier_t barrier;
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, 6);
	for (int i = 0; i < 5; i++)
		need(!pthread_create(&thread, NULL, idle, &barrier), "thread");
	pthread_barrier_wait(&barrier);
}

static void *exit_later(void *arg)
{
	pthread_t *main_thread = arg;

	pthread_join(*main_thread, NULL);
	for (int i = 0; i < 500; i++)
		keep(end_alloc(10));
	exit(9);
}

static void end(const char *how)
{
	static pthread_t self, thread;

	if (!strcmp(how, "return"))
		return;
	if (!strcmp(how, "exit"))
		exit(9);
	if (!strcmp(how, "_exit"))
		_exit(9);
	if (!strcmp(how, "_Exit"))
		_Exit(9);
	if (!strcmp(how, "quick_exit"))
		quick_exit(9);
	if (!strcmp(how, "abort"))
		abort();
	if (!strcmp(how, "segv"))
		*(volatile int *)keep(NULL) = 0;
	if (!strcmp(how, "term"))
		raise(SIGTERM);
	if (!strcmp(how, "kill"))
		raise(SIGKILL);
	if (!strcmp(how, "exit_group"))
		syscall(SYS_exit_group, 9);
	if (!strcmp(how, "threads")) {
		start_threads();
		exit(9);
	}
	if (!strcmp(how, "pthread_exit")) {
		self = pthread_self();
		need(!pthread_create(&thread, NULL, exit_later, &self),
		     "thread");
		pthread_exit(NULL);
	}
	need(0, "ends HOW");
}

int main(int argc, char **argv)
{
	need(argc > 1, "ends HOW");
	for (size_t i = 0; i < 500; i++)
		keep(end_alloc(i));
	say("end");
	end(argv[1]);
	return 9;
}
