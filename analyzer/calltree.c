/* SPDX-License-Identifier: MIT */
/* A profile as a tree of frames; see calltree.h. */
#include "calltree.h"

#include <stdlib.h>

#include "map.h"

/* Return a key for a name below a node. */
static uint64_t key_of(uint32_t parent, const char *name)
{
	/* Names that are equal are one pointer, of 47 bits, 16-aligned. */
	return (uint64_t)parent << 43 ^ (uintptr_t)name;
}

/* Return the child of a node with a frame's name, entered when it is new. */
static uint32_t child_of(struct calltree *t, uint32_t parent,
			 const struct frame *f)
{
	uint64_t *number = map_put(t->number, key_of(parent, f->name), NULL);
	uint32_t i = (uint32_t)*number;

	/* Of keys that fall together only the first is in the map. */
	if (i && t->at[i].parent == parent && t->at[i].frame->name == f->name)
		return i;
	for (i = i ? t->at[parent].child : 0; i; i = t->at[i].next)
		if (t->at[i].frame->name == f->name)
			return i;
	t->at = util_grow(t->at, t->count, &t->room, sizeof(*t->at));
	i = (uint32_t)t->count++;
	t->at[i] = (struct calltree_node){
		.frame = f,
		.parent = parent,
		.next = t->at[parent].child,
	};
	t->at[parent].child = i;
	if (!*number)
		*number = i;
	return i;
}

/* Go one frame on, and count a row there, unless it is recursion. */
static uint32_t step(struct calltree *t, uint32_t at, const struct frame *f,
		     const struct profile_totals *n)
{
	if (t->at[at].frame && t->at[at].frame->name == f->name)
		return at;
	at = child_of(t, at, f);
	profile_add_totals(&t->at[at].totals, n);
	return at;
}

void calltree_build(struct calltree *t, struct profile *p, bool upward)
{
	struct stacks_list list = {0};

	*t = (struct calltree){.number = util_alloc(1, sizeof(*t->number))};
	t->at = util_grow(NULL, 0, &t->room, sizeof(*t->at));
	t->at[t->count++] = (struct calltree_node){0};
	for (size_t i = 0; i < p->row_count; i++) {
		const struct profile_row *row = &p->rows[i];
		size_t site = stacks_site_in(&p->stacks, row->node, &list);
		uint32_t at = 0;

		profile_add_totals(&t->at[0].totals, &row->totals);
		for (size_t j = site; upward && j < list.count; j++)
			at = step(t, at, list.at[j], &row->totals);
		for (size_t j = list.count; !upward && j-- > site;)
			at = step(t, at, list.at[j], &row->totals);
	}
	stacks_list_free(&list);
}

void calltree_free(struct calltree *t)
{
	if (t->number)
		map_free(t->number);
	free(t->number);
	free(t->at);
	*t = (struct calltree){0};
}

/* What children are ordered by. */
struct order {
	const struct calltree *tree;
	uint64_t (*key)(const struct profile_totals *t);
};

static int compare(const void *a, const void *b, void *context)
{
	const struct order *o = context;
	const struct calltree_node *x = &o->tree->at[*(const uint32_t *)a];
	const struct calltree_node *y = &o->tree->at[*(const uint32_t *)b];
	uint64_t m = o->key(&x->totals), n = o->key(&y->totals);

	if (m != n)
		return m > n ? -1 : 1;
	return stacks_compare(x->frame, y->frame);
}

size_t calltree_children(const struct calltree *t, uint32_t node,
			 uint64_t (*key)(const struct profile_totals *t),
			 uint32_t **list)
{
	struct order o = {t, key};
	size_t n = 0, room = 0;

	*list = NULL;
	for (uint32_t i = t->at[node].child; i; i = t->at[i].next)
		if (key(&t->at[i].totals)) {
			*list = util_grow(*list, n, &room, sizeof(**list));
			(*list)[n++] = i;
		}
	if (n)
		qsort_r(*list, n, sizeof(**list), compare, &o);
	return n;
}
