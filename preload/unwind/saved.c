/* SPDX-License-Identifier: MIT */
/* The registers that the program had; see saved.h. */
#include "saved.h"

#include "cfi.h"
#include "modules.h"
#include "rules.h"
#include "sys.h"

/* Frames between the program and where it stopped are fewer. */
#define MAX_FRAMES 32

/* Take from memory what a frame saved. */
static bool restore(int mem, const struct mt_cfi_row *row, uint64_t cfa,
		    struct mt_saved *saved)
{
	for (int reg = 0; reg < MT_REGS; reg++) {
		const struct mt_cfi_rule *rule = &row->rule[reg];

		if (rule->how != MT_CFI_OFFSET)
			continue;
		if (sys_pread(mem, &saved->reg[reg], sizeof(saved->reg[reg]),
			      cfa + (uint64_t)rule->offset) !=
		    sizeof(saved->reg[reg]))
			return false;
		saved->known |= 1u << reg;
	}
	saved->reg[MT_REG_SP] = cfa;
	return true;
}

/* Go outward by one frame; `first`: its pc is no return address. */
static bool step(int mem, const struct mt_module *m, bool first,
		 struct mt_saved *saved)
{
	struct mt_cfi_row row;
	uint64_t pc = saved->reg[MT_REG_PC] - !first;

	if (!mt_cfi_row(&m->cfi, pc, &row) || row.cfa_code ||
	    row.cfa_register >= MT_REGS || row.signal_frame ||
	    !(saved->known & 1u << row.cfa_register))
		return false;
	return restore(mem, &row,
		       saved->reg[row.cfa_register] + (uint64_t)row.cfa_offset,
		       saved);
}

static bool find(int mem, struct mt_saved *saved)
{
	saved->known |= 1u << MT_REG_PC | 1u << MT_REG_SP;
	for (int i = 0; i < MAX_FRAMES; i++) {
		const struct mt_module *m =
			mt_module_find(saved->reg[MT_REG_PC]);

		if (!m || !mt_module_is_own(m))
			return true;
		if (!step(mem, m, i == 0, saved))
			return false;
	}
	return false;
}

bool mt_saved_find(int mem, struct mt_saved *saved)
{
	struct sys_signals old = sys_lock(&mt_tables_lock);
	bool found = find(mem, saved);

	sys_unlock(&mt_tables_lock, old);
	return found;
}
