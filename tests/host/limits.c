/* SPDX-License-Identifier: MIT */
/*
 * limits fsize|fsize0|as|nofile|stack|none: sets a resource limit on itself
 * and goes on allocating for many segments. The program's own behaviour at
 * the limit is as without the recorder, its trace readable; what is lacking is
 * counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include "host.h"

#define ROUNDS 200000

static NOINLINE void *limit_alloc(size_t n)
{
	return keep(malloc(n));
}

static void set(int resource, rlim_t value)
{
	struct rlimit limit = {value, value};

	need(!setrlimit(resource, &limit), "setrlimit");
}

static NOINLINE void *churn(void *arg)
{
	static __thread void *kept[1000];

	for (size_t i = 0; i < ROUNDS; i++) {
		void **slot = &kept[i * 7919 % 1000];

		free(*slot);
		*slot = limit_alloc(i * 31 % 500);
		need(*slot != NULL, "no memory");
	}
	return arg;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "none";
	pthread_t thread;

	free(limit_alloc(1));
	if (!strcmp(what, "fsize"))
		set(RLIMIT_FSIZE, 4096);
	if (!strcmp(what, "fsize0")) {
		say("before");
		set(RLIMIT_FSIZE, 0);
	}
	if (!strcmp(what, "as"))
		set(RLIMIT_AS, 160u << 20);
	if (!strcmp(what, "nofile"))
		set(RLIMIT_NOFILE, 3);
	if (!strcmp(what, "stack"))
		set(RLIMIT_STACK, 128u << 10);
	churn(NULL);
	need(!pthread_create(&thread, NULL, churn, NULL), "thread");
	pthread_join(thread, NULL);
	if (!strcmp(what, "nofile")) {
		int fd = open("/dev/null", O_RDONLY);

		need(fd < 0 && errno == EMFILE, "a descriptor too many");
	}
	if (!strcmp(what, "as"))
		need(!limit_alloc(200u << 20), "limit gone");
	if (!strcmp(what, "fsize0"))
		return 5;
	say("done");
	return 0;
}
