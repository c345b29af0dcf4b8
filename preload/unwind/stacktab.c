/* SPDX-License-Identifier: MIT */
/*
 * The stack table; see stacktab.h.
 *
 * The index is a linear hash table with chains: `bucket` heads chains that
 * run through `next`, both of node numbers. Each new node splits one bucket,
 * so the table grows with the nodes and no thread ever waits for a rehash.
 * A reader that follows a chain while it is being split may miss its node;
 * it then asks again under the lock, in mt_node_add(). Cost: 16 to 20 bytes
 * a node, 8 of them in the live file.
 *
 * All arrays grow by chunks that never move, so that readers need no lock and
 * a program with a limit on its address space keeps it for itself.
 */
#include "stacktab.h"

#include <string.h>

#include "sys.h"

#define CHUNK (1u << 14) /* elements of a chunk of nodes, links, buckets */
#define PC_CHUNK MT_PCS_TOGETHER
#define NODE_CHUNKS (MT_MAX_NODES / CHUNK)
#define PC_CHUNKS (MT_MAX_PCS / PC_CHUNK)

static struct {
	mt_stacktab_grow *grow;
	struct mt_node *node[NODE_CHUNKS];
	uint32_t *next[NODE_CHUNKS];   /* by node: the next in its chain */
	uint32_t *bucket[NODE_CHUNKS]; /* heads of chains; 0: empty */
	struct mt_pc *pc[PC_CHUNKS];
	uint32_t mask, split;  /* mask + 1 + split buckets are in use */
	uint64_t *nodes, *pcs; /* how many there are */
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

/* The head of a chain; NULL while its chunk is not there. */
static uint32_t *head_of(uint32_t b)
{
	uint32_t *chunk;

	if (b >= MT_MAX_NODES)
		return NULL;
	chunk = __atomic_load_n(&tab.bucket[b / CHUNK], __ATOMIC_ACQUIRE);
	return chunk ? &chunk[b % CHUNK] : NULL;
}

static uint32_t *next_of(uint32_t n)
{
	return &tab.next[n / CHUNK][n % CHUNK];
}

const struct mt_node *mt_node(uint32_t n)
{
	return &tab.node[n / CHUNK][n % CHUNK];
}

const struct mt_pc *mt_pc(uint32_t n)
{
	return &tab.pc[n / PC_CHUNK][n % PC_CHUNK];
}

/* Make sure that a chunk of links or buckets is there; false: no memory. */
static bool need_chunk(uint32_t **chunk)
{
	uint32_t *p;

	if (*chunk)
		return true;
	p = sys_map(CHUNK * sizeof(*p), SYS_FORK_COPY);
	__atomic_store_n(chunk, p, __ATOMIC_RELEASE);
	return p != NULL;
}

/* Make sure that node `n` has memory; false: there is none. */
static bool need_node(uint32_t n)
{
	uint32_t i = n / CHUNK;

	if (n >= MT_MAX_NODES || !need_chunk(&tab.next[i]))
		return false;
	if (!tab.node[i])
		tab.node[i] =
			tab.grow(MT_STREAM_NODES, CHUNK * sizeof(**tab.node));
	return tab.node[i] != NULL;
}

bool mt_stacktab_init(mt_stacktab_grow *grow, uint64_t *nodes, uint64_t *pcs)
{
	tab.grow = grow;
	tab.nodes = nodes;
	tab.pcs = pcs;
	tab.mask = 1023;
	tab.split = 0;
	if (!need_node(0) || !need_chunk(&tab.bucket[0]))
		return false;
	*nodes = MT_NODE_FIRST;
	*pcs = 0;
	return true;
}

void mt_stacktab_reset(void)
{
	for (uint32_t i = 0; i < NODE_CHUNKS; i++) {
		if (tab.next[i])
			sys_unmap(tab.next[i], CHUNK * sizeof(**tab.next));
		if (tab.bucket[i])
			sys_unmap(tab.bucket[i], CHUNK * sizeof(**tab.bucket));
	}
	memset(&tab, 0, sizeof(tab));
}

void mt_stacktab_detach(void)
{
	for (uint32_t i = 0; i < NODE_CHUNKS && tab.node[i]; i++)
		sys_map_over(tab.node[i], CHUNK * sizeof(**tab.node));
	for (uint32_t i = 0; i < PC_CHUNKS && tab.pc[i]; i++)
		sys_map_over(tab.pc[i], PC_CHUNK * sizeof(**tab.pc));
}

uint32_t mt_node_find(uint32_t parent, uint32_t pc)
{
	const uint32_t *head = head_of(bucket_of(hash(parent, pc)));
	uint32_t n = head ? __atomic_load_n(head, __ATOMIC_ACQUIRE) : 0;

	while (n) {
		const struct mt_node *node = mt_node(n);

		if (node->parent == parent && node->pc == pc)
			return n;
		n = __atomic_load_n(next_of(n), __ATOMIC_ACQUIRE);
	}
	return MT_NODE_LOST;
}

/* Put a node at the head of a chain. */
static void link_node(uint32_t b, uint32_t n)
{
	__atomic_store_n(next_of(n), *head_of(b), __ATOMIC_RELEASE);
	__atomic_store_n(head_of(b), n, __ATOMIC_RELEASE);
}

/* Share bucket `split` between itself and its new partner. */
static void split_bucket(void)
{
	uint32_t from = tab.split, to = from + tab.mask + 1, n;

	if (to >= MT_MAX_NODES || !need_chunk(&tab.bucket[to / CHUNK]))
		return; /* longer chains, then */
	n = *head_of(from);
	__atomic_store_n(head_of(from), 0, __ATOMIC_RELAXED);
	__atomic_store_n(&tab.split, from + 1, __ATOMIC_RELEASE);
	while (n) {
		const struct mt_node *node = mt_node(n);
		uint32_t next = *next_of(n);

		link_node(hash(node->parent, node->pc) & (tab.mask + 1) ? to
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

uint32_t mt_node_add(uint32_t parent, uint32_t pc)
{
	uint32_t n = mt_node_find(parent, pc);

	if (n != MT_NODE_LOST)
		return n;
	n = (uint32_t)*tab.nodes;
	if (!need_node(n))
		return MT_NODE_LOST;
	tab.node[n / CHUNK][n % CHUNK] = (struct mt_node){parent, pc};
	__atomic_store_n(tab.nodes, n + 1, __ATOMIC_RELEASE);
	if (n > tab.mask + tab.split)
		split_bucket();
	link_node(bucket_of(hash(parent, pc)), n);
	return n;
}

uint32_t mt_pc_add(uint64_t pc, uint32_t module, uint32_t flags)
{
	uint32_t n = (uint32_t)*tab.pcs, i = n / PC_CHUNK;

	if (n >= MT_MAX_PCS)
		return MT_MAX_PCS;
	if (!tab.pc[i])
		tab.pc[i] =
			tab.grow(MT_STREAM_PCS, PC_CHUNK * sizeof(**tab.pc));
	if (!tab.pc[i])
		return MT_MAX_PCS;
	tab.pc[i][n % PC_CHUNK] = (struct mt_pc){pc, module, flags};
	__atomic_store_n(tab.pcs, n + 1, __ATOMIC_RELEASE);
	return n;
}
