/* SPDX-License-Identifier: MIT */
/*
 * Has memory of the kinds that its arguments name, and prints how much of each
 * it knows to be resident when it ends, for the report to agree with:
 *
 *   free   many blocks, of which nine of ten are freed: kept
 *   stack  threads with deep stacks, alive at the end: stack
 *   file   a mapped file, read: file
 *   mmap   a mapping of its own, half of it written: mapped
 *   big    a block of 256 MiB that is never touched: absent
 *   large  blocks with mappings of their own, written, beside own ones: mapped
 *   arena  threads that allocated much and freed it all, and ended: kept
 *
 * Build: -pthread
 */
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB (1ul << 20)
#define BLOCKS 200000
#define THREADS 4
#define STACK_BYTES (6 * MIB)

static pthread_barrier_t barrier;
static char *volatile keep;

/* Map anonymous memory, and write the first bytes of it. */
static void map(size_t bytes, size_t written)
{
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		exit(3);
	/* Or one touch is 2 MiB. */
	madvise(p, bytes, MADV_NOHUGEPAGE);
	memset(p, 1, written);
}

static void do_free(void)
{
	static char *p[BLOCKS];

	for (int i = 0; i < BLOCKS; i++) {
		p[i] = malloc(200);
		memset(p[i], 1, 200);
	}
	for (int i = 0; i < BLOCKS; i++)
		if (i % 10)
			free(p[i]);
}

static void *deep(void *unused)
{
	char volatile frame[STACK_BYTES];

	for (size_t i = 0; i < sizeof(frame); i += 4096)
		frame[i] = 1;
	pthread_barrier_wait(&barrier);
	for (;;)
		pause();
	return unused;
}

static void do_stack(void)
{
	pthread_t t;

	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&t, NULL, deep, NULL))
			exit(3);
	pthread_barrier_wait(&barrier);
	printf("stack_bytes %lu\n", THREADS * STACK_BYTES);
}

static void do_file(void)
{
	size_t bytes = 24 * MIB;
	int fd = open("mapped", O_RDWR | O_CREAT, 0600);
	volatile char *p;
	char c;

	if (fd < 0 || ftruncate(fd, (off_t)bytes))
		exit(3);
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		exit(3);
	for (size_t i = 0; i < bytes; i += 4096)
		p[i] = 1;
	c = p[0];
	(void)c;
	printf("file_bytes %zu\n", bytes);
}

static void do_big(void)
{
	keep = malloc(256 * MIB);
	printf("absent_bytes %lu\n", 256 * MIB);
}

static void do_large(void)
{
	for (int i = 0; i < 8; i++) {
		keep = malloc(3 * MIB);
		memset(keep, 1, 3 * MIB);
		map(2 * MIB, 2 * MIB);
	}
	printf("mapped_bytes %lu\n", 16 * MIB);
}

static void *churn(void *arg)
{
	char **p = arg;

	for (int i = 0; i < BLOCKS / 4; i++) {
		p[i] = malloc(200);
		memset(p[i], 1, 200);
	}
	pthread_barrier_wait(&barrier);
	/* The last stays: an arena's end is given back. */
	for (int i = 0; i + 1 < BLOCKS / 4; i++)
		free(p[i]);
	keep = p[BLOCKS / 4 - 1];
	return NULL;
}

static void do_arena(void)
{
	static char *block[THREADS][BLOCKS / 4];
	pthread_t t[THREADS];

	pthread_barrier_init(&barrier, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, churn, block[i]))
			exit(3);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
}

/* Print what the kernel counts. */
static void put_resident(void)
{
	unsigned long size, pages;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%lu %lu", &size, &pages) != 2)
		exit(3);
	fclose(f);
	printf("resident_bytes %lu\n", pages * 4096);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "free") == 0)
			do_free();
		else if (strcmp(argv[i], "stack") == 0)
			do_stack();
		else if (strcmp(argv[i], "file") == 0)
			do_file();
		else if (strcmp(argv[i], "mmap") == 0) {
			map(64 * MIB, 32 * MIB);
			printf("mapped_bytes %lu\n", 32 * MIB);
		} else if (strcmp(argv[i], "big") == 0)
			do_big();
		else if (strcmp(argv[i], "large") == 0)
			do_large();
		else if (strcmp(argv[i], "arena") == 0)
			do_arena();
		else
			return 2;
	}
	/* What is free in its lists and bins, all of which was written. */
	printf("kept_bytes %zu\n", mallinfo2().fordblks);
	put_resident();
	return 0;
}
