/* SPDX-License-Identifier: MIT */
/* check: the gate over all traces that are named. */
#ifndef ANALYZER_VIEW_CHECK_H
#define ANALYZER_VIEW_CHECK_H

#include "options.h"
#include "table.h"

/*
 * Judge the traces that the arguments name. Returns the exit status; or -1
 * with `e` filled, and the file that it is about in `*path`.
 */
int check_run(const struct options *o, const struct table_style *style,
	      char *const *arguments, size_t n, const char **path,
	      struct error *e);

#endif
