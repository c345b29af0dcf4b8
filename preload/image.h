/* SPDX-License-Identifier: MIT */
/*
 * The heap image in the live file: memtrace/image.h as a writer sees it.
 *
 * It is changed between mt_image_begin() and mt_image_commit() only; killed
 * anywhere between them, a reader finds it as it was at the last commit. One
 * thread at a time; the caller has the lock.
 */
#ifndef PRELOAD_IMAGE_H
#define PRELOAD_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <memtrace/image.h>

/* The image, and the sums of the step that has begun. */
extern struct mt_image *mt_image;
extern struct mt_image_sums *mt_sums;

/* Make an empty image. False: no memory. Context: seal. */
bool mt_image_init(void);

/* Give its address space back, in a new run. Context: init. */
void mt_image_reset(void);

/* Begin a step, and end it. Context: seal. */
void mt_image_begin(void);
void mt_image_commit(void);

/*
 * Make sure that `events` more can be taken, and one of a stack: false when
 * there is no memory for what they may need. Context: seal.
 */
bool mt_image_reserve(uint32_t events);
bool mt_image_has_row(uint32_t node);

/* Tell whether the step should end soon. */
bool mt_image_is_step_full(void);

/* Keep `bytes` (a multiple of 8) at `p` in the image for a reader to take
 * back; they may be changed then. */
void mt_image_keep(void *p, uint32_t bytes);

/* Return the live block at an address, or NULL. Context: seal. */
struct mt_image_block *mt_image_find(uint64_t address);

/* Enter a block at an address where none is; `next` is set here. */
void mt_image_insert(const struct mt_image_block *b);

/* Take the block at an address out. */
void mt_image_remove(uint64_t address);

/* Bring what an address will need into the cache: its bucket, and later the
 * block there. */
void mt_image_prefetch_bucket(uint64_t address);
void mt_image_prefetch_block(uint64_t address);

/* Return the row of a stack, ready to be changed; mt_image_reserve() made sure
 * that it can be. */
struct mt_image_row *mt_image_row(uint32_t node);

/* Return a thread, entered when it is new, ready to be changed; NULL: there
 * is no room. */
struct mt_image_thread *mt_image_thread(uint32_t place);
uint32_t mt_image_thread_place(uint32_t index);

/* Give a thread's place to another: all of it is folded and retired. */
void mt_image_thread_end(uint32_t place);

/*
 * Append the image to the trace, at its end. False: it could not be.
 * Context: seal.
 */
bool mt_image_seal(void);

#endif
