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
 * "Held at exit()" are lost blocks of which nothing can be said: somebody may
 * have had a pointer to them that was not to be seen. Compilers drop pointers
 * of functions that are still running when the program calls exit(): so what
 * was allocated under one of those. And what other threads have in registers
 * the kernel does not show: so the youngest block that such a thread has from
 * the same statements, for a register has but one.
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

/* What is found of a block; by its place in the graph. The chain that leads
 * to one that can be reached is as short as any of its kind. */
struct leak_block {
	uint32_t leader; /* lost: the one it hangs off, or itself */
	union {
		uint32_t from; /* the block whose pointer leads here; of a
				  leader LEAKS_NONE; or */
		uint32_t root; /* (`by_root`) the root, or LEAKS_NONE: the
				  block is the loader's */
	};
	uint8_t kind; /* enum leak_kind */
	bool by_root;
};

#define LEAKS_NONE UINT32_MAX

/* A lost block that no other leads to, with all that hangs off it. */
struct leak_leader {
	uint64_t block;
	struct leak_sum retained; /* itself included */
};

struct leaks {
	bool checked;
	const char *why_not; /* when it was not checked */
	struct graph graph;
	struct leak_block *blocks;
	struct leak_leader *leaders; /* by block */
	size_t leader_count;
	struct leak_sum sum[LEAK_KINDS];
	struct leak_sum weak; /* reachable through mappings only */
	const struct trace *trace;
	const struct mt_meta_scan *scan; /* by which it was looked */
};

/*
 * Look for leaks by the last scan of a trace; `live` as in graph.h. When there
 * was none that is whole, `checked` is false, and `why_not` says so: that is no
 * error. -1 with `e` filled: the scan is damaged.
 */
int leaks_find(struct leaks *l, struct trace *t, struct stacks *stacks,
	       struct heap *live, replay_progress *progress, struct error *e);

/* Tell whether a block is lost. */
static inline bool leaks_is_lost(enum leak_kind kind)
{
	return kind == LEAK_DEFINITE || kind == LEAK_INDIRECT ||
	       kind == LEAK_HELD;
}

/* Return what a block retains: of a leader all that hangs off it, of others
 * nothing. */
struct leak_sum leaks_retained(const struct leaks *l, size_t block);

/* Return the scan that leaks_find() looks at; NULL: there is none. */
const struct mt_meta_scan *leaks_scan(const struct trace *t);

/*
 * Judge again what was checked, after blocks of the graph were made roots and
 * nobody's leak (their `loader`): what hangs off them is not lost then.
 */
void leaks_judge(struct leaks *l, struct stacks *stacks);

/* Free the blocks, and what points where; the sums stay. */
void leaks_drop_blocks(struct leaks *l);

void leaks_free(struct leaks *l);

#endif
