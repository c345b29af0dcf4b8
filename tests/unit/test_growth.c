/* SPDX-License-Identifier: MIT */
/*
 * Shows that what is left is counted by the generation it began in, frees by
 * age, and troughs by epoch; that a realloc keeps a block's age, a failed one
 * takes nothing, that freeing all at the end hides nothing, and that what the
 * heap image carries is of the generation that it began in.
 */
#include "growth.h"

#include "gen.h"
#include "open.h"
#include "suite.h"

/* Each allocation is a step of the clock. */
#define SIZE 100
#define STEP 10 /* clock units */

static struct gen gen;
static uint64_t now, step;

/* Add an event at the place of `now`. */
static void add_event(unsigned int kind, uint64_t address, uint64_t size,
		      uint32_t node)
{
	gen_event(&gen, 0,
		  &(struct mt_event){
			  .time = now += STEP,
			  .address = address,
			  .size = size,
			  .kind = (uint8_t)kind,
			  .stack = node,
		  });
}

static void add_malloc(uint64_t address, uint32_t node)
{
	add_event(MT_MALLOC, address, SIZE, node);
	step++;
}

static void begin(void)
{
	now = 2000;
	step = 0;
	gen_begin(&gen, 1000, 0);
	for (uint32_t i = 0; i < MT_NODE_FIRST + 3; i++)
		gen_node(&gen, 0,
			 i < MT_NODE_FIRST ? 0 : gen_pc(&gen, 0x1000 + i, 0));
}

/* Let blocks of the site 2 that are freed at once use the clock up to a step:
 * a block begins in the step that it is the first of. */
static void wait_for(uint64_t until)
{
	while (step < until) {
		add_malloc(0x900000, MT_NODE_FIRST + 2);
		add_event(MT_FREE, 0x900000, 0, 0);
	}
}

/* Return the first step of a generation. */
static uint64_t step_of(unsigned int generation)
{
	return GROWTH_WARMUP_STEPS + (generation - 1) * GROWTH_EPOCH_STEPS;
}

static uint32_t site_of(void *context, uint32_t node)
{
	unsigned int *asked = context;

	++*asked;
	return node - MT_NODE_FIRST;
}

/* Replay what was added, with as many steps as there were allocations. */
static void run(struct growth *g, struct trace *t)
{
	struct replay_listener l;
	unsigned int asked = 0;
	struct replay r;

	wait_for(GROWTH_STEPS);
	gen_end(&gen, MT_END_EXIT, now + 100);
	open_generated(t, &gen.file);
	gen_free(&gen);
	growth_begin(g, 0, (SIZE - 1) * GROWTH_STEPS, t->node_count, site_of,
		     &asked);
	ck_assert_uint_eq(g->step_bytes, SIZE);
	l = growth_listener(g);
	replay_run(&r, t, UINT64_MAX, &l, 1, NULL);
	replay_free(&r);
	growth_end(g, false);
	ck_assert_uint_le(asked, 3);
}

START_TEST(generations_are_counted)
{
	const uint32_t node = MT_NODE_FIRST;
	const struct growth_site *s;
	struct growth g;
	struct trace t;

	begin();
	add_malloc(0x1000, node); /* in the warm-up: stays */
	wait_for(step_of(3));
	add_malloc(0x2000, node); /* stays */
	add_malloc(0x3000, node);
	wait_for(step_of(5));
	add_event(MT_FREE, 0x3000, 0, node); /* in the step before */
	add_malloc(0x4000, node);	     /* stays */
	wait_for(step_of(8));
	run(&g, &t);
	s = &g.site[0];
	ck_assert_uint_eq(s->epoch[0].births, 1);
	ck_assert_uint_eq(s->epoch[0].left, 1);
	ck_assert_uint_eq(s->epoch[3].births, 2);
	ck_assert_uint_eq(s->epoch[3].left, 1);
	ck_assert_uint_eq(s->epoch[3].left_bytes, SIZE);
	ck_assert_uint_eq(s->epoch[5].births, 1);
	ck_assert_uint_eq(s->epoch[5].left, 1);
	/* Born in the second step of epoch 3, freed in the last of epoch 4. */
	ck_assert_uint_eq(s->freed[6], 1);
	ck_assert_uint_eq(s->live, 3);
	ck_assert_uint_eq(g.live_bytes, 3 * SIZE);
	for (unsigned int i = 1; i <= GROWTH_EPOCHS; i++)
		ck_assert_uint_eq(s->epoch[i].trough, i <= 3   ? 1
						      : i == 4 ? 2
						      : i == 5 ? 2
							       : 3);
	/* The one of the warm-up comes last. */
	ck_assert_uint_eq(s->oldest[0].address, 0x2000);
	ck_assert_uint_eq(s->oldest[1].address, 0x4000);
	ck_assert_uint_eq(s->oldest[2].address, 0x1000);
	ck_assert_uint_eq(s->oldest[0].owner, node);
	/* One stack left blocks of three generations, none next to another. */
	ck_assert_uint_eq(s->stacks, 1);
	ck_assert_uint_eq(s->kin, 1u << 0 | 1u << 3 | 1u << 5);
	growth_free(&g);
	trace_close(&t);
}
END_TEST

START_TEST(reallocs_keep_the_age)
{
	const uint32_t a = MT_NODE_FIRST, b = a + 1;
	struct growth g;
	struct trace t;

	begin();
	wait_for(step_of(2));
	add_malloc(0x1000, a);
	wait_for(step_of(6));
	add_event(MT_REALLOC_FREE, 0x1000, 0, b);
	add_event(MT_REALLOC, 0x2000, 5 * SIZE, b);
	step += 5;
	wait_for(step_of(9));
	add_event(MT_REALLOC_FREE, 0x2000, 0, b); /* fails */
	add_event(MT_REALLOC_CANCEL, 0x2000, 9000, b);
	run(&g, &t);
	ck_assert_uint_eq(g.site[0].live, 0);
	ck_assert_uint_eq(g.site[0].epoch[2].left, 0);
	ck_assert_uint_eq(g.site[1].live, 1);
	ck_assert_uint_eq(g.site[1].live_bytes, 5 * SIZE);
	ck_assert_uint_eq(g.site[1].epoch[2].left, 1);
	/* The realloc's own step is what closes epoch 5. */
	ck_assert_uint_eq(g.site[1].epoch[5].swell_bytes, 4 * SIZE);
	ck_assert_uint_eq(g.site[1].epoch[8].trough, 1);
	for (unsigned int i = 0; i < GROWTH_STEPS; i++)
		ck_assert_uint_eq(g.site[0].freed[i] + g.site[1].freed[i], 0);
	growth_free(&g);
	trace_close(&t);
}
END_TEST

/* What the last step frees of before is left: the program cleans up. */
START_TEST(the_end_hides_nothing)
{
	const uint32_t node = MT_NODE_FIRST;
	struct growth g;
	struct trace t;

	begin();
	for (unsigned int i = 1; i <= 10; i++) {
		wait_for(step_of(i));
		add_malloc(0x1000 * i, node);
	}
	wait_for(GROWTH_STEPS);
	for (unsigned int i = 1; i <= 10; i++)
		add_event(MT_FREE, 0x1000 * i, 0, node);
	run(&g, &t);
	for (unsigned int i = 1; i <= 10; i++)
		ck_assert_uint_eq(g.site[0].epoch[i].left, 1);
	ck_assert_uint_eq(g.site[0].live, 10);
	ck_assert_uint_eq(g.site[0].oldest[0].address, 0x1000);
	growth_free(&g);
	trace_close(&t);
}
END_TEST

/* Too few allocations, and nothing at all. */
static uint32_t only_site(void *context, uint32_t node)
{
	(void)context;
	(void)node;
	return 0;
}

START_TEST(carried_blocks_keep_their_generation)
{
	const unsigned int folded = GROWTH_WARMUP_STEPS + 20 * 4;
	struct replay_listener l;
	struct growth g;

	growth_begin(&g, 1000, (SIZE - 1) * GROWTH_STEPS, 1, only_site, NULL);
	growth_carry(&g, folded * SIZE, 9000);
	growth_carry_row(&g, 0, 70, 60, 600);
	l = growth_listener(&g);
	/* In no order, of generations 7 and 3; nothing is left of others. */
	for (int i = 0; i < 2; i++) {
		struct heap_block b = {
			.address = 0x1000 + 16 * (uint64_t)i,
			.size = 10,
			.born = i ? 3000 : 7000,
		};
		struct mt_event event = {.time = b.born};
		struct replay_event e = {
			.event = &event,
			.before = step_of(i ? 3 : 7) * SIZE + 50,
		};

		l.carries(&g, &b, &e);
		ck_assert_uint_eq(b.owner, 0);
	}
	/* The history: a block, whose generation is 21. */
	struct heap_block young = {.address = 0x2000, .size = SIZE};
	struct mt_event event = {.time = 9500};
	struct replay_event e = {.event = &event};

	young.born = event.time;
	l.begins(&g, &young, &e, NULL);
	ck_assert_uint_eq(g.allocated_bytes, (folded + 1) * SIZE);
	for (int i = 0; i < 2; i++) {
		struct heap_block b = {
			.address = 0x1000, .size = 10, .born = i ? 3000 : 7000};

		l.left(&g, &b);
	}
	l.left(&g, &young);
	growth_end(&g, false);
	ck_assert_uint_eq(g.seen, 22);
	ck_assert_uint_eq(g.site[0].epoch[3].left, 1);
	ck_assert_uint_eq(g.site[0].epoch[7].left, 1);
	ck_assert_uint_eq(g.site[0].epoch[21].left, 1);
	ck_assert_uint_eq(g.site[0].live, 3);
	ck_assert_uint_eq(g.site[0].folded_births, 70);
	ck_assert_uint_eq(growth_epoch_began(&g, 3), 3000);
	ck_assert_uint_eq(growth_epoch_began(&g, 4), 7000);
	ck_assert_uint_eq(growth_epoch_began(&g, 8), 9000);
	ck_assert(!g.is_short);
	growth_free(&g);
}
END_TEST

START_TEST(little_is_short)
{
	struct growth g;
	struct trace t;

	begin();
	add_malloc(0x1000, MT_NODE_FIRST);
	run(&g, &t); /* four allocations an epoch */
	ck_assert(g.is_short);
	ck_assert_uint_eq(growth_epoch_began(&g, GROWTH_EPOCHS + 1), g.ended);
	growth_free(&g);
	growth_begin(&g, 500, 0, 0, site_of, NULL);
	growth_end(&g, false);
	ck_assert(g.is_short);
	ck_assert_uint_eq(g.ended, 500);
	ck_assert_uint_eq(g.count, 0);
	growth_free(&g);
	trace_close(&t);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_test(c, generations_are_counted);
	tcase_add_test(c, reallocs_keep_the_age);
	tcase_add_test(c, the_end_hides_nothing);
	tcase_add_test(c, carried_blocks_keep_their_generation);
	tcase_add_test(c, little_is_short);
}

int main(void)
{
	return suite_main("growth", add);
}
