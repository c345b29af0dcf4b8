/* SPDX-License-Identifier: MIT */
/*
 * The meta log: what a reader must know beside events and stacks.
 */
#ifndef PRELOAD_META_H
#define PRELOAD_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <memtrace/format.h>

/* Start an empty log. False: no memory. Context: init. */
bool mt_meta_init(void);

/*
 * Append a record: `head` (a struct of format.h, or nothing), then `text`
 * (may be NULL). Dropped when there is no memory. Context: hook.
 */
void mt_meta_add(enum mt_meta_type type, const void *head, size_t head_bytes,
		 const void *text, size_t text_bytes);

/* The log, of which mt_live->meta_bytes are valid. */
const uint8_t *mt_meta_log(void);

/* Put private memory where the log was; as mt_stacktab_detach(). */
void mt_meta_detach(void);

#endif
