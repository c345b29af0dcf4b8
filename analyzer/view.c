/* SPDX-License-Identifier: MIT */
/*
 * What the views share: sites in the order of a key.
 */
#include "view.h"

#include <stdlib.h>

uint64_t view_peak_bytes(const struct site_totals *t)
{
	return t->peak_bytes;
}

uint64_t view_exit_bytes(const struct site_totals *t)
{
	return t->exit_bytes;
}

uint64_t view_allocated_bytes(const struct site_totals *t)
{
	return t->allocated_bytes;
}

uint64_t view_allocations(const struct site_totals *t)
{
	return t->allocations;
}

uint64_t view_temporary(const struct site_totals *t)
{
	return t->temporary;
}

/* Order by the key at `k`, largest first, then by name. */
static int compare(const void *a, const void *b, void *k)
{
	const struct site *x = *(const struct site *const *)a;
	const struct site *y = *(const struct site *const *)b;
	view_key **key = k;
	uint64_t m = (*key)(&x->totals), n = (*key)(&y->totals);

	if (m != n)
		return m > n ? -1 : 1;
	return site_compare_names(x, y);
}

const struct site **view_sort(const struct sites *s, view_key *key)
{
	const struct site **sorted = util_alloc(s->count, sizeof(*sorted));

	for (size_t i = 0; i < s->count; i++)
		sorted[i] = &s->at[i];
	qsort_r(sorted, s->count, sizeof(*sorted), compare, &key);
	return sorted;
}
