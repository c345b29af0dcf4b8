/* SPDX-License-Identifier: MIT */
/*
 * Sums of a replay; see prof.h.
 */
#include "prof.h"

#include <stdlib.h>
#include <string.h>

#include "image.h"

/* A block's owner when it is not to be counted. */
#define NOT_TAKEN UINT32_MAX

#define FIRST_SLOTS 1024

/* Enter a row; returns its number. */
static uint32_t add_row(struct prof *p, const struct prof_key *key)
{
	uint32_t i = p->row_count++;

	if (i % PROF_CHUNK == 0) {
		size_t n = i / PROF_CHUNK;

		p->chunk = util_grow(p->chunk, n, &p->chunk_room,
				     sizeof(*p->chunk));
		p->chunk[n] =
			aligned_alloc(64, PROF_CHUNK * sizeof(**p->chunk));
		if (!p->chunk[n])
			abort();
		memset(p->chunk[n], 0, PROF_CHUNK * sizeof(**p->chunk));
	}
	p->key = util_grow(p->key, i, &p->key_room, sizeof(*p->key));
	p->key[i] = *key;
	if (estimate_is_needed(p->trace)) {
		p->spread = util_grow(p->spread, i, &p->spread_room,
				      sizeof(*p->spread));
		p->spread[i] = (struct prof_spread){0};
	}
	return i;
}

/* Return where a key is, or would be, among the slots. */
static uint32_t *find_slot(const struct prof *p, const struct prof_key *key)
{
	uint64_t h = (key->size ^ (uint64_t)key->thread << 40) *
			     0x9e3779b97f4a7c15u +
		     key->node;
	size_t i = (h * 0xff51afd7ed558ccdu) >> 32;

	for (;; i++) {
		uint32_t *slot = &p->slot[i & (p->slots - 1)];
		const struct prof_key *k;

		if (!*slot)
			return slot;
		k = &p->key[*slot - 1];
		if (k->node == key->node && k->size == key->size &&
		    k->thread == key->thread)
			return slot;
	}
}

/* Have so many slots, with all rows in them. */
static void set_slots(struct prof *p, size_t slots)
{
	free(p->slot);
	p->slots = slots;
	p->slot = util_alloc(p->slots, sizeof(*p->slot));
	for (uint32_t i = 0; i < p->row_count; i++)
		*find_slot(p, &p->key[i]) = i + 1;
}

/* Return the number of the row of a key, entered when it is new. */
static uint32_t keyed_row(struct prof *p, const struct prof_key *key)
{
	uint32_t *slot = find_slot(p, key);

	if (*slot)
		return *slot - 1;
	*slot = p->row_count + 1;
	if (p->row_count >= p->slots / 2) {
		uint32_t i = add_row(p, key);

		set_slots(p, 2 * p->slots);
		return i;
	}
	return add_row(p, key);
}

/* Return the number of a block's row. */
static inline uint32_t row_number(struct prof *p, const struct heap_block *b,
				  uint32_t node)
{
	struct prof_key key = {.node = node};

	if (__builtin_expect(node >= p->node_count, 0)) {
		p->unknown_stacks++;
		key.node = node = MT_NODE_LOST;
	}
	if (p->options.keys) {
		key.thread = p->options.keys & PROF_BY_THREAD ? b->thread : 0;
		key.size = p->options.keys & PROF_BY_SIZE ? b->size : 0;
		return keyed_row(p, &key);
	}
	if (node >= p->node_count)
		return 0;
	if (!p->row_of_node[node] && node != MT_NODE_LOST)
		p->row_of_node[node] = add_row(p, &key);
	return p->row_of_node[node];
}

/* Set a row's live bytes aside when they are those of the peak. */
static inline void before_change(struct prof *p, uint32_t row)
{
	struct prof_row *s = prof_row(p, row);

	if (s->peak_number == p->peak_number)
		return;
	if (p->spread)
		p->spread[row].peak = p->spread[row].live;
	s->peak_number = p->peak_number;
	s->peak_bytes = s->live_bytes;
	s->peak_blocks = s->live_blocks;
}

/* Take what is live now as the peak. */
static void set_peak(struct prof *p, uint64_t clock)
{
	p->peak_bytes = p->live_bytes;
	p->peak_blocks = p->live_blocks;
	p->peak = p->live_spread;
	p->peak_clock = clock;
	p->peak_number++;
}

/* Begin the window when its time has come; tell whether it has. */
static inline bool is_counting(struct prof *p, const struct replay_event *e)
{
	if (__builtin_expect(!p->counting, 0) &&
	    e->event->time >= p->options.from) {
		p->counting = true;
		set_peak(p, p->options.from);
	}
	return p->counting;
}

/* Take note that a block of row `s` is live. */
static inline void add_live(struct prof *p, uint32_t row,
			    const struct estimate *e, uint64_t clock)
{
	struct prof_row *s = prof_row(p, row);

	before_change(p, row);
	s->live_bytes += e->bytes;
	s->live_blocks += (uint32_t)e->blocks;
	p->live_bytes += e->bytes;
	p->live_blocks += e->blocks;
	if (p->spread) {
		spread_add(&p->spread[row].live, &e->spread);
		spread_add(&p->live_spread, &e->spread);
	}
	if (p->live_bytes > p->peak_bytes && p->counting)
		set_peak(p, clock);
}

/* Take note of a new block. */
static void begins(void *context, struct heap_block *b,
		   const struct replay_event *e, const struct heap_block *from)
{
	struct prof *p = context;
	struct estimate n = estimate_of(p->trace, b);
	bool counting = is_counting(p, e);
	struct prof_row *s;

	if (p->options.takes &&
	    !p->options.takes(p->options.takes_context, e)) {
		b->owner = NOT_TAKEN;
		return;
	}
	b->owner = row_number(p, b, e->event->stack);
	s = prof_row(p, b->owner);
	if (p->options.beside)
		p->options.beside->begins(p->options.beside->context, b, e,
					  from);
	if (counting) {
		s->allocations += n.blocks;
		s->allocated_bytes += n.bytes;
		p->allocations += n.blocks;
		p->allocated_bytes += n.bytes;
	}
	if (counting && p->spread) {
		spread_add(&p->spread[b->owner].allocated, &n.spread);
		spread_add(&p->allocated, &n.spread);
	}
	add_live(p, b->owner, &n, b->born);
}

/* Count the end of a block's life (+1), or take that back (-1). */
static void count_end(struct prof *p, const struct heap_block *b,
		      const struct estimate *n, uint64_t time, int sign)
{
	struct prof_row *s = prof_row(p, b->owner);
	uint64_t lived = time - b->born;

	p->frees += (uint64_t)sign * n->blocks;
	if (p->spread) {
		struct prof_spread *spread = &p->spread[b->owner];

		spread->frees += (uint64_t)sign * n->blocks;
		spread->lifetimes += sign * (double)n->blocks * (double)lived;
	} else {
		s->frees += (uint32_t)sign;
		s->lifetimes += (uint64_t)sign * lived;
	}
}

/* Take note of a block's end. */
static void ends(void *context, const struct heap_block *b,
		 const struct replay_event *e, enum replay_end why,
		 bool temporary)
{
	struct prof *p = context;
	bool counting = is_counting(p, e);
	struct prof_row *s;
	struct estimate n;

	if (b->owner == NOT_TAKEN)
		return;
	n = estimate_of(p->trace, b);
	if (p->options.beside)
		p->options.beside->ends(p->options.beside->context, b, e, why,
					temporary);
	s = prof_row(p, b->owner);
	before_change(p, b->owner);
	s->live_bytes -= n.bytes;
	s->live_blocks -= (uint32_t)n.blocks;
	p->live_bytes -= n.bytes;
	p->live_blocks -= n.blocks;
	if (p->spread) {
		spread_subtract(&p->spread[b->owner].live, &n.spread);
		spread_subtract(&p->live_spread, &n.spread);
	}
	if (!counting || why == REPLAY_LOST)
		return;
	count_end(p, b, &n, e->event->time, 1);
	if (p->spread) /* what is temporary, the sample can't tell */
		return;
	s->temporary += temporary;
	p->temporary += temporary;
}

/* Take note of a block that the heap image carries over. */
static void carries(void *context, struct heap_block *b,
		    const struct replay_event *e)
{
	struct prof *p = context;

	if (p->options.takes &&
	    !p->options.takes(p->options.takes_context, e)) {
		b->owner = NOT_TAKEN;
		return;
	}
	b->owner = row_number(p, b, e->event->stack);
	if (p->options.beside)
		p->options.beside->carries(p->options.beside->context, b, e);
	/* The rows of the image have it in their sums. */
	if (!p->whole) {
		struct estimate n = estimate_of(p->trace, b);

		add_live(p, b->owner, &n, b->born);
	}
}

/* Take back the end of a block that lives on. */
static void resumes(void *context, const struct heap_block *b,
		    const struct replay_event *e)
{
	struct prof *p = context;
	struct estimate n;

	if (b->owner == NOT_TAKEN)
		return;
	n = estimate_of(p->trace, b);
	if (p->options.beside)
		p->options.beside->resumes(p->options.beside->context, b, e);
	if (e->ended >= p->options.from)
		count_end(p, b, &n, e->ended, -1);
	add_live(p, b->owner, &n, e->event->time);
}

/* Take note of a mapping, or of a failure; when blocks are chosen, of none. */
static void others(void *context, const struct replay_event *at)
{
	struct prof *p = context;
	const struct mt_event *e = at->event;
	uint64_t bytes = (e->size + ~p->page_mask) & p->page_mask;
	bool counting = is_counting(p, at);

	if (p->options.takes)
		return;
	switch (e->kind) {
	case MT_MMAP:
	case MT_MREMAP:
		if (!e->address)
			break;
		p->mmaps += counting;
		p->mapped_bytes += counting ? bytes : 0;
		mappings_add(&p->mappings, e->address, bytes);
		break;
	case MT_MUNMAP:
	case MT_MREMAP_FREE:
		p->munmaps += counting;
		mappings_remove(&p->mappings, e->address, bytes);
		break;
	default:
		p->failed += counting;
		break;
	}
}

/* Set up for a trace. */
static void prof_init(struct prof *p, const struct trace *t,
		      const struct prof_options *o)
{
	uint64_t page = t->process.page_bytes;

	*p = (struct prof){
		.options = *o,
		.trace = t,
		.node_count = t->node_count,
		.counting = !o->from,
		.slots = FIRST_SLOTS,
	};
	if (!page || page & (page - 1))
		page = 4096;
	p->page_mask = ~(page - 1);
	if (o->keys)
		p->slot = util_alloc(p->slots, sizeof(*p->slot));
	else
		p->row_of_node =
			util_alloc(t->node_count, sizeof(*p->row_of_node));
	add_row(p, &(struct prof_key){.node = MT_NODE_LOST});
	if (o->keys)
		*find_slot(p, &p->key[0]) = 1;
}

/* Take over a row of the heap image. */
static void load_row(struct prof *p, const struct mt_image_row *from,
		     uint64_t peak_number)
{
	struct heap_block b = {0};
	struct prof_row *s = prof_row(p, row_number(p, &b, from->node));

	*s = (struct prof_row){
		.allocations = from->allocations,
		.allocated_bytes = from->allocated_bytes,
		.temporary = from->temporary,
		.lifetimes = from->lifetimes,
		.live_bytes = from->live_bytes,
		.peak_bytes = from->peak_bytes,
		.live_blocks = (uint32_t)from->live_blocks,
		.peak_blocks = (uint32_t)from->peak_blocks,
		.peak_number = from->peak_number == peak_number,
		.frees = (uint32_t)from->frees,
	};
}

/* Begin with the sums of the heap image. */
static void load_image(struct prof *p, const struct image *m)
{
	const struct mt_image_sums *s = m->sums;

	p->whole = true;
	p->allocations = s->allocations;
	p->allocated_bytes = s->allocated_bytes;
	p->frees = s->frees;
	p->temporary = s->temporary;
	p->failed = s->failed;
	p->live_bytes = s->live_bytes;
	p->live_blocks = s->live_blocks;
	p->peak_bytes = s->peak_bytes;
	p->peak_blocks = s->peak_blocks;
	p->peak_clock = s->peak_clock;
	p->peak_number = 1;
	p->mmaps = s->mmaps;
	p->munmaps = s->munmaps;
	p->mapped_bytes = s->mapped_bytes;
	for (uint32_t i = 1; i < s->rows; i++) {
		struct mt_image_row row = image_row(m, i);

		load_row(p, &row, s->peak_number);
	}
}

/* Keep the blocks that are live at the end of the replay. */
static void keep_live(struct prof *p, struct heap *h)
{
	heap_sort(h);
	for (size_t i = 0; i < h->count; i++)
		h->block[i].owner = p->key[h->block[i].owner].node;
	p->live = *h;
	*h = (struct heap){0};
}

struct replay_listener prof_begin(struct prof *p, const struct trace *t,
				  const struct prof_options *o)
{
	prof_init(p, t, o);
	/* The image's sums are of the sample: they stand for nothing. */
	if (t->image && !o->from && !o->keys && !o->takes &&
	    !estimate_is_needed(t))
		load_image(p, t->image);
	return (struct replay_listener){
		.context = p,
		.begins = begins,
		.ends = ends,
		.resumes = resumes,
		.others = others,
		.carries = carries,
	};
}

/* Let the rows be of the threads' new places. */
static void move_threads(struct prof *p, const uint32_t *place)
{
	for (uint32_t i = 0; i < p->row_count; i++)
		p->key[i].thread = place[p->key[i].thread];
	set_slots(p, p->slots);
}

void prof_move(struct prof *p, const struct trace *before,
	       const struct trace *t)
{
	uint32_t *place = util_alloc(before->thread_count + 1, sizeof(*place));

	if (replay_places(before, t, place) && p->options.keys & PROF_BY_THREAD)
		move_threads(p, place);
	free(place);
	if (t->node_count <= p->node_count)
		return;
	if (p->row_of_node) {
		p->row_of_node = util_resize(p->row_of_node, t->node_count,
					     sizeof(*p->row_of_node));
		memset(p->row_of_node + p->node_count, 0,
		       (t->node_count - p->node_count) *
			       sizeof(*p->row_of_node));
	}
	p->node_count = t->node_count;
}

/* Add a row to another. */
static void add_up(const struct prof *p, struct prof_row *to,
		   const struct prof_row *from)
{
	uint64_t peak_bytes, peak_blocks;

	prof_peak(p, from, &peak_bytes, &peak_blocks);
	to->allocations += from->allocations;
	to->allocated_bytes += from->allocated_bytes;
	to->temporary += from->temporary;
	to->lifetimes += from->lifetimes;
	to->live_bytes += from->live_bytes;
	to->live_blocks += from->live_blocks;
	to->frees += from->frees;
	to->peak_bytes += peak_bytes;
	to->peak_blocks += (uint32_t)peak_blocks;
	to->peak_number = p->peak_number;
}

/* Add what more there is to a row of a sample. */
static void add_up_spread(const struct prof *p, struct prof_spread *to,
			  const struct prof_row *row,
			  const struct prof_spread *from)
{
	bool aside = row->peak_number == p->peak_number;

	spread_add(&to->allocated, &from->allocated);
	spread_add(&to->live, &from->live);
	spread_add(&to->peak, aside ? &from->peak : &from->live);
	to->lifetimes += from->lifetimes;
	to->frees += from->frees;
}

void prof_merge_rows(struct prof *p)
{
	struct prof old = *p;

	if (!p->options.keys)
		return;
	free(p->slot);
	p->slot = NULL;
	p->options.keys = 0;
	p->chunk = NULL;
	p->key = NULL;
	p->spread = NULL;
	p->row_count = 0;
	p->chunk_room = p->key_room = p->spread_room = 0;
	p->row_of_node = util_alloc(p->node_count, sizeof(*p->row_of_node));
	add_row(p, &(struct prof_key){.node = MT_NODE_LOST});
	for (uint32_t i = 0; i < old.row_count; i++) {
		struct prof_row *from = prof_row(&old, i);
		struct heap_block none = {0};
		uint32_t to = row_number(p, &none, old.key[i].node);

		add_up(p, prof_row(p, to), from);
		if (p->spread)
			add_up_spread(p, &p->spread[to], from, &old.spread[i]);
	}
	prof_drop_rows(&old);
}

void prof_end(struct prof *p, struct trace *t, const struct replay *r)
{
	if (p->options.until == UINT64_MAX)
		trace_extend(t, r->last_clock);
	if (!p->counting)
		set_peak(p, p->options.from);
	p->events = r->events;
	p->anomalies = r->anomalies;
	p->exit_bytes = p->live_bytes;
	p->exit_blocks = p->live_blocks;
	p->exit = p->live_spread;
	p->last_clock = r->last_clock;
	free(p->row_of_node);
	free(p->slot);
	p->row_of_node = p->slot = NULL;
	p->options.beside = NULL;
}

void prof_run(struct prof *p, struct trace *t, const struct prof_options *o,
	      replay_progress *progress)
{
	struct replay_listener listener = prof_begin(p, t, o);
	struct replay r;

	replay_run(&r, t, o->until, &listener, 1, progress);
	prof_end(p, t, &r);
	if (o->keep_live && !o->takes)
		keep_live(p, &r.heap);
	replay_free(&r);
}

void prof_drop_rows(struct prof *p)
{
	for (size_t i = 0; i * PROF_CHUNK < p->row_count; i++)
		free(p->chunk[i]);
	free(p->chunk);
	free(p->key);
	free(p->spread);
	p->spread = NULL;
	p->chunk = NULL;
	p->key = NULL;
	p->row_count = 0;
}

void prof_free(struct prof *p)
{
	prof_drop_rows(p);
	mappings_free(&p->mappings);
	heap_free(&p->live);
	free(p->row_of_node);
	free(p->slot);
	*p = (struct prof){0};
}
