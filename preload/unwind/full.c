/* SPDX-License-Identifier: MIT */
/* A step outward with all registers; see full.h. */
#include "full.h"

#include <string.h>

/* Read 8 bytes of a stack; false: not there. */
static bool read_stack(void *context, uint64_t address, uint64_t *value)
{
	struct mt_full *f = context;

	if (!mt_extent_holds(&f->extents->now, address) &&
	    (!mt_extents_enter(f->extents, address) ||
	     !mt_extent_holds(&f->extents->now, address)))
		return false;
	memcpy(value, (const void *)(uintptr_t)address, 8);
	return true;
}

/* Apply a row to one register; false: its value cannot be had. */
static bool apply(struct mt_full *f, const struct mt_cfi_rule *rule,
		  uint64_t cfa, unsigned int i, uint64_t *value)
{
	uint64_t at;

	switch (rule->how) {
	case MT_CFI_SAME:
		*value = f->reg[i];
		return true;
	case MT_CFI_OFFSET:
		return read_stack(f, cfa + (uint64_t)rule->offset, value);
	case MT_CFI_VALUE:
		*value = cfa + (uint64_t)rule->offset;
		return true;
	case MT_CFI_REGISTER:
		*value = rule->offset < MT_REGS ? f->reg[rule->offset] : 0;
		return true;
	case MT_CFI_EXPRESSION:
		return mt_cfi_evaluate(rule->code, rule->end, f->reg, &cfa,
				       read_stack, f, &at) &&
		       read_stack(f, at, value);
	case MT_CFI_VALUE_EXPRESSION:
		return mt_cfi_evaluate(rule->code, rule->end, f->reg, &cfa,
				       read_stack, f, value);
	default:
		*value = 0;
		return true;
	}
}

bool mt_full_step(struct mt_full *f, const struct mt_cfi_row *row)
{
	uint64_t next[MT_REGS], cfa;

	if (row->rule[MT_REG_PC].how == MT_CFI_UNDEFINED ||
	    row->rule[MT_REG_PC].how == MT_CFI_SAME)
		return false;
	if (row->cfa_code) {
		if (!mt_cfi_evaluate(row->cfa_code, row->cfa_end, f->reg, NULL,
				     read_stack, f, &cfa))
			return false;
	} else if (row->cfa_register < MT_REGS) {
		cfa = f->reg[row->cfa_register] + (uint64_t)row->cfa_offset;
	} else {
		return false;
	}
	for (unsigned int i = 0; i < MT_REGS; i++)
		if (!apply(f, &row->rule[i], cfa, i, &next[i]))
			return false;
	if (row->rule[MT_REG_SP].how == MT_CFI_SAME)
		next[MT_REG_SP] = cfa;
	memcpy(f->reg, next, sizeof(next));
	return next[MT_REG_PC] != 0;
}

bool mt_full_guess(struct mt_full *f)
{
	uint64_t bp = f->reg[MT_REG_BP];

	if (bp < f->reg[MT_REG_SP] || (bp & 7) ||
	    !read_stack(f, bp + 8, &f->reg[MT_REG_PC]) ||
	    !read_stack(f, bp, &f->reg[MT_REG_BP]))
		return false;
	f->reg[MT_REG_SP] = bp + 16;
	return f->reg[MT_REG_PC] != 0;
}
