/* SPDX-License-Identifier: MIT */
/*
 * crossing MIB [kill]: has so many MiB live in blocks of 20,000 bytes, in two
 * functions: one holds a quarter. Then frees them, and asks for more than there
 * is in three ways; or is killed while it has them. Prints what was live before
 * each failure.
 *
 * "crossing fill" takes memory until it is killed for it, or has 1 GiB.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "host.h"

#define BYTES 20000
#define TOO_MUCH (UINT64_C(1) << 50)

static NOINLINE char *crossing_small(void)
{
	return keep(malloc(BYTES));
}

static NOINLINE char *crossing_large(void)
{
	return keep(malloc(BYTES));
}

static NOINLINE void crossing_fails(char *p)
{
	size_t volatile much = TOO_MUCH;

	errno = 0;
	if (keep(malloc(much)) || errno != ENOMEM)
		exit(3);
	if (keep(calloc(much / 8, 16)) || keep(realloc(p, much + 1)))
		exit(3);
}

int main(int argc, char **argv)
{
	bool fill = strcmp(argv[1], "fill") == 0;
	size_t n = fill ? (1ul << 30) / BYTES
			: ((size_t)atoi(argv[1]) << 20) / BYTES;
	char **p = keep(malloc(n * sizeof(*p)));

	for (size_t i = 0; i < n; i++) {
		p[i] = i % 4 ? crossing_large() : crossing_small();
		memset(p[i], 1, BYTES);
	}
	if (fill)
		return 4;
	if (argc > 2)
		raise(SIGKILL);
	for (size_t i = 1; i < n; i++)
		free(p[i]);
	crossing_fails(p[0]);
	return 0;
}
