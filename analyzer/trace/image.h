/* SPDX-License-Identifier: MIT */
/*
 * The heap image of a bounded trace: what its recorder made of the events that
 * are no longer there. memtrace/image.h says what is in it.
 */
#ifndef ANALYZER_IMAGE_H
#define ANALYZER_IMAGE_H

#include <memtrace/image.h>

#include "trace.h"

struct image {
	struct mt_image head;	    /* sums[0] is the copy that counts */
	struct mt_image_sums *sums; /* that one */
	uint8_t **chunk;	    /* NULL: zeros */
};

/* Return the clock value from which on the events of a trace are there; 0: it
 * has all of them. */
uint64_t image_clock(const struct trace *t);

/* Row `i` of the image, from 1 on, below sums->rows. */
struct mt_image_row image_row(const struct image *m, uint32_t i);

/* Thread `i` of the image, below sums->threads; its index may be
 * MT_NO_THREAD. */
struct mt_image_thread image_thread(const struct image *m, uint32_t i);

/* Show each live block. */
void image_blocks(const struct image *m,
		  void (*each)(void *context, const struct mt_image_block *b),
		  void *context);

#endif
