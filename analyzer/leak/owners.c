/* SPDX-License-Identifier: MIT */
/* Who owns the blocks of a scan; see owners.h. */
#include "owners.h"

#include <stdlib.h>

#include "map.h"
#include "rootname.h"
#include "strpool.h"

/* Tells roots from sites in keys of nodes. */
#define KEY_ROOT 0x80000000u

/* What the tree is made of. */
struct build {
	struct owners *o;
	struct profile *profile;
	const struct leaks *l;
	uint32_t *chain; /* blocks whose node waits for their owner's */
	size_t chain_room;
};

uint32_t owners_site(struct owners *o, struct profile *p, uint32_t node)
{
	struct profile_row row = {.node = node};

	if (node >= p->stacks.node_count)
		row.node = node = MT_NODE_LOST;
	if (!o->site_of[node])
		o->site_of[node] = (uint32_t)groups_of(&o->sites, p, &row) + 1;
	return o->site_of[node] - 1;
}

/* Return the node of a key below another, entered when it is new. */
static uint32_t enter(struct owners *o, uint32_t parent, uint32_t key)
{
	uint64_t *at = map_put(&o->node_at, (uint64_t)parent << 32 | key, NULL);
	struct owners_node *n;

	if (*at)
		return (uint32_t)*at;
	o->at = util_grow(o->at, o->count, &o->room, sizeof(*o->at));
	n = &o->at[o->count];
	*n = (struct owners_node){
		.parent = parent,
		.next = o->at[parent].child,
		.depth = o->at[parent].depth + 1,
		.block = LEAKS_NONE,
	};
	if (key & KEY_ROOT)
		n->root = strpool_text(o->names, key & ~KEY_ROOT);
	else
		n->site = key;
	o->at[parent].child = (uint32_t)o->count;
	*at = o->count;
	return (uint32_t)o->count++;
}

/* Return the node of a site below another, or of the same site above it. */
static uint32_t enter_site(struct owners *o, uint32_t parent, uint32_t site)
{
	for (uint32_t n = parent; n; n = o->at[n].parent)
		if (!o->at[n].root && o->at[n].site == site) {
			o->at[n].linked = true;
			return n;
		}
	if (o->at[parent].depth > OWNERS_DEPTH)
		parent = enter(
			o, 0, KEY_ROOT | strpool_add(o->names, "(further on)"));
	return enter(o, parent, site);
}

/* Return the node of the root that leads to a block. */
static uint32_t enter_root(struct build *b, uint32_t block)
{
	uint32_t root = b->l->blocks[block].root, name;
	char *text = rootname_text(
		&b->profile->stacks, b->profile->trace,
		root == LEAKS_NONE ? NULL : &b->l->graph.roots[root]);

	name = strpool_add(b->o->names, text);
	free(text);
	return enter(b->o, 0, KEY_ROOT | name);
}

/* Return the node above a block whose owner, if it has one, has its own. */
static uint32_t parent_of(struct build *b, uint32_t block)
{
	const struct leak_block *leak = &b->l->blocks[block];

	if (leak->by_root)
		return enter_root(b, block);
	return leak->from == LEAKS_NONE ? 0 : b->o->of[leak->from];
}

/* Give a block its node, and those before it in its chain. */
static void place_block(struct build *b, uint32_t block)
{
	size_t n = 0;

	while (!b->o->of[block]) {
		const struct leak_block *leak = &b->l->blocks[block];

		b->chain = util_grow(b->chain, n, &b->chain_room,
				     sizeof(*b->chain));
		b->chain[n++] = block;
		if (leak->by_root || leak->from == LEAKS_NONE)
			break;
		block = leak->from;
	}
	while (n-- > 0) {
		uint32_t stack;

		block = b->chain[n];
		stack = b->l->graph.blocks[block].node;
		b->o->of[block] =
			enter_site(b->o, parent_of(b, block),
				   owners_site(b->o, b->profile, stack));
	}
}

/* Count a block for its node. */
static void count_block(struct build *b, uint32_t block)
{
	struct owners_node *n = &b->o->at[b->o->of[block]];

	if (n->block == LEAKS_NONE ||
	    (b->l->blocks[block].from == LEAKS_NONE &&
	     b->l->blocks[n->block].from != LEAKS_NONE))
		n->block = block;
	n->own.blocks++;
	n->own.bytes += b->l->graph.blocks[block].size;
}

/* Add up what is below each node. */
static void sum_up(struct owners *o)
{
	for (size_t i = o->count; i-- > 0;) {
		struct owners_node *n = &o->at[i], *parent = &o->at[n->parent];

		n->all.blocks += n->own.blocks;
		n->all.bytes += n->own.bytes;
		if (!i)
			break;
		parent->all.blocks += n->all.blocks;
		parent->all.bytes += n->all.bytes;
	}
}

void owners_build(struct owners *o, struct profile *p, const struct leaks *l,
		  unsigned int kinds)
{
	struct build b = {.o = o, .profile = p, .l = l};

	*o = (struct owners){
		.of = util_alloc(l->graph.block_count, sizeof(*o->of)),
		.names = util_alloc(1, sizeof(*o->names)),
		.site_of = util_alloc(p->stacks.node_count + 1,
				      sizeof(*o->site_of)),
	};
	groups_build(&o->sites, p, GROUP_SITE, false);
	o->at = util_grow(o->at, 0, &o->room, sizeof(*o->at));
	o->at[o->count++] = (struct owners_node){.block = LEAKS_NONE};
	for (uint32_t i = 0; i < l->graph.block_count; i++)
		if (!l->graph.blocks[i].loader &&
		    kinds >> l->blocks[i].kind & 1) {
			place_block(&b, i);
			count_block(&b, i);
		}
	sum_up(o);
	free(b.chain);
}

char *owners_text(const struct owners *o, const struct owners_node *n)
{
	if (n->root)
		return util_format("%s", n->root);
	return util_format("%s%s", o->sites.at[n->site].frame->name,
			   n->linked ? " (linked)" : "");
}

void owners_free(struct owners *o)
{
	groups_free(&o->sites);
	map_free(&o->node_at);
	if (o->names)
		strpool_free(o->names);
	free(o->names);
	free(o->site_of);
	free(o->at);
	free(o->of);
	*o = (struct owners){0};
}
