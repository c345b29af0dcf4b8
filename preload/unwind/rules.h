/* SPDX-License-Identifier: MIT */
/*
 * The rules by which the unwinder steps: for each pc that a stack passed
 * through, what its module's tables say of the caller's frame, in 64 bits.
 *
 * They say how to find the CFA (the caller's sp), the return address and the
 * caller's bp. Nearly all are of the form "CFA = sp or bp + constant, or *(bp +
 * constant); return address at CFA - 8; bp at CFA + constant or unchanged".
 * What does not fit (signal frames, a CFA in another register) is stepped over
 * with all registers, full.h. Code without tables (a JIT's) is taken to keep a
 * frame pointer when what bp points to looks like one; else the stack ends
 * there.
 */
#ifndef PRELOAD_RULES_H
#define PRELOAD_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "modules.h"
#include "sys.h"

/* A pc that is looked up carries this bit when it is exact, not a return. */
#define MT_PC_KEY_EXACT (1ull << 63)

/* The even ones compute the CFA from bp. */
enum rule_kind {
	RULE_SP = 1,	/* CFA = sp + offset */
	RULE_BP = 2,	/* CFA = bp + offset */
	RULE_END = 3,	/* the outermost frame */
	RULE_DEREF = 4, /* CFA = *(bp + offset), next bp = *bp */
	RULE_GUESS = 6, /* no tables: a frame pointer, if it looks like one */
	RULE_FULL = 7,	/* walk_full()'s business */
};

/*
 * A rule in 64 bits: kind 3, loader 1, bp at CFA + 8 * n 14 (n = 0:
 * unchanged), offset / 8 22, number of the pc 24.
 */
#define RULE_LOADER 8u
#define RULE_BP_BITS 14
#define RULE_OFFSET_BITS 22
#define RULE_PC_SHIFT 40

/* The lock of the tables that unwinding fills: modules, pcs, nodes, rules. */
extern MT_OURS struct sys_lock mt_tables_lock;

/* Where the caller's bp is, from the CFA; 0: unchanged. */
static inline int64_t mt_rule_bp(uint64_t rule)
{
	return (int64_t)(rule << (64 - 4 - RULE_BP_BITS)) >> (64 - RULE_BP_BITS)
								     << 3;
}

/* The offset of the CFA. */
static inline int64_t mt_rule_offset(uint64_t rule)
{
	return (int64_t)(rule << (64 - RULE_PC_SHIFT)) >>
	       (64 - RULE_OFFSET_BITS) << 3;
}

/* Scatter pcs over a table. */
static inline uint64_t mt_rule_hash(uint64_t pc)
{
	return (pc * 0x9e3779b97f4a7c15u) >> 32;
}

/* Return the rule of a pc (with its bit), or 0 when it was not made yet.
 * Context: hook. */
uint64_t mt_rule_find(uint64_t key);

/* The same, made if need be; 0: that is no code, or memory is out.
 * Context: hook, tables' lock held. */
uint64_t mt_rule_make(uint64_t key);

/* Start with no rules. False: no memory. Context: init. */
bool mt_rules_init(void);

/* A module is new: look again at addresses that were no code.
 * Context: hook, tables' lock held. */
void mt_rules_new_module(void);

/* Forget the rules of a module. Context: hook, tables' lock held. */
void mt_rules_drop_module(const struct mt_module *module);

#endif
