/* SPDX-License-Identifier: MIT */
/*
 * Steps outward with all registers, by any rule that tables can have: for the
 * frames that the unwinder's short rules do not fit.
 */
#ifndef PRELOAD_FULL_H
#define PRELOAD_FULL_H

#include "cfi.h"
#include "extent.h"

struct mt_full {
	struct mt_extents *extents; /* what may be read */
	uint64_t reg[MT_REGS];
};

/* Step by a row; false: that was the outermost frame. Context: hook. */
bool mt_full_step(struct mt_full *f, const struct mt_cfi_row *row);

/* Step over code without tables, by its frame pointer; false: likewise.
 * Context: hook. */
bool mt_full_guess(struct mt_full *f);

#endif
