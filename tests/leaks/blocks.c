// SPDX-License-Identifier: MIT
/*
 * Small programs that lose blocks or lose none, one by each CASE; run reads
 * what the verdict must be from the comment above each.
 */
#define _GNU_SOURCE
#include <locale.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTLINE __attribute__((noinline, unused))

void *kept;
static __thread void *volatile tls;

/* Allocate a block that the compiler cannot do without. */
static OUTLINE void *make(size_t size)
{
	void *volatile block = malloc(size);

	if (block)
		memset(block, 0, size);
	return block;
}

/* Chain blocks by their first word. */
static OUTLINE void *list(int blocks, size_t size)
{
	void **head = NULL;

	while (blocks--) {
		void **node = make(size);

		*node = head;
		head = node;
	}
	return head;
}

/* Build a full binary tree. */
static OUTLINE void *tree(int levels, size_t size)
{
	void **node;

	if (!levels)
		return NULL;
	node = make(size);
	node[0] = tree(levels - 1, size);
	node[1] = tree(levels - 1, size);
	return node;
}

/* Close a list into a ring. */
static OUTLINE void *ring(int blocks, size_t size)
{
	void **head = list(blocks, size), **last = head;

	while (*last)
		last = *last;
	*last = head;
	return head;
}

/* Map a page outside the heap. */
static OUTLINE void **mapped(void)
{
	static void **page;

	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return page;
}

/* Free what is kept, at exit. */
static OUTLINE void drop(void)
{
	free(kept);
	kept = NULL;
}

/* Hand a block to the thread that joins. */
static OUTLINE void *hand_back(void *unused)
{
	(void)unused;
	return make(32);
}

/* Overwrite the dead frames of what ran before. */
static OUTLINE void wipe(void)
{
	volatile char dead[4096];

	for (size_t i = 0; i < sizeof(dead); i++)
		dead[i] = 0;
}

#if CASE == 1
/* Expect: definite 1 block 32 bytes in make */
static OUTLINE void act(void)
{
	make(32);
}
#elif CASE == 2
/* Expect: definite 7 blocks 448 bytes in make */
static OUTLINE void act(void)
{
	for (int i = 0; i < 7; i++)
		make(64);
}
#elif CASE == 3
/* Expect: definite 1 block 32 bytes in make; indirect 9 blocks 288 bytes */
static OUTLINE void act(void)
{
	list(10, 32);
}
#elif CASE == 4
/* Expect: definite 1 block 48 bytes in make; indirect 14 blocks 672 bytes */
static OUTLINE void act(void)
{
	tree(4, 48);
}
#elif CASE == 5
/* Expect: definite 1 block 40 bytes in make; indirect 3 blocks 120 bytes */
static OUTLINE void act(void)
{
	ring(4, 40);
}
#elif CASE == 6
/* Expect: definite 1 block 40 bytes in make */
static OUTLINE void act(void)
{
	ring(1, 40);
}
#elif CASE == 7
/* Expect: possible 1 block 64 bytes in make */
static OUTLINE void act(void)
{
	kept = (char *)make(64) + 16;
}
#elif CASE == 8
/* Expect: definite 1 block 64 bytes in make */
static OUTLINE void act(void)
{
	kept = (void *)~(uintptr_t)make(64);
}
#elif CASE == 9
/* Expect: definite 1 block 64 bytes in make */
static OUTLINE void act(void)
{
	kept = make(64);
	kept = NULL;
}
#elif CASE == 10
/* Expect: definite 1 block 100 bytes in make */
static OUTLINE void act(void)
{
	mapped()[0] = (void *)~(uintptr_t)make(100);
}
#elif CASE == 11
/* Expect: definite 1 block 24 bytes in make */
static OUTLINE void act(void)
{
	tls = make(24);
	tls = NULL;
}
#elif CASE == 12
/* Expect: definite 1 block 24 bytes in make */
static OUTLINE void act(void)
{
	void **p = make(24);
	*p = p;
}
#elif CASE == 13
/* Expect: none */
static OUTLINE void act(void)
{
	kept = make(32);
}
#elif CASE == 14
/* Expect: none */
static OUTLINE void act(void)
{
	kept = list(10, 32);
}
#elif CASE == 15
/* Expect: none */
static OUTLINE void act(void)
{
	kept = tree(4, 48);
}
#elif CASE == 16
/* Expect: none */
static OUTLINE void act(void)
{
	kept = ring(4, 40);
}
#elif CASE == 17
/* Expect: none */
static OUTLINE void act(void)
{
	tls = make(24);
}
#elif CASE == 18
/* Expect: none */
static OUTLINE void act(void)
{
	mapped()[0] = make(64);
}
#elif CASE == 19
/* Expect: none */
static OUTLINE void act(void)
{
	free(make(32));
}
#elif CASE == 20
/* Expect: none */
static OUTLINE void act(void)
{
	free(realloc(make(32), 4096));
}
#elif CASE == 21
/* Expect: none */
static OUTLINE void act(void)
{
	kept = make(64);
	atexit(drop);
}
#elif CASE == 22
/* Expect: none */
static OUTLINE void act(void)
{
	printf("hello\n");
}
#elif CASE == 23
/* Expect: none */
static OUTLINE void act(void)
{
	setlocale(LC_ALL, "C");
	printf("x");
}
#elif CASE == 24
/* Expect: none */
static OUTLINE void act(void)
{
	pthread_key_t k;

	pthread_key_create(&k, NULL);
	pthread_setspecific(k, make(32));
}
#elif CASE == 25
/* Expect: none */
static OUTLINE void act(void)
{
	pthread_t t;

	pthread_create(&t, NULL, hand_back, NULL);
	pthread_join(t, &kept);
}
#elif CASE == 26
/* Expect: none */
static OUTLINE void act(void)
{
	kept = fopen("/dev/null", "w");
}
#elif CASE == 27
/* Expect: none */
static OUTLINE void act(void)
{
	setenv("A", "b", 1);
}
#elif CASE == 28
/* Expect: none */
static OUTLINE void act(void)
{
	if (!fork())
		_exit(0);
	wait(NULL);
}
#elif CASE == 29
/* Expect: none */
static OUTLINE void act(void)
{
	kept = make(0);
}
#elif CASE == 30
/* Expect: none */
static OUTLINE void act(void)
{
	kept = calloc(3, 50);
}
#elif CASE == 31
/* Expect: none */
static OUTLINE void act(void)
{
	kept = aligned_alloc(64, 128);
}
#endif

int main(void)
{
	act();
	wipe();
	return 0;
}
