/* SPDX-License-Identifier: MIT */
/*
 * What a program that was written for LSan wishes of a leak checker: the
 * functions that it may define, and $LSAN_OPTIONS.
 */
#ifndef PRELOAD_WISHES_H
#define PRELOAD_WISHES_H

#include <stdbool.h>
#include <stddef.h>

/* Whether it wants no check at its end. Context: any. */
bool mt_wishes_no_check(void);

/* Its suppressions, a line each, or NULL. Context: any. */
const char *mt_wishes_suppressions(void);

/* Write the path of the file with more of them; false: there is none, or it
 * is longer than `size`. Context: any. */
bool mt_wishes_file(char *to, size_t size);

/* The status to end with when there are leaks. Context: any. */
int mt_wishes_exit_code(void);

#endif
