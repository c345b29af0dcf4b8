/* SPDX-License-Identifier: MIT */
/* The rules by which the unwinder steps; see rules.h. */
#include "rules.h"

#include <string.h>

#include <memtrace/format.h>

#include "arena.h"
#include "stacktab.h"

/* The rules: an open-addressed table, replaced by one twice its size. */
struct rules {
	uint64_t mask;
	uint64_t used;
	struct rule {
		uint64_t pc; /* 0 free, 1 dropped; written last */
		uint64_t rule;
	} at[];
};

struct sys_lock mt_tables_lock;

static MT_HOT struct rules *rules;

/* Addresses lately found to be no code, where walks by guess end. */
#define NOT_CODE 256
static uint64_t not_code[NOT_CODE];

uint64_t mt_rule_find(uint64_t key)
{
	const struct rules *t = __atomic_load_n(&rules, __ATOMIC_ACQUIRE);

	for (uint64_t i = mt_rule_hash(key);; i++) {
		const struct rule *r = &t->at[i & t->mask];
		uint64_t at = __atomic_load_n(&r->pc, __ATOMIC_ACQUIRE);

		if (likely(at == key))
			return r->rule;
		if (!at)
			return 0;
	}
}

static void rule_put(struct rules *t, uint64_t pc, uint64_t value)
{
	uint64_t i = mt_rule_hash(pc);

	while (t->at[i & t->mask].pc)
		i++;
	t->at[i & t->mask].rule = value;
	__atomic_store_n(&t->at[i & t->mask].pc, pc, __ATOMIC_RELEASE);
	t->used++;
}

static struct rules *rules_new(uint64_t size)
{
	struct rules *t = mt_arena_alloc(sizeof(*t) + size * sizeof(*t->at));

	if (t)
		t->mask = size - 1;
	return t;
}

/* Replace the table by one that has room; false: no memory. The old one
 * stays, for threads that are looking into it. */
static bool rules_grow(void)
{
	struct rules *t = rules_new((rules->mask + 1) * 2);

	if (!t)
		return false;
	for (uint64_t i = 0; i <= rules->mask; i++)
		if (rules->at[i].pc > 1)
			rule_put(t, rules->at[i].pc, rules->at[i].rule);
	__atomic_store_n(&rules, t, __ATOMIC_RELEASE);
	return true;
}

bool mt_rules_init(void)
{
	mt_rules_new_module();
	rules = rules_new(4096);
	return rules != NULL;
}

void mt_rules_new_module(void)
{
	memset(not_code, 0, sizeof(not_code));
}

void mt_rules_drop_module(const struct mt_module *m)
{
	for (uint64_t i = 0; i <= rules->mask; i++)
		if ((rules->at[i].pc & ~MT_PC_KEY_EXACT) - m->start <
		    m->end - m->start)
			__atomic_store_n(&rules->at[i].pc, 1, __ATOMIC_RELEASE);
}

static bool no_memory(void *context, uint64_t address, uint64_t *value)
{
	(void)context;
	(void)address;
	(void)value;
	return false;
}

/*
 * Whether an expression for the CFA is sp + a constant at this pc (the
 * linkage tables' is): true for two sp's with no memory read.
 */
static bool is_sp_plus(const struct mt_cfi_row *row, uint64_t pc,
		       int64_t *offset)
{
	uint64_t reg[MT_REGS] = {0}, a, b;

	reg[MT_REG_PC] = pc;
	reg[MT_REG_SP] = 1 << 20;
	if (!mt_cfi_evaluate(row->cfa_code, row->cfa_end, reg, NULL, no_memory,
			     NULL, &a))
		return false;
	reg[MT_REG_SP] = 1 << 24;
	if (!mt_cfi_evaluate(row->cfa_code, row->cfa_end, reg, NULL, no_memory,
			     NULL, &b))
		return false;
	*offset = (int64_t)a - (1 << 20);
	return *offset == (int64_t)b - (1 << 24);
}

struct deref {
	uint64_t address;
	unsigned int reads;
};

static bool read_deref(void *context, uint64_t address, uint64_t *value)
{
	struct deref *d = context;

	d->address = address;
	d->reads++;
	*value = 1 << 20;
	return true;
}

/* Whether an expression for the CFA is *(bp + a constant): a realigned
 * stack's. */
static bool is_deref_bp(const struct mt_cfi_row *row, int64_t *offset)
{
	uint64_t reg[MT_REGS] = {0}, v;
	struct deref d = {0, 0};

	reg[MT_REG_BP] = 1 << 24;
	if (!mt_cfi_evaluate(row->cfa_code, row->cfa_end, reg, NULL, read_deref,
			     &d, &v) ||
	    d.reads != 1 || v != 1 << 20)
		return false;
	*offset = (int64_t)d.address - (1 << 24);
	return *offset > -(1 << 20) && *offset < 1 << 20;
}

/* Whether a register's rule is "in memory at bp", as realigned stacks have. */
static bool is_at_bp(const struct mt_cfi_rule *rule)
{
	uint64_t reg[MT_REGS] = {0}, cfa = 1 << 20, v;

	reg[MT_REG_BP] = 1 << 24;
	return rule->how == MT_CFI_EXPRESSION &&
	       mt_cfi_evaluate(rule->code, rule->end, reg, &cfa, no_memory,
			       NULL, &v) &&
	       v == 1 << 24;
}

/* The kind and offset of a row's CFA; RULE_FULL when it is another's. */
static enum rule_kind cfa_kind(const struct mt_cfi_row *row, uint64_t pc,
			       int64_t *offset)
{
	*offset = row->cfa_offset;
	if (row->cfa_code) {
		if (is_sp_plus(row, pc, offset))
			return RULE_SP;
		return is_deref_bp(row, offset) ? RULE_DEREF : RULE_FULL;
	}
	if (row->cfa_register == MT_REG_SP)
		return RULE_SP;
	return row->cfa_register == MT_REG_BP ? RULE_BP : RULE_FULL;
}

/* Whether v is a multiple of 8 and v / 8 fits in so many bits, signed. */
static bool fits(int64_t v, unsigned int bits)
{
	int64_t most = 4ll << bits;

	return v % 8 == 0 && v < most && v >= -most;
}

/* Put a row into 64 bits, or RULE_FULL when it does not fit. */
static uint64_t pack(const struct mt_cfi_row *row, uint64_t pc)
{
	const struct mt_cfi_rule *ret = &row->rule[MT_REG_PC];
	const struct mt_cfi_rule *bp = &row->rule[MT_REG_BP];
	int64_t offset, at = bp->how == MT_CFI_OFFSET ? bp->offset : 0;
	enum rule_kind kind = cfa_kind(row, pc, &offset);

	if (ret->how == MT_CFI_UNDEFINED)
		return RULE_END;
	if (row->signal_frame || ret->how != MT_CFI_OFFSET || ret->offset != -8)
		return RULE_FULL;
	if (kind == RULE_DEREF ? !is_at_bp(bp)
			       : bp->how != MT_CFI_SAME &&
					 (bp->how != MT_CFI_OFFSET || at >= 0))
		return RULE_FULL;
	if (!fits(at, RULE_BP_BITS) || !fits(offset, RULE_OFFSET_BITS))
		return RULE_FULL;
	return kind | ((uint64_t)(at / 8) & ((1 << RULE_BP_BITS) - 1)) << 4 |
	       ((uint64_t)(offset / 8) & ((1 << RULE_OFFSET_BITS) - 1))
		       << (4 + RULE_BP_BITS);
}

uint64_t mt_rule_make(uint64_t key)
{
	uint64_t pc = key & ~MT_PC_KEY_EXACT,
		 at = key & MT_PC_KEY_EXACT ? pc : pc - 1;
	uint64_t rule = mt_rule_find(key);
	uint64_t *no_code = &not_code[mt_rule_hash(pc) % NOT_CODE];
	const struct mt_module *m = NULL;
	struct mt_cfi_row row;
	uint32_t number;

	if (rule)
		return rule;
	if (pc >= MT_PAGE_BYTES && *no_code != pc)
		m = mt_module_find(at);
	if (!m) {
		*no_code = pc;
		return 0;
	}
	rule = mt_cfi_row(&m->cfi, at, &row) ? pack(&row, pc) : RULE_GUESS;
	if (m->loader)
		rule |= RULE_LOADER;
	if ((rules->used + 1) * 2 > rules->mask && !rules_grow())
		return 0;
	number = mt_pc_add(pc, m->id, key & MT_PC_KEY_EXACT ? MT_PC_EXACT : 0);
	if (number == MT_MAX_PCS)
		return 0;
	rule |= (uint64_t)number << RULE_PC_SHIFT;
	rule_put(rules, key, rule);
	return rule;
}
