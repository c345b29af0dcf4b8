/* SPDX-License-Identifier: MIT */
/*
 * The resident set, reconciled with the live blocks; see reconcile.h.
 *
 * Whose an extent of anonymous memory is, is told by the blocks in it, for the
 * kernel makes one of mappings that touch:
 *
 *   glibc   [heap] is its own. A block that has a mapping to itself begins 16
 *	     bytes into a page, and takes whole pages. Any other block, outside
 *	     of [heap], is in an arena: which begins at a multiple of 64 MiB and
 *	     takes the rest of the extent. It is one also when no block is left.
 *   others  A granule of 2 MiB is theirs in which there was ever a block.
 *
 * Of an extent that is an allocator's in part, the resident bytes are shared
 * out by size.
 */
#include "reconcile.h"

#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "map.h"

/* glibc: arenas, and blocks that may have a mapping of their own. */
#define ARENA_SHIFT 26
#define LEAST_MAPPED_BYTES (128u * 1024)
#define CHUNK_HEAD_BYTES 8
#define MAPPED_HEAD_BYTES 16
#define LEAST_CHUNK_BYTES 32

/* Others. */
#define GRANULE_SHIFT 21

/* Of a block, no more granules are entered. */
#define MOST_GRANULES 65536

/* What is found in an extent. */
struct lot {
	uint64_t mapped; /* of blocks that have mappings to themselves */
	uint64_t chunks; /* of the other blocks, with what is around them */
};

struct work {
	struct reconciliation *r;
	const struct heap *heap;
	size_t next;	       /* of r->at */
	struct map granules;   /* where there ever was a block */
	uint64_t last_granule; /* entered, + 1 */
	unsigned int shift;    /* of an address to its granule */
	uint64_t *sorted;      /* the granules, while a note is taken */
	struct lot *lot;       /* by extent */
	uint64_t page_bytes;
};

/* ---- Blocks. ---- */

/* Tell whether a block of glibc's, not in [heap], has a mapping to itself. */
static bool is_mapped(const struct heap_block *b, uint64_t page_bytes)
{
	return b->address % page_bytes == MAPPED_HEAD_BYTES &&
	       b->size + MAPPED_HEAD_BYTES >= LEAST_MAPPED_BYTES;
}

/* Return what a block takes of glibc's memory. */
static uint64_t chunk_bytes(const struct heap_block *b, bool mapped,
			    uint64_t page_bytes)
{
	uint64_t bytes = b->size + CHUNK_HEAD_BYTES + 15;

	if (mapped)
		return (b->size + MAPPED_HEAD_BYTES + page_bytes - 1) /
		       page_bytes * page_bytes;
	bytes -= bytes % 16;
	return bytes < LEAST_CHUNK_BYTES ? LEAST_CHUNK_BYTES : bytes;
}

/* Return the extent that an address is in, or how many there are. */
static size_t find_extent(const struct trace_memory *m, uint64_t address)
{
	size_t low = 0, high = m->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (m->extent[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < m->count && m->extent[low].start <= address ? low
								 : m->count;
}

/* Count a live block. */
static void count_block(struct work *w, struct reconciled *to,
			const struct heap_block *b)
{
	const struct trace_memory *m = to->note;
	size_t i = find_extent(m, b->address);
	uint64_t page = w->page_bytes, bytes = b->size;
	bool mapped = false;

	if (w->r->is_glibc) {
		mapped = (i == m->count || !m->extent[i].heap) &&
			 is_mapped(b, page);
		bytes = chunk_bytes(b, mapped, page);
	}
	to->blocks++;
	to->requested += b->size;
	to->overhead += bytes - b->size;
	if (i == m->count)
		to->absent += bytes;
	else if (mapped)
		w->lot[i].mapped += bytes;
	else
		w->lot[i].chunks += bytes;
}

/* ---- Extents. ---- */

/* Settle what is resident of live blocks, and beyond them. */
static void settle(struct reconciled *to, uint64_t resident, uint64_t blocks)
{
	if (resident > blocks)
		to->kept += resident - blocks;
	else
		to->absent += blocks - resident;
}

/* Return the share of a whole that `part` of `size` gets. */
static uint64_t share(uint64_t whole, uint64_t part, uint64_t size)
{
	if (part >= size)
		return whole;
	return (uint64_t)((unsigned __int128)whole * part / size);
}

/* Order granules. */
static int compare_granules(const void *a, const void *b)
{
	uint64_t m = *(const uint64_t *)a, n = *(const uint64_t *)b;

	return (m > n) - (m < n);
}

/* Put the granules so far in their order. */
static void sort_granules(struct work *w)
{
	size_t n = 0;

	w->sorted = util_alloc(w->granules.count, sizeof(*w->sorted));
	for (size_t i = 0; i < w->granules.slots; i++)
		if (w->granules.entry[i].used)
			w->sorted[n++] = w->granules.entry[i].key;
	if (n)
		qsort(w->sorted, n, sizeof(*w->sorted), compare_granules);
}

/* Return the place of the first granule that ends behind an address. */
static size_t first_granule(const struct work *w, uint64_t address)
{
	size_t low = 0, high = w->granules.count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (w->sorted[middle] < address >> w->shift)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Share an extent out where the allocator is glibc's. */
static void share_glibc(struct work *w, struct reconciled *to,
			const struct trace_extent *x, const struct lot *lot)
{
	uint64_t arena = x->end, below, rest, mapped;
	size_t i = first_granule(w, x->start);

	if (i < w->granules.count && w->sorted[i] << ARENA_SHIFT < x->end)
		arena = w->sorted[i] << ARENA_SHIFT;
	if (arena < x->start || x->heap)
		arena = x->start;
	below = arena - x->start;
	rest = below ? share(x->resident, below, x->end - x->start) : 0;
	mapped = rest ? share(rest, lot->mapped, below) : 0;
	to->mapped += rest - mapped;
	settle(to, mapped, lot->mapped);
	settle(to, x->resident - rest, lot->chunks);
}

/* Share an extent out where it is another's. */
static void share_other(struct work *w, struct reconciled *to,
			const struct trace_extent *x, const struct lot *lot)
{
	uint64_t theirs = x->heap ? x->end - x->start : 0, resident;

	for (size_t i = first_granule(w, x->start);
	     !x->heap && i < w->granules.count; i++) {
		uint64_t from = w->sorted[i] << GRANULE_SHIFT;
		uint64_t until = from + (1u << GRANULE_SHIFT);

		if (from >= x->end)
			break;
		theirs += (until < x->end ? until : x->end) -
			  (from > x->start ? from : x->start);
	}
	resident = theirs ? share(x->resident, theirs, x->end - x->start) : 0;
	to->mapped += x->resident - resident;
	settle(to, resident, lot->chunks);
}

/* Reconcile a note with the blocks that are live now. */
static void take(struct work *w, struct reconciled *to)
{
	const struct trace_memory *m = to->note;
	uint64_t known;

	w->lot = util_alloc(m->count, sizeof(*w->lot));
	sort_granules(w);
	for (size_t i = 0; i < w->heap->places; i++)
		if (w->heap->block[i].address)
			count_block(w, to, &w->heap->block[i]);
	for (size_t i = 0; i < m->count; i++)
		if (w->r->is_glibc)
			share_glibc(w, to, &m->extent[i], &w->lot[i]);
		else
			share_other(w, to, &m->extent[i], &w->lot[i]);
	free(w->lot);
	free(w->sorted);
	known = to->requested + to->overhead + to->kept - to->absent +
		to->mapped + m->m.stacks + m->m.program + m->m.files + m->m.own;
	to->other = m->m.resident > known ? m->m.resident - known : 0;
	to->known = true;
}

/* ---- The replay. ---- */

/* Take the notes that are earlier than an event. */
static void advance(struct work *w, uint64_t clock)
{
	struct reconciliation *r = w->r;

	while (w->next < r->count && r->at[w->next].note->m.clock < clock)
		take(w, &r->at[w->next++]);
}

static void begins(void *context, struct heap_block *b,
		   const struct replay_event *e, const struct heap_block *from)
{
	struct work *w = context;
	uint64_t granule = b->address >> w->shift;
	uint64_t most = granule + MOST_GRANULES, end = b->address + b->size;

	(void)from;
	advance(w, e->event->time);
	if (granule + 1 == w->last_granule && b->size < 1u << w->shift)
		return;
	if (w->r->is_glibc && is_mapped(b, w->page_bytes))
		return;
	do {
		map_put(&w->granules, granule, NULL);
		w->last_granule = ++granule;
	} while (granule << w->shift < end && granule < most);
}

/* A block of the heap image: it is no event. */
static void carries(void *context, struct heap_block *b,
		    const struct replay_event *e)
{
	struct work *w = context;
	struct replay_event old = *e;
	struct mt_event event = {.time = 0};

	old.event = &event;
	begins(w, b, &old, NULL);
}

static void ends(void *context, const struct heap_block *b,
		 const struct replay_event *e, enum replay_end why,
		 bool temporary)
{
	(void)b;
	(void)why;
	(void)temporary;
	advance(context, e->event->time);
}

static void resumes(void *context, const struct heap_block *b,
		    const struct replay_event *e)
{
	(void)b;
	advance(context, e->event->time);
}

/* Order notes by time. */
static int compare(const void *a, const void *b)
{
	const struct reconciled *x = a, *y = b;
	uint64_t m = x->note->m.clock, n = y->note->m.clock;

	return (m > n) - (m < n);
}

/* Tell whether the allocator is libc's own. */
static bool is_glibc(const struct trace *t)
{
	const char *name = t->allocator ? util_basename(t->allocator) : "";

	return strncmp(name, "libc.so", 7) == 0 ||
	       strncmp(name, "libc-", 5) == 0;
}

void reconcile(struct reconciliation *r, struct trace *t,
	       replay_progress *progress)
{
	struct replay replay;
	struct work w = {
		.r = r,
		.heap = &replay.heap,
		.page_bytes = t->process.page_bytes,
	};
	struct replay_listener l = {
		.context = &w,
		.begins = begins,
		.ends = ends,
		.resumes = resumes,
		.carries = carries,
	};

	*r = (struct reconciliation){
		.at = util_alloc(t->memory_count, sizeof(*r->at)),
		.count = t->memory_count,
		.is_glibc = is_glibc(t),
	};
	w.shift = r->is_glibc ? ARENA_SHIFT : GRANULE_SHIFT;
	for (size_t i = 0; i < r->count; i++)
		r->at[i].note = &t->memories[i];
	if (!r->count || !w.page_bytes)
		return;
	qsort(r->at, r->count, sizeof(*r->at), compare);
	while (w.next < r->count &&
	       r->at[w.next].note->m.clock < image_clock(t))
		w.next++;
	replay_run(&replay, t, UINT64_MAX, &l, 1, progress);
	advance(&w, UINT64_MAX);
	replay_free(&replay);
	map_free(&w.granules);
}

void reconcile_free(struct reconciliation *r)
{
	free(r->at);
}
