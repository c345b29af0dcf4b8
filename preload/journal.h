/* SPDX-License-Identifier: MIT */
/*
 * The trace file: sealed segments, appended by any thread.
 */
#ifndef PRELOAD_JOURNAL_H
#define PRELOAD_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <memtrace/format.h>

/* The most raw bytes of a column that mt_journal_append() takes. */
#define MT_JOURNAL_COLUMN_BYTES (64u * 1024)

struct mt_bytes {
	const void *data;
	size_t bytes;
};

/* Create the trace; 0 or -errno. `level` is zstd's. Context: init. */
int mt_journal_open(const char *path, int level);

/*
 * Compress `columns` and append them as a segment. The caller has filled in
 * what `head` says of the records; sizes, magics, clock and check are filled
 * in here. `extra` goes behind the head. 0, or -errno when the trace cannot
 * grow: nothing of the segment is in it then. Context: seal.
 */
int mt_journal_append(struct mt_segment *head, const struct mt_bytes *extra,
		      const struct mt_bytes *columns, unsigned int count);

/* Cut off the space at the end and close. Context: seal. */
void mt_journal_close(void);

/*
 * Let a fork append as well: before it, share what it needs to share (false:
 * no memory); after it, say which it is, or 0 if none came of it; in it, say
 * whose it is, and get the descriptor to keep open. One at a time, whose end
 * is taken by nobody but through sys_reap(). Context: seal.
 */
bool mt_journal_share(void);
void mt_journal_shared(long child);
int mt_journal_in_child(unsigned int parent);

/* Append nothing: in a child forked inside a hook. Context: any. */
void mt_journal_detach(void);

/* Close what a forked child inherited. Context: init. */
void mt_journal_reset(void);

#endif
