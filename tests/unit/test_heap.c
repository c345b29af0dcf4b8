/* SPDX-License-Identifier: MIT */
/*
 * Shows that the table of live blocks holds exactly the blocks that were
 * entered and not taken out, also when their searches run into each other,
 * around the end of the table and while it grows; and that they can be sorted.
 */
#include <stdlib.h>

#include "heap.h"
#include "suite.h"

#define ADDRESSES 5000

static uint64_t address_of(uint32_t i, int pattern)
{
	switch (pattern) {
	case 0:
		return 0x555555560010 + i * 32ull;
	case 1:
		return 0x7f0000000000 + ((uint64_t)i << 20);
	default:
		return (i + 1) * 0x9e3779b97f4aull & 0xffffffffffff;
	}
}

START_TEST(holds_what_is_live)
{
	static bool live[ADDRESSES];
	uint32_t random = 1, count = 0;
	struct heap h;

	heap_init(&h);
	for (uint32_t step = 0; step < 200000; step++) {
		uint32_t i;
		struct heap_block *b;

		random = random * 1103515245 + 12345;
		i = (random >> 8) % (step < 100000 ? ADDRESSES : 50);
		b = heap_find(&h, address_of(i, _i));
		ck_assert_int_eq(b->address != 0, live[i]);
		if (live[i]) {
			ck_assert_uint_eq(b->size, i);
			heap_remove(&h, b);
			count--;
		} else {
			heap_insert(&h, &(struct heap_block){
						.address = address_of(i, _i),
						.size = i});
			count++;
		}
		live[i] = !live[i];
		ck_assert_uint_eq(h.count, count);
	}
	for (uint32_t i = 0; i < ADDRESSES; i++)
		ck_assert_int_eq(heap_find(&h, address_of(i, _i))->address != 0,
				 live[i]);
	heap_free(&h);
}
END_TEST

/* An event, and whether it fits a heap where only 0x1000 is live. */
static const struct {
	struct mt_event event;
	bool fits;
} events[] = {
	{{.kind = MT_MALLOC, .address = 0x1000}, false},
	{{.kind = MT_MALLOC, .address = 0x2000}, true},
	{{.kind = MT_MALLOC, .address = 0}, true},
	{{.kind = MT_FREE, .address = 0x1000}, true},
	{{.kind = MT_FREE, .address = 0x2000}, false},
	{{.kind = MT_REALLOC_FREE, .address = 0x1000}, true},
	{{.kind = MT_REALLOC_FREE, .address = 0x2000}, false},
	{{.kind = MT_REALLOC_CANCEL, .address = 0x1000}, false},
	{{.kind = MT_REALLOC_CANCEL, .address = 0x2000}, true},
	{{.kind = MT_MMAP, .address = 0x1000}, true},
	{{.kind = MT_MUNMAP, .address = 0x2000}, true},
};

START_TEST(says_what_fits)
{
	struct heap h;

	heap_init(&h);
	heap_insert(&h, &(struct heap_block){.address = 0x1000});
	ck_assert_int_eq(heap_fits(&h, &events[_i].event), events[_i].fits);
	heap_free(&h);
}
END_TEST

START_TEST(sorts_what_is_live)
{
	uint32_t n = (uint32_t)_i;
	struct heap h;

	heap_init(&h);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t j = i * 7919 % n;

		heap_insert(&h, &(struct heap_block){
					.address = address_of(j, _i % 3),
					.size = j});
	}
	heap_sort(&h);
	ck_assert_uint_eq(h.count, n);
	for (size_t i = 0; i < n; i++) {
		uint32_t j = (uint32_t)h.block[i].size;

		ck_assert_uint_eq(h.block[i].address, address_of(j, _i % 3));
		if (i)
			ck_assert_uint_gt(h.block[i].address,
					  h.block[i - 1].address);
	}
	heap_free(&h);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_loop_test(c, holds_what_is_live, 0, 3);
	tcase_add_loop_test(c, sorts_what_is_live, 0, 3);
	/* Around as many as there is room for at first. */
	tcase_add_loop_test(c, sorts_what_is_live, 2045, 2052);
	tcase_add_loop_test(c, says_what_fits, 0, COUNT(events));
}

int main(void)
{
	return suite_main("heap", add);
}
