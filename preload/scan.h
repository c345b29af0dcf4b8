/* SPDX-License-Identifier: MIT */
/*
 * A scan: what the program's memory points to, written into the trace, so that
 * the analyzer can tell blocks that are lost from those that can be reached.
 */
#ifndef PRELOAD_SCAN_H
#define PRELOAD_SCAN_H

#include <stdint.h>

#include "unwind.h"

/*
 * Scan the memory of this process and write it into the trace. `node` is the
 * stack that asked, `sp` its innermost frame of the program: what lies inside
 * of it is no root. Costs time in proportion to the memory in use, and 1.3 MiB
 * of memory. When it cannot be done, the trace says so. Context: seal.
 */
void mt_scan(uint32_t node, uint64_t sp);

#endif
