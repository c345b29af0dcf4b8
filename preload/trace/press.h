/* SPDX-License-Identifier: MIT */
/*
 * Between columns of bytes and a segment as it is in the file: zstd. Several
 * threads press at once, each with what memory that takes, on a stack of its
 * own.
 */
#ifndef PRELOAD_PRESS_H
#define PRELOAD_PRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <memtrace/model.h>

/* The most raw bytes of a column, and of a segment in the file. */
#define MT_JOURNAL_COLUMN_BYTES (64u * 1024)
#define MT_PRESSED_BYTES (MT_JOURNAL_COLUMN_BYTES * MT_COLUMNS + 8192)

struct mt_bytes {
	const void *data;
	size_t bytes;
};

struct mt_pressing {
	/* What the records are; sizes, magics and check are filled in. */
	struct mt_segment *head;
	const struct mt_bytes *extra; /* goes behind the head; NULL: nothing */
	const struct mt_bytes *columns;
	unsigned int count; /* of them */
	int level;	    /* zstd's, the same in each call until a reset */
	/* Write the segment, a multiple of 8 bytes; 0 or -errno. */
	int (*write)(const struct mt_segment *head, const uint8_t *segment,
		     size_t bytes);
};

/* Make a segment, and have it written; 0, -ENOMEM, or what write() returned.
 * Context: seal. */
int mt_press(const struct mt_pressing *what);

/*
 * Decompress the MT_COLUMNS columns of events in [at, end), each to its
 * MT_JOURNAL_COLUMN_BYTES of `buffer`. False: they are damaged, or memory is
 * out. One thread at a time. Context: seal.
 */
bool mt_unpress(const uint8_t *at, const uint8_t *end, uint8_t *buffer,
		struct mt_columns *columns);

/* Forget all presses: other threads, which are not here in a forked child, may
 * have been at work in them. Context: init. */
void mt_press_reset(void);

#endif
