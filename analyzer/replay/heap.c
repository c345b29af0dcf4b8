/* SPDX-License-Identifier: MIT */
/*
 * The live blocks: what is not done once per event.
 */
#include "heap.h"

#include <stdlib.h>
#include <string.h>

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

/* Digits of an address that heap_sort() takes at a time. */
#define DIGIT_BITS 11
#define DIGITS (1u << DIGIT_BITS)

/* Move the live blocks to the beginning, in any order. */
static void pack(struct heap *h)
{
	size_t n = 0;

	for (size_t i = 0; i < h->places; i++)
		if (h->block[i].address)
			h->block[n++] = h->block[i];
}

/* Copy blocks in the order of one digit; false: they have the same. */
static bool order_by_digit(const struct heap_block *from, struct heap_block *to,
			   size_t n, unsigned int shift)
{
	size_t place[DIGITS] = {0}, sum = 0;

	for (size_t i = 0; i < n; i++)
		place[from[i].address >> shift & (DIGITS - 1)]++;
	if (!n || place[from->address >> shift & (DIGITS - 1)] == n)
		return false;
	for (size_t i = 0; i < DIGITS; i++) {
		size_t count = place[i];

		place[i] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		to[place[from[i].address >> shift & (DIGITS - 1)]++] = from[i];
	return true;
}

/* The places are twice the blocks at least, so one half can be sorted into
 * the other, digit by digit from the last one. */
void heap_sort(struct heap *h)
{
	struct heap_block *from = h->block, *to = h->block + h->places / 2;

	pack(h);
	for (unsigned int shift = 0; shift < 64; shift += DIGIT_BITS)
		if (order_by_digit(from, to, h->count, shift)) {
			struct heap_block *sorted = to;

			to = from;
			from = sorted;
		}
	if (from != h->block)
		memcpy(h->block, from, h->count * sizeof(*from));
	h->block = util_resize(h->block, h->count + 1, sizeof(*h->block));
	h->places = h->room = h->count;
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
