/* SPDX-License-Identifier: MIT */
/*
 * Addresses that no allocator gives: data of modules, the stack, nothing.
 */
#ifndef ANALYZER_NOBLOCK_H
#define ANALYZER_NOBLOCK_H

#include "trace.h"

/*
 * Return what is at an address where no block of the heap can begin, for
 * people, and in `*module` the path of the module that it is data of (else
 * NULL). NULL: a block may begin there.
 */
const char *noblock_at(const struct trace *t, uint64_t address,
		       const char **module);

#endif
