/* SPDX-License-Identifier: MIT */
/*
 * The stack table; see stacktab.h.
 *
 * The index is a linear hash table with chains: `bucket` heads chains that
 * run through `next`, both indexed by node. Each new node splits one bucket,
 * so the table grows with the nodes and no thread ever waits for a rehash.
 * A reader that follows a chain while it is being split may miss its node;
 * it then asks again under the lock, in mt_node_add(). Cost: 16 bytes a node
 * (8 in the live file), and address space reserved for the most there can be.
 */
#include "stacktab.h"

#include "sys.h"

#define GROW_BYTES (128 * 1024ul)

static struct {
	mt_stacktab_grow *grow;
	struct mt_node *node;
	struct mt_pc *pc;
	uint32_t *next;	   /* by node: the next in its bucket's chain; 0 ends */
	uint32_t *bucket;  /* heads; `mask` + 1 + `split` of them are in use */
	uint32_t mask, split;
	uint32_t most;	   /* nodes that there is address space for */
	uint32_t nodes_ready, pcs_ready; /* how many have memory */
	uint64_t *nodes, *pcs;		 /* how many there are */
} tab;

static uint32_t hash(uint32_t parent, uint32_t pc)
{
	uint64_t v = ((uint64_t)parent << 32 | pc) * 0x9e3779b97f4a7c15u;

	return (uint32_t)(v >> 32) ^ (uint32_t)(v >> 15);
}

static uint32_t bucket_of(uint32_t h)
{
	uint32_t mask = __atomic_load_n(&tab.mask, __ATOMIC_ACQUIRE);
	uint32_t b = h & mask;

	if (b < __atomic_load_n(&tab.split, __ATOMIC_ACQUIRE))
		b = h & (mask << 1 | 1);
	return b;
}

/* Reserve the arrays for `most` nodes; false: no address space. */
static bool reserve(uint32_t most)
{
	tab.most = most;
	tab.node = sys_reserve(most * sizeof(*tab.node));
	tab.next = sys_map_lazy(most * sizeof(*tab.next));
	tab.bucket = sys_map_lazy(2ul * most * sizeof(*tab.bucket));
	if (tab.node && tab.next && tab.bucket)
		return true;
	if (tab.node)
		sys_unmap(tab.node, most * sizeof(*tab.node));
	mt_stacktab_reset();
	return false;
}

bool mt_stacktab_init(mt_stacktab_grow *grow, uint64_t *nodes, uint64_t *pcs)
{
	tab.grow = grow;
	tab.nodes = nodes;
	tab.pcs = pcs;
	tab.mask = 1023;
	tab.split = 0;
	tab.nodes_ready = tab.pcs_ready = 0;
	uint32_t most = MT_MAX_NODES;

	while (most > 1u << 16 && !reserve(most))
		most /= 4;
	tab.pc = sys_reserve(MT_MAX_PCS / (MT_MAX_NODES / most) *
			     sizeof(*tab.pc));
	if (!tab.next || !tab.pc ||
	    !grow(MT_STREAM_NODES, tab.node, 0, GROW_BYTES))
		return false;
	tab.nodes_ready = GROW_BYTES / sizeof(*tab.node);
	*nodes = MT_NODE_FIRST;
	*pcs = 0;
	return true;
}

void mt_stacktab_reset(void)
{
	if (tab.next)
		sys_unmap(tab.next, tab.most * sizeof(*tab.next));
	if (tab.bucket)
		sys_unmap(tab.bucket, 2ul * tab.most * sizeof(*tab.bucket));
	tab.next = tab.bucket = NULL;
}

void mt_stacktab_detach(void)
{
	sys_map_over(tab.node, tab.nodes_ready * sizeof(*tab.node));
	sys_map_over(tab.pc, tab.pcs_ready * sizeof(*tab.pc));
}

uint32_t mt_node_find(uint32_t parent, uint32_t pc)
{
	uint32_t b = bucket_of(hash(parent, pc));
	uint32_t n = __atomic_load_n(&tab.bucket[b], __ATOMIC_ACQUIRE);

	while (n) {
		const struct mt_node *node = &tab.node[n];

		if (node->parent == parent && node->pc == pc)
			return n;
		n = __atomic_load_n(&tab.next[n], __ATOMIC_ACQUIRE);
	}
	return MT_NODE_LOST;
}

/* Put a node at the head of a chain. */
static void link_node(uint32_t b, uint32_t n)
{
	tab.next[n] = tab.bucket[b];
	__atomic_store_n(&tab.bucket[b], n, __ATOMIC_RELEASE);
}

/* Share bucket `split` between itself and its new partner. */
static void split_bucket(void)
{
	uint32_t from = tab.split, to = from + tab.mask + 1;
	uint32_t n = tab.bucket[from];

	tab.bucket[from] = 0;
	__atomic_store_n(&tab.split, from + 1, __ATOMIC_RELEASE);
	while (n) {
		const struct mt_node *node = &tab.node[n];
		uint32_t next = tab.next[n];

		link_node(hash(node->parent, node->pc) & to & (tab.mask + 1)
				  ? to
				  : from,
			  n);
		n = next;
	}
	if (tab.split > tab.mask) {
		/* Between the two stores a reader may look in a wrong bucket:
		 * it misses, and asks again under the lock. */
		__atomic_store_n(&tab.mask, tab.mask << 1 | 1,
				 __ATOMIC_RELEASE);
		__atomic_store_n(&tab.split, 0, __ATOMIC_RELEASE);
	}
}

/* Make room for one more element of an array; false: no memory. */
static bool make_room(enum mt_stream stream, void *base, uint64_t count,
		      uint32_t *ready, uint32_t most, size_t size)
{
	uint64_t by = *ready / 2 * size;

	if (count < *ready)
		return true;
	if (count >= most)
		return false;
	if (by < GROW_BYTES)
		by = GROW_BYTES;
	by = MT_ALIGN_UP(by, GROW_BYTES);
	if (!tab.grow(stream, base, *ready * size, *ready * size + by))
		return false;
	*ready += (uint32_t)(by / size);
	return true;
}

uint32_t mt_node_add(uint32_t parent, uint32_t pc)
{
	uint32_t n = mt_node_find(parent, pc);

	if (n != MT_NODE_LOST)
		return n;
	n = (uint32_t)*tab.nodes;
	if (!make_room(MT_STREAM_NODES, tab.node, n, &tab.nodes_ready,
		       tab.most, sizeof(*tab.node)))
		return MT_NODE_LOST;
	tab.node[n] = (struct mt_node){parent, pc};
	__atomic_store_n(tab.nodes, n + 1, __ATOMIC_RELEASE);
	if (n > tab.mask + tab.split)
		split_bucket();
	link_node(bucket_of(hash(parent, pc)), n);
	return n;
}

uint32_t mt_pc_add(uint64_t pc, uint32_t module, uint32_t flags)
{
	uint32_t n = (uint32_t)*tab.pcs;

	if (!make_room(MT_STREAM_PCS, tab.pc, n, &tab.pcs_ready,
		       MT_MAX_PCS / (MT_MAX_NODES / tab.most),
		       sizeof(*tab.pc)))
		return MT_MAX_PCS;
	tab.pc[n] = (struct mt_pc){pc, module, flags};
	__atomic_store_n(tab.pcs, n + 1, __ATOMIC_RELEASE);
	return n;
}

const struct mt_node *mt_nodes(void)
{
	return tab.node;
}

const struct mt_pc *mt_pcs(void)
{
	return tab.pc;
}
