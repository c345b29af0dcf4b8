/* SPDX-License-Identifier: MIT */
/*
 * Allocate once from each of 2^20 distinct stacks and print the peak of the
 * process's memory in KiB. Four functions call each other in 32 places each;
 * all blocks are freed from one more stack.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPEAT8(x) x x x x x x x x
#define REPEAT32(x) REPEAT8(x) REPEAT8(x) REPEAT8(x) REPEAT8(x)

/* Keeps calls apart, and each from becoming a jump. */
#define APART __asm__ volatile("" ::: "memory");

struct block {
	struct block *next;
};

static struct block *blocks;

/* Put a block onto the list of those to be freed. */
static inline void keep(struct block *b)
{
	if (b) {
		b->next = blocks;
		blocks = b;
	}
}

static __attribute__((noinline)) void leaf(void)
{
	REPEAT32(keep(malloc(sizeof(struct block))); APART)
}

static __attribute__((noinline)) void third(void)
{
	REPEAT32(leaf(); APART)
}

static __attribute__((noinline)) void second(void)
{
	REPEAT32(third(); APART)
}

static __attribute__((noinline)) void first(void)
{
	REPEAT32(second(); APART)
}

/* Print the line of /proc/self/status that has the peak. */
static int print_peak(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];

	while (status && fgets(line, sizeof(line), status))
		if (!strncmp(line, "VmHWM:", 6))
			return printf("%ld\n", atol(line + 6)) < 0;
	return 1;
}

int main(void)
{
	first();
	while (blocks) {
		struct block *next = blocks->next;

		free(blocks);
		blocks = next;
	}
	return print_peak();
}
