/* SPDX-License-Identifier: MIT */
/*
 * Memory for the recorder's own tables: given once, returned all together.
 */
#ifndef PRELOAD_ARENA_H
#define PRELOAD_ARENA_H

#include <stddef.h>

/*
 * Return `size` zeroed bytes, aligned to 16, or NULL. Context: hook, the
 * tables' lock held.
 */
void *mt_arena_alloc(size_t size);

/* Give everything back: of a forked child, before it starts anew. */
void mt_arena_reset(void);

#endif
