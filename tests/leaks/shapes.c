/* SPDX-License-Identifier: MIT */
/* How blocks hang together, and how they were made. */
#define _GNU_SOURCE
#include "case.h"

#include <malloc.h>

/* Expect: definite 1 block 32 bytes in make */
CASE(lose_one)
{
	make(32);
}

/* Expect: definite 7 blocks 448 bytes in make */
CASE(lose_seven)
{
	for (int i = 0; i < 7; i++)
		make(64);
}

/* Expect: definite 1 block 32 bytes in make; indirect 9 blocks 288 bytes */
CASE(lose_list)
{
	list(10, 32);
}

/* Expect: definite 1 block 48 bytes in make; indirect 14 blocks 672 bytes */
CASE(lose_tree)
{
	tree(4, 48);
}

/* Expect: definite 1 block 40 bytes in make; indirect 3 blocks 120 bytes */
CASE(lose_ring)
{
	ring(4, 40);
}

/* Expect: definite 1 block 40 bytes in make */
CASE(lose_ring_of_one)
{
	ring(1, 40);
}

/* Expect: definite 2 blocks 80 bytes in make; indirect 4 blocks 160 bytes */
CASE(lose_two_rings)
{
	ring(3, 40);
	ring(3, 40);
}

/* Expect: definite 1 block 24 bytes in make; indirect 3 blocks 120 bytes */
CASE(lose_head_of_ring)
{
	*(void **)make(24) = ring(3, 40);
}

/* Expect: definite 2 blocks 48 bytes in make; indirect 1 block 40 bytes */
CASE(lose_two_owners)
{
	void **a = make(24), **b = make(24);

	*a = *b = make(40);
}

/* Expect: definite 1 block 16 bytes in make; indirect 4 blocks 96 bytes */
CASE(lose_diamond)
{
	void **top = make(16), **left = make(32), **right = make(32);

	top[0] = left;
	top[1] = right;
	left[0] = right[0] = make(16);
	left[1] = make(16);
}

/* Expect: definite 1 block 800 bytes in make; indirect 100 blocks 2400 bytes */
CASE(lose_table)
{
	void **table = make(800);

	for (int i = 0; i < 100; i++)
		table[i] = make(24);
}

/* Expect: definite 1 block 32 bytes in make; indirect 4 blocks 128 bytes */
CASE(lose_tail)
{
	void **head = list(10, 32), **cut = head;

	for (int i = 0; i < 4; i++)
		cut = *cut;
	*cut = NULL;
	kept = head;
}

/* Expect: definite 1 block 48 bytes in make; indirect 6 blocks 288 bytes */
CASE(lose_branch)
{
	void **root = tree(4, 48);

	root[1] = NULL;
	kept = root;
}

/* Expect: definite 1 block 48 bytes in make */
CASE(lose_owner_only)
{
	void **owner = make(48);

	kept = *owner = make(32);
}

/* Expect: definite 1 block 32 bytes in make; indirect 1 block 64 bytes */
CASE(lose_interior_child)
{
	*(void **)make(32) = (char *)make(64) + 16;
}

/* Expect: definite 1 block 24 bytes in make */
CASE(lose_overwritten)
{
	kept = make(24);
	kept = make(40);
}

/* Expect: definite 2 blocks 80 bytes in make; indirect 2 blocks 64 bytes */
CASE(lose_doubly_linked)
{
	void **a = make(32), **b = make(32), **c = make(32);

	a[0] = b;
	b[0] = c;
	b[1] = a;
	c[1] = b;
	make(48);
}

/* Expect: possible 1 block 64 bytes in make */
CASE(possible_interior)
{
	kept = (char *)make(64) + 16;
}

/* Expect: possible 3 blocks 144 bytes in make */
CASE(possible_behind_interior)
{
	void **head = make(64);

	head[0] = make(40);
	head[1] = make(40);
	kept = &head[4];
}

/* Expect: possible 1 block 40 bytes in make */
CASE(possible_child)
{
	void **head = make(64);

	head[0] = (char *)make(40) + 8;
	kept = head;
}

/* Expect: possible 1 block 64 bytes in make */
CASE(possible_last_byte)
{
	kept = (char *)make(64) + 63;
}

/* Expect: definite 1 block 64 bytes in make */
CASE(lose_past_the_end)
{
	kept = (char *)make(64) + 64;
}

/* Expect: definite 1 block 60 bytes in make */
CASE(lose_past_an_odd_end)
{
	kept = (char *)make(60) + 60;
}

/* Expect: definite 1 block 64 bytes in make */
CASE(lose_before_the_start)
{
	kept = (char *)make(64) - 8;
}

/* Expect: definite 1 block 64 bytes in make */
CASE(lose_turned)
{
	kept = turned(make(64));
}

/* Expect: definite 1 block 64 bytes in make */
CASE(lose_misaligned)
{
	static struct {
		char pad;
		void *block;
	} __attribute__((packed, aligned(8))) hidden;

	hidden.block = make(64);
}

/* Expect: possible 1 block 64 bytes in make */
CASE(possible_tagged_low)
{
	kept = (void *)((uintptr_t)make(64) | 1);
}

/* Expect: definite 1 block 64 bytes in make */
CASE(lose_tagged_high)
{
	kept = (void *)((uintptr_t)make(64) | 1ull << 63);
}

/* Expect: definite 1 block 64 bytes in make */
CASE(lose_half)
{
	static uint32_t halves[4];
	uintptr_t block = (uintptr_t)make(64);

	halves[0] = (uint32_t)(block >> 32);
	halves[2] = (uint32_t)block;
}

/* Expect: definite 1 block 64 bytes in make */
CASE(lose_xor)
{
	kept = (void *)((uintptr_t)make(64) ^ 0x5a5a5a5a5a5a5a5aull);
}

/* Expect: definite 1 block 0 bytes in make */
CASE(lose_nothing)
{
	make(0);
}

/* Expect: none */
CASE(keep_nothing)
{
	kept = make(0);
}

/* Expect: definite 1 block 150 bytes in lose_calloc */
CASE(lose_calloc)
{
	kept = calloc(3, 50);
	kept = NULL;
}

/* Expect: definite 1 block 4096 bytes in lose_realloc */
CASE(lose_realloc)
{
	kept = realloc(make(32), 4096);
	kept = NULL;
}

/* Expect: definite 1 block 1000 bytes in lose_realloc_chain */
CASE(lose_realloc_chain)
{
	void *block = NULL;

	for (size_t size = 10; size <= 1000; size += 10)
		kept = block = realloc(block, size);
	kept = NULL;
}

/* Expect: none */
CASE(keep_realloc_chain)
{
	void *block = NULL;

	for (size_t size = 1000; size <= 4000000; size *= 2)
		block = realloc(block, size);
	kept = realloc(block, 10);
}

/* Expect: definite 1 block 64 bytes in make */
CASE(lose_realloc_failed)
{
	volatile size_t too_much = SIZE_MAX / 2;

	kept = realloc(make(64), too_much);
}

/* Expect: none */
CASE(free_realloc_0)
{
	kept = realloc(make(64), 0);
}

/* Expect: definite 1 block 100 bytes in lose_posix_memalign */
CASE(lose_posix_memalign)
{
	void *block = NULL;

	if (posix_memalign(&block, 256, 100))
		abort();
	kept = block;
	kept = block = NULL;
}

/* Expect: none */
CASE(keep_posix_memalign)
{
	void *block = NULL;

	if (posix_memalign(&block, 4096, 100))
		abort();
	kept = block;
}

/* Expect: definite 1 block 128 bytes in lose_aligned_alloc */
CASE(lose_aligned_alloc)
{
	kept = aligned_alloc(64, 128);
	kept = NULL;
}

/* Expect: none */
CASE(keep_memalign)
{
	kept = memalign(32, 100);
}

/* Expect: definite 1 block 100 bytes in lose_valloc */
CASE(lose_valloc)
{
	kept = valloc(100);
	kept = NULL;
}

/* Expect: definite 1 block 10 bytes in lose_strdup */
CASE(lose_strdup)
{
	kept = strdup("a nuisance" + 1);
	kept = NULL;
}

/* Expect: definite 1 block 1000000 bytes in make */
CASE(lose_huge)
{
	make(1000000);
}

/* Expect: definite 3 blocks 120000000 bytes in lose_vast */
CASE(lose_vast)
{
	for (int i = 0; i < 3; i++)
		kept = malloc(40000000);
	kept = NULL;
}

/* Expect: none */
CASE(keep_huge)
{
	kept = list(3, 1000000);
}

/* Expect: none */
CASE(keep_in_huge)
{
	void **table = make(8000000);

	table[999999] = make(64);
	table[500000] = list(5, 32);
	kept = table;
}

/* Expect: definite 1 block 300000 bytes in make; indirect 2 blocks 96 bytes */
CASE(lose_huge_with_children)
{
	void **table = make(300000);

	table[100] = make(48);
	table[37499] = make(48);
}

/* Expect: possible 1 block 1000000 bytes in make */
CASE(possible_huge)
{
	kept = (char *)make(1000000) + 500000;
}

/* Expect: none */
CASE(free_threshold)
{
	for (size_t size = 131000; size < 131200; size += 8)
		free(make(size));
}

/* Expect: definite 25 blocks 3277300 bytes in make */
CASE(lose_threshold)
{
	for (size_t size = 131000; size < 131200; size += 8)
		make(size - 4);
}

/* Expect: definite 1000 blocks 24000 bytes in make */
CASE(lose_many)
{
	for (int i = 0; i < 1000; i++)
		make(24);
}

/* Expect: definite 1 block 32 bytes in make; indirect 49999 blocks
 * 1599968 bytes */
CASE(lose_deep_list)
{
	list(50000, 32);
}

/* Expect: none */
CASE(keep_deep_list)
{
	kept = list(50000, 32);
}

/* Expect: none */
CASE(keep_one)
{
	kept = make(32);
}

/* Expect: none */
CASE(keep_list)
{
	kept = list(10, 32);
}

/* Expect: none */
CASE(keep_tree)
{
	kept = tree(4, 48);
}

/* Expect: none */
CASE(keep_ring)
{
	kept = ring(4, 40);
}

/* Expect: none */
CASE(free_one)
{
	free(make(32));
}

/* Expect: none */
CASE(free_list)
{
	for (void **node = list(20, 32), **next; node; node = next) {
		next = *node;
		free(node);
	}
}

/* Expect: none */
CASE(free_churn)
{
	void *block[64] = {NULL};

	for (int i = 0; i < 10000; i++) {
		free(block[i % 64]);
		block[i % 64] = make((size_t)(i * 7 % 500));
	}
	for (int i = 0; i < 64; i++)
		free(block[i]);
}

/* Expect: definite 1 block 72 bytes in make */
CASE(lose_among_freed)
{
	for (int i = 0; i < 100; i++) {
		void **a = make(72), **b = make(72);

		*b = a;
		free(b);
		if (i != 50)
			free(a);
	}
}

/* Expect: definite 1 block 56 bytes in make */
CASE(lose_to_freed_owner)
{
	void **owner = make(2000);

	owner[100] = make(56);
	kept = owner;
	free(owner);
}

/* Expect: none */
CASE(keep_calloc)
{
	kept = calloc(3, 50);
}

/* Expect: none */
CASE(keep_reallocarray)
{
	kept = reallocarray(NULL, 3, 50);
}
