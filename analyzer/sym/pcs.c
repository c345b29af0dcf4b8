/* SPDX-License-Identifier: MIT */
/* Code addresses by module; see pcs.h. */
#include "pcs.h"

#include <stdlib.h>

#include "util.h"

void pcs_index(struct pcs *p, const struct mt_pc *pc, size_t n, size_t modules)
{
	uint32_t *end;

	p->order = util_alloc(n, sizeof(*p->order));
	p->start = util_alloc(modules + 2, sizeof(*p->start));
	/* Counted two further on; after the sums, each moves up by one. */
	end = p->start + 1;
	for (size_t i = 0; i < n; i++)
		if (pc[i].module < modules)
			end[pc[i].module + 1]++;
	for (size_t i = 1; i <= modules; i++)
		end[i] += end[i - 1];
	for (size_t i = 0; i < n; i++)
		if (pc[i].module < modules)
			p->order[end[pc[i].module]++] = (uint32_t)i;
}

void pcs_free(struct pcs *p)
{
	free(p->order);
	free(p->start);
}

void pcs_fetch(const struct pcs *p, const struct mt_pc *pc, uint32_t module,
	       uint64_t bias, struct sym *s, size_t number)
{
	const uint32_t *order = p->order + p->start[module];
	size_t n = p->start[module + 1] - p->start[module];
	uint64_t *addresses = util_alloc(n, sizeof(*addresses));

	for (size_t i = 0; i < n; i++)
		addresses[i] = pcs_address(&pc[order[i]], bias);
	sym_prefetch(s, number, addresses, n);
	free(addresses);
}
