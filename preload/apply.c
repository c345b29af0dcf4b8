/* SPDX-License-Identifier: MIT */
/*
 * What an event does to the heap image: what the analyzer's replay, prof and
 * lifespan would do, in the same order.
 */
#include "apply.h"

#include "image.h"
#include "sys.h"

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
static void count_life(const struct mt_image_block *b, uint64_t end, int sign)
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

/* A block of row `r` is live from now on. */
static void add_live(struct mt_image_row *r, const struct mt_image_block *b,
		     uint64_t clock)
{
	struct mt_image_sums *s = mt_sums;

	before_change(r);
	r->live_bytes += b->size;
	r->live_blocks++;
	s->live_bytes += b->size;
	s->live_blocks++;
	if (s->live_bytes > s->peak_bytes) {
		s->peak_bytes = s->live_bytes;
		s->peak_blocks = s->live_blocks;
		s->peak_clock = clock;
		s->peak_number++;
	}
	mt_image_insert(b);
}

/* A live block is none any more. */
static struct mt_image_row *take_live(const struct mt_image_block *b)
{
	struct mt_image_row *r = mt_image_row(b->node);

	before_change(r);
	r->live_bytes -= b->size;
	r->live_blocks--;
	mt_sums->live_bytes -= b->size;
	mt_sums->live_blocks--;
	mt_image_remove(b->address);
	return r;
}

static void apply_alloc(struct mt_image_thread *t, const struct mt_event *e)
{
	struct mt_image_block *there, b = {
					      .address = e->address,
					      .size = e->size,
					      .born = e->time,
					      .node = e->stack,
					      .thread = t->index & 0xffffff,
					      .kind = e->kind,
				      };
	struct mt_image_row *r;

	if (!e->address) {
		mt_sums->failed++;
		return;
	}
	there = mt_image_find(e->address);
	if (there) {
		mt_sums->lost_frees++;
		count_life(there, e->time, 1);
		take_live(there);
	}
	b.before = mt_sums->allocated_bytes;
	r = mt_image_row(b.node);
	r->allocations++;
	r->allocated_bytes += b.size;
	mt_sums->allocations++;
	mt_sums->allocated_bytes += b.size;
	t->last = e->address;
	t->moving.address = 0;
	add_live(r, &b, e->time);
}

/* Count a block as freed and take it out. */
static void end_block(const struct mt_image_block *b, uint64_t time,
		      bool temporary)
{
	struct mt_image_row *r;

	count_life(b, time, 1);
	mt_sums->frees++;
	mt_sums->temporary += temporary;
	r = mt_image_row(b->node);
	r->frees++;
	r->lifetimes += time - b->born;
	r->temporary += temporary;
	take_live(b);
}

static void apply_free(struct mt_image_thread *t, const struct mt_event *e)
{
	const struct mt_image_block *b = mt_image_find(e->address);

	if (e->kind == MT_REALLOC_FREE) {
		t->moving.address = 0;
		if (b) {
			t->moving = *b;
			t->moving_since = e->time;
		}
	}
	if (!b)
		mt_sums->unknown_frees++;
	else
		end_block(b, e->time,
			  e->kind != MT_REALLOC_FREE &&
				  b->thread == (t->index & 0xffffff) &&
				  t->last == b->address);
}

/* A realloc failed: the block that ended lives on. */
static void apply_cancel(struct mt_image_thread *t, const struct mt_event *e)
{
	struct mt_image_block *b = &t->moving;
	struct mt_image_row *r;

	mt_sums->failed++;
	if (!e->address || b->address != e->address)
		return;
	if (mt_image_find(e->address)) {
		mt_sums->lost_frees++;
	} else {
		count_life(b, t->moving_since, -1);
		mt_sums->frees--;
		r = mt_image_row(b->node);
		r->frees--;
		r->lifetimes -= t->moving_since - b->born;
		add_live(r, b, e->time);
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

void mt_apply(struct mt_image_thread *t, const struct mt_event *e)
{
	if (e->kind <= MT_NEW_ARRAY)
		apply_alloc(t, e);
	else if (e->kind >= MT_FREE && e->kind <= MT_REALLOC_FREE)
		apply_free(t, e);
	else if (e->kind == MT_REALLOC_CANCEL)
		apply_cancel(t, e);
	else if (e->kind == MT_MMAP || e->kind == MT_MREMAP ||
		 e->kind == MT_MUNMAP || e->kind == MT_MREMAP_FREE)
		apply_mapping(e);
	else
		mt_sums->unknown_kinds++;
}

bool mt_apply_fits(const void *unused, const struct mt_event *e)
{
	bool live;

	(void)unused;
	if (e->kind == MT_MMAP || e->kind == MT_MREMAP ||
	    e->kind == MT_MUNMAP || e->kind == MT_MREMAP_FREE || !e->address)
		return true;
	live = mt_image_find(e->address) != NULL;
	return mt_kind_is_free(e->kind) ? live : !live;
}
