/* SPDX-License-Identifier: MIT */
/*
 * The answers to an expression's tests; see answers.h.
 */
#include "answers.h"

#include <stdlib.h>

#include "kinds.h"

/* A table's entries: 0 is not known yet. */
enum { ANSWER_NO = 1, ANSWER_YES };

/* What was answered to a test already. */
struct answers_table {
	uint8_t *by_key;	/* kind, thread or stack node */
	uint8_t *by_pc;		/* has it such a frame? */
	struct expr_test clock; /* of times: the range in clock values */
};

/* ---- Stacks. ---- */

/* Test a path: as it is, or without its directories. */
static bool is_path(const struct expr_test *t, const char *path)
{
	return path &&
	       (expr_test_text(t, path) ||
		(t->how == EXPR_IS && expr_test_text(t, util_basename(path))));
}

bool answers_test_frame(const struct expr_test *t, const struct frame *f)
{
	switch (t->field) {
	case EXPR_FILE:
		return is_path(t, f->file);
	case EXPR_MODULE:
		return is_path(t, f->module);
	case EXPR_STACK:
		return expr_test_text(t, f->name) || is_path(t, f->file);
	default:
		return expr_test_text(t, f->name);
	}
}

/* Tell whether a pc has such a frame. */
static bool is_pc(struct answers *a, size_t test, uint32_t pc)
{
	uint8_t *answer = &a->table[test].by_pc[pc];

	if (!*answer) {
		size_t n;
		const struct frame *f = stacks_all_frames(a->stacks, pc, &n);

		*answer = ANSWER_NO;
		for (size_t i = 0; i < n && *answer == ANSWER_NO; i++)
			if (answers_test_frame(&a->expr->test[test], &f[i]))
				*answer = ANSWER_YES;
	}
	return *answer == ANSWER_YES;
}

/* Tell whether the end of a stack, which has no pc, has such a frame. */
static bool is_end(struct answers *a, size_t test, uint32_t node)
{
	struct stacks_list list = {0};
	bool is;

	stacks_expand(a->stacks, node, &list);
	is = list.count && answers_test_frame(&a->expr->test[test], list.at[0]);
	stacks_list_free(&list);
	return is;
}

/*
 * Look for such a frame from a node on outward. What is found where the search
 * ends is the answer for all the nodes on the way.
 */
static void search_stack(struct answers *a, size_t test, uint32_t node)
{
	uint8_t *by_node = a->table[test].by_key;
	const struct mt_node *nodes = a->stacks->nodes;
	uint32_t last = node;
	bool is;

	while (!by_node[last] && last >= MT_NODE_FIRST &&
	       !is_pc(a, test, nodes[last].pc))
		last = nodes[last].parent;
	if (by_node[last])
		is = by_node[last] == ANSWER_YES;
	else
		is = last >= MT_NODE_FIRST || is_end(a, test, last);
	for (; node != last; node = nodes[node].parent)
		by_node[node] = is ? ANSWER_YES : ANSWER_NO;
	by_node[last] = is ? ANSWER_YES : ANSWER_NO;
}

/* Tell whether a stack is such. */
static bool is_stack(struct answers *a, size_t test, uint32_t node)
{
	uint8_t *answer;

	if (node >= a->stacks->node_count)
		node = MT_NODE_LOST;
	answer = &a->table[test].by_key[node];
	if (*answer)
		return *answer == ANSWER_YES;
	if (a->expr->test[test].field == EXPR_SITE)
		*answer = answers_test_frame(&a->expr->test[test],
					     stacks_site(a->stacks, node))
				  ? ANSWER_YES
				  : ANSWER_NO;
	else
		search_stack(a, test, node);
	return *answer == ANSWER_YES;
}

/* Return how many frames a stack has, as it is shown. */
static uint32_t depth_of(struct answers *a, uint32_t node)
{
	struct stacks_list list = {0};

	if (node >= a->stacks->node_count)
		node = MT_NODE_LOST;
	if (!a->depth[node]) {
		stacks_expand(a->stacks, node, &list);
		a->depth[node] = (uint32_t)list.count + 1;
		stacks_list_free(&list);
	}
	return a->depth[node] - 1;
}

/* Answer a test of what is known at a block's end only. */
static enum expr_truth is_life(const struct answers *a,
			       const struct answers_block *b, size_t test)
{
	const struct expr_test *t = &a->expr->test[test];
	bool is;

	if (!b->is_known)
		return EXPR_UNKNOWN;
	if (t->field == EXPR_FREED)
		is = b->freed;
	else if (t->field == EXPR_TEMPORARY)
		is = b->temporary;
	else
		is = expr_test_number(&a->table[test].clock, b->lifetime);
	return is ? EXPR_YES : EXPR_NO;
}

/* Answer a test of how a block began. */
static bool is_begun(struct answers *a, const struct answers_block *b,
		     size_t test)
{
	const struct expr_test *t = &a->expr->test[test];
	const struct mt_event *e = b->event;

	switch (t->field) {
	case EXPR_SIZE:
		return expr_test_number(t, e->size);
	case EXPR_ALIGN:
		return expr_test_number(t, (uint64_t) !!e->align_log2
						   << e->align_log2);
	case EXPR_TIME:
		return expr_test_number(&a->table[test].clock, e->time);
	case EXPR_DEPTH:
		return expr_test_number(t, depth_of(a, e->stack));
	case EXPR_KIND:
		return a->table[test].by_key[e->kind % MT_KINDS] == ANSWER_YES;
	case EXPR_THREAD:
		return b->thread < a->thread_count &&
		       a->table[test].by_key[b->thread] == ANSWER_YES;
	default:
		return is_stack(a, test, e->stack);
	}
}

/* What a test is about. */
struct question {
	struct answers *answers;
	const struct answers_block *block;
};

/* expr_answer. */
static enum expr_truth answer(void *context, size_t test)
{
	const struct question *q = context;
	const struct expr_test *t = &q->answers->expr->test[test];

	if (t->field == EXPR_LIFETIME || t->field == EXPR_FREED ||
	    t->field == EXPR_TEMPORARY)
		return is_life(q->answers, q->block, test);
	return is_begun(q->answers, q->block, test) ? EXPR_YES : EXPR_NO;
}

enum expr_truth answers_decide(struct answers *a, const struct answers_block *b)
{
	struct question q = {a, b};

	return expr_decide(a->expr, answer, &q);
}

/* ---- Tables. ---- */

/* Answer a test for all kinds. */
static void answer_kinds(struct answers *a, size_t test)
{
	for (unsigned int i = 0; i < MT_KINDS; i++) {
		const char *name = kinds_name(i);
		bool is = name && expr_test_text(&a->expr->test[test], name);

		a->table[test].by_key[i] = is ? ANSWER_YES : ANSWER_NO;
	}
}

/* Turn clock values, or spans of them, into ns. */
typedef uint64_t to_ns(const struct trace *t, uint64_t clock);

/* Return the first clock value that is `ns` or more; false: there is none. */
static bool find_clock(const struct trace *t, to_ns *read, uint64_t ns,
		       uint64_t *clock)
{
	uint64_t low = 0, high = UINT64_MAX;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (read(t, middle) >= ns)
			high = middle;
		else
			low = middle + 1;
	}
	*clock = low;
	return read(t, low) >= ns;
}

/* Turn a range of ns into the clock values that are in it, exactly. */
static struct expr_test to_clock(const struct trace *t, to_ns *read,
				 struct expr_test range)
{
	static const struct expr_test none = {.min = 1, .max = 0};
	uint64_t end;

	if (range.min > range.max ||
	    !find_clock(t, read, range.min, &range.min))
		return none;
	if (range.max == UINT64_MAX ||
	    !find_clock(t, read, range.max + 1, &end)) {
		range.max = UINT64_MAX;
		return range;
	}
	range.max = end - 1;
	return range.min < end ? range : none;
}

/* Make the table of a test. */
static void make_table(struct answers *a, size_t test)
{
	enum expr_field field = a->expr->test[test].field;
	struct answers_table *table = &a->table[test];

	if (field == EXPR_TIME && a->trace)
		table->clock =
			to_clock(a->trace, trace_ns, a->expr->test[test]);
	else if (field == EXPR_LIFETIME && a->trace)
		table->clock =
			to_clock(a->trace, trace_span_ns, a->expr->test[test]);
	else if (field == EXPR_KIND) {
		table->by_key = util_alloc(MT_KINDS, 1);
		answer_kinds(a, test);
	} else if (field == EXPR_THREAD) {
		table->by_key = util_alloc(a->thread_count, 1);
	} else if (field >= EXPR_FUNCTION && field <= EXPR_STACK) {
		table->by_key = util_alloc(a->stacks->node_count, 1);
		table->by_pc = util_alloc(a->stacks->pc_count, 1);
	}
}

void answers_begin(struct answers *a, const struct expr *x, struct stacks *s,
		   const struct trace *t, size_t thread_count)
{
	*a = (struct answers){
		.expr = x,
		.trace = t,
		.stacks = s,
		.table = util_alloc(x->test_count, sizeof(*a->table)),
		.thread_count = thread_count,
	};
	if (expr_uses(x, EXPR_DEPTH))
		a->depth = util_alloc(s->node_count, sizeof(*a->depth));
	for (size_t i = 0; i < x->test_count; i++)
		make_table(a, i);
}

void answers_set_thread(struct answers *a, size_t place, const char *name,
			uint32_t tid)
{
	for (size_t i = 0; i < a->expr->test_count; i++) {
		const struct expr_test *t = &a->expr->test[i];
		bool is;

		if (t->field != EXPR_THREAD)
			continue;
		is = t->how == EXPR_RANGE ? expr_test_number(t, tid)
					  : expr_test_text(t, name ? name : "");
		a->table[i].by_key[place] = is ? ANSWER_YES : ANSWER_NO;
	}
}

void answers_free(struct answers *a)
{
	for (size_t i = 0; a->table && i < a->expr->test_count; i++) {
		free(a->table[i].by_key);
		free(a->table[i].by_pc);
	}
	free(a->table);
	free(a->depth);
	*a = (struct answers){0};
}
