/* SPDX-License-Identifier: MIT */
/*
 * Shows that the set of sampled blocks never forgets one nor makes one up,
 * from several threads at once; says so when it has no place; and is empty in
 * a forked child.
 */
#include "sampled.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"

static void *at(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

static void setup(void)
{
	ck_assert(!mt_sampled_may_have(at(0x1234560)));
	ck_assert(mt_sampled_init());
}

START_TEST(members_are_found)
{
	for (uint64_t i = 1; i <= 1000; i++)
		ck_assert(mt_sampled_add(at(i * 20000)));
	for (uint64_t i = 1; i <= 1000; i++) {
		ck_assert(mt_sampled_may_have(at(i * 20000)));
		ck_assert(!mt_sampled_remove(at(i * 20000 + 16)));
	}
	for (uint64_t i = 1; i <= 1000; i++)
		ck_assert(mt_sampled_remove(at(i * 20000)));
	for (uint64_t i = 1; i <= 1000; i++) {
		ck_assert(!mt_sampled_may_have(at(i * 20000)));
		ck_assert(!mt_sampled_remove(at(i * 20000)));
	}
}
END_TEST

/* Addresses that share all they can, as do those 1 GiB apart. */
START_TEST(full_is_said)
{
	uint64_t n = 0;

	while (n < 1000 && mt_sampled_add(at((n << 30) + 4096)))
		n++;
	ck_assert_uint_ge(n, 4);
	ck_assert_uint_lt(n, 1000);
	ck_assert(!mt_sampled_remove(at((n << 30) + 4096)));
	ck_assert(mt_sampled_remove(at(4096)));
	ck_assert(mt_sampled_add(at((n << 30) + 4096)));
	for (uint64_t i = 1; i <= n; i++)
		ck_assert(mt_sampled_remove(at((i << 30) + 4096)));
	ck_assert(!mt_sampled_may_have(at(4096)));
}
END_TEST

START_TEST(children_begin_with_none)
{
	int status;
	pid_t child;

	ck_assert(mt_sampled_add(at(0x5000)));
	child = fork();
	if (!child)
		_exit(mt_sampled_may_have(at(0x5000)) ||
		      mt_sampled_remove(at(0x5000)) ||
		      !mt_sampled_add(at(0x5000)));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert(mt_sampled_remove(at(0x5000)));
}
END_TEST

/* Each thread has its own blocks, in pages of all. */
static void *churn(void *number)
{
	uint64_t n = (uintptr_t)number;

	for (uint64_t i = 0; i < 300000; i++) {
		void *p = at((1 + i % 50) * 4096 + n * 16 + 64);

		if (!mt_sampled_add(p))
			return number;
		if (!mt_sampled_may_have(p) || !mt_sampled_remove(p))
			return number;
	}
	return NULL;
}

START_TEST(threads_do_not_meet)
{
	pthread_t thread[4];
	void *wrong = NULL, *it;

	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, churn, (void *)(i + 1));
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], &it);
		wrong = it ? it : wrong;
	}
	ck_assert_ptr_null(wrong);
	for (uint64_t i = 1; i <= 50; i++)
		ck_assert(!mt_sampled_may_have(at(i * 4096)));
}
END_TEST

static void add(TCase *c)
{
	tcase_add_checked_fixture(c, setup, NULL);
	tcase_add_test(c, members_are_found);
	tcase_add_test(c, full_is_said);
	tcase_add_test(c, children_begin_with_none);
	tcase_add_test(c, threads_do_not_meet);
}

int main(void)
{
	return suite_main("sampled", add);
}
