/* SPDX-License-Identifier: MIT */
/* Threads: at work, waiting, ended, joined or not, when the program ends. */
#define _GNU_SOURCE
#include "case.h"

#include <pthread.h>
#include <semaphore.h>
#include <sys/stat.h>
#include <threads.h>
#include <unistd.h>

static __thread void *volatile in_tls;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static volatile int ready;

/* Start a thread. */
static OUTLINE pthread_t start(void *(*f)(void *), void *arg)
{
	pthread_t t;

	if (pthread_create(&t, NULL, f, arg))
		abort();
	return t;
}

/* Start a thread and wait until it says that it is where it stays. */
static OUTLINE void start_and_wait(void *(*f)(void *), void *arg)
{
	start(f, arg);
	while (!ready)
		usleep(1000);
	usleep(10000);
}

/* Wait for ever. */
static OUTLINE void rest(void)
{
	ready = 1;
	for (;;)
		pause();
}

static OUTLINE void *hand_back(void *unused)
{
	(void)unused;
	return make(32);
}

static OUTLINE void *hand_back_and_lose(void *unused)
{
	(void)unused;
	make(48);
	return make(32);
}

/* Expect: none */
CASE(keep_joined)
{
	pthread_t t = start(hand_back, NULL);
	void *result;

	pthread_join(t, &result);
	kept = result;
}

/* Expect: none */
CASE(free_joined)
{
	void *result;

	pthread_join(start(hand_back, NULL), &result);
	free(result);
}

/* Expect: definite 1 block 32 bytes in make */
CASE(lose_joined)
{
	void *result;

	pthread_join(start(hand_back, NULL), &result);
}

/* Expect: definite 1 block 32 bytes in make */
CASE(lose_joined_to_nobody)
{
	pthread_join(start(hand_back, NULL), NULL);
}

/* Wait until no other thread is left: /proc has a link for each. */
static void wait_alone(void)
{
	struct stat task;

	for (int i = 0; i < 10000; i++) {
		if (stat("/proc/self/task", &task) || task.st_nlink <= 3)
			return;
		usleep(1000);
	}
	abort();
}

/* Expect: none */
CASE(keep_unjoined)
{
	start(hand_back, NULL);
	wait_alone();
}

/* Expect: definite 1 block 48 bytes in make */
CASE(keep_unjoined_and_lose)
{
	start(hand_back_and_lose, NULL);
	wait_alone();
}

/* Expect: definite 1 block 48 bytes in make */
CASE(lose_in_joined)
{
	void *result;

	pthread_join(start(hand_back_and_lose, NULL), &result);
	kept = result;
}

static OUTLINE void *lose_list(void *unused)
{
	(void)unused;
	list(5, 40);
	return NULL;
}

/* Expect: definite 1 block 40 bytes in make; indirect 4 blocks 160 bytes */
CASE(lose_list_in_joined)
{
	pthread_join(start(lose_list, NULL), NULL);
}

/* Expect: definite 4 blocks 160 bytes in make; indirect 16 blocks 640 bytes */
CASE(lose_in_four)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		t[i] = start(lose_list, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
}

/* Expect: definite 1 block 40 bytes in make; indirect 4 blocks 160 bytes */
CASE(lose_in_detached)
{
	pthread_detach(start(lose_list, NULL));
	wait_alone();
}

static OUTLINE void *lose_from_tls(void *unused)
{
	(void)unused;
	in_tls = make(56);
	return NULL;
}

/* Expect: definite 1 block 56 bytes in make */
CASE(lose_from_tls_of_ended)
{
	pthread_join(start(lose_from_tls, NULL), NULL);
}

static OUTLINE void *lose_from_key(void *key)
{
	pthread_setspecific(*(pthread_key_t *)key, make(56));
	return NULL;
}

/* Expect: definite 1 block 56 bytes in make */
CASE(lose_from_key_of_ended)
{
	static pthread_key_t key;

	pthread_key_create(&key, NULL);
	pthread_join(start(lose_from_key, &key), NULL);
}

/* Expect: none */
CASE(free_from_key_of_ended)
{
	static pthread_key_t key;

	pthread_key_create(&key, free);
	pthread_join(start(lose_from_key, &key), NULL);
}

static OUTLINE void *hold_on_stack(void *unused)
{
	void *volatile mine[2] = {make(64), list(3, 32)};

	(void)unused;
	rest();
	return mine[0];
}

/* Expect: none */
CASE(keep_on_waiting_stack)
{
	start_and_wait(hold_on_stack, NULL);
}

static OUTLINE void *hold_in_tls(void *unused)
{
	(void)unused;
	in_tls = list(3, 32);
	rest();
	return NULL;
}

/* Expect: none */
CASE(keep_in_waiting_tls)
{
	start_and_wait(hold_in_tls, NULL);
}

static OUTLINE void *hold_in_key(void *key)
{
	pthread_setspecific(*(pthread_key_t *)key, list(2, 56));
	rest();
	return NULL;
}

/* Expect: none */
CASE(keep_in_waiting_key)
{
	static pthread_key_t key;

	pthread_key_create(&key, NULL);
	start_and_wait(hold_in_key, &key);
}

/* Lose blocks from further down, where no frame is that lives on. */
static OUTLINE int lose_ten(int depth)
{
	volatile char room[512];

	room[depth] = 0;
	if (depth)
		return lose_ten(depth - 1) + room[depth];
	for (int i = 0; i < 10; i++)
		make(72);
	return room[0];
}

static OUTLINE void *lose_and_wait(void *unused)
{
	(void)unused;
	lose_ten(1);
	rest();
	return NULL;
}

/* The last can be in a register. */
/* Expect: definite 9 blocks 648 bytes in make; held_at_exit 1 block 72 bytes */
CASE(lose_in_waiting)
{
	start_and_wait(lose_and_wait, NULL);
}

static OUTLINE void *lose_and_wait_for_cond(void *unused)
{
	(void)unused;
	make(72);
	pthread_mutex_lock(&mutex);
	ready = 1;
	for (;;)
		pthread_cond_wait(&never, &mutex);
	return NULL;
}

/* Expect: definite 1 block 72 bytes in make */
CASE(lose_in_idle)
{
	start_and_wait(lose_and_wait_for_cond, NULL);
}

static OUTLINE void *hold_and_wait_for_cond(void *unused)
{
	uint64_t *mine = make(72);

	(void)unused;
	pthread_mutex_lock(&mutex);
	ready = 1;
	while (!mine[3])
		pthread_cond_wait(&never, &mutex);
	return mine;
}

/* Expect: none */
CASE(keep_in_idle)
{
	start_and_wait(hold_and_wait_for_cond, NULL);
}

/* Only a register has the block, but for what a debug build spills. */
static OUTLINE void *hold_in_register(void *unused)
{
	volatile uint64_t *mine = make(80);

	(void)unused;
	ready = 1;
	while (!mine[3])
		pause();
	return NULL;
}

/* Expect: held_at_exit any */
CASE(keep_in_waiting_register)
{
	start_and_wait(hold_in_register, NULL);
}

static OUTLINE void *hold_and_read(void *pipe)
{
	volatile uint64_t *mine = make(88);

	ready = 1;
	while (read(*(int *)pipe, (void *)mine, 8) >= 0)
		;
	return NULL;
}

/* Expect: none */
CASE(keep_in_argument)
{
	static int ends[2];

	if (pipe(ends))
		abort();
	start_and_wait(hold_and_read, &ends[0]);
}

static OUTLINE void *hold_and_run(void *unused)
{
	volatile uint64_t *mine = make(96);

	(void)unused;
	ready = 1;
	while (!mine[3])
		;
	return NULL;
}

/* Expect: held_at_exit any */
CASE(keep_in_running)
{
	start_and_wait(hold_and_run, NULL);
}

static OUTLINE void *hold_deep_and_run(void *unused)
{
	void *volatile mine[100] = {NULL};
	volatile uint64_t n = 1;

	(void)unused;
	for (int i = 0; i < 100; i++)
		mine[i] = make(40);
	ready = 1;
	while (n)
		n |= 2;
	return mine[7];
}

/* Expect: none */
CASE(keep_on_running_stack)
{
	start_and_wait(hold_deep_and_run, NULL);
}

static OUTLINE void *lose_and_run(void *unused)
{
	volatile uint64_t n = 1;

	(void)unused;
	free(make(3000));
	for (int i = 0; i < 20; i++)
		list(2, 40);
	ready = 1;
	while (n)
		n |= 2;
	return NULL;
}

/* The last can be in a register, the one before in a slot that is dead: where
 * its stack ends is not known. */
/* Expect: definite 18 blocks 720 bytes in make; indirect any; held_at_exit
 * any */
CASE(lose_in_running)
{
	start_and_wait(lose_and_run, NULL);
}

static OUTLINE void *use(void *arg)
{
	kept = arg;
	rest();
	return NULL;
}

/* Expect: none */
CASE(keep_argument_in_flight)
{
	for (int i = 0; i < 8; i++)
		start(use, make(32));
}

/* Expect: none */
CASE(keep_threads_waiting)
{
	for (int i = 0; i < 16; i++)
		start(hold_on_stack, NULL);
	usleep(30000);
}

static OUTLINE void *exit_and_hold(void *unused)
{
	void *volatile mine = make(32);

	(void)unused;
	exit(mine == NULL);
}

/* Expect: none */
CASE(exit_in_thread)
{
	start(exit_and_hold, NULL);
	rest();
}

static OUTLINE void *lose_and_leave(void *unused)
{
	(void)unused;
	make(40);
	exit(3);
}

/* Expect: definite 1 block 40 bytes in make */
CASE(lose_and_exit_in_thread)
{
	start(lose_and_leave, NULL);
	rest();
}

static OUTLINE void *outlive(void *unused)
{
	void *volatile mine = make(32);

	(void)unused;
	usleep(20000);
	free(mine);
	make(24);
	return NULL;
}

/* Expect: definite 1 block 24 bytes in make */
CASE(lose_after_main_thread)
{
	start(outlive, NULL);
	pthread_exit(NULL);
}

/* Expect: none */
CASE(start_and_join_many)
{
	for (int i = 0; i < 50; i++) {
		void *result;

		pthread_join(start(hand_back, NULL), &result);
		free(result);
	}
}

static OUTLINE void *wait_for_semaphore(void *semaphore)
{
	void *volatile mine = make(32);

	ready = 1;
	sem_wait(semaphore);
	return mine;
}

/* Expect: none */
CASE(keep_waiting_for_semaphore)
{
	static sem_t semaphore;

	start_and_wait(wait_for_semaphore, &semaphore);
}

/* Expect: none */
CASE(keep_on_own_stack)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	kept = aligned_alloc(4096, 1 << 17);
	pthread_attr_setstack(&attr, kept, 1 << 17);
	if (pthread_create(&t, &attr, hold_on_stack, NULL))
		abort();
	while (!ready)
		usleep(1000);
}

/* Expect: none */
CASE(keep_on_mapped_stack)
{
	pthread_attr_t attr;
	pthread_t t;
	void **pages = map_pages(96);

	pages[5] = make(24);
	pages[512 * 90] = make(24);
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, pages + 512 * 32, 1 << 17);
	if (pthread_create(&t, &attr, hold_on_stack, NULL))
		abort();
	while (!ready)
		usleep(1000);
}

static OUTLINE void *be_cancelled(void *unused)
{
	(void)unused;
	make(24);
	rest();
	return NULL;
}

/* Expect: definite 1 block 24 bytes in make */
CASE(lose_in_cancelled)
{
	pthread_t t = start(be_cancelled, NULL);

	while (!ready)
		usleep(1000);
	pthread_cancel(t);
	pthread_join(t, NULL);
}

static OUTLINE void *clean_up(void *unused)
{
	(void)unused;
	pthread_cleanup_push(free, make(24));
	rest();
	pthread_cleanup_pop(1);
	return NULL;
}

/* Expect: none */
CASE(free_in_cancelled)
{
	pthread_t t = start(clean_up, NULL);

	while (!ready)
		usleep(1000);
	pthread_cancel(t);
	pthread_join(t, NULL);
}

static OUTLINE int hand_number(void *arg)
{
	free(arg);
	return 7;
}

/* Expect: none */
CASE(start_c11)
{
	thrd_t t;
	int result;

	if (thrd_create(&t, hand_number, make(16)) != thrd_success)
		abort();
	thrd_join(t, &result);
}

static OUTLINE void make_once(void)
{
	kept = make(32);
}

/* Expect: none */
CASE(keep_once)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_once);
	pthread_once(&once, make_once);
}
