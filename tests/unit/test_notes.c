/* SPDX-License-Identifier: MIT */
/*
 * Shows what a program's notes mean at a scan: which blocks are not to be
 * called leaked, by thread and by time, and which memory is a root.
 */
#include "notes.h"

#include "suite.h"

/* clock, address, bytes, note, tid; two threads, not in the order of time. */
static struct mt_meta_note said[] = {
	{10, 0, 0, MT_NOTE_IGNORE, 1},
	{20, 0, 0, MT_NOTE_HEED, 1},
	{40, 0, 0, MT_NOTE_IGNORE, 1},
	{15, 0, 0, MT_NOTE_IGNORE, 2},
	{25, 0, 0, MT_NOTE_HEED, 2},
	{26, 0, 0, MT_NOTE_HEED, 2}, /* one too many */
	{30, 0x1008, 0, MT_NOTE_BLOCK, 1},
	{31, 0x5000, 0x100, MT_NOTE_ROOT, 1},
	{32, 0x6000, 0x100, MT_NOTE_ROOT, 1},
	{33, 0x6000, 0x100, MT_NOTE_ROOT, 2},	 /* twice, */
	{34, 0x6000, 0x100, MT_NOTE_NO_ROOT, 2}, /* so still one */
	{35, 0x5000, 0x100, MT_NOTE_NO_ROOT, 1},
	{50, 0x7000, 0x100, MT_NOTE_ROOT, 1},
};

static const struct block {
	uint64_t address, size, born;
	uint32_t tid;
	bool ignored;
} blocks[] = {
	{0x9000, 8, 9, 1, false}, /* before */
	{0x9000, 8, 10, 1, true}, /* from then on */
	{0x9000, 8, 19, 1, true},
	{0x9000, 8, 20, 1, false}, /* no more */
	{0x9000, 8, 41, 1, true},  /* it goes on */
	{0x9000, 8, 10, 2, false}, /* another thread */
	{0x9000, 8, 22, 2, true},
	{0x9000, 8, 27, 2, false},
	{0x9000, 8, 15, 3, false},
	{0x1000, 16, 5, 3, true},   /* it lies in the block */
	{0x1000, 8, 5, 3, false},   /* behind it */
	{0x1008, 0, 5, 3, true},    /* of no size: one byte */
	{0x1000, 16, 31, 3, false}, /* another one, since */
};

static const struct {
	uint64_t clock, address;
	bool root;
} roots[] = {
	{33, 0x5000, true},  {33, 0x50ff, true},  {33, 0x5100, false},
	{49, 0x5000, false}, {49, 0x6000, true},  {49, 0x7000, false},
	{50, 0x7000, true},  {33, 0x4fff, false},
};

START_TEST(blocks_are_ignored)
{
	const struct block *b = &blocks[_i];
	struct trace t = {.notes = said, .note_count = COUNT(said)};
	struct notes n;

	notes_begin(&n, &t, 49);
	ck_assert(notes_ignore(&n, b->address, b->size, b->born, b->tid) ==
		  b->ignored);
	notes_free(&n);
}
END_TEST

START_TEST(regions_are_roots)
{
	struct trace t = {.notes = said, .note_count = COUNT(said)};
	struct notes n;

	notes_begin(&n, &t, roots[_i].clock);
	ck_assert(notes_is_root(&n, roots[_i].address) == roots[_i].root);
	notes_free(&n);
}
END_TEST

START_TEST(nothing_was_said)
{
	struct trace t = {0};
	struct notes n;

	notes_begin(&n, &t, 49);
	ck_assert(!notes_ignore(&n, 0x1000, 16, 5, 1));
	ck_assert(!notes_is_root(&n, 0x1000));
	notes_free(&n);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_loop_test(c, blocks_are_ignored, 0, COUNT(blocks));
	tcase_add_loop_test(c, regions_are_roots, 0, COUNT(roots));
	tcase_add_test(c, nothing_was_said);
}

int main(void)
{
	return suite_main("notes", add);
}
