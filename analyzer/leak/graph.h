/* SPDX-License-Identifier: MIT */
/*
 * The object graph of a scan: the blocks that were live, what pointed to them
 * from each other, and from the roots.
 *
 * Only the requested range of a block is looked into, aligned words only. A
 * word points to a block when its value is in it: to its start, or inside of
 * it ("interior"). A block of no size counts as one of a byte, and the
 * address behind the size that new[] keeps as its start.
 */
#ifndef ANALYZER_GRAPH_H
#define ANALYZER_GRAPH_H

#include "replay.h"
#include "stacks.h"

struct graph_block {
	uint64_t address, size, born; /* born: clock */
	uint32_t node;		      /* stack */
	uint32_t thread : 24;	      /* place in trace->threads */
	uint32_t kind : 7;	      /* enum mt_kind */
	uint32_t loader : 1; /* the loader's, or to be ignored, as the program
				says: a root, and nobody's leak */
};

/* What kind of a pointer led to a block; the better the greater. */
enum graph_way {
	GRAPH_NONE,
	GRAPH_INTERIOR,
	GRAPH_START,
};

/* A pointer to a block, from a block or a root. */
struct graph_edge {
	uint32_t to : 30; /* block */
	uint32_t way : 2; /* enum graph_way */
};

/* A pointer from a root. */
struct graph_root {
	uint64_t address; /* of the word, or 0: a register */
	uint32_t range;	  /* place in trace->ranges */
	uint32_t to;	  /* block */
	enum graph_way way;
	bool weak; /* in a mapping that is no root by itself */
};

struct graph {
	struct graph_block *blocks; /* by address */
	size_t block_count;
	uint32_t *first_edge;	  /* by block; the next one's ends its own */
	struct graph_edge *edges; /* by the block they are from */
	size_t edge_count;
	struct graph_root *roots; /* in the order of the ranges */
	size_t root_count;

	/* The rest is graph.c's own. */
	size_t edge_room, root_room;
};

/*
 * Build the graph of a scan: of the blocks that were live then, which it takes
 * from `live`, sorted and owned by stacks (else NULL: it replays to that
 * moment), and its words. 0, or -1 with `e` filled. `progress` may be NULL.
 */
int graph_build(struct graph *g, struct trace *t, struct stacks *stacks,
		const struct mt_meta_scan *scan, struct heap *live,
		replay_progress *progress, struct error *e);

void graph_free(struct graph *g);

/* Return the block that holds an address, or NULL. */
const struct graph_block *graph_find(const struct graph *g, uint64_t address);

#endif
