/* SPDX-License-Identifier: MIT */
/* A profile less an earlier one; see delta.h. */
#include "delta.h"

#include <stdlib.h>

/* Order rows by what tells them apart. */
static int compare(const void *a, const void *b)
{
	const struct profile_row *x = a, *y = b;

	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	return (x->size > y->size) - (x->size < y->size);
}

/* Put the place that a thread has in `other` into the rows of a profile. */
static void move_threads(struct profile *p, const struct profile *other)
{
	size_t *place = util_alloc(p->thread_count + 1, sizeof(*place));

	for (size_t i = 0, j = 0; i < p->thread_count; i++) {
		while (j < other->thread_count &&
		       other->threads[j].index < p->threads[i].index)
			j++;
		place[i] = j;
	}
	for (size_t i = 0; i < p->row_count; i++)
		if (p->rows[i].thread < p->thread_count)
			p->rows[i].thread = (uint32_t)place[p->rows[i].thread];
	free(place);
}

/* Make rows that only differ by what the other profile does not tell one. */
static void forget_keys(struct profile *p, unsigned int keys)
{
	for (size_t i = 0; i < p->row_count; i++) {
		if (!(keys & PROF_BY_THREAD))
			p->rows[i].thread = 0;
		if (!(keys & PROF_BY_SIZE))
			p->rows[i].size = 0;
	}
	p->keys &= keys;
}

/* Add `b` to `a`, or take it from it. */
static void apply(struct profile_totals *a, const struct profile_totals *b,
		  uint64_t sign, bool live)
{
	a->allocations += sign * b->allocations;
	a->allocated_bytes += sign * b->allocated_bytes;
	a->temporary += sign * b->temporary;
	a->frees += sign * b->frees;
	a->lifetime_ns += sign * b->lifetime_ns;
	if (!live)
		return;
	a->peak_bytes += sign * b->peak_bytes;
	a->peak_blocks += sign * b->peak_blocks;
	a->exit_bytes += sign * b->exit_bytes;
	a->exit_blocks += sign * b->exit_blocks;
}

void delta_take(struct profile *after, struct profile *before, bool live_stays)
{
	unsigned int keys = after->keys & before->keys;
	struct profile_row *rows;
	size_t n = 0, count = after->row_count + before->row_count;

	forget_keys(before, keys);
	forget_keys(after, keys);
	if (keys & PROF_BY_THREAD)
		move_threads(before, after);
	rows = util_alloc(count + 1, sizeof(*rows));
	for (size_t i = 0; i < after->row_count; i++)
		rows[n++] = after->rows[i];
	for (size_t i = 0; i < before->row_count; i++) {
		rows[n] = before->rows[i];
		rows[n].totals = (struct profile_totals){0};
		apply(&rows[n++].totals, &before->rows[i].totals, UINT64_MAX,
		      !live_stays);
	}
	qsort(rows, count, sizeof(*rows), compare);
	free(after->rows);
	after->rows = NULL;
	after->row_count = after->row_room = 0;
	after->totals = (struct profile_totals){0};
	for (size_t i = 0; i < count; i = n) {
		struct profile_row sum = rows[i];

		for (n = i + 1; n < count && !compare(&rows[i], &rows[n]); n++)
			apply(&sum.totals, &rows[n].totals, 1, true);
		profile_add_row(after, &sum);
	}
	free(rows);
}
