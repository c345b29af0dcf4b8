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
 */

/* Survivors without which there is no leak, or no trend. */
#define LEAST_LEFT 8

/* Fewer must be of more generations: a thing at its first use leaves some. */
#define MANY_LEFT 64

/* Epochs in which old blocks must have grown. */
#define LEAST_SWELLING 8

const char *const verdict_names[VERDICT_KINDS] = {
	[VERDICT_NONE] = "none",
	[VERDICT_SHORT] = "too short to say",
	[VERDICT_SUSPECT] = "SUSPECT",
	[VERDICT_LIKELY] = "LIKELY",
};

/* Return the age in steps below which 99.5 % of the freed blocks were. */
static double age_of_most(const struct growth_site *s)
{
	uint64_t all = 0, sum = 0;

	for (unsigned int i = 0; i < GROWTH_STEPS; i++)
		all += s->freed[i];
	for (unsigned int i = 0; i < GROWTH_STEPS && all; i++) {
		sum += s->freed[i];
		if ((double)sum >= 0.995 * (double)all)
			return i + 1;
	}
	return 0;
}

/* Find out at which age a block is mature, and which generations are. */
static void find_maturity(struct verdict *v, const struct growth_site *s)
{
	double epochs = 1.25 * age_of_most(s) / GROWTH_EPOCH_STEPS;

	if (epochs < 2)
		epochs = 2;
	if (epochs > GROWTH_EPOCHS / 2.0)
		epochs = GROWTH_EPOCHS / 2.0;
	v->maturity = epochs;
	v->mature = GROWTH_EPOCHS - (unsigned int)ceil(epochs);
}

/* Add up how often, and for how long, mature blocks could be freed. */
static void look_at_frees(struct verdict *v, const struct growth_site *s)
{
	const double run = GROWTH_EPOCHS * GROWTH_EPOCH_STEPS;
	const double mature = v->maturity * GROWTH_EPOCH_STEPS;

	for (unsigned int i = (unsigned int)ceil(mature); i < GROWTH_STEPS;
	     i++) {
		v->freed_late += s->freed[i];
		v->mature_runs += (double)s->freed[i] * (i - mature) / run;
	}
	for (unsigned int i = 0; i <= v->mature; i++)
		v->mature_runs += (double)s->epoch[i].left *
				  (GROWTH_EPOCHS - i + 0.5 - v->maturity) /
				  GROWTH_EPOCHS;
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
static void look_at_survivors(struct verdict *v, const struct growth_site *s)
{
	struct leaving l;

	for (unsigned int i = 1; i <= v->mature; i++) {
		v->births += s->epoch[i].births;
		v->left += s->epoch[i].left;
		v->left_bytes += s->epoch[i].left_bytes;
	}
	v->survival_low = trend_wilson_low(v->left, v->births);
	v->bytes_per_epoch = (double)v->left_bytes / v->mature;
	find_leaving(&l, v, s);
	if (is_enough(&l, v) && (double)v->freed_late < v->mature_runs)
		v->signs |= VERDICT_SURVIVES;
	if (l.newest && l.newest * 2 >= l.middle)
		v->signs |= VERDICT_GOES_ON;
}

/* Tell whether a series rises. */
static bool rises(const double y[GROWTH_EPOCHS], double *slope)
{
	*slope = trend_slope(y, GROWTH_EPOCHS);
	return trend_tau(y, GROWTH_EPOCHS) >= 0.6 && *slope > 0;
}

/* Tell whether its last third rises half as steeply as all of it. */
static bool goes_on(const double y[GROWTH_EPOCHS], double slope)
{
	const unsigned int third = GROWTH_EPOCHS / 3;

	return trend_slope(y + GROWTH_EPOCHS - third, third) >= slope / 2;
}

/* Look at the troughs. That they rise to the end, survivors tell as well,
 * which other blocks at the site do not hide. */
static void look_at_troughs(struct verdict *v, const struct growth_site *s)
{
	const unsigned int survivors = VERDICT_SURVIVES | VERDICT_GOES_ON;
	double y[GROWTH_EPOCHS], slope;

	for (unsigned int i = 0; i < GROWTH_EPOCHS; i++)
		y[i] = (double)s->epoch[i + 1].trough;
	v->tau = trend_tau(y, GROWTH_EPOCHS);
	if (rises(y, &slope) &&
	    (goes_on(y, slope) || (v->signs & survivors) == survivors))
		v->signs |= VERDICT_CLIMBS;
}

/* Look at what reallocs made of old blocks. */
static void look_at_swelling(struct verdict *v, const struct growth_site *s)
{
	double y[GROWTH_EPOCHS], sum = 0, slope;
	unsigned int with = 0;

	for (unsigned int i = 0; i < GROWTH_EPOCHS; i++) {
		const struct growth_epoch *e = &s->epoch[i + 1];

		y[i] = (double)e->trough_bytes;
		sum += (double)(int64_t)e->swell_bytes;
		with += (int64_t)e->swell_bytes > 0;
	}
	if (with < LEAST_SWELLING || sum * 2 < y[GROWTH_EPOCHS - 1] - y[0] ||
	    !rises(y, &slope) || !goes_on(y, slope))
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
	find_maturity(v, s);
	look_at_frees(v, s);
	look_at_survivors(v, s);
	look_at_troughs(v, s);
	look_at_swelling(v, s);
	v->kind = judge_signs(v);
	if (g->is_short)
		v->kind = s->live >= LEAST_LEFT ? VERDICT_SHORT : VERDICT_NONE;
}
