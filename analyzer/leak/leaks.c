/* SPDX-License-Identifier: MIT */
/* Which blocks can still be reached; see leaks.h. */
#include "leaks.h"

#include <stdlib.h>
#include <string.h>

#include "estimate.h"
#include "image.h"

const char *const leak_kind_names[LEAK_KINDS] = {
	[LEAK_DEFINITE] = "definite", [LEAK_INDIRECT] = "indirect",
	[LEAK_POSSIBLE] = "possible", [LEAK_REACHABLE] = "reachable",
	[LEAK_HELD] = "held_at_exit",
};

/* Blocks to go on from: a stack, or a queue from `first` on. */
struct work {
	uint32_t *at;
	size_t count, first;
};

/* What the search needs beside its result. */
struct search {
	struct leaks *l;
	const struct graph *g;
	uint8_t *reached; /* by block: enum graph_way, of the best chain */
	struct work work;
};

static uint32_t edges_begin(const struct graph *g, uint32_t block)
{
	return g->first_edge[block];
}

static uint32_t edges_end(const struct graph *g, uint32_t block)
{
	return g->first_edge[block + 1];
}

/* ---- From the roots. ---- */

/* Take note that a chain of a kind leads to a block, if it is a better one. */
static void reach(struct search *s, uint32_t block, enum graph_way way,
		  uint32_t from, uint32_t root)
{
	if (way <= s->reached[block])
		return;
	s->reached[block] = (uint8_t)way;
	s->l->blocks[block].from = from == LEAKS_NONE ? root : from;
	s->l->blocks[block].by_root = from == LEAKS_NONE;
	s->work.at[s->work.count++] = block;
}

/*
 * Follow all pointers of what was reached by a kind of chain, the nearest to
 * the roots first. Blocks enter the work once for each kind of chain, so it
 * never holds more than there are.
 */
static void follow(struct search *s, enum graph_way way)
{
	while (s->work.first < s->work.count) {
		uint32_t block = s->work.at[s->work.first++];

		if (s->reached[block] != way)
			continue;
		for (uint32_t i = edges_begin(s->g, block);
		     i < edges_end(s->g, block); i++) {
			const struct graph_edge *edge = &s->g->edges[i];

			if ((edge->way < way ? edge->way : way) == way)
				reach(s, edge->to, way, block, LEAKS_NONE);
		}
	}
	s->work.first = s->work.count = 0;
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

/* Let a block follow a leader, and take note of whose pointer leads to it. */
static void follow_leader(struct search *s, uint32_t block, uint32_t leader,
			  uint32_t from)
{
	s->l->blocks[block].leader = leader;
	s->l->blocks[block].from = from;
	s->work.at[s->work.count++] = block;
}

/* Let all follow a block that hang off it and follow nobody yet, the nearest
 * first. */
static void lead(struct search *s, uint32_t leader)
{
	const struct leak_block *blocks = s->l->blocks;

	follow_leader(s, leader, leader, LEAKS_NONE);
	while (s->work.first < s->work.count) {
		uint32_t block = s->work.at[s->work.first++];
		uint32_t i = edges_begin(s->g, block), to;

		while ((to = next_lost(s, block, &i)) != LEAKS_NONE)
			if (blocks[to].leader == LEAKS_NONE)
				follow_leader(s, to, leader, block);
	}
	s->work.first = s->work.count = 0;
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

/* ---- What cannot be said. ---- */

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

/* Tell whether a node is libc's frame, as main's caller is. */
static bool is_libc(const struct stacks *s, uint32_t node)
{
	const struct mt_pc *pc = &s->pcs[s->nodes[node].pc];

	return pc->module < s->module_count && s->modules[pc->module].path &&
	       util_starts(util_basename(s->modules[pc->module].path), "libc.");
}

/* Tell whether a stack goes through a function that was still running. main()
 * and a thread's first function are not meant: all go through them. */
static bool is_held(const struct stacks *s, const bool *running, uint32_t node)
{
	for (; node >= MT_NODE_FIRST && node < s->node_count;
	     node = s->nodes[node].parent)
		if (running[node] && !is_libc(s, node) &&
		    s->nodes[node].parent >= MT_NODE_FIRST)
			return true;
	return false;
}

/* What is known of the threads at a scan, by their place in the trace. */
struct doubts {
	struct stacks *stacks;
	bool *running; /* by node: exit() was called from inside of it */
	bool *unseen;  /* by thread: not all of its registers are known */
	bool *leaving; /* by thread: it called exit() */
	bool *moved;   /* by thread: it went on while a scan on request began,
			  so its blocks were others by then */
};

/* Collect what may have held a pointer and was not seen. */
static void find_doubts(struct doubts *d, const struct trace *t,
			struct stacks *stacks, const struct mt_meta_scan *scan)
{
	d->stacks = stacks;
	d->running = util_alloc(stacks->node_count, sizeof(*d->running));
	d->unseen = util_alloc(t->thread_count, sizeof(*d->unseen));
	d->leaving = util_alloc(t->thread_count, sizeof(*d->leaving));
	d->moved = util_alloc(t->thread_count, sizeof(*d->moved));
	mark_running(stacks, scan->node, d->running);
	for (size_t i = 0; i < t->thread_count; i++) {
		d->leaving[i] = t->threads[i].tid == scan->tid;
		for (size_t j = 0; j < t->range_count; j++) {
			const struct trace_range *r = &t->ranges[j];

			if (r->scan != scan->scan ||
			    r->kind != MT_RANGE_UNSEEN ||
			    r->tid != t->threads[i].tid)
				continue;
			d->unseen[i] = true;
			d->moved[i] |= scan->why == MT_SCAN_ON_REQUEST &&
				       r->start == MT_UNSEEN_THREAD;
		}
	}
}

static void free_doubts(struct doubts *d)
{
	free(d->running);
	free(d->unseen);
	free(d->leaving);
	free(d->moved);
}

/* Tell whether the function that a block was allocated under still ran when
 * its thread called exit(). */
static bool is_under_exit(const struct doubts *d, const struct graph_block *b)
{
	return d->leaving[b->thread] && is_held(d->stacks, d->running, b->node);
}

/* A leader of a thread that was not seen, and the statements that led to it. */
struct doubtful {
	uint64_t statements; /* hash */
	uint32_t thread, block;
	uint64_t born;
};

/*
 * Hash the statements that a stack goes through. A loop that was unrolled has
 * one statement in several places; without debug info the places must do.
 */
static uint64_t hash_statements(struct stacks *s, uint32_t node)
{
	const uint64_t prime = 0x100000001b3u;
	uint64_t hash = 0;
	size_t n;

	for (; node >= MT_NODE_FIRST && node < s->node_count;
	     node = s->nodes[node].parent) {
		uint32_t pc = s->nodes[node].pc;
		const struct frame *f = stacks_frames(s, pc, &n);

		for (size_t i = 0; i < n; i++)
			hash = (hash ^ (f[i].line ? f[i].line : ~(uint64_t)pc) ^
				(uint64_t)(uintptr_t)f[i].function) *
			       prime;
	}
	return hash;
}

/* Order by statements and thread, the youngest first. */
static int compare_doubtful(const void *a, const void *b)
{
	const struct doubtful *x = a, *y = b;

	if (x->statements != y->statements)
		return x->statements < y->statements ? -1 : 1;
	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	if (x->born != y->born)
		return x->born > y->born ? -1 : 1;
	return (x->block < y->block) - (x->block > y->block);
}

/* List the leaders that a thread allocated that was not seen. */
static struct doubtful *list_doubtful(const struct search *s,
				      const struct doubts *d,
				      const uint32_t *lost, size_t count,
				      size_t *found)
{
	struct doubtful *list = NULL;
	size_t room = 0;

	*found = 0;
	for (size_t i = 0; i < count; i++) {
		const struct graph_block *b = &s->g->blocks[lost[i]];

		if (s->l->blocks[lost[i]].leader != lost[i] ||
		    !d->unseen[b->thread])
			continue;
		list = util_grow(list, *found, &room, sizeof(*list));
		list[(*found)++] = (struct doubtful){
			.statements = hash_statements(d->stacks, b->node),
			.thread = b->thread,
			.block = lost[i],
			.born = b->born,
		};
	}
	if (*found)
		qsort(list, *found, sizeof(*list), compare_doubtful);
	return list;
}

/*
 * Let those be held that a register may have that was not seen: it has one
 * block, the last that its statement made, so the youngest leader that a thread
 * has from the same statements.
 */
static void hold_in_registers(struct search *s, const struct doubts *d,
			      const uint32_t *lost, size_t count)
{
	size_t n;
	struct doubtful *list = list_doubtful(s, d, lost, count, &n);

	for (size_t i = 0; i < n; i++)
		if (!i || list[i].statements != list[i - 1].statements ||
		    list[i].thread != list[i - 1].thread)
			s->l->blocks[list[i].block].kind = LEAK_HELD;
	free(list);
}

/* Decide what each lost block is: what its leader is, by and large. */
static void judge_lost(struct search *s, const struct doubts *d,
		       const uint32_t *lost, size_t count)
{
	struct leak_block *blocks = s->l->blocks;

	for (size_t i = 0; i < count; i++)
		if (blocks[lost[i]].leader != lost[i])
			blocks[lost[i]].kind = LEAK_INDIRECT;
		else if (d->moved[s->g->blocks[lost[i]].thread] ||
			 is_under_exit(d, &s->g->blocks[lost[i]]))
			blocks[lost[i]].kind = LEAK_HELD;
		else
			blocks[lost[i]].kind = LEAK_DEFINITE;
	hold_in_registers(s, d, lost, count);
	for (size_t i = 0; i < count; i++)
		if (blocks[blocks[lost[i]].leader].kind == LEAK_HELD)
			blocks[lost[i]].kind = LEAK_HELD;
}

/* ---- The verdict. ---- */

static void add(struct leak_sum *sum, uint64_t bytes)
{
	sum->blocks++;
	sum->bytes += bytes;
}

/* Return the entry of a leader, or NULL. */
static struct leak_leader *find_leader(const struct leaks *l, uint64_t block)
{
	size_t n = util_up_to(l->leaders, l->leader_count, sizeof(*l->leaders),
			      block);

	return n && l->leaders[n - 1].block == block ? &l->leaders[n - 1]
						     : NULL;
}

struct leak_sum leaks_retained(const struct leaks *l, size_t block)
{
	const struct leak_leader *leader = find_leader(l, block);

	return leader ? leader->retained : (struct leak_sum){0};
}

/* Enter the leaders, and what each retains. */
static void sum_leaders(struct leaks *l)
{
	size_t room = 0;

	for (uint32_t i = 0; i < l->graph.block_count; i++) {
		if (!leaks_is_lost(l->blocks[i].kind) ||
		    l->blocks[i].leader != i)
			continue;
		l->leaders = util_grow(l->leaders, l->leader_count, &room,
				       sizeof(*l->leaders));
		l->leaders[l->leader_count++] =
			(struct leak_leader){.block = i};
	}
	for (size_t i = 0; i < l->graph.block_count; i++)
		if (leaks_is_lost(l->blocks[i].kind))
			add(&find_leader(l, l->blocks[i].leader)->retained,
			    l->graph.blocks[i].size);
}

/* Decide what each block is; `lost` are those that are lost. */
static void judge(struct search *s, const struct trace *t,
		  struct stacks *stacks, const struct mt_meta_scan *scan,
		  const uint32_t *lost, size_t count)
{
	struct doubts d;

	find_doubts(&d, t, stacks, scan);
	judge_lost(s, &d, lost, count);
	for (uint32_t i = 0; i < s->g->block_count; i++) {
		struct leak_block *b = &s->l->blocks[i];

		if (s->reached[i] == GRAPH_START)
			b->kind = LEAK_REACHABLE;
		else if (s->reached[i] == GRAPH_INTERIOR)
			b->kind = LEAK_POSSIBLE;
		if (!s->g->blocks[i].loader)
			add(&s->l->sum[b->kind], s->g->blocks[i].size);
	}
	free_doubts(&d);
	sum_leaders(s->l);
}

/* Return why there is nothing to judge by, or NULL. */
static const char *why_not(const struct trace *t)
{
	if (estimate_is_needed(t))
		return "only a sample of the blocks was recorded (sample=)";
	if (!t->scan_count)
		return t->state == TRACE_ENDED && t->end == MT_END_EXEC
			       ? "it became another program"
		       : t->state == TRACE_RUNNING ? "it still runs"
		       : t->state == TRACE_ENDED && t->end != MT_END_SIGNAL
			       ? "it was recorded with leaks=0"
			       : "it was killed";
	switch (t->scans[t->scan_count - 1].status) {
	case MT_SCAN_WHOLE:
		/* The blocks of then are not known any more. */
		return t->scans[t->scan_count - 1].clock < image_clock(t)
			       ? "its scan is older than its history"
			       : NULL;
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

const struct mt_meta_scan *leaks_scan(const struct trace *t)
{
	return why_not(t) ? NULL : &t->scans[t->scan_count - 1];
}

/* Forget what was found of the blocks. */
static void forget(struct leaks *l)
{
	memset(l->sum, 0, sizeof(l->sum));
	memset(l->blocks, 0, l->graph.block_count * sizeof(*l->blocks));
	for (size_t i = 0; i < l->graph.block_count; i++)
		l->blocks[i].leader = LEAKS_NONE;
	free(l->leaders);
	l->leaders = NULL;
	l->leader_count = 0;
}

void leaks_judge(struct leaks *l, struct stacks *stacks)
{
	size_t n = l->graph.block_count, count;
	struct search s = {
		.l = l,
		.g = &l->graph,
		.reached = util_alloc(n, sizeof(*s.reached)),
		.work.at = util_alloc(n, sizeof(*s.work.at)),
	};
	uint32_t *lost;

	forget(l);
	search_roots(&s);
	lost = list_lost(&s, &count);
	elect(&s, lost, count);
	judge(&s, l->trace, stacks, l->scan, lost, count);
	free(lost);
	free(s.reached);
	free(s.work.at);
}

int leaks_find(struct leaks *l, struct trace *t, struct stacks *stacks,
	       struct heap *live, replay_progress *progress, struct error *e)
{
	const struct mt_meta_scan *scan;

	*l = (struct leaks){.why_not = why_not(t)};
	if (l->why_not)
		return 0;
	scan = &t->scans[t->scan_count - 1];
	if (graph_build(&l->graph, t, stacks, scan, live, progress, e))
		return -1;
	l->checked = true;
	l->trace = t;
	l->scan = scan;
	l->blocks = util_alloc(l->graph.block_count, sizeof(*l->blocks));
	leaks_judge(l, stacks);
	return 0;
}

void leaks_drop_blocks(struct leaks *l)
{
	graph_free(&l->graph);
	free(l->blocks);
	free(l->leaders);
	l->blocks = NULL;
	l->leaders = NULL;
	l->leader_count = 0;
}

void leaks_free(struct leaks *l)
{
	leaks_drop_blocks(l);
	*l = (struct leaks){0};
}
