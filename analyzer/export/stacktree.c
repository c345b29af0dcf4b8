/* SPDX-License-Identifier: MIT */
/* Stacks as one tree; see stacktree.h. */
#include "stacktree.h"

#include <stdlib.h>

void stacktree_begin(struct stacktree *t)
{
	*t = (struct stacktree){.places.lines = true};
	t->at = util_grow(t->at, t->count++, &t->room, sizeof(*t->at));
	t->at[0] = (struct stacktree_node){0};
}

/* Return the child of a node for a frame, made when it is new. */
static uint32_t child_of(struct stacktree *t, uint32_t parent,
			 const struct frame *f)
{
	uint64_t key = (uint64_t)parent << 32 | number_frame(&t->places, f);
	bool fresh;
	uint64_t *at = map_put(&t->child_of, key, &fresh);

	if (!fresh)
		return (uint32_t)*at;
	*at = t->count;
	t->at = util_grow(t->at, t->count, &t->room, sizeof(*t->at));
	t->at[t->count] = (struct stacktree_node){
		.frame = f,
		.parent = parent,
		.next = t->at[parent].child,
		.depth = t->at[parent].depth + 1,
	};
	t->at[parent].child = (uint32_t)t->count;
	t->at[parent].children++;
	return (uint32_t)t->count++;
}

uint32_t stacktree_add(struct stacktree *t, const struct stacks_list *list,
		       bool outermost, uint64_t value)
{
	uint32_t node = 0;

	t->at[0].value += value;
	for (size_t i = 0; i < list->count && i < STACKTREE_MAX_DEPTH; i++) {
		size_t j = outermost ? list->count - 1 - i : i;

		node = child_of(t, node, list->at[j]);
		t->at[node].value += value;
	}
	return node;
}

/* Order two nodes, given by their numbers. */
static int compare(const void *a, const void *b, void *context)
{
	const struct stacktree *t = context;
	const struct stacktree_node *x = &t->at[*(const uint32_t *)a];
	const struct stacktree_node *y = &t->at[*(const uint32_t *)b];

	if (x->value != y->value)
		return x->value < y->value ? 1 : -1;
	return stacks_compare(x->frame, y->frame);
}

/* Sort the children of a node; `room` is for them. */
static void sort_children(struct stacktree *t, struct stacktree_node *parent,
			  uint32_t *room)
{
	size_t n = 0;

	for (uint32_t i = parent->child; i; i = t->at[i].next)
		room[n++] = i;
	if (n < 2)
		return;
	qsort_r(room, n, sizeof(*room), compare, t);
	parent->child = room[0];
	for (size_t i = 0; i < n; i++)
		t->at[room[i]].next = i + 1 < n ? room[i + 1] : 0;
}

void stacktree_sort(struct stacktree *t)
{
	uint32_t *room = util_alloc(t->count, sizeof(*room));

	for (size_t i = 0; i < t->count; i++)
		sort_children(t, &t->at[i], room);
	free(room);
}

void stacktree_free(struct stacktree *t)
{
	free(t->at);
	map_free(&t->child_of);
	number_free(&t->places);
	*t = (struct stacktree){0};
}
