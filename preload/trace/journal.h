/* SPDX-License-Identifier: MIT */
/*
 * The trace file: sealed segments, appended by any thread.
 */
#ifndef PRELOAD_JOURNAL_H
#define PRELOAD_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <memtrace/model.h>

#include "press.h"
#include "ring.h"

/*
 * Create the trace; 0 or -errno. `level` is zstd's; `bound` is the most bytes
 * of its events, 0: any number. Context: init.
 */
int mt_journal_open(const char *path, int level, uint64_t bound);

/*
 * What to call when the trace is at its bound, to have the oldest events
 * folded; returns false when none can be now. NULL: nobody. Context: init.
 */
void mt_journal_when_full(bool (*fold)(void));

/*
 * Compress `columns` and append them as a segment. The caller has filled in
 * what `head` says of the records; sizes, magics, clock and check are filled
 * in here. `extra` goes behind the head. 0, or -errno when the trace cannot
 * grow: nothing of the segment is in it then. Context: seal.
 */
int mt_journal_append(struct mt_segment *head, const struct mt_bytes *extra,
		      const struct mt_bytes *columns, unsigned int count);

/*
 * Where the trace cannot grow to its bound, treat what it has as the bound:
 * whoever folds is ready to. Context: seal.
 */
void mt_journal_allow_less(void);

/* The bound, or what the trace has when it could not grow. Context: any. */
uint64_t mt_journal_bound(void);

/* Why it could not: an errno; 0: it could. Context: any. */
int mt_journal_stuck(void);

/*
 * Give `bytes` of the disk back that the trace has for events to come, if
 * there are so many of them in one piece, and enough beside. Context: seal.
 */
void mt_journal_give_up(uint64_t bytes);

/*
 * Bytes that may be appended before events have to be folded. Context: any.
 */
uint64_t mt_journal_left(void);

/*
 * Copy frame `*number` (from 1 on) of the queue of segments, or the first of
 * it when that one has left the queue. False: it is not there yet, or is still
 * being written. Context: seal.
 */
bool mt_journal_frame(uint64_t *number, struct mt_ring_frame *f);

/* The trace ends: what has no place in the ring from here on is appended to the
 * file. Context: seal. */
void mt_journal_closes(void);

/* Say which frame is the next of the thread of frame `number`. */
void mt_journal_link(uint64_t number, uint64_t next);

/* The events of a frame are folded: turn it into space. Context: seal. */
void mt_journal_free(uint64_t number);

/* A segment of events, to be decoded. */
struct mt_journal_events {
	uint8_t *buffer; /* MT_JOURNAL_READ_BYTES, the reader's */
	struct mt_columns columns;
	struct mt_segment head;
	/* The packed histogram, up to `packed_end`; until the next is read. */
	const uint8_t *packed, *packed_end;
};

#define MT_JOURNAL_READ_BYTES (MT_COLUMNS * MT_JOURNAL_COLUMN_BYTES)

/*
 * Read the events of a frame. False: they cannot be had. One thread at a
 * time. Context: seal.
 */
bool mt_journal_read(const struct mt_ring_frame *f,
		     struct mt_journal_events *events);

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
