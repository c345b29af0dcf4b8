/* SPDX-License-Identifier: MIT */
/*
 * Allocates what is known, for a sample of it to be held against: prints
 * "SITE LIVE-BYTES LIVE-BLOCKS" for each site at the end.
 *
 *   sites    every way to allocate, small and large; what is churned is gone
 *   more     the same, and what is small twice
 *   threads  four threads, a site of theirs
 *   fork     a child that frees what it inherited and allocates what its
 *            parent does meanwhile
 *   wait     allocates until its standard input ends
 */
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SITE static __attribute__((noinline, noclone))

/* A chain keeps what lives, so that nothing else has to. */
struct link {
	struct link *next;
};
static _Thread_local struct link *kept;
static volatile unsigned int waste;

static void keep(void *p)
{
	struct link *l = p;

	l->next = kept;
	kept = l;
}

SITE void small(void)
{
	for (int i = 0; i < 163840; i++)
		keep(malloc(64));
}

SITE void mixed(void)
{
	for (int i = 0; i < 8000; i++)
		keep(malloc(16 + (unsigned int)i * 7919u % 4096));
}

SITE void large(void)
{
	for (int i = 0; i < 12; i++)
		keep(malloc(1 << 20));
}

SITE void zeroed(void)
{
	for (int i = 0; i < 10000; i++) {
		unsigned char *p = calloc(10, 100);

		waste += p[999];
		keep(p);
	}
}

/* Grown from step to step, in place and not. */
SITE void grown(void)
{
	for (int i = 0; i < 80; i++) {
		char *p = NULL;

		for (size_t n = 1000; n <= 100000; n += 9000)
			p = realloc(p, n);
		keep(p);
	}
}

SITE void aligned(void)
{
	for (int i = 0; i < 20000; i++) {
		void *p;

		if (posix_memalign(&p, 64, 256) || (uintptr_t)p % 64)
			abort();
		keep(p);
	}
}

SITE void churned(void)
{
	for (int i = 0; i < 400000; i++) {
		char *p = malloc(100 + (unsigned int)i % 900);

		p[0] = (char)i;
		p = realloc(p, 2000);
		waste += (unsigned int)p[0];
		free(p);
	}
}

static void sites(void)
{
	churned();
	small();
	mixed();
	large();
	zeroed();
	grown();
	aligned();
	churned();
	puts("small 10485760 163840");
	puts("large 12582912 12");
	puts("zeroed 10000000 10000");
	puts("grown 8000000 80");
	puts("aligned 5120000 20000");
	puts("churned 0 0");
	{
		unsigned long sum = 0;

		for (int i = 0; i < 8000; i++)
			sum += 16 + (unsigned int)i * 7919u % 4096;
		printf("mixed %lu 8000\n", sum);
	}
}

SITE void *of_thread(void *unused)
{
	for (int i = 0; i < 40000; i++) {
		free(malloc(300));
		keep(malloc(100));
	}
	return unused;
}

static void threads(void)
{
	pthread_t thread[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, of_thread, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	puts("of_thread 16000000 160000");
}

/* Each of another size, so that a trace tells which are sampled. */
SITE void after(void)
{
	for (size_t i = 0; i < 400; i++)
		keep(malloc(200000 + 16 * i));
}

static int forks(void)
{
	struct link *before;
	int status;
	pid_t child;

	small();
	before = kept;
	child = fork();
	if (!child) {
		while (before) {
			struct link *next = before->next;

			free(before);
			before = next;
		}
		after();
		exit(0);
	}
	after();
	if (waitpid(child, &status, 0) != child || status)
		return 1;
	puts("small 10485760 163840");
	return 0;
}

static void work_while(void)
{
	char c;

	setvbuf(stdout, NULL, _IONBF, 0);
	puts("ready");
	while (read(0, &c, 1) == 1)
		for (int i = 0; i < 5000; i++)
			free(malloc(1000));
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "sites";

	if (strcmp(what, "more") == 0)
		small();
	if (strcmp(what, "sites") == 0 || strcmp(what, "more") == 0)
		sites();
	else if (strcmp(what, "threads") == 0)
		threads();
	else if (strcmp(what, "fork") == 0)
		return forks();
	else
		work_while();
	return 0;
}
