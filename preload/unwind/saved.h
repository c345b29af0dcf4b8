/* SPDX-License-Identifier: MIT */
/*
 * The registers that the program had when it called into libc, or into us.
 * Functions leave some as they found them, and save them for that on the stack;
 * their tables say where.
 */
#ifndef PRELOAD_SAVED_H
#define PRELOAD_SAVED_H

#include <stdbool.h>
#include <stdint.h>

#include "arch.h"

/* Registers, by their DWARF numbers, and which of them are known: a bit each.
 * pc and sp always are. */
struct mt_saved {
	uint64_t reg[MT_REGS];
	uint32_t known;
};

/*
 * Go outward to the program's innermost frame, over all frames that are not the
 * program's. What the kernel does not show of a thread is known afterwards if
 * it was saved on the way. Memory is read by the descriptor `mem`. False: the
 * way was not found. Context: seal.
 */
bool mt_saved_find(int mem, struct mt_saved *saved);

#endif
