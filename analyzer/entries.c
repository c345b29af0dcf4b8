/* SPDX-License-Identifier: MIT */
/*
 * What the index entries of a trace say of its events, without a look at them.
 */
#include "trace.h"

#include <string.h>

/* Add one packed histogram; what makes no sense of it is left out. */
static void add_packed(struct trace_histogram *h, const uint8_t *at,
		       const uint8_t *end)
{
	uint64_t class, n[3];

	while (mt_varint_get(&at, end, &class) && class &&
	       class <= MT_SIZE_CLASSES) {
		for (int i = 0; i < 3; i++)
			if (!mt_varint_get(&at, end, &n[i]))
				return;
		h->requested[class - 1] += n[0];
		h->usable[class - 1] += n[1];
		h->freed[class - 1] += n[2];
	}
}

/* Add a segment's index entry. */
static void add_entry(const struct trace *t, const struct trace_segment *s,
		      struct trace_histogram *h)
{
	const uint8_t *at = t->map + s->offset;
	struct mt_segment head;

	if (s->live) {
		h->unsealed += s->count;
		return;
	}
	memcpy(&head, at, sizeof(head));
	h->allocations += head.allocations;
	h->frees += head.frees;
	h->allocated_bytes += head.allocated_bytes;
	h->allocated_usable_bytes += head.allocated_usable_bytes;
	h->freed_usable_bytes += head.freed_usable_bytes;
	/* That the head holds so many was checked with its check word. */
	add_packed(h, at + sizeof(head), at + sizeof(head) + head.extra_bytes);
}

void trace_histogram(const struct trace *t, struct trace_histogram *h)
{
	*h = (struct trace_histogram){0};
	for (size_t i = 0; i < t->thread_count; i++)
		for (size_t j = 0; j < t->threads[i].segments.count; j++)
			add_entry(t, &t->threads[i].segments.at[j], h);
}
