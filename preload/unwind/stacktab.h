/* SPDX-License-Identifier: MIT */
/*
 * The stack table: a tree whose nodes are stacks. A node is (parent, pc):
 * the stack `parent` calls at `pc`. Equal stacks are one node, so an event
 * needs four bytes for its stack, however deep.
 *
 * The nodes and the pcs are arrays in the live file, which is how they
 * survive; the index over them is private memory. Looking up takes no lock:
 * entries are complete before they are linked, and never change after.
 */
#ifndef PRELOAD_STACKTAB_H
#define PRELOAD_STACKTAB_H

#include <stdbool.h>
#include <stdint.h>

#include <memtrace/format.h>

/* Most nodes (512 MiB of them) and pcs that a run may have. */
#define MT_MAX_NODES (1u << 26)
#define MT_MAX_PCS (1u << 24)

/*
 * Return the next `bytes` of a stream's array, zeroed; NULL: no memory.
 * Given by the live file.
 */
typedef void *mt_stacktab_grow(enum mt_stream stream, uint64_t bytes);

/*
 * Start empty. `nodes` and `pcs` count what is committed, for readers of the
 * live file. False: no memory. Context: init.
 */
bool mt_stacktab_init(mt_stacktab_grow *grow, uint64_t *nodes, uint64_t *pcs);

/* Give the memory back that a forked child inherited. */
void mt_stacktab_reset(void);

/* Return the node (parent, pc), or MT_NODE_LOST when it is not there. */
uint32_t mt_node_find(uint32_t parent, uint32_t pc);

/*
 * Return the node (parent, pc), made if need be; MT_NODE_LOST when memory is
 * out. Context: hook, the tables' lock held.
 */
uint32_t mt_node_add(uint32_t parent, uint32_t pc);

/*
 * Add a pc and return its number, or MT_MAX_PCS when memory is out.
 * Context: hook, the tables' lock held.
 */
uint32_t mt_pc_add(uint64_t pc, uint32_t module, uint32_t flags);

/* Element `n` of the arrays, for sealing. */
const struct mt_node *mt_node(uint32_t n);
const struct mt_pc *mt_pc(uint32_t n);

/* Pcs that lie together in memory: numbers from a multiple of it on. */
#define MT_PCS_TOGETHER (1u << 12)

/* Put private memory where the arrays were, in a child that was forked in
 * the middle of a hook and will return into it. Context: any. */
void mt_stacktab_detach(void);

#endif
