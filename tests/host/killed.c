/* SPDX-License-Identifier: MIT */
/*
 * killed LOG...: a thread per LOG allocates and frees for ever and reports
 * each operation in LOG, as soon as it is done, as three words: address,
 * size, and 1 for an allocation or 0 for a free. At whatever moment it is
 * killed, all that it has reported is to be in the trace.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>

#include "host.h"

#define BLOCKS 64
#define FIRST_BYTES 777777

static void report(int fd, uint64_t address, uint64_t size, uint64_t alloc)
{
	uint64_t words[3] = {address, size, alloc};

	if (write(fd, words, sizeof(words)) != sizeof(words))
		_exit(1);
}

static _Noreturn void run(void *arg)
{
	void *block[BLOCKS] = {NULL};
	int fd = open(arg, O_WRONLY | O_CREAT | O_APPEND, 0644);
	uint64_t random = 88172645463325252u;

	need(fd >= 0, "open");
	/* A block that is never freed tells the reader where the log begins. */
	report(fd, (uintptr_t)keep(malloc(FIRST_BYTES)), FIRST_BYTES, 1);
	for (;;) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;

		void **slot = &block[random % BLOCKS];
		size_t size = random >> 20 & 1023;

		if (*slot) {
			uintptr_t old = (uintptr_t)keep(*slot);

			free(*slot);
			report(fd, old, 0, 0);
		}
		*slot = keep(malloc(size));
		report(fd, (uintptr_t)*slot, size, 1);
	}
}

static void *start(void *arg)
{
	run(arg);
}

int main(int argc, char **argv)
{
	pthread_t thread;

	need(argc > 1, "killed LOG...");
	for (int i = 2; i < argc; i++)
		need(!pthread_create(&thread, NULL, start, argv[i]), "thread");
	run(argv[1]);
}
