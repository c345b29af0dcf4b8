/* SPDX-License-Identifier: MIT */
/* Where in a bounded trace the next segment goes; see ring.h. */
#include "ring.h"

#include <stddef.h>

/* The most bytes of one piece of space: its size has 32 bits. */
#define MOST_SPACE (1ull << 30)

/* Move the first frame to the back: the place has passed it. */
static void pass(struct mt_ring *r, const struct mt_ring_frame *f)
{
	struct mt_ring_frame copy = *f;

	r->front++;
	mt_ring_push(r, &copy);
}

void mt_ring_follow(struct mt_ring *r, uint64_t tail, uint64_t file_end)
{
	struct mt_ring_frame f = {
		.offset = r->tail,
		.bytes = tail - r->tail,
		.state = MT_RING_PINNED,
	};

	r->pinned += f.bytes;
	/* Once it does not grow, that is behind the end of the ring. */
	if (f.bytes && !r->wrapped) {
		mt_ring_push(r, &f);
		r->at = r->end = tail;
	}
	r->tail = tail;
	r->file_end = file_end;
}

uint64_t mt_ring_take(struct mt_ring *r, uint64_t bytes,
		      struct mt_ring_frame *frame)
{
	frame->offset = r->at;
	frame->bytes = bytes;
	if (frame->state == MT_RING_PINNED)
		r->pinned += bytes;
	mt_ring_push(r, frame);
	r->at += bytes;
	if (!r->wrapped)
		r->tail = r->at;
	return r->tail;
}

/* The ring's end is none any more: the file grows behind it, and behind what
 * others have appended there. */
static void open_end(struct mt_ring *r, struct mt_ring_frame *f)
{
	f->state = r->tail > f->offset ? MT_RING_PINNED : MT_RING_FREE;
	f->bytes = r->tail - f->offset;
	r->at = r->end = r->tail;
	r->wrapped = false;
}

/* The ring's end is reached: grow again if definitions allow it, or go on at
 * the beginning. True: grow. */
static bool turn(struct mt_ring *r, struct mt_ring_frame *f)
{
	bool grow = r->file_end < r->bound + r->pinned;

	if (grow)
		open_end(r, f);
	pass(r, f);
	if (!grow)
		r->at = r->end = 0;
	return grow;
}

/* All there is are pieces that are too small: go on at the file's end. */
static enum mt_ring_place extend(struct mt_ring *r)
{
	for (uint64_t n = r->front; n < r->back; n++)
		if (mt_ring_frame(r, n)->state == MT_RING_END)
			open_end(r, mt_ring_frame(r, n));
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

void mt_ring_wrap(struct mt_ring *r)
{
	struct mt_ring_frame end = {
		.offset = r->file_end,
		.state = MT_RING_END,
	};

	r->tail = r->file_end;
	mt_ring_push(r, &end);
	r->wrapped = true;
	r->at = r->end = 0;
}

enum mt_ring_place mt_ring_find(struct mt_ring *r, uint64_t bytes)
{
	if (!r->wrapped) {
		if (r->at + bytes <= r->bound + r->pinned)
			return MT_RING_GROW;
		mt_ring_wrap(r);
	}
	return find_in_ring(r, bytes);
}

/* Make one pinned frame of frames [first, last], which are free. The others
 * are left without a byte, at its end, and vanish when they are met. */
static const struct mt_ring_frame *pin(struct mt_ring *r, uint64_t first,
				       uint64_t last, uint64_t bytes)
{
	struct mt_ring_frame *f = mt_ring_frame(r, first);

	for (uint64_t n = first + 1; n <= last; n++) {
		mt_ring_frame(r, n)->offset = f->offset + bytes;
		mt_ring_frame(r, n)->bytes = 0;
	}
	f->bytes = bytes;
	f->state = MT_RING_PINNED;
	r->free -= bytes;
	r->pinned += bytes;
	return f;
}

const struct mt_ring_frame *mt_ring_give_up(struct mt_ring *r, uint64_t bytes)
{
	uint64_t first = r->front, sum = 0, end = 0;

	for (uint64_t n = r->front; n < r->back; n++) {
		const struct mt_ring_frame *f = mt_ring_frame(r, n);

		if (!sum || f->state != MT_RING_FREE || f->offset != end) {
			first = n;
			sum = 0;
		}
		if (f->state == MT_RING_FREE)
			sum += f->bytes;
		end = f->offset + f->bytes;
		if (sum >= bytes)
			return pin(r, first, n, sum);
	}
	return NULL;
}
