/* SPDX-License-Identifier: MIT */
/* What the program said of its blocks; see notes.h. */
#include "notes.h"

#include <stdlib.h>
#include <string.h>

struct notes_span {
	uint32_t tid;
	uint64_t begin, end; /* clock: end UINT64_MAX, it goes on */
};

struct notes_range {
	uint64_t start, end;
};

/* Order notes by thread, then clock. */
static int compare_clock(const void *a, const void *b)
{
	const struct mt_meta_note *x = a, *y = b;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return (x->clock > y->clock) - (x->clock < y->clock);
}

/* Order notes by address, then clock. */
static int compare_address(const void *a, const void *b)
{
	const struct mt_meta_note *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return (x->clock > y->clock) - (x->clock < y->clock);
}

/* Take a root region off the list, the one that was entered last. */
static void remove_root(struct notes *n, uint64_t start, uint64_t end)
{
	for (size_t i = n->root_count; i-- > 0;)
		if (n->roots[i].start == start && n->roots[i].end == end) {
			n->roots[i] = n->roots[--n->root_count];
			return;
		}
}

/* Take a note; notes of a thread come in the order of time. */
static void take(struct notes *n, const struct mt_meta_note *m)
{
	struct notes_span *last =
		n->span_count ? &n->spans[n->span_count - 1] : NULL;
	uint64_t end = m->address + m->bytes;
	bool open = last && last->tid == m->tid && last->end == UINT64_MAX;

	switch (m->note) {
	case MT_NOTE_IGNORE:
		if (!open)
			n->spans[n->span_count++] = (struct notes_span){
				m->tid, m->clock, UINT64_MAX};
		break;
	case MT_NOTE_HEED:
		if (open)
			last->end = m->clock;
		break;
	case MT_NOTE_BLOCK:
		n->blocks[n->block_count++] = *m;
		break;
	case MT_NOTE_ROOT:
		n->roots[n->root_count++] =
			(struct notes_range){m->address, end};
		break;
	default:
		break;
	}
}

void notes_begin(struct notes *n, const struct trace *t, uint64_t clock)
{
	struct mt_meta_note *all;

	*n = (struct notes){0};
	if (!t->note_count)
		return;
	all = util_alloc(t->note_count, sizeof(*all));
	n->spans = util_alloc(t->note_count, sizeof(*n->spans));
	n->blocks = util_alloc(t->note_count, sizeof(*n->blocks));
	n->roots = util_alloc(t->note_count, sizeof(*n->roots));
	memcpy(all, t->notes, t->note_count * sizeof(*all));
	qsort(all, t->note_count, sizeof(*all), compare_clock);
	for (size_t i = 0; i < t->note_count; i++)
		if (all[i].clock <= clock)
			take(n, &all[i]);
	for (size_t i = 0; i < t->note_count; i++)
		if (all[i].clock <= clock && all[i].note == MT_NOTE_NO_ROOT)
			remove_root(n, all[i].address,
				    all[i].address + all[i].bytes);
	if (n->block_count)
		qsort(n->blocks, n->block_count, sizeof(*n->blocks),
		      compare_address);
	free(all);
}

void notes_free(struct notes *n)
{
	free(n->spans);
	free(n->blocks);
	free(n->roots);
	*n = (struct notes){0};
}

/* Tell whether a thread was told to ignore what it allocated at a clock. */
static bool is_in_span(const struct notes *n, uint32_t tid, uint64_t born)
{
	size_t low = 0, high = n->span_count;

	/* Behind the last span that begins no later. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct notes_span *s = &n->spans[middle];

		if (s->tid < tid || (s->tid == tid && s->begin <= born))
			low = middle + 1;
		else
			high = middle;
	}
	return low && n->spans[low - 1].tid == tid &&
	       born < n->spans[low - 1].end;
}

bool notes_ignore(const struct notes *n, uint64_t address, uint64_t size,
		  uint64_t born, uint32_t tid)
{
	size_t low = 0, high = n->block_count;

	if (is_in_span(n, tid, born))
		return true;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (n->blocks[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	/* What was said before it was born was of another block there. */
	for (; low < n->block_count &&
	       n->blocks[low].address - address < (size ? size : 1);
	     low++)
		if (n->blocks[low].clock >= born)
			return true;
	return false;
}

bool notes_is_root(const struct notes *n, uint64_t address)
{
	for (size_t i = 0; i < n->root_count; i++)
		if (address >= n->roots[i].start && address < n->roots[i].end)
			return true;
	return false;
}
