/* SPDX-License-Identifier: MIT */
/*
 * A trace that carries its names to another machine.
 */
#ifndef ANALYZER_SYMBOLIZE_H
#define ANALYZER_SYMBOLIZE_H

#include "sym.h"
#include "trace.h"

/*
 * Write the trace to `out` with the names of all its code addresses in it.
 * Names that it carries stay where no better ones are to be had. What the
 * live file holds, of a process that was killed or still runs, goes to
 * `out`.live. -1 and `e` filled, nothing written, when that can't be done.
 */
int symbolize_write(struct trace *t, const struct sym_options *o,
		    const char *out, struct error *e);

#endif
