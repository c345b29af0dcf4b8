/* SPDX-License-Identifier: MIT */
/*
 * What an event does to the heap image: what the analyzer's replay, prof and
 * lifespan would do, in the same order.
 */
#include "apply.h"

#include "image.h"
#include "sys.h"

/* Events whose places are fetched together. */
#define GROUP 16

/* The bounds of lifetimes in clock units; and by the number of a time's
 * leading zeros, the bucket of the least such time. */
static uint64_t time_bound[MT_IMAGE_TIMES];
static uint8_t first_bucket[65];

void mt_apply_init(double units)
{
	double power = 1;

	for (unsigned int i = 0; i < MT_IMAGE_TIMES; i++) {
		uint64_t bound = (uint64_t)(power + 0.5);

		time_bound[i] = (uint64_t)((double)bound * units);
		power *= 1.7782794100389228; /* 10^(1/4) */
	}
	for (unsigned int zeros = 0; zeros < 65; zeros++) {
		uint64_t least = zeros < 64 ? 1ull << (63 - zeros) : 0;
		uint8_t i = 0;

		while (i < MT_IMAGE_TIMES - 1 && least >= time_bound[i])
			i++;
		first_bucket[zeros] = i;
	}
}

/* Return the bucket of a time in clock units. */
static unsigned int time_bucket(uint64_t time)
{
	unsigned int zeros = time ? (unsigned int)__builtin_clzll(time) : 64;
	unsigned int i = first_bucket[zeros];

	while (i < MT_IMAGE_TIMES - 1 && time >= time_bound[i])
		i++;
	return i;
}

/* Return the bucket of a number of bytes. */
static unsigned int bytes_bucket(uint64_t bytes)
{
	unsigned int i = bytes ? 64 - (unsigned int)__builtin_clzll(bytes) : 0;

	return i < MT_IMAGE_MEANWHILE ? i : MT_IMAGE_MEANWHILE - 1;
}

/* Count the end of a block's life (+1), or take that back (-1). */
static inline void count_life(const struct mt_image_block *b, uint64_t end,
			      int sign)
{
	struct mt_image_sum *time = &mt_sums->time[time_bucket(end - b->born)];
	struct mt_image_sum *meanwhile = &mt_sums->meanwhile[bytes_bucket(
		mt_sums->allocated_bytes - b->before - b->size)];

	time->blocks += (uint64_t)sign;
	time->bytes += (uint64_t)sign * b->size;
	meanwhile->blocks += (uint64_t)sign;
	meanwhile->bytes += (uint64_t)sign * b->size;
}

/* Set a row's live bytes aside when they are those of the peak. */
static void before_change(struct mt_image_row *r)
{
	if (r->peak_number == mt_sums->peak_number)
		return;
	r->peak_number = mt_sums->peak_number;
	r->peak_bytes = r->live_bytes;
	r->peak_blocks = r->live_blocks;
}

/* A block of row `r`, just entered, is live from now on. */
static inline void add_live(struct mt_image_row *r, uint64_t size,
			    uint64_t clock)
{
	struct mt_image_sums *s = mt_sums;

	before_change(r);
	r->live_bytes += size;
	r->live_blocks++;
	s->live_bytes += size;
	s->live_blocks++;
	if (s->live_bytes > s->peak_bytes) {
		s->peak_bytes = s->live_bytes;
		s->peak_blocks = s->live_blocks;
		s->peak_clock = clock;
		s->peak_number++;
	}
}

/* The live block that a link leads to, of row `r`, is none any more. */
static inline void take_live(struct mt_image_row *r, uint32_t *link,
			     uint64_t size)
{
	before_change(r);
	r->live_bytes -= size;
	r->live_blocks--;
	mt_sums->live_bytes -= size;
	mt_sums->live_blocks--;
	mt_image_remove(link);
}

/* The free of the block that a link leads to was not seen. */
static void lose_free(uint32_t *link, uint64_t time)
{
	const struct mt_image_block *b = mt_image_block(*link);

	mt_sums->lost_frees++;
	count_life(b, time, 1);
	take_live(mt_image_row(b->node), link, b->size);
}

static void apply_alloc(struct mt_image_thread *t, const struct mt_event *e,
			uint32_t *bucket)
{
	struct mt_image_sums *s = mt_sums;
	struct mt_image_block *b;
	struct mt_image_row *r;
	uint32_t *link;

	if (!e->address) {
		s->failed++;
		return;
	}
	link = mt_image_link(bucket, e->address);
	if (*link) {
		lose_free(link, e->time);
		link = mt_image_link(bucket, e->address);
	}
	b = mt_image_insert(link);
	b->address = e->address;
	b->size = e->size;
	b->born = e->time;
	b->before = s->allocated_bytes;
	b->node = e->stack;
	b->thread = t->index & 0xffffff;
	b->kind = e->kind;
	r = mt_image_row(e->stack);
	r->allocations++;
	r->allocated_bytes += e->size;
	s->allocations++;
	s->allocated_bytes += e->size;
	t->last = e->address;
	t->moving.address = 0;
	add_live(r, e->size, e->time);
}

/* Count a block as freed and take it out. */
static void end_block(uint32_t *link, uint64_t time, bool temporary)
{
	const struct mt_image_block *b = mt_image_block(*link);
	struct mt_image_row *r = mt_image_row(b->node);

	count_life(b, time, 1);
	mt_sums->frees++;
	mt_sums->temporary += temporary;
	r->frees++;
	r->lifetimes += time - b->born;
	r->temporary += temporary;
	take_live(r, link, b->size);
}

static void apply_free(struct mt_image_thread *t, const struct mt_event *e,
		       uint32_t *bucket)
{
	uint32_t *link = mt_image_link(bucket, e->address);
	const struct mt_image_block *b = mt_image_block(*link);

	if (e->kind == MT_REALLOC_FREE) {
		t->moving.address = 0;
		if (*link) {
			t->moving = *b;
			t->moving_since = e->time;
		}
	}
	if (!*link)
		mt_sums->unknown_frees++;
	else
		end_block(link, e->time,
			  e->kind != MT_REALLOC_FREE &&
				  b->thread == (t->index & 0xffffff) &&
				  t->last == b->address);
}

/* A realloc failed: the block that ended lives on. */
static void apply_cancel(struct mt_image_thread *t, const struct mt_event *e,
			 uint32_t *bucket)
{
	struct mt_image_block *b = &t->moving, *back;
	struct mt_image_row *r;
	uint32_t *link;

	mt_sums->failed++;
	if (!e->address || b->address != e->address)
		return;
	link = mt_image_link(bucket, e->address);
	if (*link) {
		mt_sums->lost_frees++;
	} else {
		count_life(b, t->moving_since, -1);
		mt_sums->frees--;
		r = mt_image_row(b->node);
		r->frees--;
		r->lifetimes -= t->moving_since - b->born;
		back = mt_image_insert(link);
		b->next = back->next;
		*back = *b;
		add_live(r, b->size, e->time);
	}
	b->address = 0;
}

/* Mappings: their sums only. */
static void apply_mapping(const struct mt_event *e)
{
	bool made = e->kind == MT_MMAP || e->kind == MT_MREMAP;

	if (!made)
		mt_sums->munmaps++;
	else if (e->address) {
		mt_sums->mmaps++;
		mt_sums->mapped_bytes += MT_ALIGN_UP(e->size, MT_PAGE_BYTES);
	}
}

/* Apply an event, whose address is in `bucket`. */
static inline void apply(struct mt_image_thread *t, const struct mt_event *e,
			 uint32_t *bucket)
{
	if (e->kind <= MT_NEW_ARRAY)
		apply_alloc(t, e, bucket);
	else if (e->kind >= MT_FREE && e->kind <= MT_REALLOC_FREE)
		apply_free(t, e, bucket);
	else if (e->kind == MT_REALLOC_CANCEL)
		apply_cancel(t, e, bucket);
	else if (e->kind == MT_MMAP || e->kind == MT_MREMAP ||
		 e->kind == MT_MUNMAP || e->kind == MT_MREMAP_FREE)
		apply_mapping(e);
	else
		mt_sums->unknown_kinds++;
}

/* Apply a few events: what they will need is fetched for all of them first. */
static void apply_group(struct mt_image_thread *t, const struct mt_event *e,
			uint32_t count)
{
	uint32_t *bucket[GROUP];

	for (uint32_t i = 0; i < count; i++) {
		bucket[i] = mt_image_bucket_of(e[i].address);
		__builtin_prefetch(bucket[i], 1);
	}
	for (uint32_t i = 0; i < count; i++)
		__builtin_prefetch(mt_image_block(*bucket[i]), 1);
	for (uint32_t i = 0; i < count; i++)
		apply(t, &e[i], bucket[i]);
	mt_image_spread();
}

void mt_apply(struct mt_image_thread *t, const struct mt_event *e,
	      uint32_t count)
{
	for (; count > GROUP; e += GROUP, count -= GROUP)
		apply_group(t, e, GROUP);
	apply_group(t, e, count);
}

bool mt_apply_fits(const void *unused, const struct mt_event *e)
{
	bool live;

	(void)unused;
	if (e->kind == MT_MMAP || e->kind == MT_MREMAP ||
	    e->kind == MT_MUNMAP || e->kind == MT_MREMAP_FREE || !e->address)
		return true;
	live = *mt_image_link(mt_image_bucket_of(e->address), e->address);
	return mt_kind_is_free(e->kind) ? live : !live;
}
