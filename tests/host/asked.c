/* SPDX-License-Identifier: MIT */
/*
 * asked CASE: is scanned while it runs, by asking for it itself or by being
 * asked; tests/integration/asked.sh knows what must come of it. Each case
 * leaks one block of 55 bytes in leak(), and holds others where only a scan of
 * threads sees them: in holds_*().
 */
#include <errno.h>
#include <memtrace/memtrace.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include "host.h"

#define BLOCKS 1000000

static volatile int ready;
static volatile int stop;
static void *volatile sink;
static void *volatile blocks[BLOCKS];
static volatile sig_atomic_t children;

static NOINLINE void leak(void)
{
	sink = keep(malloc(55));
	sink = NULL;
}

/* A pointer that is in a register only, and not in one that calls keep. */
static NOINLINE void *holds_in_register(void *arg)
{
	register void *p = malloc(61);

	__atomic_fetch_add(&ready, 1, __ATOMIC_RELEASE);
	while (!stop)
		__asm__ volatile("" : "+r"(p));
	free(p);
	return arg;
}

/* The same, in a vector register. */
static NOINLINE void *holds_in_vector(void *arg)
{
	typedef long long vector __attribute__((vector_size(16)));
	void *p = malloc(62);
	register vector v = {(long long)p, 0};

	p = NULL;
	__asm__ volatile("" : "+x"(v), "+r"(p));
	__atomic_fetch_add(&ready, 1, __ATOMIC_RELEASE);
	while (!stop)
		__asm__ volatile("" : "+x"(v));
	free((void *)v[0]);
	return arg;
}

/* On the stack of a thread that waits for a lock. */
static NOINLINE void *holds_in_wait(void *arg)
{
	void *volatile p = malloc(63);

	__atomic_fetch_add(&ready, 1, __ATOMIC_RELEASE);
	pthread_mutex_lock(arg);
	pthread_mutex_unlock(arg);
	free(p);
	return NULL;
}

/* On the stack of a thread that sleeps and blocks all signals. */
static NOINLINE void *holds_asleep(void *arg)
{
	void *volatile p = malloc(64);
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	__atomic_fetch_add(&ready, 1, __ATOMIC_RELEASE);
	pthread_mutex_lock(arg);
	pthread_mutex_unlock(arg);
	free(p);
	return NULL;
}

/* On the stack of a thread that runs and blocks all signals. */
static NOINLINE void *holds_blocked(void *arg)
{
	void *volatile p = malloc(65);
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	__atomic_fetch_add(&ready, 1, __ATOMIC_RELEASE);
	while (!stop)
		;
	free(p);
	return arg;
}

/* In a thread that waits for any signal at all: it must see none. */
static void *waits_for_signals(void *arg)
{
	struct timespec ts = {2, 0};
	siginfo_t info;
	sigset_t all;
	int sig;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	__atomic_fetch_add(&ready, 1, __ATOMIC_RELEASE);
	sig = sigtimedwait(&all, &info, &ts);
	need(sig == -1 && errno == EAGAIN, "sigwait saw a signal");
	return arg;
}

/* In a thread that sleeps and polls: neither may end early. */
static void *sleeps(void *arg)
{
	struct timespec half = {0, 500000000};

	__atomic_fetch_add(&ready, 1, __ATOMIC_RELEASE);
	need(nanosleep(&half, NULL) == 0, "nanosleep ended early");
	need(poll(NULL, 0, 500) == 0, "poll ended early");
	return arg;
}

/* In a thread that reads from a pipe: it must not be told of EINTR. */
static void *reads(void *arg)
{
	char c;

	__atomic_fetch_add(&ready, 1, __ATOMIC_RELEASE);
	need(read(*(int *)arg, &c, 1) == 1 && c == 'x', "read ended early");
	return NULL;
}

static void await(int n)
{
	while (__atomic_load_n(&ready, __ATOMIC_ACQUIRE) < n)
		usleep(1000);
	usleep(20000);
}

/* Print how long the program has stood still for its scan. */
static void ask(void)
{
	struct timespec a, b;
	long number;

	clock_gettime(CLOCK_MONOTONIC, &a);
	number = memtrace_leak_check();
	clock_gettime(CLOCK_MONOTONIC, &b);
	fprintf(stderr, "scan %ld in %.3f ms\n", number,
		(double)(b.tv_sec - a.tv_sec) * 1e3 +
			(double)(b.tv_nsec - a.tv_nsec) / 1e6);
}

static void on_child(int sig)
{
	(void)sig;
	children = children + 1;
}

/* All real-time signals' actions, before and after. */
static void check_actions(struct sigaction *before, int first)
{
	for (int sig = 1; sig <= SIGRTMAX; sig++) {
		struct sigaction now;

		if (sigaction(sig, NULL, &now))
			continue;
		if (!first)
			need(now.sa_handler == before[sig].sa_handler,
			     "a signal's action is not restored");
		before[sig] = now;
	}
}

static void threads(void)
{
	void *(*const f[])(void *) = {holds_in_register, holds_in_vector,
				      holds_in_wait, holds_asleep,
				      holds_blocked};
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_t t[5];

	pthread_mutex_lock(&mutex);
	for (int i = 0; i < 5; i++)
		need(!pthread_create(&t[i], NULL, f[i], &mutex), "thread");
	await(5);
	ask();
	usleep(300000);
	stop = 1;
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < 5; i++)
		pthread_join(t[i], NULL);
}

static void *waits(void *arg)
{
	return holds_in_wait(arg);
}

static void hundred(void)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_t t[100];

	pthread_mutex_lock(&mutex);
	for (int i = 0; i < 100; i++)
		need(!pthread_create(&t[i], NULL, waits, &mutex), "thread");
	await(100);
	ask();
	usleep(300000);
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < 100; i++)
		pthread_join(t[i], NULL);
}

/* What the program could notice: nothing of it. */
static void unnoticed(void)
{
	static struct sigaction before[65];
	struct sigaction child = {.sa_handler = on_child};
	pthread_t t[3];
	int pipes[2], status;

	need(!pipe(pipes), "pipe");
	sigaction(SIGCHLD, &child, NULL);
	check_actions(before, 1);
	pthread_create(&t[0], NULL, waits_for_signals, NULL);
	pthread_create(&t[1], NULL, sleeps, NULL);
	pthread_create(&t[2], NULL, reads, &pipes[0]);
	await(3);
	for (int i = 0; i < 3; i++) {
		errno = 4242;
		ask();
		need(errno == 4242, "errno");
		check_actions(before, 0);
		usleep(150000);
	}
	need(wait(&status) == -1 && errno == ECHILD, "wait() sees a child");
	need(waitpid(-1, &status, WNOHANG) == -1, "waitpid() sees a child");
	need(write(pipes[1], "x", 1) == 1, "write");
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	need(children == 0, "SIGCHLD");
}

/* A fork right after the request, and another program's end. */
static void forks(void)
{
	int status;
	pid_t pid;

	ask();
	pid = fork();
	need(pid >= 0, "fork");
	if (!pid) {
		leak();
		ask();
		usleep(100000);
		exit(3);
	}
	need(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 3,
	     "the child's end");
	need(wait(&status) == -1 && errno == ECHILD, "wait() sees more");
}

static void *allocates(void *arg)
{
	void *p[64] = {0};

	for (unsigned int i = 0; !stop; i++) {
		free(p[i % 64]);
		p[i % 64] = malloc(16 + i % 500);
		if (i % 1000 == 0)
			__atomic_fetch_add(&ready, 1, __ATOMIC_RELEASE);
	}
	for (int i = 0; i < 64; i++)
		free(p[i]);
	return arg;
}

/* Two threads allocate as fast as they can; so many scans. */
static void heavy(int scans)
{
	pthread_t t[2];

	for (int i = 0; i < 2; i++)
		need(!pthread_create(&t[i], NULL, allocates, NULL), "thread");
	await(2);
	for (int i = 0; i < scans; i++) {
		while (memtrace_leak_check() < 0)
			usleep(1000);
		usleep(5000);
	}
	usleep(200000);
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
}

/* Many blocks; then asked, by itself or from outside while it sleeps. */
static void many(int n)
{
	for (int i = 0; i < n; i++)
		blocks[i] = malloc(256);
	ask();
	usleep(2000000);
}

/* Waits to be asked: allocates now and then, or sleeps only. */
static void waits_for_it(int allocate)
{
	for (int i = 0; i < 1000; i++) {
		struct timespec ts = {0, 10000000};

		if (allocate)
			for (int j = 0; j < 10; j++)
				free(keep(malloc(10)));
		nanosleep(&ts, NULL);
	}
}

/* The first thread sleeps; another waits for a lock, and can be woken. */
static void sleeps_beside(void)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_t t;

	pthread_mutex_lock(&mutex);
	need(!pthread_create(&t, NULL, waits, &mutex), "thread");
	await(1);
	sleeps(NULL);
	pthread_mutex_unlock(&mutex);
	pthread_join(t, NULL);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	int n = argc > 2 ? atoi(argv[2]) : 0;

	leak();
	if (strcmp(name, "threads") == 0)
		threads();
	else if (strcmp(name, "hundred") == 0)
		hundred();
	else if (strcmp(name, "unnoticed") == 0)
		unnoticed();
	else if (strcmp(name, "forks") == 0)
		forks();
	else if (strcmp(name, "heavy") == 0)
		heavy(n);
	else if (strcmp(name, "many") == 0)
		many(n);
	else if (strcmp(name, "sleeps_beside") == 0)
		sleeps_beside();
	else if (strcmp(name, "waits") == 0)
		waits_for_it(n);
	else
		need(0, "no such case");
	return 0;
}
