/* SPDX-License-Identifier: MIT */
/*
 * The blocks that are live at one moment of the replay, by address.
 *
 * Open addressing with linear probing, at most half full; a free moves
 * the blocks behind it back, so there are no tombstones. The calls that are
 * made once per event are inline: they are where the analyzer's time goes.
 */
#ifndef ANALYZER_HEAP_H
#define ANALYZER_HEAP_H

#include <memtrace/model.h>

#include "util.h"

struct heap_block {
	uint64_t address;     /* 0: the place is free */
	uint64_t size;	      /* bytes, as requested */
	uint64_t born;	      /* the clock at its allocation */
	uint32_t owner;	      /* what allocated it, as the caller numbers */
	uint32_t thread : 24; /* that did */
	uint32_t kind : 8;    /* enum mt_kind */
};

struct heap {
	struct heap_block *block;
	size_t places;	    /* a power of two */
	size_t count, room; /* live blocks; how many before it grows */
	unsigned int shift; /* 64 - log2(places) */
};

void heap_init(struct heap *h);
void heap_free(struct heap *h);

/* Double the places. Pointers to blocks are void after it. */
void heap_grow(struct heap *h);

/* Return the place where the search for an address begins. */
static inline size_t heap_home(const struct heap *h, uint64_t address)
{
	return (address * 0x9e3779b97f4a7c15u) >> h->shift;
}

/* Have the place of an address in the cache by when it is asked for. */
static inline void heap_prefetch(const struct heap *h, uint64_t address)
{
	__builtin_prefetch(&h->block[heap_home(h, address)], 1);
}

/* Return the block at an address, or the free place where it would be. */
static inline struct heap_block *heap_find(const struct heap *h,
					   uint64_t address)
{
	size_t i = heap_home(h, address);

	while (h->block[i].address != address && h->block[i].address)
		i = (i + 1) & (h->places - 1);
	return &h->block[i];
}

/* Enter a block; its address must be non-zero and not be live. */
static inline void heap_insert(struct heap *h, const struct heap_block *b)
{
	if (h->count == h->room)
		heap_grow(h);
	*heap_find(h, b->address) = *b;
	h->count++;
}

/* Take a block out that heap_find() returned. */
static inline void heap_remove(struct heap *h, struct heap_block *b)
{
	size_t mask = h->places - 1;
	size_t hole = (size_t)(b - h->block), i = hole;

	for (;;) {
		i = (i + 1) & mask;
		if (!h->block[i].address)
			break;
		size_t home = heap_home(h, h->block[i].address);

		/* Only a block whose search passes the hole may fill it. */
		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		h->block[hole] = h->block[i];
		hole = i;
	}
	h->block[hole].address = 0;
	h->count--;
}

/*
 * Put the live blocks in the order of their addresses, at the beginning of
 * `block`, and give the other places back: there is nothing to be found or
 * entered any more. Takes no more memory than there is.
 */
void heap_sort(struct heap *h);

/* Tell whether an event can be next: merge.h's question about ties. */
bool heap_fits(const void *heap, const struct mt_event *e);

#endif
