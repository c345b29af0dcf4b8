/* SPDX-License-Identifier: MIT */
/* Which blocks can still be reached; see leaks.h. */
#include "leaks.h"

#include <stdlib.h>
#include <string.h>

const char *const leak_kind_names[LEAK_KINDS] = {
	[LEAK_DEFINITE] = "definite", [LEAK_INDIRECT] = "indirect",
	[LEAK_POSSIBLE] = "possible", [LEAK_REACHABLE] = "reachable",
	[LEAK_HELD] = "held_at_exit",
};

/* A stack of blocks to go on from. */
struct work {
	uint32_t *at;
	size_t count;
};

/* What the search needs beside its result. */
struct search {
	struct leaks *l;
	const struct graph *g;
	enum graph_way *reached; /* by block: the best chain from a root */
	struct work work;
};

static uint32_t edges_begin(const struct graph *g, uint32_t block)
{
	return g->blocks[block].first_edge;
}

static uint32_t edges_end(const struct graph *g, uint32_t block)
{
	return g->blocks[block + 1].first_edge;
}

/* ---- From the roots. ---- */

/* Take note that a chain of a kind leads to a block, if it is a better one. */
static void reach(struct search *s, uint32_t block, enum graph_way way,
		  uint32_t from, uint32_t root)
{
	if (way <= s->reached[block])
		return;
	s->reached[block] = way;
	s->l->blocks[block].from = from;
	s->l->blocks[block].root = root;
	s->work.at[s->work.count++] = block;
}

/*
 * Follow all pointers of what was reached by a kind of chain. Blocks enter the
 * work once for each kind of chain, so it never holds more than there are.
 */
static void follow(struct search *s, enum graph_way way)
{
	while (s->work.count) {
		uint32_t block = s->work.at[--s->work.count];

		if (s->reached[block] != way)
			continue;
		for (uint32_t i = edges_begin(s->g, block);
		     i < edges_end(s->g, block); i++) {
			const struct graph_edge *edge = &s->g->edges[i];

			if ((edge->way < way ? edge->way : way) == way)
				reach(s, edge->to, way, block, LEAKS_NONE);
		}
	}
}

/* Begin from the roots that point in a way; `weak` ones or the others. */
static void begin_from_roots(struct search *s, enum graph_way way, bool weak)
{
	for (size_t i = 0; i < s->g->root_count; i++) {
		const struct graph_root *root = &s->g->roots[i];

		if (root->weak == weak && root->way >= way)
			reach(s, root->to, way, LEAKS_NONE, (uint32_t)i);
	}
	for (uint32_t i = 0; i < s->g->block_count && !weak; i++)
		if (s->g->blocks[i].loader)
			reach(s, i, way, LEAKS_NONE, LEAKS_NONE);
}

/* Begin interior chains from blocks that good chains lead to. */
static void begin_from_reached(struct search *s)
{
	for (uint32_t i = 0; i < s->g->block_count; i++) {
		if (s->reached[i] != GRAPH_START)
			continue;
		for (uint32_t j = edges_begin(s->g, i); j < edges_end(s->g, i);
		     j++)
			reach(s, s->g->edges[j].to, GRAPH_INTERIOR, i,
			      LEAKS_NONE);
	}
}

/* Count the blocks that were reached in a way so far. */
static struct leak_sum count_reached(const struct search *s, enum graph_way way)
{
	struct leak_sum sum = {0};

	for (size_t i = 0; i < s->g->block_count; i++)
		if (s->reached[i] == way) {
			sum.blocks++;
			sum.bytes += s->g->blocks[i].size;
		}
	return sum;
}

/* Find all that can be reached, good chains before interior ones. */
static void search_roots(struct search *s)
{
	struct leak_sum strong;

	begin_from_roots(s, GRAPH_START, false);
	follow(s, GRAPH_START);
	strong = count_reached(s, GRAPH_START);
	begin_from_roots(s, GRAPH_START, true);
	follow(s, GRAPH_START);
	s->l->weak = count_reached(s, GRAPH_START);
	s->l->weak.blocks -= strong.blocks;
	s->l->weak.bytes -= strong.bytes;
	begin_from_roots(s, GRAPH_INTERIOR, false);
	begin_from_roots(s, GRAPH_INTERIOR, true);
	begin_from_reached(s);
	follow(s, GRAPH_INTERIOR);
}

/* ---- Among the lost. ---- */

static bool is_lost(const struct search *s, uint32_t block)
{
	return s->reached[block] == GRAPH_NONE;
}

/* Order blocks by age, the oldest first. */
static int compare_age(const void *a, const void *b, void *context)
{
	const struct graph_block *blocks = context;
	const struct graph_block *x = &blocks[*(const uint32_t *)a];
	const struct graph_block *y = &blocks[*(const uint32_t *)b];

	if (x->born != y->born)
		return x->born < y->born ? -1 : 1;
	return (x->address > y->address) - (x->address < y->address);
}

/* List the lost blocks, the oldest first. */
static uint32_t *list_lost(const struct search *s, size_t *count)
{
	uint32_t *list = util_alloc(s->g->block_count, sizeof(*list));

	*count = 0;
	for (uint32_t i = 0; i < s->g->block_count; i++)
		if (is_lost(s, i))
			list[(*count)++] = i;
	qsort_r(list, *count, sizeof(*list), compare_age, s->g->blocks);
	return list;
}

/* Return the next lost block that a block's pointers lead to from the edge
 * `*i` on, or LEAKS_NONE. */
static uint32_t next_lost(const struct search *s, uint32_t block, uint32_t *i)
{
	while (*i < edges_end(s->g, block)) {
		uint32_t to = s->g->edges[(*i)++].to;

		if (is_lost(s, to))
			return to;
	}
	return LEAKS_NONE;
}

/*
 * Put the lost blocks in the order in which a depth-first search leaves them,
 * which begins with the oldest. `edge` and `seen` are by block.
 */
static void order_by_search(struct search *s, const uint32_t *lost,
			    size_t count, uint32_t *edge, bool *seen,
			    uint32_t *order)
{
	size_t done = 0;

	for (size_t i = 0; i < count; i++) {
		if (seen[lost[i]])
			continue;
		seen[lost[i]] = true;
		s->work.at[s->work.count++] = lost[i];
		while (s->work.count) {
			uint32_t block = s->work.at[s->work.count - 1];
			uint32_t to = next_lost(s, block, &edge[block]);

			if (to == LEAKS_NONE) {
				order[done++] = block;
				s->work.count--;
			} else if (!seen[to]) {
				seen[to] = true;
				s->work.at[s->work.count++] = to;
			}
		}
	}
}

/* Let all follow a block that hang off it and follow nobody yet. */
static void lead(struct search *s, uint32_t leader)
{
	struct leak_block *blocks = s->l->blocks;

	blocks[leader].leader = leader;
	s->work.at[s->work.count++] = leader;
	while (s->work.count) {
		uint32_t block = s->work.at[--s->work.count];
		uint32_t i = edges_begin(s->g, block), to;

		while ((to = next_lost(s, block, &i)) != LEAKS_NONE) {
			if (blocks[to].leader != LEAKS_NONE)
				continue;
			blocks[to].leader = leader;
			s->work.at[s->work.count++] = to;
		}
	}
}

/*
 * Find who leads whom. What a depth-first search leaves last, no block leads
 * to but those that it leads to itself, so it is a leader; of what it does not
 * lead to, the same holds again (as in Kosaraju's algorithm for components). Of
 * a ring that nobody leads to the search meets the oldest first, and leaves it
 * last.
 */
static void elect(struct search *s, const uint32_t *lost, size_t count)
{
	size_t blocks = s->g->block_count;
	uint32_t *edge = util_alloc(blocks, sizeof(*edge));
	uint32_t *order = util_alloc(count, sizeof(*order));
	bool *seen = util_alloc(blocks, sizeof(*seen));

	for (uint32_t i = 0; i < blocks; i++)
		edge[i] = edges_begin(s->g, i);
	order_by_search(s, lost, count, edge, seen, order);
	for (size_t i = count; i-- > 0;)
		if (s->l->blocks[order[i]].leader == LEAKS_NONE)
			lead(s, order[i]);
	free(edge);
	free(order);
	free(seen);
}

/* ---- Held at exit(). ---- */

/*
 * Mark the nodes of functions that were running when exit() was called: all
 * on its stack with a frame of the program inside of them. `running` is by
 * node.
 */
static void mark_running(const struct stacks *s, uint32_t node, bool *running)
{
	if (node < MT_NODE_FIRST || node >= s->node_count)
		return;
	for (node = s->nodes[node].parent;
	     node >= MT_NODE_FIRST && node < s->node_count;
	     node = s->nodes[node].parent)
		running[node] = true;
}

/* Tell whether main's caller is what a node is the frame of. */
static bool is_below_main(struct stacks *s, uint32_t node)
{
	size_t n;
	const struct frame *f;

	for (; node >= MT_NODE_FIRST && node < s->node_count;
	     node = s->nodes[node].parent) {
		f = stacks_frames(s, s->nodes[node].pc, &n);
		for (size_t i = 0; i < n; i++)
			if (f[i].function && strcmp(f[i].function, "main") == 0)
				return true;
	}
	return false;
}

/* Tell whether a stack goes through a function that was still running. */
static bool is_held(struct stacks *s, const bool *running, uint32_t node)
{
	for (; node >= MT_NODE_FIRST && node < s->node_count;
	     node = s->nodes[node].parent)
		if (running[node])
			return is_below_main(s, node);
	return false;
}

/* ---- The verdict. ---- */

/* Decide what a lost block is. */
static enum leak_kind judge_lost(struct search *s, struct stacks *stacks,
				 const bool *running, uint32_t block)
{
	uint32_t leader = s->l->blocks[block].leader;
	bool held = is_held(stacks, running, s->g->blocks[leader].node);

	if (held)
		return LEAK_HELD;
	return block == leader ? LEAK_DEFINITE : LEAK_INDIRECT;
}

/* Add a block to what its leader retains, and to the sums. */
static void charge(struct leaks *l, uint32_t block)
{
	struct leak_block *b = &l->blocks[block];
	uint64_t bytes = l->graph.blocks[block].size;

	if (l->graph.blocks[block].loader)
		return;
	l->sum[b->kind].blocks++;
	l->sum[b->kind].bytes += bytes;
	if (b->leader != LEAKS_NONE) {
		l->blocks[b->leader].retained_blocks++;
		l->blocks[b->leader].retained_bytes += bytes;
	}
}

/* Decide what each block is. */
static void judge(struct search *s, struct stacks *stacks, uint32_t exit_node)
{
	bool *running = util_alloc(stacks->node_count, sizeof(*running));

	mark_running(stacks, exit_node, running);
	for (uint32_t i = 0; i < s->g->block_count; i++) {
		struct leak_block *b = &s->l->blocks[i];

		if (s->reached[i] == GRAPH_START)
			b->kind = LEAK_REACHABLE;
		else if (s->reached[i] == GRAPH_INTERIOR)
			b->kind = LEAK_POSSIBLE;
		else
			b->kind = judge_lost(s, stacks, running, i);
		charge(s->l, i);
	}
	free(running);
}

/* Return why there is nothing to judge by, or NULL. */
static const char *why_not(const struct trace *t)
{
	if (!t->scan_count)
		return t->state == TRACE_ENDED && t->end == MT_END_EXEC
			       ? "it became another program"
		       : t->state == TRACE_RUNNING ? "it still runs"
		       : t->state == TRACE_ENDED && t->end != MT_END_SIGNAL
			       ? "it was recorded with leaks=0"
			       : "it was killed";
	switch (t->scans[t->scan_count - 1].status) {
	case MT_SCAN_WHOLE:
		return NULL;
	case MT_SCAN_NO_FORK:
		return "it could not be forked";
	case MT_SCAN_NO_STOP:
		return "no signal was free to stop its threads by";
	case MT_SCAN_TURNED_OFF:
		return "it turned that off (__lsan_is_turned_off)";
	default:
		return "its memory could not be read";
	}
}

int leaks_find(struct leaks *l, struct trace *t, struct stacks *stacks,
	       replay_progress *progress, struct error *e)
{
	const struct mt_meta_scan *scan;
	struct search s = {.l = l, .g = &l->graph};
	uint32_t *lost;
	size_t count;

	*l = (struct leaks){.why_not = why_not(t)};
	if (l->why_not)
		return 0;
	scan = &t->scans[t->scan_count - 1];
	if (graph_build(&l->graph, t, stacks, scan, progress, e))
		return -1;
	l->checked = true;
	l->blocks = util_alloc(l->graph.block_count, sizeof(*l->blocks));
	for (size_t i = 0; i < l->graph.block_count; i++)
		l->blocks[i].leader = l->blocks[i].from = l->blocks[i].root =
			LEAKS_NONE;
	s.reached = util_alloc(l->graph.block_count, sizeof(*s.reached));
	s.work.at =
		util_alloc(2 * l->graph.block_count + 1, sizeof(*s.work.at));
	search_roots(&s);
	lost = list_lost(&s, &count);
	elect(&s, lost, count);
	judge(&s, stacks, scan->node);
	free(lost);
	free(s.reached);
	free(s.work.at);
	return 0;
}

void leaks_free(struct leaks *l)
{
	graph_free(&l->graph);
	free(l->blocks);
	*l = (struct leaks){0};
}
