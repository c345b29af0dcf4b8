/* SPDX-License-Identifier: MIT */
/*
 * What the index entries of a trace say of its events, without a look at them.
 */
#include "image.h"

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

/* A trace_entry of trace_histogram(). */
static void add_entry(void *context, const struct mt_segment *head,
		      const uint8_t *packed)
{
	struct trace_histogram *h = context;

	h->allocations += head->allocations;
	h->frees += head->frees;
	h->allocated_bytes += head->allocated_bytes;
	h->allocated_usable_bytes += head->allocated_usable_bytes;
	h->freed_usable_bytes += head->freed_usable_bytes;
	add_packed(h, packed, packed + head->extra_bytes);
}

/* Add what the entries said that are no longer there. */
static void add_image(struct trace_histogram *h, const struct mt_image *m)
{
	h->allocations += m->allocations;
	h->frees += m->frees;
	h->allocated_bytes += m->allocated_bytes;
	h->allocated_usable_bytes += m->allocated_usable_bytes;
	h->freed_usable_bytes += m->freed_usable_bytes;
	for (unsigned int i = 0; i < MT_SIZE_CLASSES; i++) {
		h->requested[i] += m->requested[i];
		h->usable[i] += m->usable[i];
		h->freed[i] += m->freed[i];
	}
}

void trace_histogram(const struct trace *t, struct trace_histogram *h)
{
	*h = (struct trace_histogram){0};
	if (t->image)
		add_image(h, &t->image->head);
	h->unsealed = trace_entries(t, add_entry, h);
}

/*
 * Show the entries of a thread, and say up to which event there are any;
 * return how many have none.
 */
static uint64_t show_entries(const struct trace *t,
			     const struct trace_thread *thread,
			     trace_entry *each, void *context,
			     uint64_t *entered)
{
	uint64_t done = thread->entered, unsealed = 0, end;
	const struct trace_segments *list = &thread->segments;
	uint8_t packed[TRACE_MAX_EXTRA];

	for (size_t i = 0; i < list->count; i++) {
		const struct trace_segment *s = &list->at[i];
		struct mt_segment head;

		if (__builtin_add_overflow(s->first, s->count, &end) ||
		    end <= done)
			continue;
		if (s->live) {
			unsealed += end - (s->first > done ? s->first : done);
		} else if (trace_copy_entry(t, s, &head, packed)) {
			each(context, &head, packed);
			*entered = end;
		}
		done = end;
	}
	return unsealed;
}

uint64_t trace_entries(const struct trace *t, trace_entry *each, void *context)
{
	uint64_t unsealed = 0, entered;

	for (size_t i = 0; i < t->thread_count; i++)
		unsealed += show_entries(t, &t->threads[i], each, context,
					 &entered);
	return unsealed;
}

void trace_enter(struct trace *t, struct trace_histogram *h)
{
	/* With the first call, what the image has comes too. */
	if (t->image)
		add_image(h, &t->image->head);
	h->unsealed = 0;
	for (size_t i = 0; i < t->thread_count; i++)
		h->unsealed += show_entries(t, &t->threads[i], add_entry, h,
					    &t->threads[i].entered);
}
