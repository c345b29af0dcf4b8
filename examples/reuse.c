/* SPDX-License-Identifier: MIT */
/*
 * Before and after: a line reader that allocates a buffer per line, and the
 * same with one buffer reused; `reuse before`, `reuse after`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES 100000
#define LINE_BYTES 512

/* Fill `buf` with line `i` and return its length. */
static size_t read_line(char *buf, unsigned int i)
{
	return (size_t)snprintf(buf, LINE_BYTES, "line %u of the input", i);
}

/* Sum the lengths of all lines with a buffer for each. */
static size_t before(void)
{
	size_t sum = 0;

	for (unsigned int i = 0; i < LINES; i++) {
		char *buf = malloc(LINE_BYTES);

		if (!buf)
			return 0;
		sum += read_line(buf, i);
		free(buf);
	}
	return sum;
}

/* Do the same with one buffer. */
static size_t after(void)
{
	char *buf = malloc(LINE_BYTES);
	size_t sum = 0;

	for (unsigned int i = 0; buf && i < LINES; i++)
		sum += read_line(buf, i);
	free(buf);
	return sum;
}

int main(int argc, char **argv)
{
	int reuse = argc > 1 && !strcmp(argv[1], "after");

	printf("%zu bytes read\n", reuse ? after() : before());
	return 0;
}
