/* SPDX-License-Identifier: MIT */
/*
 * Shows that the tree of calls adds up, upward and downward, whatever the
 * stacks are, recursion among them; and that profiles put together are the sum
 * of each other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calltree.h"
#include "combine.h"
#include "group.h"
#include "suite.h"

#define FUNCTIONS 12
#define ROWS 300

static struct profile profile;

static uint32_t next_random(void)
{
	static uint64_t state = 7;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33);
}

/* Enter a stack of `depth` random functions, outermost first. */
static uint32_t random_stack(struct profile *p, const uint32_t *pc,
			     unsigned int depth)
{
	uint32_t node = 0;

	while (depth--)
		node = stacks_add_node(&p->stacks, node,
				       pc[next_random() % FUNCTIONS]);
	return node;
}

/* Make a profile of random stacks, in which functions call themselves. */
static void make(struct profile *p)
{
	uint32_t pc[FUNCTIONS];

	profile_begin(p, "x", "test", PROFILE_HAS_ALL);
	for (uint32_t i = 0; i < FUNCTIONS; i++) {
		char name[16];
		struct sym_frame f = {.function = name};

		snprintf(name, sizeof(name), "f%u", i);
		pc[i] = stacks_new_pc(&p->stacks, 0x1000 + i, MT_NO_MODULE, 0);
		stacks_set_frames(&p->stacks, pc[i], &f, 1);
	}
	for (unsigned int i = 0; i < ROWS; i++)
		profile_add_row(
			p,
			&(struct profile_row){
				.node = random_stack(p, pc,
						     1 + next_random() % 9),
				.totals = {.peak_bytes = next_random() % 1000},
			});
}

static uint64_t bytes(const struct profile_totals *t)
{
	return t->peak_bytes;
}

/* Check a node and all below it; returns how many nodes there are. */
static size_t check(const struct calltree *t, uint32_t node)
{
	const struct calltree_node *n = &t->at[node];
	uint64_t sum = 0;
	size_t nodes = 1;

	for (uint32_t i = n->child; i; i = t->at[i].next) {
		ck_assert_uint_eq(t->at[i].parent, node);
		/* Direct recursion is one node. */
		if (n->frame)
			ck_assert_str_ne(t->at[i].frame->name, n->frame->name);
		sum += t->at[i].totals.peak_bytes;
		nodes += check(t, i);
	}
	ck_assert_uint_le(sum, n->totals.peak_bytes);
	return nodes;
}

START_TEST(trees_add_up)
{
	struct calltree t;
	uint32_t *list;
	uint64_t sum = 0, last = UINT64_MAX;
	size_t n;

	make(&profile);
	calltree_build(&t, &profile, _i);
	ck_assert_uint_eq(t.at[0].totals.peak_bytes, profile.totals.peak_bytes);
	ck_assert_uint_eq(check(&t, 0), t.count);
	n = calltree_children(&t, 0, bytes, &list);
	ck_assert_uint_le(n, FUNCTIONS);
	for (size_t i = 0; i < n; i++) {
		uint64_t value = t.at[list[i]].totals.peak_bytes;

		ck_assert_uint_le(value, last);
		last = value;
		sum += value;
	}
	ck_assert_uint_eq(sum, profile.totals.peak_bytes);
	free(list);
	calltree_free(&t);
	profile_free(&profile);
}
END_TEST

/* Stacks, outermost first, a letter a function; and what the tree has. */
static const struct {
	const char *stack, *downward, *upward;
} recursions[] = {
	{"maaab", "mab", "bam"},	 {"mabababc", "mabc", "cbam"},
	{"mabcabcabc", "mabc", "cbam"},	 {"maabaabc", "mabc", "cbam"},
	{"mabacabac", "mabac", "cabam"}, {"mabac", "mabac", "cabam"},
};

/* Enter a stack of letters. */
static uint32_t letters_stack(struct profile *p, const char *letters)
{
	uint32_t node = 0;

	for (; *letters; letters++) {
		char name[2] = {*letters};
		struct sym_frame f = {.function = name};
		uint32_t pc =
			stacks_new_pc(&p->stacks, 0x1000 + (unsigned)*letters,
				      MT_NO_MODULE, 0);

		stacks_set_frames(&p->stacks, pc, &f, 1);
		node = stacks_add_node(&p->stacks, node, pc);
	}
	return node;
}

/* Check that the tree is one chain of these functions, with all on each. */
static void check_chain(bool upward, const char *letters)
{
	struct calltree t;
	uint32_t at;

	calltree_build(&t, &profile, upward);
	for (at = t.at[0].child; at; at = t.at[at].child, letters++) {
		ck_assert_int_eq(t.at[at].frame->name[0], *letters);
		ck_assert_uint_eq(t.at[at].totals.peak_bytes, 10);
		ck_assert_uint_eq(t.at[at].next, 0);
	}
	ck_assert_int_eq(*letters, 0);
	calltree_free(&t);
}

START_TEST(recursion_is_gone_round_once)
{
	struct profile_row row = {.totals = {.peak_bytes = 10}};

	profile_begin(&profile, "x", "test", PROFILE_HAS_ALL);
	row.node = letters_stack(&profile, recursions[_i].stack);
	profile_add_row(&profile, &row);
	check_chain(false, recursions[_i].downward);
	check_chain(true, recursions[_i].upward);
	profile_free(&profile);
}
END_TEST

START_TEST(deep_recursion_is_shallow)
{
	char stack[1025] = "m";
	struct profile_row row = {.totals = {.peak_bytes = 10}};

	for (size_t i = 1; i < 1024; i++)
		stack[i] = "abcdefghijklmnop"[i % 16];
	profile_begin(&profile, "x", "test", PROFILE_HAS_ALL);
	row.node = letters_stack(&profile, stack);
	profile_add_row(&profile, &row);
	check_chain(false, "mbcdefghijklmnopabcdefghijklmnop");
	profile_free(&profile);
}
END_TEST

START_TEST(profiles_add_up)
{
	struct profile all, other;
	struct groups one, two;

	make(&profile);
	make(&other);
	profile_begin(&all, "x", "merged", PROFILE_HAS_ALL);
	combine_add(&all, &profile);
	combine_add(&all, &other);
	ck_assert_uint_eq(all.totals.peak_bytes,
			  profile.totals.peak_bytes + other.totals.peak_bytes);
	groups_build(&one, &all, GROUP_FUNCTION, true);
	for (size_t i = 0; i < one.count; i++) {
		uint64_t sum = 0;

		for (int side = 0; side < 2; side++) {
			groups_build(&two, side ? &other : &profile,
				     GROUP_FUNCTION, true);
			for (size_t j = 0; j < two.count; j++)
				if (strcmp(two.at[j].frame->name,
					   one.at[i].frame->name) == 0)
					sum += two.at[j].inclusive.peak_bytes;
			groups_free(&two);
		}
		ck_assert_uint_eq(one.at[i].inclusive.peak_bytes, sum);
	}
	ck_assert_uint_eq(one.count, FUNCTIONS);
	groups_free(&one);
	profile_free(&all);
	profile_free(&other);
	profile_free(&profile);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_loop_test(c, trees_add_up, 0, 2);
	tcase_add_loop_test(c, recursion_is_gone_round_once, 0,
			    COUNT(recursions));
	tcase_add_test(c, deep_recursion_is_shallow);
	tcase_add_test(c, profiles_add_up);
}

int main(void)
{
	return suite_main("calltree", add);
}
