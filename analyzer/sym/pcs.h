/* SPDX-License-Identifier: MIT */
/*
 * Code addresses by module, so that all of a module's can be looked up at
 * once.
 */
#ifndef ANALYZER_PCS_H
#define ANALYZER_PCS_H

#include "sym.h"

/* Zeroed is empty. */
struct pcs {
	uint32_t *order; /* numbers of pcs, by module */
	uint32_t *start; /* by module: its first in `order`; the end is last */
};

/* Sort `n` pcs by their modules, of which there are `modules`. */
void pcs_index(struct pcs *p, const struct mt_pc *pc, size_t n, size_t modules);

void pcs_free(struct pcs *p);

/* Return where in its module's file to look a pc up; no module: bias 0. */
static inline uint64_t pcs_address(const struct mt_pc *pc, uint64_t bias)
{
	/* A return address may be behind the end of its function. */
	return pc->pc - bias - !(pc->flags & MT_PC_EXACT);
}

/* Look up all pcs of a module, which `s` knows as `number`. */
void pcs_fetch(const struct pcs *p, const struct mt_pc *pc, uint32_t module,
	       uint64_t bias, struct sym *s, size_t number);

#endif
