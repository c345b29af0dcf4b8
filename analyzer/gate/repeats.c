/* SPDX-License-Identifier: MIT */
/* What a test leaves each time; see repeats.h. */
#include "repeats.h"

#include <stdlib.h>

/* A block that a run beyond the first left. */
struct left {
	uint32_t test, run;
	const char *name;
	const struct graph_block *block;
};

/* Order by test, stack and run. */
static int compare(const void *a, const void *b)
{
	const struct left *x = a, *y = b;

	if (x->test != y->test)
		return x->test < y->test ? -1 : 1;
	if (x->block->node != y->block->node)
		return x->block->node < y->block->node ? -1 : 1;
	if (x->run != y->run)
		return x->run < y->run ? -1 : 1;
	return 0;
}

/* List what runs beyond the first left of tests with enough runs. */
static struct left *list_left(const struct leaks *l,
			      const struct testruns *runs,
			      const struct trace *t, size_t *count)
{
	size_t n = 0;
	struct left *left = util_alloc(l->graph.block_count + 1, sizeof(*left));

	for (size_t i = 0; i < l->graph.block_count; i++) {
		const struct graph_block *b = &l->graph.blocks[i];
		enum leak_kind kind = l->blocks[i].kind;
		const struct testrun *run;

		if (b->loader || kind == LEAK_DEFINITE || kind == LEAK_INDIRECT)
			continue;
		run = testruns_at(runs, b->born, t->threads[b->thread].tid);
		if (!run || run->run == 1 ||
		    runs->runs[run->test] < REPEATS_RUNS)
			continue;
		left[n++] = (struct left){.test = run->test,
					  .run = run->run,
					  .name = run->name,
					  .block = b};
	}
	qsort(left, n, sizeof(*left), compare);
	*count = n;
	return left;
}

/* Sum up one run's blocks at one stack; return how many they are. */
static size_t sum_run(const struct left *left, size_t n, struct leak_sum *sum)
{
	size_t i = 0;

	*sum = (struct leak_sum){0};
	while (i < n && !compare(&left[i], left)) {
		sum->bytes += left[i].block->size;
		sum->blocks = ++i;
	}
	return i;
}

/*
 * Sum up the blocks of one test at one stack, the first ones of `left`; return
 * how many they are. Each run beyond the first left some if `*seen` is one
 * less than the runs.
 */
static size_t sum_stack(const struct left *left, size_t n, struct repeat *r,
			uint32_t *seen)
{
	size_t i = 0;

	*seen = 0;
	while (i < n && left[i].test == left->test &&
	       left[i].block->node == left->block->node) {
		struct leak_sum sum;

		i += sum_run(left + i, n - i, &sum);
		if (!*seen || sum.blocks < r->least.blocks)
			r->least = sum;
		r->all.blocks += sum.blocks;
		r->all.bytes += sum.bytes;
		(*seen)++;
	}
	return i;
}

void repeats_find(struct repeats *r, const struct leaks *l,
		  const struct testruns *runs, const struct trace *t)
{
	size_t n, room = 0;
	struct left *left = list_left(l, runs, t, &n);

	*r = (struct repeats){0};
	for (size_t i = 0; i < n;) {
		struct repeat repeat = {
			.test = left[i].name,
			.block = left[i].block,
			.runs = runs->runs[left[i].test],
		};
		uint32_t seen;

		i += sum_stack(left + i, n - i, &repeat, &seen);
		if (seen + 1 < repeat.runs)
			continue;
		r->at = util_grow(r->at, r->count, &room, sizeof(*r->at));
		r->at[r->count++] = repeat;
	}
	free(left);
}

void repeats_free(struct repeats *r)
{
	free(r->at);
}
