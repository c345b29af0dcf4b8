/* SPDX-License-Identifier: MIT */
/*
 * Shows that code addresses are found by module, each once, and are looked up
 * before their return.
 */
#include <stdlib.h>

#include "pcs.h"
#include "suite.h"

#define MODULES 7
#define PCS 1000

START_TEST(sorts_by_module)
{
	struct mt_pc pc[PCS];
	bool seen[PCS] = {false};
	struct pcs p;
	size_t found = 0;

	srand((unsigned int)_i);
	for (int i = 0; i < PCS; i++)
		pc[i] = (struct mt_pc){
			.pc = (uint64_t)i,
			.module = rand() % 9 ? (uint32_t)(rand() % (_i + 1))
					     : MT_NO_MODULE,
		};
	pcs_index(&p, pc, PCS, MODULES);
	for (uint32_t m = 0; m < MODULES; m++) {
		ck_assert_uint_le(p.start[m], p.start[m + 1]);
		for (uint32_t i = p.start[m]; i < p.start[m + 1]; i++) {
			ck_assert_uint_eq(pc[p.order[i]].module, m);
			ck_assert(!seen[p.order[i]]);
			seen[p.order[i]] = true;
			found++;
		}
	}
	for (int i = 0; i < PCS; i++)
		found += pc[i].module >= MODULES;
	ck_assert_uint_eq(found, PCS);
	ck_assert_uint_eq(p.start[0], 0);
	pcs_free(&p);
}
END_TEST

START_TEST(looks_up_the_call)
{
	struct mt_pc call = {.pc = 0x1005}, exact = {0x1005, 0, MT_PC_EXACT};

	ck_assert_uint_eq(pcs_address(&call, 0x1000), 4);
	ck_assert_uint_eq(pcs_address(&exact, 0x1000), 5);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_loop_test(c, sorts_by_module, 0, 12);
	tcase_add_test(c, looks_up_the_call);
}

int main(void)
{
	return suite_main("pcs", add);
}
