/* SPDX-License-Identifier: MIT */
/*
 * comes: threads come and go, one after another, until standard input ends.
 * Each allocates and frees the same, and leaves one block in a table of 64,
 * in the place of an older one.
 */
#include <poll.h>

#include "host.h"

static void *volatile left[64];

static NOINLINE void *comes_alloc(size_t n)
{
	return keep(malloc(n));
}

static void *run(void *arg)
{
	static unsigned int turn;
	void **place = (void **)&left[turn++ % 64];

	for (size_t i = 1; i <= 200; i++)
		free(comes_alloc(i));
	free(*place);
	*place = comes_alloc(100);
	return arg;
}

int main(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	pthread_t thread;

	while (poll(&input, 1, 1) == 0) {
		for (int i = 0; i < 3; i++) {
			need(!pthread_create(&thread, NULL, run, NULL),
			     "thread");
			pthread_join(thread, NULL);
		}
	}
	return 0;
}
