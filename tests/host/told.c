/* SPDX-License-Identifier: MIT */
/*
 * told: does what it is told on stdin, a line at a time, and answers "ok" when
 * it has, so that a test knows what its heap is like while it runs: "a N SIZE"
 * allocates N blocks, "f N" frees the last N, "e" ends it.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

#define MOST 100000

void told_alloc(long n, long size);
void told_free(long n);

static void *block[MOST];
static long count;

/* Allocate blocks. */
__attribute__((noinline)) void told_alloc(long n, long size)
{
	while (n-- && count < MOST)
		block[count++] = malloc((size_t)size);
}

/* Free blocks. */
__attribute__((noinline)) void told_free(long n)
{
	while (n-- && count)
		free(block[--count]);
}

/* Read a line without stdio, whose buffer would be a block; false: no more. */
static int read_line(char *to, size_t room)
{
	size_t n = 0;

	while (n < room - 1 && read(0, &to[n], 1) == 1 && to[n] != '\n')
		n++;
	to[n] = '\0';
	return n > 0;
}

int main(void)
{
	char line[64], *rest;
	long n;

	while (read_line(line, sizeof(line)) && *line != 'e') {
		n = strtol(line + 1, &rest, 10);
		if (*line == 'a')
			told_alloc(n, strtol(rest, NULL, 10));
		else
			told_free(n);
		if (write(1, "ok\n", 3) != 3)
			return 1;
	}
	return 0;
}
