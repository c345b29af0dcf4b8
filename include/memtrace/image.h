/* SPDX-License-Identifier: MIT */
/*
 * The heap image: what is left of the events that a bounded trace has no room
 * for any more. They were replayed in the order of time; what came of it is
 * kept: the blocks that were live after them, and what each stack had
 * allocated, with the peak. A reader starts from there.
 *
 * The image is a space of bytes, of which chunks of MT_IMAGE_CHUNK_BYTES are
 * there, the others are zeros. While the recording lasts they are regions of
 * the live file (MT_REGION_IMAGE, `index` counts chunks); at its end they are
 * sealed as MT_STREAM_IMAGE (record: a byte of the space), but for the undo log
 * and the buckets: these are the writer's. The live blocks are the places of
 * blocks that are used and not in the list of free ones.
 *
 * It is changed in steps, each whole or not at all. `state` holds two numbers
 * in one word: how many steps were made, and how many entries of the undo log
 * are those of a step that has begun. What a step changes it enters there
 * first, with the exception of `sums`, of which it changes the copy that does
 * not count, and of places that nothing led to before. A reader takes back
 * what has begun: the entries, the last one first.
 */
#ifndef MEMTRACE_IMAGE_H
#define MEMTRACE_IMAGE_H

#include <memtrace/format.h>

#define MT_IMAGE_MAGIC "MTimage"
#define MT_IMAGE_CHUNK_BYTES (1u << 20)

/* The parts of the space: where each begins. The last ends at the end. */
#define MT_IMAGE_HEAD 0ull	      /* struct mt_image */
#define MT_IMAGE_UNDO (1ull << 20)    /* struct mt_image_undo */
#define MT_IMAGE_THREADS (1ull << 21) /* struct mt_image_thread */
#define MT_IMAGE_ROW_OF (1ull << 26)  /* uint32_t: row of a stack, or 0 */
#define MT_IMAGE_ROWS (1ull << 29)    /* struct mt_image_row, from 1 on */
#define MT_IMAGE_BUCKETS (1ull << 32) /* uint32_t: a block's number */
#define MT_IMAGE_BLOCKS (6ull << 30)  /* struct mt_image_block, from 1 on */
#define MT_IMAGE_BYTES (16ull << 30)

#define MT_IMAGE_MAX_UNDO \
	((MT_IMAGE_THREADS - MT_IMAGE_UNDO) / sizeof(struct mt_image_undo))
#define MT_IMAGE_MAX_THREADS \
	((MT_IMAGE_ROW_OF - MT_IMAGE_THREADS) / sizeof(struct mt_image_thread))
#define MT_IMAGE_MAX_ROWS \
	((MT_IMAGE_BUCKETS - MT_IMAGE_ROWS) / sizeof(struct mt_image_row))
#define MT_IMAGE_MAX_BUCKETS \
	((MT_IMAGE_BLOCKS - MT_IMAGE_BUCKETS) / sizeof(uint32_t))
#define MT_IMAGE_MAX_BLOCKS \
	((MT_IMAGE_BYTES - MT_IMAGE_BLOCKS) / sizeof(struct mt_image_block))

struct mt_image_undo {
	uint64_t offset; /* in the space, a multiple of 8 */
	uint64_t value;	 /* of 8 bytes, before */
};

/* Buckets of lifetimes: the bounds in ns are 10^(i / 4), rounded. */
#define MT_IMAGE_TIMES 50
/* Of bytes allocated meanwhile: below 2^i. */
#define MT_IMAGE_MEANWHILE 48

struct mt_image_sum {
	uint64_t blocks, bytes;
};

/* The whole; bytes are as requested. */
struct mt_image_sums {
	uint64_t clock; /* of the last event that was folded */
	uint64_t events;
	uint64_t allocations, allocated_bytes, frees, temporary, failed;
	uint64_t live_bytes, live_blocks;
	uint64_t peak_bytes, peak_blocks, peak_clock, peak_number;
	uint64_t lost_frees, unknown_frees, unknown_kinds;
	uint64_t mmaps, munmaps, mapped_bytes;
	uint32_t rows, threads; /* used, free threads among them */
	uint32_t buckets;	/* see MT_IMAGE_BUCKETS */
	uint32_t blocks;	/* places used, free ones among them */
	uint32_t free_block;	/* the first free place, or 0 */
	uint32_t reserved;
	struct mt_image_sum time[MT_IMAGE_TIMES];	   /* lifetimes */
	struct mt_image_sum meanwhile[MT_IMAGE_MEANWHILE]; /* of the freed */
};

struct mt_image {
	char magic[8];
	uint64_t state; /* steps << 32 | entries of the undo log */
	uint64_t reserved[6];
	struct mt_image_sums sums[2]; /* the one at steps % 2 counts */
	/* What the entries of the segments that are gone said. */
	uint64_t requested[MT_SIZE_CLASSES];
	uint64_t usable[MT_SIZE_CLASSES];
	uint64_t freed[MT_SIZE_CLASSES];
	uint64_t allocations, frees, allocated_bytes, allocated_usable_bytes,
		freed_usable_bytes;
};

/* A block; `node` and `next` are one word of 8 bytes. */
struct mt_image_block {
	uint64_t address; /* of a free place: nothing */
	uint64_t size;
	uint64_t born;	 /* clock */
	uint64_t before; /* bytes that had been allocated when it was */
	uint32_t node;
	uint32_t next; /* of its bucket, or of the free places; 0: none */
	uint32_t thread : 24;
	uint32_t kind : 8;
	uint32_t reserved;
};

/* What of a thread is folded. */
struct mt_image_thread {
	uint32_t index;	  /* of the thread; MT_NO_THREAD: the place is free */
	uint32_t step;	  /* when it was entered in the undo log last */
	uint64_t done;	  /* events, from its first on */
	uint64_t entered; /* entries of segments below it are summed up */
	uint64_t last;	  /* address of its last allocation */
	/* The block that a realloc took, whose second half is to come. */
	struct mt_image_block moving;
	uint64_t moving_since; /* clock; moving.address 0: there is none */
};

/* What a stack did; prof.h of the analyzer says how the peak is kept. */
struct mt_image_row {
	uint64_t allocations, allocated_bytes, frees, temporary;
	uint64_t lifetimes; /* clock units, of the freed */
	uint64_t live_bytes, live_blocks;
	uint64_t peak_bytes, peak_blocks, peak_number;
	uint32_t node;
	uint32_t step; /* when it was entered in the undo log last */
};

/*
 * The bucket of an address among `buckets`: linear hashing, so that the table
 * grows by one bucket at a time.
 */
static inline uint32_t mt_image_bucket(uint64_t address, uint32_t buckets)
{
	uint32_t h = (uint32_t)((address * 0x9e3779b97f4a7c15u) >> 32);
	uint32_t mask =
		buckets <= 1 ? 0 : UINT32_MAX >> __builtin_clz(buckets - 1);

	return (h & mask) < buckets ? h & mask : h & mask >> 1;
}

_Static_assert(sizeof(struct mt_image_block) == 48, "disk format");
_Static_assert(sizeof(struct mt_image_thread) == 96 - 8 + 0, "disk format");
_Static_assert(sizeof(struct mt_image_row) == 88, "disk format");
_Static_assert(sizeof(struct mt_image) < MT_IMAGE_UNDO, "disk format");

#endif
