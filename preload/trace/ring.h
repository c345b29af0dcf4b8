/* SPDX-License-Identifier: MIT */
/*
 * Where in a trace that is bounded the next segment goes. Pure: no file, no
 * lock; the journal owns both.
 *
 * The file is a ring once it has reached its bound. A place to write at goes
 * round and takes over what it meets: space, and segments of events that are
 * in the heap image by then. Definitions are never given up: the place jumps
 * over them, and the bound grows by what they take. Behind the place lie the
 * newest segments, before it the oldest, so one queue holds them all in the
 * order in which it will meet them.
 */
#ifndef PRELOAD_RING_H
#define PRELOAD_RING_H

#include <stdbool.h>
#include <stdint.h>

enum mt_ring_state {
	MT_RING_WRITING, /* claimed, not yet what it will be */
	MT_RING_PINNED,	 /* definitions */
	MT_RING_EVENTS,
	MT_RING_LAST, /* of the end of the trace */
	MT_RING_FREE, /* space: of no use any more */
	MT_RING_END,  /* no segment: the file ends here */
};

struct mt_ring_frame {
	uint64_t offset, bytes; /* in the file */
	uint64_t first;		/* events: number of its first */
	uint64_t next;		/* number of the next frame of the thread */
	uint64_t base_time;
	uint32_t thread, count; /* events */
	uint8_t tick_shift;
	uint8_t state; /* enum mt_ring_state */
};

struct mt_ring {
	uint64_t bound;	   /* bytes of the file, definitions left out */
	uint64_t pinned;   /* bytes of definitions */
	uint64_t at, end;  /* the space in which the next segment goes */
	uint64_t tail;	   /* where the file grows: `at` while it does */
	uint64_t file_end; /* behind what is reserved there */
	uint64_t free;	   /* bytes of frames that are free */
	bool wrapped;	   /* it does not grow now */
	/* The queue: frames are numbered from 1; a power of two of room. */
	struct mt_ring_frame *frame;
	uint64_t room, front, back;
};

enum mt_ring_place {
	MT_RING_PLACED,	 /* at `at`, in one piece of space up to `end` */
	MT_RING_GROW,	 /* at `at`: the file has to grow there */
	MT_RING_BLOCKED, /* the next segment holds events not yet folded */
};

/*
 * Take note of where the file grows and ends by now: another process may have
 * appended. What is between is pinned. Context: seal.
 */
void mt_ring_follow(struct mt_ring *r, uint64_t tail, uint64_t file_end);

/*
 * Find the place for `bytes`. With MT_RING_PLACED all of [at, end) is space.
 * Definitions that lie in the way move to the back of the queue, which needs
 * room for three frames more at all times. Context: seal.
 */
enum mt_ring_place mt_ring_find(struct mt_ring *r, uint64_t bytes);

/*
 * The file cannot grow: go on at its beginning, and try again when its end
 * is reached once more. The queue needs room for a frame. Context: seal.
 */
void mt_ring_wrap(struct mt_ring *r);

/*
 * Find free frames that follow each other in the file, of `bytes` or more, and
 * pin them as the one that is returned: nothing is written there any more.
 * NULL: there are none. Context: seal.
 */
const struct mt_ring_frame *mt_ring_give_up(struct mt_ring *r, uint64_t bytes);

/*
 * Take the first `bytes` of the place for a frame, which goes to the back of
 * the queue. Returns where the file grows from then on.
 */
uint64_t mt_ring_take(struct mt_ring *r, uint64_t bytes,
		      struct mt_ring_frame *frame);

/* Return a frame, which must be in the queue. */
static inline struct mt_ring_frame *mt_ring_frame(const struct mt_ring *r,
						  uint64_t number)
{
	return &r->frame[number & (r->room - 1)];
}

/* Add a frame at the back, for which there must be room; its number. */
static inline uint64_t mt_ring_push(struct mt_ring *r,
				    const struct mt_ring_frame *f)
{
	*mt_ring_frame(r, r->back) = *f;
	return r->back++;
}

/* Return the bound, or what the file has if it could not grow up to that. */
static inline uint64_t mt_ring_bytes(const struct mt_ring *r)
{
	return r->wrapped && r->file_end < r->bound ? r->file_end : r->bound;
}

/*
 * Return the bytes that may be written before a segment has to be folded. What
 * is free counts before the file is a ring, too: it is what comes next.
 */
static inline uint64_t mt_ring_left(const struct mt_ring *r)
{
	uint64_t most = r->bound + r->pinned;

	if (r->wrapped)
		return r->end - r->at + r->free;
	return (r->at < most ? most - r->at : 0) + r->free;
}

#endif
