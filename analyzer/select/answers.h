/* SPDX-License-Identifier: MIT */
/*
 * The answers to an expression's tests, about the blocks of one trace.
 *
 * Whatever depends on a block's kind, thread or stack is looked up in a table
 * of what was answered before, so that a block costs O(1).
 */
#ifndef ANALYZER_ANSWERS_H
#define ANALYZER_ANSWERS_H

#include "expr.h"
#include "stacks.h"

struct answers {
	const struct expr *expr;
	const struct trace *trace; /* NULL: an import, without times */
	struct stacks *stacks;

	/* The rest is answers.c's own. */
	struct answers_table *table; /* by test */
	uint32_t *depth;	     /* by node: frames + 1; 0: not known */
	size_t thread_count;
};

/* What is known of a block: how it began, and perhaps how it ended. */
struct answers_block {
	const struct mt_event *event;
	uint32_t thread;
	bool is_known; /* the rest is */
	bool freed, temporary;
	uint64_t lifetime; /* clock units; UINT64_MAX: never freed */
};

/*
 * Set up for blocks of `thread_count` threads, each of which is to be told of
 * then. All that is given must outlive it.
 */
void answers_begin(struct answers *a, const struct expr *x, struct stacks *s,
		   const struct trace *t, size_t thread_count);
void answers_set_thread(struct answers *a, size_t place, const char *name,
			uint32_t tid);

/* Decide about a block as far as what is known of it goes. */
enum expr_truth answers_decide(struct answers *a,
			       const struct answers_block *b);

void answers_free(struct answers *a);

/* Tell whether a frame is what a test of stacks looks for. */
bool answers_test_frame(const struct expr_test *t, const struct frame *f);

#endif
