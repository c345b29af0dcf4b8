/* SPDX-License-Identifier: MIT */
/*
 * Leaks: which of the blocks that were live at a scan can still be reached,
 * and how the others hang together.
 *
 * A block is reachable when a chain of pointers to blocks' starts leads to it
 * from a root; possibly lost when there is a chain, but only with an interior
 * pointer in it; else lost. Of lost blocks those that no other lost block leads
 * to are definite leaks; what hangs off them is indirect. A lost ring has
 * no first block: its oldest one counts as that.
 *
 * "Held at exit()" are lost blocks that were allocated under a function that
 * was still running when the program called exit(): compilers drop pointers
 * that are not needed any more, so nothing can be said of them.
 */
#ifndef ANALYZER_LEAKS_H
#define ANALYZER_LEAKS_H

#include "graph.h"

enum leak_kind {
	LEAK_DEFINITE,
	LEAK_INDIRECT,
	LEAK_POSSIBLE,
	LEAK_REACHABLE,
	LEAK_HELD, /* at exit() */
	LEAK_KINDS,
};

/* As options and JSON have them. */
extern const char *const leak_kind_names[LEAK_KINDS];

struct leak_sum {
	uint64_t blocks, bytes;
};

/* What is found of a block; by its place in the graph. */
struct leak_block {
	enum leak_kind kind;
	uint32_t leader; /* indirect: the definite or held one it hangs off */
	uint32_t from;	 /* not lost: the block whose pointer leads here, or */
	uint32_t root;	 /* (from LEAKS_NONE) the root */
	uint64_t retained_bytes; /* definite, held: with all that hangs off */
	uint32_t retained_blocks;
};

#define LEAKS_NONE UINT32_MAX

struct leaks {
	bool checked;
	const char *why_not; /* when it was not checked */
	struct graph graph;
	struct leak_block *blocks;
	struct leak_sum sum[LEAK_KINDS];
	struct leak_sum weak; /* reachable through mappings only */
};

/*
 * Look for leaks by the last scan of a trace. When there was none that is
 * whole, `checked` is false, and `why_not` says so: that is no error. -1 with
 * `e` filled: the scan is damaged.
 */
int leaks_find(struct leaks *l, struct trace *t, struct stacks *stacks,
	       replay_progress *progress, struct error *e);

void leaks_free(struct leaks *l);

#endif
