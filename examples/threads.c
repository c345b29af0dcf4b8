/* SPDX-License-Identifier: MIT */
/*
 * Threads that hand blocks over: one allocates jobs, two free them, so each
 * free is another thread's than its allocation.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define JOBS 50000
#define WORKERS 2
#define QUEUE 64

struct job {
	unsigned int number;
	unsigned char payload[200];
};

static struct queue {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct job *jobs[QUEUE];
	unsigned int head, tail; /* count jobs ever taken and put */
	int closed;
} queue = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER,
};

/* Put a job into the queue; NULL closes it. */
static void put(struct job *job)
{
	pthread_mutex_lock(&queue.lock);
	while (queue.tail - queue.head == QUEUE)
		pthread_cond_wait(&queue.changed, &queue.lock);
	if (job)
		queue.jobs[queue.tail++ % QUEUE] = job;
	else
		queue.closed = 1;
	pthread_cond_broadcast(&queue.changed);
	pthread_mutex_unlock(&queue.lock);
}

/* Take a job out of the queue; NULL when it is closed and empty. */
static struct job *take(void)
{
	struct job *job = NULL;

	pthread_mutex_lock(&queue.lock);
	while (queue.tail == queue.head && !queue.closed)
		pthread_cond_wait(&queue.changed, &queue.lock);
	if (queue.tail != queue.head)
		job = queue.jobs[queue.head++ % QUEUE];
	pthread_cond_broadcast(&queue.changed);
	pthread_mutex_unlock(&queue.lock);
	return job;
}

/* Do and free jobs until there are none; count them in `*arg`. */
static void *work(void *arg)
{
	unsigned int *done = arg;
	struct job *job;

	while ((job = take())) {
		*done += 1;
		free(job);
	}
	return NULL;
}

int main(void)
{
	unsigned int done[WORKERS] = {0}, sum = 0;
	pthread_t worker[WORKERS];

	for (unsigned int i = 0; i < WORKERS; i++)
		if (pthread_create(&worker[i], NULL, work, &done[i]))
			return 1;
	for (unsigned int i = 0; i < JOBS; i++) {
		struct job *job = calloc(1, sizeof(*job));

		if (!job)
			return 1;
		job->number = i;
		put(job);
	}
	put(NULL);
	for (unsigned int i = 0; i < WORKERS; i++) {
		pthread_join(worker[i], NULL);
		sum += done[i];
	}
	printf("%u jobs done\n", sum);
	return 0;
}
