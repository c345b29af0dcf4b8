/* SPDX-License-Identifier: MIT */
/*
 * Names for code that a JIT compiler made, which is in no module: perf's
 * perf-PID.map, lines of START SIZE NAME.
 *
 * It is looked for beside the trace, in /tmp below the sysroot and in /tmp.
 * It must belong to the user or to root, as perf has it, or to whom the trace
 * belongs to; and one that was last written before the recording began is
 * another process's.
 */
#ifndef ANALYZER_PERFMAP_H
#define ANALYZER_PERFMAP_H

#include <stdint.h>

#include "trace.h"

struct perfmap;

/* Read the map of the process that was traced; NULL: there is none. */
struct perfmap *perfmap_open(const struct trace *t, const char *sysroot);

void perfmap_free(struct perfmap *m);

/*
 * Return the name of the code at an address, NULL: not known. Where entries
 * overlap the last one counts. It lives as long as the map.
 */
const char *perfmap_find(const struct perfmap *m, uint64_t address);

#endif
