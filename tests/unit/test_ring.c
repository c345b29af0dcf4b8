/* SPDX-License-Identifier: MIT */
/*
 * Where segments go in a bounded trace: never over one that is still needed,
 * always within the bound and what definitions take, and round and round.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "ring.h"
#include "suite.h"

#define UNIT 8		 /* bytes are multiples of it */
#define BOUND (64 << 10) /* bytes */
#define MOST (4 * BOUND) /* of the file */
#define ROOM 8192	 /* frames in the queue */
#define PAGE 4096

/* Whose each unit of the file is: 0 nobody's, else a frame's number. */
static uint64_t owner[MOST / UNIT];
static struct mt_ring ring;
static uint64_t disk; /* bytes that the file can have */
static uint64_t seed;

static uint32_t draw(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

static void setup(void)
{
	seed = 4711;
	disk = MOST;
	memset(owner, 0, sizeof(owner));
	ring = (struct mt_ring){
		.bound = BOUND,
		.front = 1,
		.back = 1,
		.room = ROOM,
		.frame = calloc(ROOM, sizeof(struct mt_ring_frame)),
	};
}

static void teardown(void)
{
	free(ring.frame);
}

/* Place a segment as the journal does; false: something is to be folded. */
static bool place(uint64_t bytes, enum mt_ring_state state)
{
	enum mt_ring_place found = mt_ring_find(&ring, bytes);
	struct mt_ring_frame f = {.state = (uint8_t)state};

	if (found == MT_RING_GROW && ring.at + bytes > disk) {
		mt_ring_wrap(&ring);
		found = mt_ring_find(&ring, bytes);
	}
	if (found == MT_RING_BLOCKED)
		return false;
	if (found == MT_RING_GROW) {
		while (ring.file_end < ring.at + bytes)
			ring.file_end += PAGE;
	} else {
		ck_assert_uint_ge(ring.end - ring.at, bytes);
		ck_assert_uint_le(ring.end, ring.file_end);
	}
	mt_ring_take(&ring, bytes, &f);
	ck_assert_uint_le(ring.back - ring.front, ROOM - 1);
	for (uint64_t i = f.offset; i < f.offset + bytes; i += UNIT) {
		ck_assert_uint_eq(owner[i / UNIT], 0);
		owner[i / UNIT] = ring.back - 1;
	}
	return true;
}

/* Free the oldest segment of events. */
static void free_oldest(void)
{
	for (uint64_t n = ring.front; n < ring.back; n++) {
		struct mt_ring_frame *f = mt_ring_frame(&ring, n);

		if (f->state != MT_RING_EVENTS)
			continue;
		f->state = MT_RING_FREE;
		ring.free += f->bytes;
		for (uint64_t i = f->offset; i < f->offset + f->bytes;
		     i += UNIT)
			owner[i / UNIT] = 0;
		return;
	}

	ck_abort_msg("nothing is left to be freed");
}

/* The bytes that frames of a state have. */
static uint64_t bytes_of(enum mt_ring_state state)
{
	uint64_t bytes = 0;

	for (uint64_t n = ring.front; n < ring.back; n++)
		if (mt_ring_frame(&ring, n)->state == state)
			bytes += mt_ring_frame(&ring, n)->bytes;
	return bytes;
}

START_TEST(writes_over_nothing_that_is_needed)
{
	unsigned int folds = 0, pinned = 0;

	for (int i = 0; i < 20000; i++) {
		bool pin = draw(500) == 0 && pinned < 20;
		uint64_t bytes = pin ? BOUND / 64 : UNIT * (1 + draw(400));

		pinned += pin;
		while (!place(bytes, pin ? MT_RING_PINNED : MT_RING_EVENTS)) {
			free_oldest();
			folds++;
		}
		ck_assert_uint_le(ring.file_end, BOUND + ring.pinned + PAGE);
		ck_assert_uint_eq(bytes_of(MT_RING_PINNED), ring.pinned);
		ck_assert_uint_eq(bytes_of(MT_RING_FREE), ring.free);
	}
	ck_assert(ring.wrapped);
	ck_assert_uint_gt(folds, 15000);
	/* Most of the file is in use: history is as long as it can be. */
	ck_assert_uint_gt(bytes_of(MT_RING_EVENTS), BOUND * 6 / 10);
}
END_TEST

/* A full disk is a bound; when there is more again, the file grows on. */
START_TEST(goes_round_in_what_it_can_have)
{
	disk = BOUND / 4;
	for (int i = 0; i < 5000; i++) {
		while (!place(UNIT * (1 + draw(400)), MT_RING_EVENTS))
			free_oldest();
		ck_assert_uint_le(ring.file_end, disk);
		ck_assert_uint_eq(bytes_of(MT_RING_FREE), ring.free);
	}
	ck_assert(ring.wrapped);
	ck_assert_uint_eq(mt_ring_bytes(&ring), ring.file_end);
	ck_assert_uint_gt(bytes_of(MT_RING_EVENTS), disk * 6 / 10);
	disk = MOST;
	for (int i = 0; i < 5000; i++)
		while (!place(UNIT * (1 + draw(400)), MT_RING_EVENTS))
			free_oldest();
	ck_assert_uint_gt(ring.file_end, BOUND - PAGE);
	ck_assert_uint_eq(mt_ring_bytes(&ring), BOUND);
}
END_TEST

/* What is given up is never written to again. */
START_TEST(gives_up_what_is_free)
{
	const struct mt_ring_frame *f;
	uint64_t given = 0;

	while (place(1024, MT_RING_EVENTS))
		;
	ck_assert_ptr_null(mt_ring_give_up(&ring, 2048));
	for (int i = 0; i < 20000; i++) {
		for (int n = draw(8); n && ring.free < BOUND / 4; n--)
			free_oldest();
		f = given < BOUND / 2 ? mt_ring_give_up(&ring, 5000) : NULL;
		if (f) {
			ck_assert_uint_ge(f->bytes, 5000);
			given += f->bytes;
			for (uint64_t b = 0; b < f->bytes; b += UNIT) {
				uint64_t *o = &owner[(f->offset + b) / UNIT];

				ck_assert_uint_eq(*o, 0);
				*o = UINT64_MAX;
			}
		}
		while (!place(UNIT * (1 + draw(200)), MT_RING_EVENTS))
			free_oldest();
		ck_assert_uint_eq(ring.pinned, given);
		ck_assert_uint_eq(bytes_of(MT_RING_PINNED), given);
		ck_assert_uint_eq(bytes_of(MT_RING_FREE), ring.free);
	}
	ck_assert_uint_ge(given, BOUND / 2);
}
END_TEST

START_TEST(waits_for_what_is_being_written)
{
	while (place(4096, MT_RING_EVENTS))
		;
	ck_assert(ring.wrapped);
	mt_ring_frame(&ring, 1)->state = MT_RING_WRITING;
	ck_assert(!place(4096, MT_RING_EVENTS));
	mt_ring_frame(&ring, 1)->state = MT_RING_EVENTS;
	ck_assert(!place(4096, MT_RING_EVENTS));
	free_oldest();
	ck_assert(place(4096, MT_RING_EVENTS));
}
END_TEST

/* Where definitions have cut all space into pieces, the file grows. */
START_TEST(grows_when_all_pieces_are_too_small)
{
	for (int i = 0; i < 16; i++) {
		ck_assert(place(BOUND / 16 - 512, MT_RING_EVENTS));
		ck_assert(place(512, MT_RING_PINNED));
	}
	while (place(BOUND / 16 - 512, MT_RING_EVENTS))
		;
	ck_assert(ring.wrapped);
	for (uint64_t n = ring.front; n < ring.back; n++)
		if (mt_ring_frame(&ring, n)->state == MT_RING_EVENTS)
			free_oldest();
	ck_assert(place(BOUND / 8, MT_RING_EVENTS));
	ck_assert_uint_gt(ring.file_end, BOUND + BOUND / 8 - PAGE);
}
END_TEST

START_TEST(says_what_is_left)
{
	ck_assert_uint_eq(mt_ring_left(&ring), BOUND);
	place(4096, MT_RING_EVENTS);
	ck_assert_uint_eq(mt_ring_left(&ring), BOUND - 4096);
	place(1024, MT_RING_PINNED);
	ck_assert_uint_eq(mt_ring_left(&ring), BOUND - 4096);
	while (place(4096, MT_RING_EVENTS))
		;
	ck_assert_uint_lt(mt_ring_left(&ring), 4096);
	free_oldest();
	ck_assert_uint_ge(mt_ring_left(&ring), 4096);
}
END_TEST

START_TEST(has_no_place_among_definitions_only)
{
	while (place(4096, MT_RING_EVENTS))
		;
	for (uint64_t n = ring.front; n < ring.back; n++) {
		struct mt_ring_frame *f = mt_ring_frame(&ring, n);

		if (f->state == MT_RING_EVENTS) {
			f->state = MT_RING_PINNED;
			ring.pinned += f->bytes;
		}
	}
	/* So the bound grew by them. */
	ck_assert_int_eq(mt_ring_find(&ring, 4096), MT_RING_GROW);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, writes_over_nothing_that_is_needed);
	tcase_add_test(c, goes_round_in_what_it_can_have);
	tcase_add_test(c, gives_up_what_is_free);
	tcase_add_test(c, waits_for_what_is_being_written);
	tcase_add_test(c, grows_when_all_pieces_are_too_small);
	tcase_add_test(c, says_what_is_left);
	tcase_add_test(c, has_no_place_among_definitions_only);
}

int main(void)
{
	return suite_main("ring", add);
}
