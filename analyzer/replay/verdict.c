/* SPDX-License-Identifier: MIT */
/* Whether a site leaks though its blocks can be reached; see verdict.h. */
#include "verdict.h"

#include <math.h>

#include "trend.h"

/*
 * Why these rules. They began as published ones, and each was changed where
 * tests/unit/behaviours.h had a program that it judged wrong:
 *
 * - Survivors must outweigh frees by the time at risk, not by number. Sessions
 *   that last for a good part of the run leave many; but what is mature of
 *   them goes at the rate of once in a few tenths of a run, that of a leak
 *   hardly ever.
 * - A fifth of the generations must leave something, not a tenth, and each by
 *   a stack that did so of another. Else a pool that grows at record loads,
 *   and data of one kind of request after the other, look like leaks.
 * - What the newest third leaves is compared with the middle one: a memo of
 *   keys that are nearly all known leaves ever less, a leak that was fixed
 *   nothing; and what a startup left does not count.
 * - Survivors may say that the troughs rise to the end: noise of a cache at
 *   the site can hide it.
 * - One block that grows for ever leaves one survivor: hence swelling.
 *
 * Of a whole run whose beginning was folded, frees are known in the history
 * only. So only in it are they, and the time at risk, compared; that the site
 * frees rarely what gets old is told by the mean of all it freed, too. Troughs
 * are looked at when enough of them are known. So of a history that is a small
 * part of the run the most that can be said is SUSPECT.
 */

/* Survivors without which there is no leak, or no trend. */
#define LEAST_LEFT 8

/* Fewer must be of more generations: a thing at its first use leaves some. */
#define MANY_LEFT 64

/* Of a history, the time at risk without which it says nothing that nothing was
 * freed. */
#define LEAST_MATURE_RUNS 1

/* Troughs without which there is no trend. */
#define LEAST_TROUGHS 8

/* Of lives that end by chance 99.5 % are shorter than so many means. */
#define MEANS_OF_MOST 5.3

/* Epochs in which old blocks must have grown. */
#define LEAST_SWELLING 8

const char *const verdict_names[VERDICT_KINDS] = {
	[VERDICT_NONE] = "none",
	[VERDICT_SHORT] = "too short to say",
	[VERDICT_SUSPECT] = "SUSPECT",
	[VERDICT_LIKELY] = "LIKELY",
};

/* Return about the same of what was freed before the history. */
static double folded_age_of_most(const struct growth *g,
				 const struct growth_site *s)
{
	double run = (double)(g->ended - g->began[0]);

	if (!s->folded_frees || run <= 0)
		return 0;
	return MEANS_OF_MOST * (double)s->folded_lifetimes /
	       (double)s->folded_frees / run * GROWTH_STEPS;
}

/* Return the age in steps below which 99.5 % of the freed blocks were. */
static double age_of_most(const struct growth *g, const struct growth_site *s)
{
	double folded = folded_age_of_most(g, s);
	uint64_t all = 0, sum = 0;

	for (unsigned int i = 0; i < GROWTH_STEPS; i++)
		all += s->freed[i];
	for (unsigned int i = 0; i < GROWTH_STEPS && all; i++) {
		sum += s->freed[i];
		if ((double)sum >= 0.995 * (double)all)
			return i + 1 > folded ? i + 1 : folded;
	}
	return folded;
}

/* Find out at which age a block is mature, and which generations are. */
static void find_maturity(struct verdict *v, const struct growth *g,
			  const struct growth_site *s)
{
	double epochs = 1.25 * age_of_most(g, s) / GROWTH_EPOCH_STEPS;

	if (epochs < 2)
		epochs = 2;
	if (epochs > GROWTH_EPOCHS / 2.0)
		epochs = GROWTH_EPOCHS / 2.0;
	v->maturity = epochs;
	v->mature = GROWTH_EPOCHS - (unsigned int)ceil(epochs);
}

/* Return how many steps of the run frees are known of. */
static double known_steps(const struct growth *g)
{
	double all = (double)g->step_bytes * GROWTH_STEPS;

	if (!g->seen)
		return GROWTH_STEPS;
	return (all - (double)g->carried_bytes) / (double)g->step_bytes;
}

/* Add up how often, and for how long, mature blocks could be freed. */
static void look_at_frees(struct verdict *v, const struct growth *g,
			  const struct growth_site *s)
{
	const double run = GROWTH_EPOCHS * GROWTH_EPOCH_STEPS;
	const double mature = v->maturity * GROWTH_EPOCH_STEPS;
	const double known = known_steps(g);

	for (unsigned int i = (unsigned int)ceil(mature); i < GROWTH_STEPS;
	     i++) {
		v->freed_late += s->freed[i];
		v->mature_runs +=
			(double)s->freed[i] * fmin(i - mature, known) / run;
	}
	for (unsigned int i = 0; i <= v->mature; i++) {
		double steps = (GROWTH_EPOCHS - i + 0.5) * GROWTH_EPOCH_STEPS;

		v->mature_runs += (double)s->epoch[i].left *
				  fmin(steps - mature, known) / run;
	}
}

/* The mature generations of which something is left. */
struct leaving {
	unsigned int count, first, last;
	uint64_t newest, middle; /* blocks that those thirds left */
};

/* Find them; of those whose stacks left blocks of no other, none counts. But
 * where nearly each block has a stack of its own, stacks say nothing. */
static void find_leaving(struct leaving *l, const struct verdict *v,
			 const struct growth_site *s)
{
	const uint64_t kin = s->stacks * 2 > s->live ? UINT64_MAX : s->kin;
	const unsigned int third = v->mature / 3;

	*l = (struct leaving){0};
	for (unsigned int i = 1; i <= v->mature; i++) {
		uint64_t left = kin >> i & 1 ? s->epoch[i].left : 0;

		if (!left)
			continue;
		l->count++;
		l->first = l->first ? l->first : i;
		l->last = i;
		if (i > v->mature - third)
			l->newest += left;
		else if (i > v->mature - 2 * third)
			l->middle += left;
	}
}

/* Tell whether something is left of enough generations, and enough of it. */
static bool is_enough(const struct leaving *l, const struct verdict *v)
{
	const unsigned int least = v->left < MANY_LEFT ? 8 : 4;

	return v->left >= LEAST_LEFT && l->count >= least &&
	       l->count * 5 >= v->mature &&
	       (l->last - l->first + 1) * 10 >= v->mature * 4;
}

/* Look at what is left of the mature generations. */
static void look_at_survivors(struct verdict *v, const struct growth *g,
			      const struct growth_site *s)
{
	struct leaving l;

	for (unsigned int i = 1; i <= v->mature; i++) {
		v->births += s->epoch[i].births;
		v->left += s->epoch[i].left;
		v->left_bytes += s->epoch[i].left_bytes;
	}
	if (s->folded_births > v->births)
		v->births = s->folded_births;
	v->survival_low = trend_wilson_low(v->left, v->births);
	v->bytes_per_epoch = (double)v->left_bytes / v->mature;
	find_leaving(&l, v, s);
	if (is_enough(&l, v) && (double)v->freed_late < v->mature_runs &&
	    (!g->seen || v->mature_runs >= LEAST_MATURE_RUNS))
		v->signs |= VERDICT_SURVIVES;
	if (l.newest && l.newest * 2 >= l.middle)
		v->signs |= VERDICT_GOES_ON;
}

/* Troughs of what is live at a site, of the epochs that they are known of. */
struct troughs {
	unsigned int first, count; /* epochs */
	double y[GROWTH_EPOCHS];
};

/* Tell whether they rise. */
static bool rises(const struct troughs *t, double *slope)
{
	if (t->count < LEAST_TROUGHS)
		return false;
	*slope = trend_slope(t->y, t->count);
	return trend_tau(t->y, t->count) >= 0.6 && *slope > 0;
}

/* Tell whether their last third rises half as steeply as all of it. */
static bool goes_on(const struct troughs *t, double slope)
{
	const unsigned int third = t->count / 3;

	return trend_slope(t->y + t->count - third, third) >= slope / 2;
}

/* Collect them. */
static void collect(struct troughs *t, const struct growth *g,
		    const struct growth_site *s, bool bytes)
{
	t->first = g->seen ? g->seen : 1;
	t->count = 0;
	for (unsigned int i = t->first; i <= GROWTH_EPOCHS; i++)
		t->y[t->count++] = (double)(bytes ? s->epoch[i].trough_bytes
						  : s->epoch[i].trough);
}

/* Look at the troughs. That they rise to the end, survivors tell as well,
 * which other blocks at the site do not hide. */
static void look_at_troughs(struct verdict *v, const struct growth *g,
			    const struct growth_site *s)
{
	const unsigned int survivors = VERDICT_SURVIVES | VERDICT_GOES_ON;
	struct troughs t;
	double slope;

	collect(&t, g, s, false);
	v->tau = t.count >= LEAST_TROUGHS ? trend_tau(t.y, t.count) : 0;
	if (rises(&t, &slope) &&
	    (goes_on(&t, slope) || (v->signs & survivors) == survivors))
		v->signs |= VERDICT_CLIMBS;
}

/* Look at what reallocs made of old blocks. */
static void look_at_swelling(struct verdict *v, const struct growth *g,
			     const struct growth_site *s)
{
	unsigned int with = 0;
	struct troughs t;
	double sum = 0, slope;

	collect(&t, g, s, true);
	for (unsigned int i = t.first; i <= GROWTH_EPOCHS; i++) {
		const struct growth_epoch *e = &s->epoch[i];

		sum += (double)(int64_t)e->swell_bytes;
		with += (int64_t)e->swell_bytes > 0;
	}
	if (with < LEAST_SWELLING || sum * 2 < t.y[t.count - 1] - t.y[0] ||
	    !rises(&t, &slope) || !goes_on(&t, slope))
		return;
	v->signs |= VERDICT_SWELLS;
	if (slope > v->bytes_per_epoch)
		v->bytes_per_epoch = slope;
}

/* Return what the signs of survivors come to. */
static enum verdict_kind judge_signs(const struct verdict *v)
{
	const unsigned int all =
		VERDICT_SURVIVES | VERDICT_CLIMBS | VERDICT_GOES_ON;

	if (v->signs & VERDICT_SWELLS)
		return VERDICT_LIKELY;
	if (v->left < LEAST_LEFT)
		return VERDICT_NONE;
	switch (__builtin_popcount(v->signs & all)) {
	case 3:
		return VERDICT_LIKELY;
	case 2:
		return VERDICT_SUSPECT;
	default:
		return VERDICT_NONE;
	}
}

void verdict_judge(struct verdict *v, const struct growth *g,
		   const struct growth_site *s)
{
	*v = (struct verdict){0};
	find_maturity(v, g, s);
	look_at_frees(v, g, s);
	look_at_survivors(v, g, s);
	look_at_troughs(v, g, s);
	look_at_swelling(v, g, s);
	v->kind = judge_signs(v);
	if (g->is_short)
		v->kind = s->live >= LEAST_LEFT ? VERDICT_SHORT : VERDICT_NONE;
}
