/* SPDX-License-Identifier: MIT */
/* The heap image of a bounded trace; see image.h. */
#include "image.h"

#include <stdlib.h>
#include <string.h>

#define CHUNKS (MT_IMAGE_BYTES / MT_IMAGE_CHUNK_BYTES)

/* Return a chunk to write to, made when it is new; NULL: out of the space. */
static uint8_t *chunk_at(struct image *m, uint64_t offset)
{
	uint64_t i = offset / MT_IMAGE_CHUNK_BYTES;

	if (i >= CHUNKS)
		return NULL;
	if (!m->chunk[i])
		m->chunk[i] = util_alloc(MT_IMAGE_CHUNK_BYTES, 1);
	return m->chunk[i];
}

/* Write bytes of the space; what is outside of it is dropped. */
static void write_bytes(struct image *m, uint64_t offset, const uint8_t *from,
			uint64_t n)
{
	while (n) {
		uint64_t in = offset % MT_IMAGE_CHUNK_BYTES;
		uint64_t part = MT_IMAGE_CHUNK_BYTES - in;
		uint8_t *to = chunk_at(m, offset);

		if (part > n)
			part = n;
		if (!to)
			return;
		memcpy(to + in, from, part);
		from += part;
		offset += part;
		n -= part;
	}
}

/* Read bytes of the space; what is not there is zeros. */
static void read_bytes(const struct image *m, uint64_t offset, void *to,
		       uint64_t n)
{
	uint8_t *p = to;

	while (n) {
		uint64_t i = offset / MT_IMAGE_CHUNK_BYTES;
		uint64_t in = offset % MT_IMAGE_CHUNK_BYTES;
		uint64_t part = MT_IMAGE_CHUNK_BYTES - in;

		if (part > n)
			part = n;
		if (i < CHUNKS && m->chunk[i])
			memcpy(p, m->chunk[i] + in, part);
		else
			memset(p, 0, part);
		p += part;
		offset += part;
		n -= part;
	}
}

uint64_t image_clock(const struct trace *t)
{
	return t->image ? t->image->sums->clock : 0;
}

struct mt_image_row image_row(const struct image *m, uint32_t i)
{
	struct mt_image_row r;

	read_bytes(m, MT_IMAGE_ROWS + i * sizeof(r), &r, sizeof(r));
	return r;
}

struct mt_image_thread image_thread(const struct image *m, uint32_t i)
{
	struct mt_image_thread t;

	read_bytes(m, MT_IMAGE_THREADS + i * sizeof(t), &t, sizeof(t));
	return t;
}

/* Return the places that hold no block, a bit each, to be freed. */
static uint64_t *free_places(const struct image *m)
{
	uint64_t *bit = util_alloc(m->sums->blocks / 64 + 1, sizeof(*bit));
	uint32_t place = m->sums->free_block, left = m->sums->blocks;
	struct mt_image_block b;

	/* No more than there are, or a ring of places would never end. */
	for (; place && place < m->sums->blocks && left; left--) {
		bit[place / 64] |= 1ull << place % 64;
		read_bytes(m, MT_IMAGE_BLOCKS + place * sizeof(b), &b,
			   sizeof(b));
		place = b.next;
	}
	return bit;
}

void image_blocks(const struct image *m,
		  void (*each)(void *context, const struct mt_image_block *b),
		  void *context)
{
	uint64_t *is_free = free_places(m), left = m->sums->live_blocks;

	for (uint32_t i = 1; i < m->sums->blocks && left; i++) {
		struct mt_image_block b;

		if (is_free[i / 64] >> i % 64 & 1)
			continue;
		read_bytes(m, MT_IMAGE_BLOCKS + i * sizeof(b), &b, sizeof(b));
		each(context, &b);
		left--;
	}
	free(is_free);
}

/* Take the image from the live file; false: it has none. */
static bool read_live(struct trace *t, struct image *m)
{
	const uint8_t *bytes;
	uint64_t n;
	uint32_t index;
	bool any = false;

	for (uint32_t i = 0; live_chunk(t, &i, &index, &bytes, &n);) {
		write_bytes(m, (uint64_t)index * MT_IMAGE_CHUNK_BYTES, bytes,
			    n < MT_IMAGE_CHUNK_BYTES ? n
						     : MT_IMAGE_CHUNK_BYTES);
		any = true;
	}
	return any;
}

/* Take the image from the trace; false: it has none. */
static bool read_sealed(struct trace *t, struct image *m)
{
	struct trace_segments *list = &t->segments[MT_STREAM_IMAGE];
	struct trace_buffer b = {0};

	for (size_t i = 0; i < list->count; i++) {
		struct trace_segment *s = &list->at[i];
		struct mt_columns c;

		if (trace_read_columns(t, s, &b, &c))
			continue;
		write_bytes(m, s->first, c.at[0],
			    (uint64_t)(c.end[0] - c.at[0]));
		trace_forget(t, s);
	}
	free(b.bytes);
	return list->count;
}

/* Take back the step that had begun; false: the log makes no sense. */
static bool take_back(struct image *m)
{
	uint64_t kept = m->head.state & UINT32_MAX;

	if (kept > MT_IMAGE_MAX_UNDO)
		return false;
	while (kept--) {
		struct mt_image_undo u;

		read_bytes(m, MT_IMAGE_UNDO + kept * sizeof(u), &u, sizeof(u));
		if (u.offset % 8 || u.offset >= MT_IMAGE_BYTES)
			return false;
		write_bytes(m, u.offset, (const uint8_t *)&u.value, 8);
	}
	read_bytes(m, MT_IMAGE_HEAD, &m->head, sizeof(m->head));
	return true;
}

/* Return how many elements the chunks have room for that are there of a part
 * of the space. */
static uint64_t room(const struct image *m, uint64_t from, uint64_t to,
		     uint64_t element_bytes)
{
	uint64_t chunks = 0;

	for (; from < to; from += MT_IMAGE_CHUNK_BYTES)
		chunks += m->chunk[from / MT_IMAGE_CHUNK_BYTES] != NULL;
	return chunks * MT_IMAGE_CHUNK_BYTES / element_bytes;
}

/* Tell whether the numbers of an image are ones that a writer can have: what
 * is used of rows, threads and blocks is not zeros. */
static bool is_sound(const struct image *m)
{
	const struct mt_image_sums *s = m->sums;

	return s->rows <= room(m, MT_IMAGE_ROWS, MT_IMAGE_BUCKETS,
			       sizeof(struct mt_image_row)) +
				  1 &&
	       s->threads <= room(m, MT_IMAGE_THREADS, MT_IMAGE_ROW_OF,
				  sizeof(struct mt_image_thread)) &&
	       s->blocks <= room(m, MT_IMAGE_BLOCKS, MT_IMAGE_BYTES,
				 sizeof(struct mt_image_block)) +
				    1 &&
	       s->live_blocks <= s->blocks;
}

/* Tell the trace's threads how far they are folded. */
static void note_threads(struct trace *t)
{
	const struct image *m = t->image;

	for (uint32_t i = 0; i < m->sums->threads; i++) {
		struct mt_image_thread it = image_thread(m, i);
		struct trace_thread *thread;

		if (it.index == MT_NO_THREAD)
			continue;
		thread = trace_thread(t, it.index);
		thread->folded = it.done;
		thread->entered = it.entered;
	}
}

void image_read(struct trace *t)
{
	struct image *m = util_alloc(1, sizeof(*m));

	m->chunk = util_alloc(CHUNKS, sizeof(*m->chunk));
	t->image = m;
	if (!read_live(t, m) && !read_sealed(t, m)) {
		image_free(t);
		return;
	}
	read_bytes(m, MT_IMAGE_HEAD, &m->head, sizeof(m->head));
	if (!m->head.magic[0]) { /* it was just being made */
		image_free(t);
		return;
	}
	if (memcmp(m->head.magic, MT_IMAGE_MAGIC, sizeof(m->head.magic)) ||
	    !take_back(m)) {
		error_set(&t->damage, ERROR_NO_OFFSET,
			  "the heap image makes no sense");
		image_free(t);
		return;
	}
	m->sums = &m->head.sums[(m->head.state >> 32) % 2];
	if (!is_sound(m)) {
		error_set(&t->damage, ERROR_NO_OFFSET,
			  "the heap image makes no sense");
		image_free(t);
		return;
	}
	note_threads(t);
}

void image_free(struct trace *t)
{
	struct image *m = t->image;

	for (size_t i = 0; m && i < CHUNKS; i++)
		free(m->chunk[i]);
	if (m)
		free(m->chunk);
	free(m);
	t->image = NULL;
}
