/* SPDX-License-Identifier: MIT */
/* A profile as a tree of frames; see calltree.h. */
#include "calltree.h"

#include <stdlib.h>

#include "map.h"

/* So many functions that call each other in turn are known as recursion. */
#define MAX_ROUND 16

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

/* A stack as the tree has it: without what recursion says again. */
struct path {
	const struct frame **at;
	size_t count, room;
};

/* Tell whether the last `n` frames say what the `n` before them said. */
static bool is_repeated(const struct path *p, size_t n)
{
	const struct frame **last = p->at + p->count - n;

	for (size_t i = n; i--;)
		if (last[i]->name != (last - n)[i]->name)
			return false;
	return true;
}

/* Append a frame, and take back the round of recursion that it ends, if any:
 * the shortest first, so that each round is one that has none in it. */
static void append(struct path *p, const struct frame *f)
{
	p->at = util_grow(p->at, p->count, &p->room, sizeof(*p->at));
	p->at[p->count++] = f;
	for (size_t n = 1; n <= MAX_ROUND && 2 * n <= p->count; n++)
		if (is_repeated(p, n)) {
			p->count -= n;
			return;
		}
}

/* Count a row at the nodes that its stack goes through. */
static void take_row(struct calltree *t, struct path *p,
		     const struct stacks_list *list, size_t site, bool upward,
		     const struct profile_totals *n)
{
	uint32_t at = 0;

	p->count = 0;
	for (size_t j = site; j < list->count; j++)
		append(p, list->at[upward ? j : list->count - 1 - (j - site)]);
	profile_add_totals(&t->at[0].totals, n);
	for (size_t j = 0; j < p->count; j++) {
		at = child_of(t, at, p->at[j]);
		profile_add_totals(&t->at[at].totals, n);
	}
}

void calltree_build(struct calltree *t, struct profile *p, bool upward)
{
	struct stacks_list list = {0};
	struct path path = {0};

	*t = (struct calltree){.number = util_alloc(1, sizeof(*t->number))};
	t->at = util_grow(NULL, 0, &t->room, sizeof(*t->at));
	t->at[t->count++] = (struct calltree_node){0};
	for (size_t i = 0; i < p->row_count; i++) {
		const struct profile_row *row = &p->rows[i];
		size_t site = stacks_site_in(&p->stacks, row->node, &list);

		take_row(t, &path, &list, site, upward, &row->totals);
	}
	stacks_list_free(&list);
	free(path.at);
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
