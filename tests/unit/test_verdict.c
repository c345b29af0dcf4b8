/* SPDX-License-Identifier: MIT */
/*
 * Shows that the verdict finds leaks of many kinds and takes nothing else for
 * one: a few seeds of each behaviour, of which `make bench-growth` plays more
 * beside other rules. What it cannot tell is named, and bounded. And that it
 * does so of what a heap image has kept of a run.
 */
#include "behaviours.h"
#include "folded.h"
#include "suite.h"
#include "verdict.h"

#define SEEDS 3

/* How many of the seeds are found at the least, where that is not all. */
static const struct {
	const char *name;
	unsigned int least;
} hard[] = {
	{"error paths", 0},
	{"leak from two thirds on", 0}, /* too new: suspect */
	{"queue outruns its reader", 0},
};

/* Return how many of the seeds must be found. */
static unsigned int least_of(const struct behaviour *b)
{
	for (int i = 0; i < COUNT(hard); i++)
		if (strcmp(hard[i].name, b->name) == 0)
			return hard[i].least;
	return b->leaks ? SEEDS : 0;
}

START_TEST(leaks_are_told)
{
	const struct behaviour *b = &behaviours[_i];
	unsigned int found = 0;

	for (uint64_t seed = 101; seed < 101 + SEEDS; seed++) {
		struct verdict site, other;
		struct growth g;

		behaviour_measure(b, seed, &g);
		verdict_judge(&site, &g, &g.site[SITE]);
		verdict_judge(&other, &g, &g.site[OTHER]);
		found += site.kind == VERDICT_LIKELY;
		ck_assert_msg(other.kind != VERDICT_LIKELY,
			      "%s, seed %u: false elsewhere", b->name,
			      (unsigned int)seed);
		growth_free(&g);
	}
	ck_assert_msg(b->leaks || !found, "%s: false %u times", b->name, found);
	ck_assert_msg(found >= least_of(b), "%s: found %u times", b->name,
		      found);
}
END_TEST

/* A leak that is too new for a verdict is suspected. */
START_TEST(new_leaks_are_suspected)
{
	for (size_t i = 0; i < BEHAVIOURS; i++) {
		struct verdict v;
		struct growth g;

		if (strcmp(behaviours[i].name, "leak from two thirds on") != 0)
			continue;
		behaviour_measure(&behaviours[i], 7, &g);
		verdict_judge(&v, &g, &g.site[SITE]);
		ck_assert_str_eq(verdict_names[v.kind], "SUSPECT");
		growth_free(&g);
		return;
	}
	ck_abort_msg("no such behaviour");
}
END_TEST

/* Of runs whose first nine tenths were folded most leaks are suspected, few
 * others are, and nothing is called likely. */
START_TEST(folded_runs_are_judged)
{
	unsigned int leaks = 0, found = 0, others = 0, wrong = 0;

	for (size_t i = 0; i < BEHAVIOURS; i++)
		for (uint64_t seed = 101; seed < 101 + SEEDS; seed++) {
			const struct behaviour *b = &behaviours[i];
			struct verdict v;
			struct growth g;

			folded_measure(b, seed, 0.9, &g);
			verdict_judge(&v, &g, &g.site[SITE]);
			ck_assert_int_ne(v.kind, VERDICT_LIKELY);
			*(b->leaks ? &leaks : &others) += 1;
			*(b->leaks ? &found : &wrong) +=
				v.kind == VERDICT_SUSPECT;
			growth_free(&g);
		}
	ck_assert_uint_ge(found * 4, leaks * 3);
	ck_assert_uint_le(wrong * 20, others);
}
END_TEST

/* The same evidence of too short a time says nothing. */
START_TEST(short_runs_say_nothing)
{
	struct verdict v;
	struct growth g;

	behaviour_measure(&behaviours[0], 1, &g);
	verdict_judge(&v, &g, &g.site[SITE]);
	ck_assert_int_eq(v.kind, VERDICT_LIKELY);
	growth_end(&g, true);
	verdict_judge(&v, &g, &g.site[SITE]);
	ck_assert_int_eq(v.kind, VERDICT_SHORT);
	growth_free(&g);
}
END_TEST

/* One block in each request, of 12,000, is kept: so fast it grows. */
START_TEST(growth_has_a_rate)
{
	struct verdict v;
	struct growth g;
	double bytes;

	behaviour_measure(&behaviours[0], 1, &g);
	verdict_judge(&v, &g, &g.site[SITE]);
	bytes = v.bytes_per_epoch * GROWTH_STEPS / GROWTH_EPOCH_STEPS;
	ck_assert_double_eq_tol(bytes / (double)g.site[SITE].live_bytes, 1,
				0.02);
	ck_assert_uint_eq(v.freed_late, 0);
	ck_assert_uint_gt(v.left, 12000 / 2);
	growth_free(&g);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_loop_test(c, leaks_are_told, 0, (int)BEHAVIOURS);
	tcase_add_test(c, new_leaks_are_suspected);
	tcase_add_test(c, folded_runs_are_judged);
	tcase_add_test(c, short_runs_say_nothing);
	tcase_add_test(c, growth_has_a_rate);
}

int main(void)
{
	return suite_main("verdict", add);
}
