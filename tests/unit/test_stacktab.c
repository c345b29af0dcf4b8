/* SPDX-License-Identifier: MIT */
/*
 * The stack table: equal stacks are one node and others are not, however many
 * threads look up while one adds (run it under TSan as well), and memory that
 * is out costs the new stack only.
 */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>

#include "stacktab.h"

#define THREADS 4
#define STACKS 20000 /* more than a chunk, so that buckets split */
#define DEPTH 8

static uint64_t nodes, pcs;
static int grows_left; /* how often grow() may succeed */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *given[1024]; /* what grow() gave, which the table never frees */
static unsigned int given_count;

static void *grow(enum mt_stream stream, uint64_t bytes)
{
	(void)stream;
	if (grows_left-- <= 0)
		return NULL;
	ck_assert_uint_lt(given_count, 1024);
	return given[given_count++] = calloc(1, bytes);
}

static void setup(void)
{
	grows_left = 1000000;
	ck_assert(mt_stacktab_init(grow, &nodes, &pcs));
}

static void teardown(void)
{
	mt_stacktab_reset();
	while (given_count)
		free(given[--given_count]);
}

/* Find a node or add it, as the unwinder does. */
static uint32_t intern(uint32_t parent, uint32_t pc)
{
	uint32_t n = mt_node_find(parent, pc);

	if (n != MT_NODE_LOST)
		return n;
	pthread_mutex_lock(&lock);
	n = mt_node_add(parent, pc);
	pthread_mutex_unlock(&lock);
	return n;
}

/* The pc at a depth of stack `i`: stacks share their outer frames. */
static uint32_t frame(uint32_t i, unsigned int depth)
{
	return depth < DEPTH - 1 ? i >> (2 * (DEPTH - 1 - depth)) : i;
}

/* Intern stack `i` and return its node. */
static uint32_t intern_stack(uint32_t i)
{
	uint32_t n = 0;

	for (unsigned int depth = 0; depth < DEPTH; depth++)
		n = intern(n, frame(i, depth));
	return n;
}

/* Check that a node names stack `i`, from its innermost frame outward. */
static void check_stack(uint32_t n, uint32_t i)
{
	for (unsigned int depth = DEPTH; depth-- > 0;) {
		ck_assert_uint_ge(n, MT_NODE_FIRST);
		ck_assert_uint_eq(mt_node(n)->pc, frame(i, depth));
		ck_assert_uint_lt(mt_node(n)->parent, n);
		n = mt_node(n)->parent;
	}
	ck_assert_uint_eq(n, 0);
}

START_TEST(equal_stacks_are_one)
{
	uint32_t *node = calloc(STACKS, sizeof(*node));
	uint64_t count;

	for (uint32_t i = 0; i < STACKS; i++)
		node[i] = intern_stack(i);
	count = nodes;
	for (uint32_t i = 0; i < STACKS; i++) {
		ck_assert_uint_eq(intern_stack(i), node[i]);
		check_stack(node[i], i);
	}
	ck_assert_uint_eq(nodes, count);
	ck_assert_uint_eq(mt_node_find(0, 99999999), MT_NODE_LOST);
	free(node);
}
END_TEST

struct worker {
	pthread_t thread;
	uint32_t *node;
	uint32_t start;
};

/* Intern all stacks, from one of them on. */
static void *work(void *arg)
{
	struct worker *w = arg;

	for (uint32_t j = 0; j < STACKS; j++) {
		uint32_t i = (w->start + j) % STACKS;

		w->node[i] = intern_stack(i);
	}
	return NULL;
}

START_TEST(threads_agree)
{
	struct worker w[THREADS];

	for (uint32_t t = 0; t < THREADS; t++) {
		w[t].node = calloc(STACKS, sizeof(*w[t].node));
		w[t].start = t * 17;
		ck_assert(!pthread_create(&w[t].thread, NULL, work, &w[t]));
	}
	for (uint32_t t = 0; t < THREADS; t++)
		pthread_join(w[t].thread, NULL);
	for (uint32_t i = 0; i < STACKS; i++) {
		check_stack(w[0].node[i], i);
		for (uint32_t t = 1; t < THREADS; t++)
			ck_assert_uint_eq(w[t].node[i], w[0].node[i]);
	}
	for (uint32_t t = 0; t < THREADS; t++)
		free(w[t].node);
}
END_TEST

/* When no more memory is given, what is there is still found. */
START_TEST(survives_no_memory)
{
	uint32_t known = intern_stack(0), n = 0, added = 0;

	grows_left = 0;
	while (added < 10000000 &&
	       (n = mt_node_add(0, added + 1)) != MT_NODE_LOST)
		added++;
	ck_assert_uint_eq(n, MT_NODE_LOST);
	ck_assert_uint_gt(added, 0);
	ck_assert_uint_eq(mt_pc_add(1, 0, 0), MT_MAX_PCS);
	ck_assert_uint_eq(intern_stack(0), known);
	ck_assert_uint_eq(mt_node_add(0, added + 1), MT_NODE_LOST);
	grows_left = 10;
	ck_assert_uint_ne(mt_node_add(0, added + 1), MT_NODE_LOST);
}
END_TEST

START_TEST(pcs_keep_what_they_get)
{
	for (uint32_t i = 0; i < 10000; i++)
		ck_assert_uint_eq(mt_pc_add(0x1000 + i, i % 7, i & 1), i);
	ck_assert_uint_eq(pcs, 10000);
	for (uint32_t i = 0; i < 10000; i++) {
		ck_assert_uint_eq(mt_pc(i)->pc, 0x1000 + i);
		ck_assert_uint_eq(mt_pc(i)->module, i % 7);
		ck_assert_uint_eq(mt_pc(i)->flags, i & 1);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stacktab");
	TCase *tcase = tcase_create("stacktab");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, equal_stacks_are_one);
	tcase_add_test(tcase, threads_agree);
	tcase_add_test(tcase, survives_no_memory);
	tcase_add_test(tcase, pcs_keep_what_they_get);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
