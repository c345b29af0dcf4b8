/* SPDX-License-Identifier: MIT */
/*
 * What the host programs share. A function whose allocations a case counts
 * is NOINLINE and passes what it gets through keep(): so the call is not
 * optimised away, nor made a tail call that leaves no frame.
 */
#ifndef HOST_H
#define HOST_H

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __clang__
#define NOINLINE __attribute__((noinline))
#else
/* Nor may functions that are alike become one. */
#define NOINLINE __attribute__((noinline, noclone, no_icf))
#endif

/* Return p, about which the compiler knows nothing from here on. */
static inline void *keep(void *p)
{
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

/* Print a line without allocating. */
static inline void say(const char *text)
{
	char line[256];
	size_t n = strlen(text);

	if (n > sizeof(line) - 1)
		n = sizeof(line) - 1;
	memcpy(line, text, n);
	line[n++] = '\n';
	if (write(STDOUT_FILENO, line, n) != (ssize_t)n)
		_exit(99);
}

/* End the program at once, with the line of why, when `ok` is false. */
static inline void need(int ok, const char *what)
{
	if (ok)
		return;
	say(what);
	_exit(98);
}

/* Run `f` in `n` threads (100 at the most) and wait for them. */
static inline void run_threads(int n, void *(*f)(void *))
{
	pthread_t thread[100];

	for (int i = 0; i < n; i++)
		need(!pthread_create(&thread[i], NULL, f, NULL), "thread");
	for (int i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
}

#endif
