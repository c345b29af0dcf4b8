/* SPDX-License-Identifier: MIT */
/* The variable $MEMTRACE, which a hook may need before libc has read any. */
#ifndef PRELOAD_VARIABLE_H
#define PRELOAD_VARIABLE_H

#include <stdbool.h>
#include <stddef.h>

/* Read it; "" when it is not set. Context: init. */
void mt_variable_read(char *options, size_t size);

/*
 * With follow=0, tell exec'd children that they are ones: their environment
 * is a copy of ours, so the first letter of the value becomes '-'. It is our
 * own variable, and the only thing of the program's that we ever change.
 * Context: init.
 */
void mt_variable_mark_followers(void);

/* Whether options are those of such a child. */
bool mt_variable_is_followers(const char *options);

#endif
