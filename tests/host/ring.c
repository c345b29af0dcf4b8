/* SPDX-License-Identifier: MIT */
/*
 * ring THREADS STEPS [FILE]: threads that take turns, so that every run does
 * the same in the same order: blocks are allocated, freed by whoever comes
 * next, and (without FILE) reallocated; the peak lies in the first third; half
 * of the blocks are left. What is done so far is in FILE at each instant, so
 * that a trace can be held against it wherever the program is killed: the
 * counts before and after the event that is under way.
 */
#include <fcntl.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#include "host.h"

#define MOST_THREADS 16
#define BLOCKS 5000
#define PEAK_BLOCKS 2000

struct counts {
	uint64_t allocations, frees, allocated_bytes, live_bytes, live_blocks;
};

/* What FILE holds: now, and after the event. */
struct progress {
	struct counts now, then;
};

static struct {
	void *at;
	size_t size;
} block[BLOCKS], extra[PEAK_BLOCKS];

static struct progress local, *progress = &local;
static bool reallocates = true;
static long steps, step;
static int threads;
static sem_t turn[MOST_THREADS];
static uint64_t seed = 4711;

static uint32_t draw(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

/* Say what the next event will have done, and that it has. */
static void will(int allocations, int64_t bytes)
{
	struct counts *c = &progress->then;

	if (allocations) {
		c->allocations++;
		c->allocated_bytes += (uint64_t)bytes;
		c->live_blocks++;
	} else {
		c->frees++;
		c->live_blocks--;
	}
	c->live_bytes += (uint64_t)bytes;
	__sync_synchronize();
}

static void did(void)
{
	__sync_synchronize();
	progress->now = progress->then;
}

static NOINLINE void *allocate(size_t size)
{
	return keep(malloc(size));
}

static NOINLINE void *allocate_zeros(size_t size)
{
	return keep(calloc(1, size));
}

static void give(size_t i, void *(*from)(size_t), size_t size)
{
	will(1, (int64_t)size);
	block[i].at = from(size);
	block[i].size = size;
	did();
}

static void take(size_t i)
{
	if (!block[i].at)
		return;
	will(0, -(int64_t)block[i].size);
	free(block[i].at);
	block[i].at = NULL;
	did();
}

static void make_peak(void)
{
	for (int i = 0; i < PEAK_BLOCKS; i++) {
		extra[i].size = 3000 + draw(100);
		will(1, (int64_t)extra[i].size);
		extra[i].at = allocate(extra[i].size);
		did();
	}
	for (int i = 0; i < PEAK_BLOCKS; i++) {
		will(0, -(int64_t)extra[i].size);
		free(extra[i].at);
		did();
	}
}

static void do_step(void)
{
	uint32_t i = draw(BLOCKS);

	if (++step == steps / 3)
		make_peak();
	if (reallocates && block[i].at && draw(16) == 0) {
		block[i].size = 1 + draw(2000);
		block[i].at = keep(realloc(block[i].at, block[i].size));
		return;
	}
	take(i);
	give(i, draw(2) ? allocate : allocate_zeros, 1 + draw(500));
}

static void *run(void *arg)
{
	int self = (int)(intptr_t)arg, next;

	for (;;) {
		sem_wait(&turn[self]);
		for (uint32_t n = 1 + draw(200); n && step < steps; n--)
			do_step();
		next = (int)draw((uint32_t)threads);
		if (step >= steps)
			break;
		sem_post(&turn[next]);
	}
	/* Let the others see it too. */
	for (int i = 0; i < threads; i++)
		sem_post(&turn[i]);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread[MOST_THREADS];
	int fd;

	need(argc > 2, "usage");
	threads = atoi(argv[1]);
	steps = atol(argv[2]);
	if (argc > 3) {
		reallocates = false;
		fd = open(argv[3], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		need(fd >= 0 && !ftruncate(fd, sizeof(*progress)), "file");
		progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
				MAP_SHARED, fd, 0);
		need(progress != MAP_FAILED, "mmap");
	}
	for (int i = 0; i < threads; i++)
		need(!sem_init(&turn[i], 0, i == 0), "sem_init");
	for (int i = 0; i < threads && threads > 1; i++)
		need(!pthread_create(&thread[i], NULL, run,
				     (void *)(intptr_t)i),
		     "thread");
	if (threads == 1)
		run(NULL);
	for (int i = 0; i < threads && threads > 1; i++)
		pthread_join(thread[i], NULL);
	for (size_t i = 0; i < BLOCKS / 2; i++)
		take(i);
	return 0;
}
