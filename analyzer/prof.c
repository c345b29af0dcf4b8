/* SPDX-License-Identifier: MIT */
/*
 * The replay of a trace: the loop over all events.
 */
#include "prof.h"

#include <stdlib.h>
#include <string.h>

#include "merge.h"

/* How far ahead of its event a block's place is fetched. */
#define PREFETCH_EVENTS 12

/* Events between two calls of the progress function. */
#define PROGRESS_EVENTS (1u << 18)

/* What the replay remembers of a thread. */
struct prof_thread {
	uint64_t last;		  /* address of its last allocation */
	struct heap_block moving; /* taken by MT_REALLOC_FREE; address 0: no */
};

/* Return the number of the stack that ends at a node, entered when new. */
static uint32_t add_stack(struct prof *p, uint32_t node)
{
	uint32_t i = p->stack_count++;

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
	prof_stack(p, i)->node = node;
	if (node < p->node_count)
		p->stack_of_node[node] = i;
	return i;
}

/* Return the number of an event's stack. */
static inline uint32_t stack_number(struct prof *p, uint32_t node)
{
	if (__builtin_expect(node >= p->node_count, 0)) {
		p->anomalies.unknown_stacks++;
		node = MT_NODE_LOST;
		if (node >= p->node_count)
			return 0;
	}
	if (p->stack_of_node[node])
		return p->stack_of_node[node];
	return add_stack(p, node);
}

/* Set a stack's live bytes aside when they are those of the peak. */
static inline void before_change(struct prof *p, struct prof_stack *s)
{
	if (s->peak_number == p->peak_number)
		return;
	s->peak_number = p->peak_number;
	s->peak_bytes = s->live_bytes;
	s->peak_blocks = s->live_blocks;
}

/* Take note that a block is live. */
static inline void block_begins(struct prof *p, struct prof_stack *s,
				const struct heap_block *b, uint64_t clock)
{
	before_change(p, s);
	heap_insert(&p->heap, b);
	s->live_bytes += b->size;
	s->live_blocks++;
	p->live_bytes += b->size;
	if (p->live_bytes > p->peak_bytes) {
		p->peak_bytes = p->live_bytes;
		p->peak_blocks = p->heap.count;
		p->peak_clock = clock;
		p->peak_number++;
	}
}

/* Take note that a block is no longer live; it is removed from the heap. */
static inline struct prof_stack *block_ends(struct prof *p,
					    struct heap_block *b)
{
	struct prof_stack *s = prof_stack(p, b->owner);

	before_change(p, s);
	s->live_bytes -= b->size;
	s->live_blocks--;
	p->live_bytes -= b->size;
	heap_remove(&p->heap, b);
	return s;
}

/* Apply an allocation. */
static inline void apply_alloc(struct prof *p, uint32_t thread,
			       const struct mt_event *e)
{
	struct heap_block *there,
		b = {.address = e->address, .size = e->size, .thread = thread};
	struct prof_stack *s;

	if (__builtin_expect(!e->address, 0)) {
		p->failed++;
		return;
	}
	there = heap_find(&p->heap, e->address);
	if (__builtin_expect(there->address, 0)) {
		p->anomalies.lost_frees++;
		block_ends(p, there);
	}
	b.owner = stack_number(p, e->stack);
	s = prof_stack(p, b.owner);
	s->allocations++;
	s->allocated_bytes += e->size;
	p->allocations++;
	p->allocated_bytes += e->size;
	p->threads[thread].last = e->address;
	block_begins(p, s, &b, e->time);
}

/* Apply a free that is not realloc's. */
static inline void apply_free(struct prof *p, uint32_t thread,
			      const struct mt_event *e)
{
	struct heap_block *b = heap_find(&p->heap, e->address);
	bool temporary;

	if (__builtin_expect(!b->address, 0)) {
		p->anomalies.unknown_frees++;
		return;
	}
	temporary =
		b->thread == thread && p->threads[thread].last == e->address;
	block_ends(p, b)->temporary += temporary;
	p->temporary += temporary;
	p->frees++;
}

/* Apply the first half of a realloc. */
static void apply_realloc_free(struct prof *p, uint32_t thread,
			       const struct mt_event *e)
{
	struct heap_block *b = heap_find(&p->heap, e->address);

	p->threads[thread].moving.address = 0;
	if (!b->address) {
		p->anomalies.unknown_frees++;
		return;
	}
	p->threads[thread].moving = *b;
	block_ends(p, b);
	p->frees++;
}

/* Apply the second half of a realloc that failed: the old block lives on. */
static void apply_realloc_cancel(struct prof *p, uint32_t thread,
				 const struct mt_event *e)
{
	struct heap_block *moving = &p->threads[thread].moving;

	p->failed++;
	if (!e->address || moving->address != e->address)
		return;
	if (heap_find(&p->heap, e->address)->address) {
		p->anomalies.lost_frees++;
	} else {
		p->frees--;
		block_begins(p, prof_stack(p, moving->owner), moving, e->time);
	}
	moving->address = 0;
}

/* Apply what is neither a plain allocation nor a plain free. */
static void apply_other(struct prof *p, uint32_t thread,
			const struct mt_event *e)
{
	uint64_t bytes = (e->size + ~p->page_mask) & p->page_mask;

	switch (e->kind) {
	case MT_REALLOC_FREE:
		apply_realloc_free(p, thread, e);
		break;
	case MT_REALLOC_CANCEL:
		apply_realloc_cancel(p, thread, e);
		break;
	case MT_MMAP:
	case MT_MREMAP:
		if (!e->address)
			break;
		p->mmaps++;
		p->mapped_bytes += bytes;
		mappings_add(&p->mappings, e->address, bytes);
		break;
	case MT_MUNMAP:
	case MT_MREMAP_FREE:
		p->munmaps++;
		mappings_remove(&p->mappings, e->address, bytes);
		break;
	default:
		p->anomalies.unknown_kinds++;
		break;
	}
}

/* Apply a run of events of one thread. */
static void apply_run(struct prof *p, const struct merge_run *run)
{
	for (uint32_t i = 0; i < run->count; i++) {
		const struct mt_event *e = &run->event[i];

		if (i + PREFETCH_EVENTS < run->count)
			heap_prefetch(&p->heap, e[PREFETCH_EVENTS].address);
		if (e->kind >= MT_MALLOC && e->kind <= MT_NEW_ARRAY)
			apply_alloc(p, run->thread, e);
		else if (e->kind >= MT_FREE && e->kind <= MT_DELETE_ARRAY)
			apply_free(p, run->thread, e);
		else
			apply_other(p, run->thread, e);
	}
	p->events += run->count;
}

/* Return the events that the trace's segments hold. */
static uint64_t count_events(const struct trace *t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->thread_count; i++)
		for (size_t j = 0; j < t->threads[i].segments.count; j++)
			n += t->threads[i].segments.at[j].count;
	return n;
}

/* Set up for a trace. */
static void prof_init(struct prof *p, const struct trace *t)
{
	uint64_t page = t->process.page_bytes;

	*p = (struct prof){.node_count = t->node_count};
	if (!page || page & (page - 1))
		page = 4096;
	p->page_mask = ~(page - 1);
	heap_init(&p->heap);
	p->threads = util_alloc(t->thread_count, sizeof(*p->threads));
	p->stack_of_node = util_alloc(t->node_count, sizeof(*p->stack_of_node));
	add_stack(p, MT_NODE_LOST);
	if (MT_NODE_LOST < t->node_count)
		p->stack_of_node[MT_NODE_LOST] = 0;
}

void prof_run(struct prof *p, struct trace *t, prof_progress *progress)
{
	uint64_t total = count_events(t), next = PROGRESS_EVENTS, last = 0;
	struct merge_run run;
	struct merge m;

	prof_init(p, t);
	merge_init(&m, t, heap_fits, &p->heap);
	while (merge_next(&m, &run)) {
		apply_run(p, &run);
		last = run.event[run.count - 1].time;
		if (progress && p->events >= next) {
			progress(p->events, total);
			next += PROGRESS_EVENTS;
		}
	}
	merge_free(&m);
	trace_extend(t, last);
	p->exit_bytes = p->live_bytes;
	p->exit_blocks = p->heap.count;
	heap_free(&p->heap);
	free(p->stack_of_node);
	free(p->threads);
	p->stack_of_node = NULL;
	p->threads = NULL;
}

void prof_free(struct prof *p)
{
	for (size_t i = 0; i * PROF_CHUNK < p->stack_count; i++)
		free(p->chunk[i]);
	free(p->chunk);
	mappings_free(&p->mappings);
	*p = (struct prof){0};
}
