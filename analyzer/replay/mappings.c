/* SPDX-License-Identifier: MIT */
/*
 * The memory mappings, as a sorted array of ranges: programs map seldom.
 */
#include "mappings.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

/* Return the end of a range, cut off at the end of memory. */
static uint64_t range_end(uint64_t start, uint64_t bytes)
{
	uint64_t end;

	return __builtin_add_overflow(start, bytes, &end) ? UINT64_MAX : end;
}

/* Return the first range that ends behind an address. */
static size_t first_behind(const struct mappings *m, uint64_t address)
{
	size_t n = util_up_to(m->at, m->count, sizeof(*m->at), address);

	return n && m->at[n - 1].end > address ? n - 1 : n;
}

/* Make room for one range at place `i` and put it there. */
static void insert(struct mappings *m, size_t i, struct mapping range)
{
	m->at = util_grow(m->at, m->count, &m->room, sizeof(*m->at));
	memmove(&m->at[i + 1], &m->at[i], (m->count - i) * sizeof(*m->at));
	m->at[i] = range;
	m->count++;
}

void mappings_remove(struct mappings *m, uint64_t start, uint64_t bytes)
{
	uint64_t end = range_end(start, bytes);
	size_t first = first_behind(m, start), i = first;
	struct mapping left, right;

	while (i < m->count && m->at[i].start < end)
		i++;
	if (i == first)
		return;
	left = (struct mapping){m->at[first].start, start};
	right = (struct mapping){end, m->at[i - 1].end};
	for (size_t j = first; j < i; j++)
		m->bytes -= m->at[j].end - m->at[j].start;
	memmove(&m->at[first], &m->at[i], (m->count - i) * sizeof(*m->at));
	m->count -= i - first;
	if (right.start < right.end) {
		insert(m, first, right);
		m->bytes += right.end - right.start;
	}
	if (left.start < left.end) {
		insert(m, first, left);
		m->bytes += left.end - left.start;
	}
}

void mappings_add(struct mappings *m, uint64_t start, uint64_t bytes)
{
	uint64_t end = range_end(start, bytes);

	mappings_remove(m, start, bytes);
	if (start >= end)
		return;
	insert(m, first_behind(m, start), (struct mapping){start, end});
	m->bytes += end - start;
	if (m->bytes > m->peak_bytes)
		m->peak_bytes = m->bytes;
}

void mappings_free(struct mappings *m)
{
	free(m->at);
	*m = (struct mappings){0};
}
