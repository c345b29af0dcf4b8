/* SPDX-License-Identifier: MIT */
/*
 * Print how the verdict on growth does on all behaviours, beside simpler ones:
 *
 *   growth_bench [SEEDS]
 *
 * A leak is found when its site is judged LIKELY; any other site that is, is
 * false. The others, of the same evidence:
 *
 *   first    the rule that the verdict began as; see verdict.c
 *   older    8 blocks or more are older than a tenth of the run
 *   Kendall  the live blocks rise by the Mann-Kendall test, p < 0.05
 *   diff     live at the end are 1.1 x those at half, and 8 more
 *   line     a line through the live blocks rises, R^2 >= 0.9
 */
#include <stdio.h>

#include "behaviours.h"
#include "folded.h"
#include "trend.h"
#include "verdict.h"

/* Judge a site; true: it leaks. */
typedef bool judge(const struct growth *g, const struct growth_site *s);

static bool judge_verdict(const struct growth *g, const struct growth_site *s)
{
	struct verdict v;

	verdict_judge(&v, g, s);
	return v.kind == VERDICT_LIKELY;
}

static bool judge_suspect(const struct growth *g, const struct growth_site *s)
{
	struct verdict v;

	verdict_judge(&v, g, s);
	return v.kind == VERDICT_SUSPECT;
}

/* Tell whether enough generations left something, to the newest third. */
static bool leaves(const struct verdict *v, const struct growth_site *s)
{
	unsigned int with = 0, first = 0, last = 0;

	for (unsigned int i = 1; i <= v->mature; i++) {
		if (!s->epoch[i].left)
			continue;
		with++;
		first = first ? first : i;
		last = i;
	}
	return with >= 4 && with * 10 >= v->mature &&
	       (last - first + 1) * 10 >= v->mature * 4 &&
	       last > v->mature - v->mature / 3;
}

static bool judge_first(const struct growth *g, const struct growth_site *s)
{
	const unsigned int third = GROWTH_EPOCHS / 3;
	double y[GROWTH_EPOCHS], slope;
	struct verdict v;

	verdict_judge(&v, g, s);
	for (unsigned int i = 0; i < GROWTH_EPOCHS; i++)
		y[i] = (double)s->epoch[i + 1].trough;
	slope = trend_slope(y, GROWTH_EPOCHS);
	return leaves(&v, s) && v.left >= 8 && v.survival_low > 0 &&
	       v.left >= v.freed_late && v.tau >= 0.6 && slope > 0 &&
	       trend_slope(y + GROWTH_EPOCHS - third, third) >= slope / 2;
}

static bool judge_older(const struct growth *g, const struct growth_site *s)
{
	uint64_t old = 0;

	(void)g;
	for (unsigned int i = 0; i < GROWTH_EPOCHS * 9 / 10; i++)
		old += s->epoch[i].left;
	return old >= 8;
}

static bool judge_kendall(const struct growth *g, const struct growth_site *s)
{
	const double n = GROWTH_EPOCHS;
	double sum = 0;

	(void)g;
	for (unsigned int i = 1; i <= GROWTH_EPOCHS; i++)
		for (unsigned int j = i + 1; j <= GROWTH_EPOCHS; j++)
			sum += (s->epoch[j].trough > s->epoch[i].trough) -
			       (s->epoch[j].trough < s->epoch[i].trough);
	return (sum - 1) / sqrt(n * (n - 1) * (2 * n + 5) / 18) > 1.645;
}

static bool judge_diff(const struct growth *g, const struct growth_site *s)
{
	uint64_t half = s->epoch[GROWTH_EPOCHS / 2].trough;
	uint64_t end = s->epoch[GROWTH_EPOCHS].trough;

	(void)g;
	return end >= half + 8 && end * 10 >= half * 11;
}

static bool judge_line(const struct growth *g, const struct growth_site *s)
{
	const double n = GROWTH_EPOCHS;
	double x = 0, y = 0, xx = 0, yy = 0, xy = 0;

	(void)g;
	for (unsigned int i = 1; i <= GROWTH_EPOCHS; i++) {
		double v = (double)s->epoch[i].trough;

		x += i;
		y += v;
		xx += (double)i * i;
		yy += v * v;
		xy += i * v;
	}
	xy -= x * y / n;
	xx -= x * x / n;
	yy -= y * y / n;
	return xy > 0 && yy > 0 && xy * xy >= 0.9 * xx * yy;
}

static const struct {
	const char *name;
	judge *judge;
} judges[] = {
	{"LIKELY", judge_verdict},  {"(SUSPECT)", judge_suspect},
	{"first", judge_first},	    {"older", judge_older},
	{"Kendall", judge_kendall}, {"diff", judge_diff},
	{"line", judge_line},
};

#define JUDGES (sizeof(judges) / sizeof(*judges))

/* How often each judge said that there is a leak. */
struct score {
	double at_site[JUDGES], elsewhere[JUDGES];
};

/* Run a behaviour with all seeds, and ask all judges. */
static void play_all(const struct behaviour *b, unsigned int seeds,
		     struct score *score)
{
	*score = (struct score){{0}, {0}};
	for (unsigned int seed = 1; seed <= seeds; seed++) {
		struct growth g;

		behaviour_measure(b, seed, &g);
		for (size_t j = 0; j < JUDGES; j++) {
			score->at_site[j] +=
				judges[j].judge(&g, &g.site[SITE]) /
				(double)seeds;
			score->elsewhere[j] +=
				judges[j].judge(&g, &g.site[OTHER]) /
				(double)seeds;
		}
		growth_free(&g);
	}
}

static void put_row(const char *name, const double value[JUDGES])
{
	printf("%-28s", name);
	for (size_t j = 0; j < JUDGES; j++)
		printf(" %9.3f", value[j]);
	putchar('\n');
}

/* Print a part of the behaviours, and the shares of what was found in it. */
static void put_part(const char *title, bool is_new, unsigned int seeds)
{
	double found[JUDGES] = {0}, wrong[JUDGES] = {0}, all[2] = {0};

	printf("%-28s", title);
	for (size_t j = 0; j < JUDGES; j++)
		printf(" %9s", judges[j].name);
	putchar('\n');
	for (size_t i = 0; i < BEHAVIOURS; i++) {
		const struct behaviour *b = &behaviours[i];
		struct score score;

		if (b->is_new != is_new)
			continue;
		if (!all[b->leaks])
			puts(b->leaks ? "leaks" : "no leaks");
		play_all(b, seeds, &score);
		put_row(b->name, score.at_site);
		all[b->leaks]++;
		for (size_t j = 0; j < JUDGES; j++)
			if (b->leaks)
				found[j] += score.at_site[j];
			else
				wrong[j] += fmax(score.at_site[j],
						 score.elsewhere[j]);
	}
	for (size_t j = 0; j < JUDGES; j++) {
		found[j] /= all[true];
		wrong[j] /= all[false];
	}
	put_row("found", found);
	put_row("false", wrong);
	printf("of %.0f kinds of leaks and %.0f others, %u seeds each\n",
	       all[true], all[false], seeds);
}

/* Print how often anything is said of a run whose first part was folded: by the
 * share that was, LIKELY or SUSPECT of a leak, and of others. */
static void put_folded(unsigned int seeds)
{
	static const double share[] = {0.5, 0.9, 0.98, 0.998};

	puts("folded     found   LIKELY    false   LIKELY");
	for (size_t k = 0; k < sizeof(share) / sizeof(*share); k++) {
		double said[2] = {0}, likely[2] = {0}, all[2] = {0};

		for (size_t i = 0; i < BEHAVIOURS; i++)
			for (unsigned int seed = 1; seed <= seeds; seed++) {
				const struct behaviour *b = &behaviours[i];
				struct growth g;

				folded_measure(b, seed, share[k], &g);
				all[b->leaks]++;
				said[b->leaks] +=
					judge_verdict(&g, &g.site[SITE]) ||
					judge_suspect(&g, &g.site[SITE]);
				likely[b->leaks] +=
					judge_verdict(&g, &g.site[SITE]);
				growth_free(&g);
			}
		printf("%5.1f %%  %8.3f %8.3f %8.3f %8.3f\n", 100 * share[k],
		       said[1] / all[1], likely[1] / all[1], said[0] / all[0],
		       likely[0] / all[0]);
	}
}

int main(int argc, char **argv)
{
	int seeds = argc > 1 ? atoi(argv[1]) : 20;

	if (seeds < 1)
		return 2;
	put_part("the rule was tuned on", false, (unsigned int)seeds);
	putchar('\n');
	put_part("and not on", true, (unsigned int)seeds);
	putchar('\n');
	put_folded((unsigned int)seeds);
	return 0;
}
