/* SPDX-License-Identifier: MIT */
/*
 * The live blocks: what is not done once per event.
 */
#include "heap.h"

#include <stdlib.h>

#define FIRST_PLACES_LOG2 12

/* Set the table up with 2^log2 free places. */
static void set_places(struct heap *h, unsigned int log2)
{
	h->places = (size_t)1 << log2;
	h->shift = 64 - log2;
	h->room = h->places / 2;
	h->block = util_alloc(h->places, sizeof(*h->block));
}

void heap_init(struct heap *h)
{
	h->count = 0;
	set_places(h, FIRST_PLACES_LOG2);
}

void heap_free(struct heap *h)
{
	free(h->block);
	*h = (struct heap){0};
}

void heap_grow(struct heap *h)
{
	struct heap old = *h;

	set_places(h, 64 - old.shift + 1);
	for (size_t i = 0; i < old.places; i++)
		if (old.block[i].address)
			*heap_find(h, old.block[i].address) = old.block[i];
	free(old.block);
}

bool heap_fits(const void *heap, const struct mt_event *e)
{
	const struct heap *h = heap;
	bool live;

	if (e->kind == MT_MMAP || e->kind == MT_MREMAP ||
	    e->kind == MT_MUNMAP || e->kind == MT_MREMAP_FREE || !e->address)
		return true;
	live = heap_find(h, e->address)->address;
	return mt_kind_is_free(e->kind) ? live : !live;
}
