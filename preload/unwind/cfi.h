/* SPDX-License-Identifier: MIT */
/*
 * Call frame information: what .eh_frame says about one pc.
 *
 * An interpreter of DW_CFA programs and DWARF expressions (DWARF 5, 6.4 and
 * 2.5; Linux Standard Base Core, 10.6). It yields the row of the table for a
 * pc; applying it to registers is the unwinder's business, but for
 * expressions, which are evaluated here. Pure: memory is read only through
 * the table's own bytes and the caller's read function.
 */
#ifndef PRELOAD_CFI_H
#define PRELOAD_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch.h"

/* How a register of the caller is found. */
enum mt_cfi_how {
	MT_CFI_SAME,	   /* unchanged */
	MT_CFI_UNDEFINED,  /* lost; for the pc: the outermost frame */
	MT_CFI_OFFSET,	   /* in memory at CFA + offset */
	MT_CFI_VALUE,	   /* CFA + offset itself */
	MT_CFI_REGISTER,   /* in register `offset` */
	MT_CFI_EXPRESSION, /* in memory at the expression's value */
	MT_CFI_VALUE_EXPRESSION,
};

struct mt_cfi_rule {
	uint8_t how; /* enum mt_cfi_how */
	int64_t offset;
	const uint8_t *code; /* an expression and its end */
	const uint8_t *end;
};

struct mt_cfi_row {
	uint8_t cfa_register; /* unless cfa_code */
	int64_t cfa_offset;
	const uint8_t *cfa_code, *cfa_end;
	bool signal_frame; /* the caller was interrupted, it made no call */
	struct mt_cfi_rule rule[MT_REGS];
};

/* Where a module's tables are in memory. */
struct mt_cfi_table {
	const uint8_t *header; /* .eh_frame_hdr; NULL: none */
	size_t header_bytes;
	const uint8_t *start; /* the module: no read leaves it */
	const uint8_t *end;
};

/* Fill in the row for `pc`; false when the tables have none. */
bool mt_cfi_row(const struct mt_cfi_table *table, uint64_t pc,
		struct mt_cfi_row *row);

/* Read 8 bytes of the unwound program's memory; false: they are not there. */
typedef bool mt_cfi_read(void *context, uint64_t address, uint64_t *value);

/*
 * Evaluate an expression; `first` is the value it starts from, if any (the
 * CFA for the rules of registers). False when it is not understood.
 */
bool mt_cfi_evaluate(const uint8_t *code, const uint8_t *end,
		     const uint64_t reg[MT_REGS], const uint64_t *first,
		     mt_cfi_read *read, void *context, uint64_t *value);

#endif
