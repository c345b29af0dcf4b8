/* SPDX-License-Identifier: MIT */
/* Where in a bounded trace the next segment goes; see ring.h. */
#include "ring.h"

/* The most bytes of one piece of space: its size has 32 bits. */
#define MOST_SPACE (1ull << 30)

/* Move the first frame to the back: the place has passed it. */
static void pass(struct mt_ring *r, const struct mt_ring_frame *f)
{
	struct mt_ring_frame copy = *f;

	r->front++;
	mt_ring_push(r, &copy);
}

/* The file's end is reached: grow again if definitions allow it, or go on
 * at the beginning. True: grow. */
static bool turn(struct mt_ring *r, const struct mt_ring_frame *f)
{
	if (r->file_end < r->bound + r->pinned) {
		r->at = r->end = f->offset;
		r->front++;
		r->wrapped = false;
		return true;
	}
	pass(r, f);
	r->at = r->end = 0;
	return false;
}

/* All there is are pieces that are too small: go on at the file's end. */
static enum mt_ring_place extend(struct mt_ring *r)
{
	for (uint64_t n = r->front; n < r->back; n++)
		if (mt_ring_frame(r, n)->state == MT_RING_END)
			mt_ring_frame(r, n)->state = MT_RING_FREE;
	r->at = r->end = r->file_end;
	r->wrapped = false;
	return MT_RING_GROW;
}

/* Find a place in what there is of the file. */
static enum mt_ring_place find_in_ring(struct mt_ring *r, uint64_t bytes)
{
	/* Twice round at the most: then there is no place. Once is too little,
	 * since space that the first round began in the middle of, it leaves
	 * at the file's end. */
	for (uint64_t n = 2 * (r->back - r->front) + 1; r->end - r->at < bytes;
	     n--) {
		struct mt_ring_frame *f = mt_ring_frame(r, r->front);

		if (!n)
			return extend(r);
		/* Between frames there is space only. */
		if (f->offset - r->at >= bytes) {
			r->end = f->offset;
			break;
		}
		switch (f->state) {
		case MT_RING_FREE:
			if (f->offset + f->bytes - r->at > MOST_SPACE)
				r->at = f->offset;
			r->end = f->offset + f->bytes;
			r->free -= f->bytes;
			r->front++;
			break;
		case MT_RING_PINNED:
			r->at = r->end = f->offset + f->bytes;
			pass(r, f);
			break;
		case MT_RING_END:
			if (turn(r, f))
				return MT_RING_GROW;
			break;
		default:
			return MT_RING_BLOCKED;
		}
	}
	return MT_RING_PLACED;
}

enum mt_ring_place mt_ring_find(struct mt_ring *r, uint64_t bytes)
{
	struct mt_ring_frame end = {.state = MT_RING_END};

	if (!r->wrapped) {
		if (r->at + bytes <= r->bound + r->pinned)
			return MT_RING_GROW;
		end.offset = r->file_end;
		mt_ring_push(r, &end);
		r->wrapped = true;
		r->at = r->end = 0;
	}
	return find_in_ring(r, bytes);
}
