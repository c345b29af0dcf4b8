/* SPDX-License-Identifier: MIT */
/*
 * What the trace of the process that one forked from knows of it: a file of
 * that name beside the child's, else where it was recorded.
 */
#ifndef ANALYZER_PARENT_H
#define ANALYZER_PARENT_H

#include "trace.h"

/*
 * Return the name of the test that was running when a process was forked,
 * by its parent or the parent's parents. NULL: there was none, or their
 * traces are not to be found. Free it.
 */
char *parent_test(const struct trace *t);

#endif
