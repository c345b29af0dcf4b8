/* SPDX-License-Identifier: MIT */
/* The object graph of a scan; see graph.h. */
#include "graph.h"

#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "notes.h"

/* The size that new[] keeps before objects with destructors. */
#define COOKIE_BYTES 8

/* ---- The blocks. ---- */

/* Keep the stack that allocated a block with it. */
static void begins(void *context, struct heap_block *b,
		   const struct replay_event *e, const struct heap_block *from)
{
	(void)context;
	(void)from;
	b->owner = e->event->stack;
}

/* Tell whether the loader allocated at a stack. */
static bool is_loaders(const struct stacks *s, uint32_t node)
{
	const struct mt_pc *pc;

	if (node < MT_NODE_FIRST || node >= s->node_count)
		return false;
	pc = &s->pcs[s->nodes[node].pc];
	return pc->module < s->module_count && s->modules[pc->module].path &&
	       util_starts(util_basename(s->modules[pc->module].path), "ld-");
}

_Static_assert(sizeof(struct graph_block) == sizeof(struct heap_block),
	       "take_blocks() makes one of the other where it is");

/* Take the live blocks over, with their memory. */
static void take_blocks(struct graph *g, const struct stacks *s, struct heap *h)
{
	g->blocks = (void *)h->block;
	g->block_count = h->count;
	for (size_t i = 0; i < h->count; i++) {
		struct heap_block b = h->block[i];

		g->blocks[i] = (struct graph_block){
			.address = b.address,
			.size = b.size,
			.born = b.born,
			.node = b.owner,
			.thread = b.thread,
			.kind = b.kind & 127,
			.loader = is_loaders(s, b.owner),
		};
	}
	*h = (struct heap){0};
}

/* Take the blocks that are live at a moment from a replay. */
static void replay_blocks(struct graph *g, struct trace *t,
			  const struct stacks *s, uint64_t until,
			  replay_progress *progress)
{
	const struct replay_listener listener = {.begins = begins};
	struct replay replay;

	replay_run(&replay, t, until, &listener, 1, progress);
	heap_sort(&replay.heap);
	take_blocks(g, s, &replay.heap);
}

/* Make blocks that are not to be called leaked as the loader's are. */
static void heed_notes(struct graph *g, const struct trace *t,
		       const struct notes *notes)
{
	for (size_t i = 0; i < g->block_count; i++) {
		struct graph_block *b = &g->blocks[i];

		if (notes_ignore(notes, b->address, b->size, b->born,
				 t->threads[b->thread].tid))
			b->loader = true;
	}
}

/* Return the place of the last block that begins at or before an address, or
 * the count of all. */
static size_t find_before(const struct graph *g, uint64_t address)
{
	size_t n = util_up_to(g->blocks, g->block_count, sizeof(*g->blocks),
			      address);

	return n ? n - 1 : g->block_count;
}

const struct graph_block *graph_find(const struct graph *g, uint64_t address)
{
	size_t i = find_before(g, address);
	const struct graph_block *b = &g->blocks[i];

	if (i == g->block_count ||
	    address - b->address >= (b->size ? b->size : 1))
		return NULL;
	return b;
}

/* ---- The words. ---- */

/*
 * The allocator's memory. Between its blocks are free ones with pointers that
 * mean nothing any more. [heap] is its own, but where it maps memory, other
 * parts of the program do too, and the kernel merges what they get. glibc
 * gives the arenas of threads windows of 64 MiB; where a small block lives,
 * the window is the allocator's. A block that was mapped for itself (it
 * begins 16 bytes into a page) says nothing of what is around it. Other
 * allocators' extents are smaller.
 */
#define ARENA_SHIFT 26
#define EXTENT_SHIFT 22
#define OWN_MAPPING_BYTES (128u << 10)

/* Note the windows that are the allocator's. */
static void find_windows(struct map *windows, unsigned int shift,
			 const struct graph *g)
{
	for (size_t i = 0; i < g->block_count; i++) {
		const struct graph_block *b = &g->blocks[i];

		if (b->size < OWN_MAPPING_BYTES || b->address % 4096 != 16)
			map_put(windows, b->address >> shift, NULL);
	}
}

/* Return how large the allocator's windows are, as a power of two. */
static unsigned int window_shift(const struct trace *t)
{
	return t->allocator && util_starts(util_basename(t->allocator), "libc.")
		       ? ARENA_SHIFT
		       : EXTENT_SHIFT;
}

/* How a range's words count. */
enum role {
	ROLE_ROOT,
	ROLE_EXACT, /* as roots, but only pointers to a block's start */
	ROLE_WEAK,
	ROLE_NONE,
};

struct reader {
	struct graph *g;
	struct trace *trace;
	struct notes notes;
	uint32_t scan;
	enum role *role;    /* by range */
	struct map windows; /* the allocator's, by address >> shift */
	unsigned int shift;
	size_t range;	  /* the last word's, or trace->range_count */
	size_t from;	  /* the block it was in or behind */
	size_t last_from; /* that had an edge; they come in order */
};

/*
 * Decide how a range's words count. libc's own data holds the allocator's free
 * lists, which point before free chunks, so into the block before them: there
 * only a pointer to a block's start is one. In a forked process the blocks that
 * it inherited lie between its own; which they are its trace does not know, so
 * all that is there may be one of them.
 */
static enum role role_of(const struct trace_range *r, bool forked)
{
	switch (r->kind) {
	case MT_RANGE_MODULE:
		if (r->path && util_starts(util_basename(r->path), "libc.so"))
			return ROLE_EXACT;
		return ROLE_ROOT;
	case MT_RANGE_STACK:
	case MT_RANGE_TLS:
	case MT_RANGE_REGISTERS:
		return ROLE_ROOT;
	case MT_RANGE_MAPPING:
		return ROLE_WEAK;
	case MT_RANGE_HEAP:
		return forked ? ROLE_EXACT : ROLE_NONE;
	default:
		return ROLE_NONE;
	}
}

/* Return the block of a `new T[0]` that has its count of objects and none of
 * them, by the address behind it; or NULL. */
static const struct graph_block *find_empty_array(const struct graph *g,
						  uint64_t value)
{
	const struct graph_block *b = graph_find(g, value - COOKIE_BYTES);

	return b && b->kind == MT_NEW_ARRAY && b->size == COOKIE_BYTES &&
			       b->address == value - COOKIE_BYTES
		       ? b
		       : NULL;
}

/* Find the block that a value points to, and how. */
static struct graph_edge resolve(const struct graph *g, uint64_t value)
{
	const struct graph_block *b = graph_find(g, value);
	bool start;

	if (!b)
		b = find_empty_array(g, value);
	if (!b)
		return (struct graph_edge){0, GRAPH_NONE};
	start = value == b->address ||
		(b->kind == MT_NEW_ARRAY && value == b->address + COOKIE_BYTES);
	return (struct graph_edge){(uint32_t)(b - g->blocks),
				   start ? GRAPH_START : GRAPH_INTERIOR};
}

/* Go on to the block that holds a word, if one does. */
static bool in_block(struct reader *r, uint64_t address)
{
	struct graph *g = r->g;

	/* The words come by address, but for where a range of ours begins. */
	if (r->from < g->block_count && address < g->blocks[r->from].address) {
		size_t i = find_before(g, address);

		if (i == g->block_count)
			return false;
		r->from = i;
	}
	while (r->from + 1 < g->block_count &&
	       g->blocks[r->from + 1].address <= address)
		r->from++;
	return r->from < g->block_count &&
	       address >= g->blocks[r->from].address &&
	       address - g->blocks[r->from].address + 8 <=
		       g->blocks[r->from].size;
}

/* Enter a pointer between blocks. */
static void add_edge(struct reader *r, struct graph_edge edge)
{
	struct graph *g = r->g;

	if (edge.to == r->from || r->from < r->last_from)
		return;
	r->last_from = r->from;
	g->edges = util_grow(g->edges, g->edge_count, &g->edge_room,
			     sizeof(*g->edges));
	g->edges[g->edge_count++] = edge;
	/* Until all are there: how many this block has, for the next one. */
	g->first_edge[r->from + 1]++;
}

/* Enter a pointer of a range. */
static void add_root(struct reader *r, uint64_t address, size_t range,
		     struct graph_edge edge)
{
	struct graph *g = r->g;
	enum role role = r->role[range];
	bool start = edge.way == GRAPH_START;

	if (address && notes_is_root(&r->notes, address))
		role = ROLE_ROOT;
	if (role == ROLE_NONE || (role == ROLE_EXACT && !start) ||
	    (role == ROLE_WEAK && !(r->trace->parent && start) &&
	     map_get(&r->windows, address >> r->shift)))
		return;
	g->roots = util_grow(g->roots, g->root_count, &g->root_room,
			     sizeof(*g->roots));
	g->roots[g->root_count++] = (struct graph_root){
		.address = address,
		.range = (uint32_t)range,
		.to = edge.to,
		.way = edge.way,
		.weak = role == ROLE_WEAK,
	};
}

/* Tell whether a range is a stack that take_stacks() found in a block. */
static bool is_in_block(const struct reader *r, size_t range)
{
	return r->role[range] == ROLE_NONE &&
	       r->trace->ranges[range].kind == MT_RANGE_STACK;
}

/* Go on to the range that holds a word. */
static bool in_range(struct reader *r, uint64_t address)
{
	const struct trace *t = r->trace;

	for (size_t n = 0; n < t->range_count; n++) {
		size_t i = (r->range + n) % t->range_count;
		const struct trace_range *at = &t->ranges[i];

		if (at->scan == r->scan && address >= at->start &&
		    address < at->end && !is_in_block(r, i)) {
			r->range = i;
			return true;
		}
	}
	return false;
}

/* Take a word: it is a block's, a root's, or nothing. */
static void take_word(void *context, uint64_t address, uint64_t value)
{
	struct reader *r = context;
	struct graph_edge edge = resolve(r->g, value);

	if (edge.way == GRAPH_NONE)
		return;
	if (in_block(r, address)) {
		add_edge(r, edge);
		if (!notes_is_root(&r->notes, address))
			return;
	}
	if (in_range(r, address))
		add_root(r, address, r->range, edge);
}

/* Take the registers that were noted. */
static void take_registers(struct reader *r)
{
	for (size_t i = 0; i < r->trace->range_count; i++) {
		const struct trace_range *at = &r->trace->ranges[i];
		struct graph_edge edge;

		if (at->scan != r->scan || at->kind != MT_RANGE_REGISTERS)
			continue;
		edge = resolve(r->g, at->start);
		if (edge.way != GRAPH_NONE)
			add_root(r, 0, i, edge);
	}
}

/*
 * Take the stacks that lie in blocks, as coroutines have them: the block is
 * in use, and what it holds is looked at as a block's words. Behind its end is
 * no stack any more.
 */
static void take_stacks(struct reader *r)
{
	for (size_t i = 0; i < r->trace->range_count; i++) {
		const struct trace_range *at = &r->trace->ranges[i];
		const struct graph_block *b;

		if (at->scan != r->scan || at->kind != MT_RANGE_STACK)
			continue;
		b = graph_find(r->g, at->start);
		if (!b)
			continue;
		add_root(r, 0, i,
			 (struct graph_edge){(uint32_t)(b - r->g->blocks),
					     GRAPH_START});
		r->role[i] = ROLE_NONE;
	}
}

/* Turn the counts of edges into where each block's begin. */
static void place_edges(struct graph *g)
{
	uint32_t sum = 0;

	for (size_t i = 0; i <= g->block_count; i++) {
		sum += g->first_edge[i];
		g->first_edge[i] = sum;
	}
}

int graph_build(struct graph *g, struct trace *t, struct stacks *stacks,
		const struct mt_meta_scan *scan, struct heap *live,
		replay_progress *progress, struct error *e)
{
	struct reader r = {.g = g, .trace = t, .scan = scan->scan};
	int status;

	*g = (struct graph){0};
	if (live)
		take_blocks(g, stacks, live);
	else
		replay_blocks(g, t, stacks, scan->clock + 1, progress);
	g->first_edge = util_alloc(g->block_count + 1, sizeof(*g->first_edge));
	notes_begin(&r.notes, t, scan->clock);
	heed_notes(g, t, &r.notes);
	r.shift = window_shift(t);
	find_windows(&r.windows, r.shift, g);
	r.role = util_alloc(t->range_count, sizeof(*r.role));
	for (size_t i = 0; i < t->range_count; i++)
		r.role[i] = role_of(&t->ranges[i], t->parent);
	take_stacks(&r);
	status = trace_words(t, scan, take_word, &r);
	take_registers(&r);
	place_edges(g);
	map_free(&r.windows);
	notes_free(&r.notes);
	free(r.role);
	if (status)
		return error_set(e, ERROR_NO_OFFSET,
				 "the scan is not whole: %s", t->damage.text);
	return 0;
}

void graph_free(struct graph *g)
{
	free(g->blocks);
	free(g->first_edge);
	free(g->edges);
	free(g->roots);
	*g = (struct graph){0};
}
