/* SPDX-License-Identifier: MIT */
/*
 * Shows that the verdict on random heaps is what a plain search finds: what
 * roots lead to, with and without interior pointers, by a chain as short as
 * any, and that each lost block hangs off exactly one leader, from which
 * pointers lead to it. And that in the tree of owners each block stands once,
 * below the one whose pointer leads to it.
 */
#include "gen.h"
#include "leaks.h"
#include "open.h"
#include "owners.h"
#include "suite.h"

#define MAX_BLOCKS 200
#define BLOCK_BYTES 64
#define SITES 5
#define HEAP 0x10000000ull
#define DATA 0x600000ull

static struct gen gen;

/* What points where: [from][to], from MAX_BLOCKS on the roots. */
static enum graph_way edge[MAX_BLOCKS + 1][MAX_BLOCKS];
static int blocks;

static uint32_t next_random(void)
{
	static uint64_t state = 99;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33);
}

static uint64_t address_of(int block)
{
	return HEAP + (uint64_t)block * 128;
}

/* Put a word among the words to come, which are in the order of addresses. */
static void put_word(struct gen_buffer column[2], uint64_t last[2],
		     uint64_t address, int to, enum graph_way way)
{
	uint64_t value = address_of(to) + (way == GRAPH_START ? 0 : 24);
	uint8_t bytes[MT_VARINT_MAX];

	gen_put_varint(&column[0], (address - last[0]) / 8);
	gen_put(&column[1], bytes,
		(size_t)(mt_model_put_distance(bytes, last[1], value) - bytes));
	last[0] = address;
	last[1] = value;
}

/* Make random pointers of one block, or of the roots, at `at`. */
static uint32_t put_pointers(struct gen_buffer column[2], uint64_t last[2],
			     int from, uint64_t at)
{
	uint32_t n = next_random() % (from == MAX_BLOCKS ? 5 : 3), put = 0;

	for (uint32_t i = 0; i < n; i++) {
		int to = (int)(next_random() % (uint32_t)blocks);
		enum graph_way way =
			next_random() % 4 ? GRAPH_START : GRAPH_INTERIOR;

		put_word(column, last, at + i * 8, to, way);
		put++;
		if (to != from && way > edge[from][to])
			edge[from][to] = way;
	}
	return put;
}

/* Record a heap of random pointers. */
static void make(void)
{
	struct gen_buffer column[2] = {{0}, {0}};
	struct mt_meta_range range = {DATA, DATA + 4096, MT_RANGE_MODULE,
				      0,    0,		 0};
	struct mt_meta_scan scan = {.clock = 100000, .status = MT_SCAN_WHOLE};
	struct mt_segment head = {.stream = MT_STREAM_WORDS};
	uint64_t last[2] = {0, 0};

	memset(edge, 0, sizeof(edge));
	gen_begin(&gen, 1000, 0);
	for (uint32_t i = 0; i < MT_NODE_FIRST; i++)
		gen_node(&gen, 0, 0);
	for (uint32_t i = 0; i < SITES; i++)
		gen_node(&gen, 0, gen_pc(&gen, 0x1000 + i * 64, MT_NO_MODULE));
	for (int i = 0; i < blocks; i++)
		gen_event(&gen, 0,
			  &(struct mt_event){
				  .time = 2000 + (uint64_t)i * 10,
				  .address = address_of(i),
				  .size = BLOCK_BYTES,
				  .stack = MT_NODE_FIRST +
					   (uint32_t)i * 7 % SITES,
				  .kind = MT_MALLOC,
			  });
	head.count = put_pointers(column, last, MAX_BLOCKS, DATA + 8);
	for (int i = 0; i < blocks; i++)
		head.count += put_pointers(column, last, i, address_of(i));
	gen_meta(&gen, MT_META_RANGE, &range, sizeof(range), "/bin/x", 6);
	scan.words = head.count;
	gen_meta(&gen, MT_META_SCAN, &scan, sizeof(scan), NULL, 0);
	if (head.count)
		gen_segment(&gen, head, column, 2);
	gen_end(&gen, MT_END_EXIT, 200000);
	free(column[0].at);
	free(column[1].at);
}

/* Find the best way from the roots to every block, by brute force. */
static void search(enum graph_way best[MAX_BLOCKS])
{
	bool more = true;

	for (int i = 0; i < blocks; i++)
		best[i] = edge[MAX_BLOCKS][i];
	while (more) {
		more = false;
		for (int i = 0; i < blocks; i++)
			for (int j = 0; j < blocks; j++) {
				enum graph_way way = edge[i][j] < best[i]
							     ? edge[i][j]
							     : best[i];

				if (way > best[j]) {
					best[j] = way;
					more = true;
				}
			}
	}
}

/* Tell whether pointers lead from one lost block to another. */
static bool leads(int from, int to, const enum graph_way *best)
{
	bool seen[MAX_BLOCKS] = {false}, more = true;

	seen[from] = true;
	while (more) {
		more = false;
		for (int i = 0; i < blocks; i++)
			for (int j = 0; j < blocks; j++)
				if (seen[i] && edge[i][j] && !best[j] &&
				    !seen[j])
					more = seen[j] = true;
	}
	return seen[to];
}

/* Check the lost blocks' leaders. */
static void check_lost(const struct leaks *l, const enum graph_way *best)
{
	uint64_t retained = 0, lost = 0;

	for (int i = 0; i < blocks; i++) {
		const struct leak_block *b = &l->blocks[i];

		if (best[i])
			continue;
		lost++;
		ck_assert_uint_lt(b->leader, (uint32_t)blocks);
		ck_assert_int_eq(l->blocks[b->leader].kind, LEAK_DEFINITE);
		ck_assert_int_eq(b->kind == LEAK_DEFINITE,
				 b->leader == (uint32_t)i);
		ck_assert(leads((int)b->leader, i, best));
		ck_assert(!b->by_root);
		if (b->from == LEAKS_NONE)
			ck_assert_uint_eq(b->leader, (uint32_t)i);
		else
			ck_assert_uint_eq(l->blocks[b->from].leader, b->leader);
		if (b->from != LEAKS_NONE)
			ck_assert(edge[b->from][i]);
		/* Nobody leads a leader but those that it leads itself. */
		for (int j = 0; b->kind == LEAK_DEFINITE && j < blocks; j++)
			if (!best[j] && j != i && leads(j, i, best))
				ck_assert(leads(i, j, best));
		if (b->kind == LEAK_DEFINITE)
			retained += leaks_retained(l, (size_t)i).blocks;
	}
	ck_assert_uint_eq(retained, lost);
}

/* Return the fewest pointers to blocks' starts from the roots to a block. */
static int nearest(int to)
{
	int at[MAX_BLOCKS + 1] = {[MAX_BLOCKS] = 1};

	for (int n = 2; !at[to] && n <= blocks + 1; n++)
		for (int i = 0; i < blocks; i++)
			for (int j = 0; j <= MAX_BLOCKS && !at[i]; j++)
				if (at[j] == n - 1 && edge[j][i] == GRAPH_START)
					at[i] = n;
	return at[to] - 1;
}

/* Check that the chain of a block that is reached is there, and as short as
 * any. */
static void check_chain(const struct leaks *l, int block)
{
	const struct leak_block *b = &l->blocks[block];
	int n = 1;

	for (; !b->by_root; n++) {
		ck_assert_int_eq(edge[b->from][b - l->blocks], GRAPH_START);
		b = &l->blocks[b->from];
	}
	ck_assert_uint_lt(b->root, l->graph.root_count);
	ck_assert_uint_eq(l->graph.roots[b->root].to, (size_t)(b - l->blocks));
	ck_assert_int_eq(n, nearest(block));
}

START_TEST(verdicts_are_what_a_search_finds)
{
	enum graph_way best[MAX_BLOCKS] = {GRAPH_NONE};
	struct error e = {0};
	struct stacks stacks;
	struct leaks l;
	struct trace t;

	blocks = 1 + _i * 3;
	make();
	open_generated(&t, &gen.file);
	gen_free(&gen);
	stacks_of_trace(&stacks, &t, NULL);
	ck_assert_msg(leaks_find(&l, &t, &stacks, NULL, NULL, &e) == 0, "%s",
		      e.text);
	ck_assert(l.checked);
	ck_assert_uint_eq(l.graph.block_count, (size_t)blocks);
	search(best);
	for (int i = 0; i < blocks; i++) {
		enum leak_kind kind = l.blocks[i].kind;

		ck_assert_int_eq(best[i] == GRAPH_START,
				 kind == LEAK_REACHABLE);
		ck_assert_int_eq(best[i] == GRAPH_INTERIOR,
				 kind == LEAK_POSSIBLE);
		if (kind == LEAK_REACHABLE)
			check_chain(&l, i);
	}
	check_lost(&l, best);
	leaks_free(&l);
	stacks_free(&stacks);
	trace_close(&t);
}
END_TEST

/* Tell whether a node is another one, or above it. */
static bool is_above(const struct owners *o, uint32_t node, uint32_t below)
{
	while (below && below != node)
		below = o->at[below].parent;
	return below == node;
}

/* Check where in the tree a block stands. */
static void check_owner(const struct owners *o, const struct leaks *l,
			uint32_t block)
{
	const struct leak_block *b = &l->blocks[block];
	uint32_t node = o->of[block], above = o->at[node].parent;
	const struct owners_node *n = &o->at[node];

	ck_assert_uint_gt(node, 0);
	ck_assert_ptr_null(n->root);
	ck_assert_uint_eq(o->sites.at[n->site].frame->offset,
			  0x1000 + block * 7 % SITES * 64);
	if (b->by_root) {
		ck_assert_str_eq(o->at[above].root, "data of x");
		return;
	}
	if (b->from == LEAKS_NONE)
		ck_assert_uint_eq(above, 0);
	else
		ck_assert(above == o->of[b->from] ||
			  is_above(o, node, o->of[b->from]));
	/* A site stands once on the way. */
	for (; above; above = o->at[above].parent)
		ck_assert(o->at[above].root || o->at[above].site != n->site);
}

/* Record a chain of blocks, each of a site of its own, that `DATA` leads to. */
static void make_chain(int n)
{
	struct gen_buffer column[2] = {{0}, {0}};
	struct mt_meta_range range = {DATA, DATA + 4096, MT_RANGE_MODULE,
				      0,    0,		 0};
	struct mt_meta_scan scan = {
		.clock = 100000, .status = MT_SCAN_WHOLE, .words = (uint32_t)n};
	struct mt_segment head = {.stream = MT_STREAM_WORDS,
				  .count = (uint32_t)n};
	uint64_t last[2] = {0, 0};

	gen_begin(&gen, 1000, 0);
	for (uint32_t i = 0; i < MT_NODE_FIRST; i++)
		gen_node(&gen, 0, 0);
	for (uint32_t i = 0; i < (uint32_t)n; i++) {
		gen_node(&gen, 0, gen_pc(&gen, 0x1000 + i * 64, MT_NO_MODULE));
		gen_event(&gen, 0,
			  &(struct mt_event){
				  .time = 2000 + (uint64_t)i * 10,
				  .address = address_of((int)i),
				  .size = BLOCK_BYTES,
				  .stack = MT_NODE_FIRST + i,
				  .kind = MT_MALLOC,
			  });
		put_word(column, last, i ? address_of((int)i - 1) : DATA,
			 (int)i, GRAPH_START);
	}
	gen_meta(&gen, MT_META_RANGE, &range, sizeof(range), "/bin/x", 6);
	gen_meta(&gen, MT_META_SCAN, &scan, sizeof(scan), NULL, 0);
	gen_segment(&gen, head, column, 2);
	gen_end(&gen, MT_END_EXIT, 200000);
	free(column[0].at);
	free(column[1].at);
}

/* However many sites a way goes through, the tree is not deep. */
START_TEST(owners_are_not_deep)
{
	struct error e = {0};
	struct owners o;
	struct profile p;
	struct leaks l;
	struct trace t;

	make_chain(_i);
	open_generated(&t, &gen.file);
	gen_free(&gen);
	profile_of_trace(&p, &t, &(struct prof_options){.until = UINT64_MAX},
			 NULL, NULL);
	ck_assert_msg(leaks_find(&l, &t, &p.stacks, NULL, NULL, &e) == 0, "%s",
		      e.text);
	owners_build(&o, &p, &l, 1u << LEAK_REACHABLE);
	ck_assert_uint_eq(o.at[0].all.blocks, (size_t)_i);
	for (size_t i = 0; i < o.count; i++)
		ck_assert_uint_le(o.at[i].depth, OWNERS_DEPTH + 1);
	/* All, the root, and another one where it is too deep. */
	ck_assert_uint_eq(o.count,
			  (size_t)_i + 2 + (_i > OWNERS_DEPTH ? 1 : 0));
	owners_free(&o);
	leaks_free(&l);
	profile_free(&p);
	trace_close(&t);
}
END_TEST

START_TEST(owners_have_every_block_once)
{
	struct error e = {0};
	struct leak_sum sum = {0};
	struct owners o;
	struct profile p;
	struct leaks l;
	struct trace t;

	blocks = 1 + _i * 3;
	make();
	open_generated(&t, &gen.file);
	gen_free(&gen);
	profile_of_trace(&p, &t, &(struct prof_options){.until = UINT64_MAX},
			 NULL, NULL);
	ck_assert_msg(leaks_find(&l, &t, &p.stacks, NULL, NULL, &e) == 0, "%s",
		      e.text);
	owners_build(&o, &p, &l, (1u << LEAK_KINDS) - 1);
	for (uint32_t i = 0; i < (uint32_t)blocks; i++)
		check_owner(&o, &l, i);
	for (size_t i = 1; i < o.count; i++) {
		ck_assert_uint_lt(o.at[i].parent, i);
		sum.blocks += o.at[i].own.blocks;
		sum.bytes += o.at[i].own.bytes;
	}
	ck_assert_uint_eq(sum.blocks, (size_t)blocks);
	ck_assert_uint_eq(sum.blocks, o.at[0].all.blocks);
	ck_assert_uint_eq(sum.bytes, o.at[0].all.bytes);
	owners_free(&o);
	leaks_free(&l);
	profile_free(&p);
	trace_close(&t);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_loop_test(c, owners_are_not_deep, 1, 200);
	tcase_add_loop_test(c, owners_have_every_block_once, 0, 30);
	tcase_add_loop_test(c, verdicts_are_what_a_search_finds, 0, 30);
}

int main(void)
{
	return suite_main("leaks", add);
}
