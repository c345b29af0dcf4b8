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

#include "sys.h"

/* The image, and the sums of the step that has begun. */
extern MT_OURS struct mt_image *mt_image;
extern MT_OURS struct mt_image_sums *mt_sums;

/* The number of the step that has begun, or begins next. */
extern MT_OURS uint32_t mt_image_step;

/* What an image has at first. */
#define MT_IMAGE_FIRST_BYTES (8ull * MT_IMAGE_CHUNK_BYTES)

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

/* Where the space begins. */
extern MT_OURS uint8_t *mt_image_base;

/* Return a block's place by its number. */
static inline struct mt_image_block *mt_image_block(uint32_t i)
{
	return (struct mt_image_block *)(mt_image_base + MT_IMAGE_BLOCKS) + i;
}

/* Return the bucket of an address: it is that until mt_image_spread(). */
static inline uint32_t *mt_image_bucket_of(uint64_t address)
{
	return (uint32_t *)(mt_image_base + MT_IMAGE_BUCKETS) +
	       mt_image_bucket(address, mt_sums->buckets);
}

/*
 * Return where the number of the live block at an address stands, or at the
 * end of its bucket, where 0 stands, when there is none. Valid until the next
 * block is entered or taken out. Context: seal.
 */
static inline uint32_t *mt_image_link(uint32_t *bucket, uint64_t address)
{
	while (*bucket && mt_image_block(*bucket)->address != address)
		bucket = &mt_image_block(*bucket)->next;
	return bucket;
}

/* Enter a block where a link ends, and return it: all but `next`, which is
 * not the caller's, is to be filled in. */
struct mt_image_block *mt_image_insert(uint32_t *link);

/* Let the table grow with the blocks that were entered. */
void mt_image_spread(void);

/* Take the block that a link leads to out: it stays as it is in this step. */
void mt_image_remove(uint32_t *link);

/* Return the row of a stack that has none, or that this step has not changed
 * yet, ready to be changed. */
struct mt_image_row *mt_image_open_row(uint32_t node);

/* Return the row of a stack, ready to be changed; mt_image_reserve() made sure
 * that it can be. */
static inline struct mt_image_row *mt_image_row(uint32_t node)
{
	uint32_t i = ((uint32_t *)(mt_image_base + MT_IMAGE_ROW_OF))[node];
	struct mt_image_row *r =
		(struct mt_image_row *)(mt_image_base + MT_IMAGE_ROWS) + i;

	return i && r->step == mt_image_step ? r : mt_image_open_row(node);
}

/* Return a thread, entered when it is new, ready to be changed; NULL: there
 * is no room. */
struct mt_image_thread *mt_image_thread(uint32_t place);
uint32_t mt_image_thread_place(uint32_t index);

/* Give a thread's place to another: all of it is folded and retired. */
void mt_image_thread_end(uint32_t place);

/* Return about how many bytes of the trace the image will take. */
uint64_t mt_image_sealed_bytes(void);

/*
 * Append the image to the trace, at its end. False: it could not be.
 * Context: seal.
 */
bool mt_image_seal(void);

#endif
