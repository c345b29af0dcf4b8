/* SPDX-License-Identifier: MIT */
/*
 * The live file: what of a run is not yet sealed, in memory that survives it.
 *
 * Space in the file is reserved before it is mapped, so that a full disk is
 * an error here and not a SIGBUS in the program. Where a file cannot be had
 * the regions are private memory: the recording goes on, but a kill loses
 * what is not sealed.
 */
#ifndef PRELOAD_LIVE_H
#define PRELOAD_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include <memtrace/format.h>

#include "sys.h"

/* The head; all counters of it are the owners' of the streams to write. */
extern MT_OURS struct mt_live *mt_live;

/*
 * Create `path` and its head. False: no memory, not even private. When the
 * file cannot be had, *error is the errno and the head is private.
 * Context: init.
 */
bool mt_live_open(const char *path, int *error);

/*
 * Add a region, at `at` or anywhere; of private memory when the file cannot
 * grow (the disk is full, its directory is). NULL: no memory. Context: hook.
 */
void *mt_live_region(enum mt_region_type type, void *at, uint64_t bytes);

/*
 * The same for a chunk of the heap image, whose place in it is `index`.
 */
void *mt_live_chunk(uint32_t index, void *at, uint64_t bytes);

#define MT_LIVE_PIECE_BYTES (128u * 1024)

/*
 * Have so many bytes more on the disk for regions to come, whatever becomes of
 * it meanwhile. False: there is no file, or the disk is full; the next time
 * goes on from what could be had. Context: seal.
 */
bool mt_live_reserve(uint64_t bytes);

/* Whether a kill loses what is not sealed, all of it or some. */
bool mt_live_is_partial(void);

/* mt_live_region() for an array that grows; see stacktab.h. */
void *mt_live_grow(enum mt_stream stream, uint64_t bytes);

/* Close the file, and remove it or not; the mappings stay. Context: seal. */
void mt_live_close(bool keep);

/* Close what a forked child inherited. Context: init. */
void mt_live_reset(void);

/* Put private memory where the head was; as mt_stacktab_detach(). */
void mt_live_detach(void);

#endif
