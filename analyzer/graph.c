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

static int compare_blocks(const void *a, const void *b)
{
	const struct graph_block *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
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

/* Take the live blocks over from the replay. */
static void take_blocks(struct graph *g, const struct trace *t,
			const struct stacks *s, const struct notes *notes,
			const struct heap *h)
{
	g->blocks = util_alloc(h->count + 1, sizeof(*g->blocks));
	for (size_t i = 0; i < h->places; i++) {
		const struct heap_block *b = &h->block[i];

		if (!b->address)
			continue;
		g->blocks[g->block_count++] = (struct graph_block){
			.address = b->address,
			.size = b->size,
			.born = b->born,
			.node = b->owner,
			.thread = b->thread,
			.kind = b->kind,
			.loader = is_loaders(s, b->owner) ||
				  notes_ignore(notes, b->address, b->size,
					       b->born,
					       t->threads[b->thread].tid),
		};
	}
	if (g->block_count)
		qsort(g->blocks, g->block_count, sizeof(*g->blocks),
		      compare_blocks);
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
 * only a pointer to a block's start is one.
 */
static enum role role_of(const struct trace_range *r)
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
	default:
		return ROLE_NONE;
	}
}

/* Find the block that a value points to, and how. */
static struct graph_edge resolve(const struct graph *g, uint64_t value)
{
	const struct graph_block *b = graph_find(g, value);
	bool start;

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
	g->blocks[r->from + 1].first_edge++;
}

/* Enter a pointer of a range. */
static void add_root(struct reader *r, uint64_t address, size_t range,
		     struct graph_edge edge)
{
	struct graph *g = r->g;
	enum role role = r->role[range];

	if (address && notes_is_root(&r->notes, address))
		role = ROLE_ROOT;
	if (role == ROLE_NONE ||
	    (role == ROLE_EXACT && edge.way != GRAPH_START) ||
	    (role == ROLE_WEAK && map_get(&r->windows, address >> r->shift)))
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

/* Go on to the range that holds a word. */
static bool in_range(struct reader *r, uint64_t address)
{
	const struct trace *t = r->trace;

	for (size_t n = 0; n < t->range_count; n++) {
		size_t i = (r->range + n) % t->range_count;
		const struct trace_range *at = &t->ranges[i];

		if (at->scan == r->scan && at->kind != MT_RANGE_REGISTERS &&
		    address >= at->start && address < at->end) {
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

/* Turn the counts of edges into where each block's begin. */
static void place_edges(struct graph *g)
{
	uint32_t sum = 0;

	for (size_t i = 0; i <= g->block_count; i++) {
		sum += g->blocks[i].first_edge;
		g->blocks[i].first_edge = sum;
	}
}

int graph_build(struct graph *g, struct trace *t, struct stacks *stacks,
		const struct mt_meta_scan *scan, replay_progress *progress,
		struct error *e)
{
	const struct replay_listener listener = {.begins = begins};
	struct reader r = {.g = g, .trace = t, .scan = scan->scan};
	struct replay replay;
	int status;

	*g = (struct graph){0};
	replay_run(&replay, t, scan->clock + 1, &listener, 1, progress);
	notes_begin(&r.notes, t, scan->clock);
	take_blocks(g, t, stacks, &r.notes, &replay.heap);
	replay_free(&replay);
	r.shift = window_shift(t);
	find_windows(&r.windows, r.shift, g);
	r.role = util_alloc(t->range_count, sizeof(*r.role));
	for (size_t i = 0; i < t->range_count; i++)
		r.role[i] = role_of(&t->ranges[i]);
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
	free(g->edges);
	free(g->roots);
	*g = (struct graph){0};
}
