/* SPDX-License-Identifier: MIT */
/*
 * How long a call of the allocator takes: bench/pauses THREADS SECONDS. The
 * threads allocate and free as fast as they can, from several stacks, and note
 * the time of each call. Prints a line of "calls" and nanoseconds "p50 p99
 * p99.99 max"; the same of the calls from which the scheduler took the
 * processor away stands apart, since nobody but a busy machine is to blame for
 * these, and how many there were.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define MAX_THREADS 64
#define HELD 4096

/* Buckets of times: 16 an octave. */
#define BUCKETS (64 * 16)

/* A call as long may have been preempted, shorter ones were not. */
#define LONG_NS 20000

struct times {
	uint64_t count[BUCKETS], calls, most;
};

struct worker {
	pthread_t thread;
	struct times own, preempted;
	long switches; /* that were not the thread's wish */
};

static struct worker worker[MAX_THREADS];
static uint64_t end_ns;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static long switches(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nivcsw;
}

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int octave = 63 - (unsigned int)__builtin_clzll(ns | 16);

	return (octave - 4) * 16 + (unsigned int)(ns >> (octave - 4) & 15);
}

/* Return the least time of a bucket. */
static uint64_t bucket_ns(unsigned int i)
{
	return (uint64_t)(16 + i % 16) << (i / 16);
}

static void note(struct times *t, uint64_t ns)
{
	t->count[bucket_of(ns < 16 ? 16 : ns)]++;
	t->calls++;
	if (ns > t->most)
		t->most = ns;
}

/* Note the time since `since`; returns what time it is. */
static uint64_t note_call(struct worker *w, uint64_t since)
{
	uint64_t now = now_ns();
	long before = w->switches;

	if (now - since >= LONG_NS)
		w->switches = switches();
	note(w->switches == before ? &w->own : &w->preempted, now - since);
	return now_ns();
}

/* Allocate from a stack that is `depth` frames deeper. */
static __attribute__((noinline)) void *allocate(unsigned int depth, size_t size)
{
	void *p = depth ? allocate(depth - 1, size) : malloc(size);

	/* Keeps the call from becoming a jump. */
	__asm__ volatile("" : "+r"(p));
	return p;
}

static void *churn(void *arg)
{
	static __thread void *held[HELD];
	struct worker *w = arg;
	uint64_t seed = (uintptr_t)arg, now = now_ns();

	w->switches = switches();
	while (now < end_ns) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;

		unsigned int i = (unsigned int)(seed >> 33) % HELD;

		free(held[i]);
		now = note_call(w, now);
		held[i] = allocate(i % 8, 16 + i % 32 * 16);
		now = note_call(w, now);
	}
	return NULL;
}

static uint64_t quantile(const struct times *t, double part)
{
	uint64_t upto = (uint64_t)((double)t->calls * part), sum = 0;

	for (unsigned int i = 0; i < BUCKETS; i++) {
		sum += t->count[i];
		if (sum > upto)
			return bucket_ns(i);
	}
	return t->most;
}

static void add(struct times *to, const struct times *from)
{
	for (unsigned int i = 0; i < BUCKETS; i++)
		to->count[i] += from->count[i];
	to->calls += from->calls;
	if (from->most > to->most)
		to->most = from->most;
}

int main(int argc, char **argv)
{
	static struct times own, preempted;
	int n = argc > 2 ? atoi(argv[1]) : 0;

	if (n <= 0 || n > MAX_THREADS) {
		fprintf(stderr, "usage: pauses THREADS SECONDS\n");
		return 2;
	}
	end_ns = now_ns() + (uint64_t)(atof(argv[2]) * 1e9);
	for (int i = 0; i < n; i++)
		if (pthread_create(&worker[i].thread, NULL, churn, &worker[i]))
			return 1;
	for (int i = 0; i < n; i++) {
		pthread_join(worker[i].thread, NULL);
		add(&own, &worker[i].own);
		add(&preempted, &worker[i].preempted);
	}
	printf("%llu %llu %llu %llu %llu %llu %llu\n",
	       (unsigned long long)own.calls,
	       (unsigned long long)quantile(&own, 0.5),
	       (unsigned long long)quantile(&own, 0.99),
	       (unsigned long long)quantile(&own, 0.9999),
	       (unsigned long long)own.most,
	       (unsigned long long)preempted.calls,
	       (unsigned long long)preempted.most);
	return 0;
}
