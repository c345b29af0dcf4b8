/* SPDX-License-Identifier: MIT */
/*
 * The segments of a trace file; as the heads in it tell.
 *
 * The file is mapped and walked once, head by head, without decompressing:
 * each head says how far the next is. Where a head is bad, the walk goes on
 * at the next multiple of 8 that holds a good one (its check word makes a
 * chance hit unlikely). Segments may stand in any order; they are sorted by
 * the number of their first record.
 */
#include "trace.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Of the file, as much is mapped at a time while it is indexed. */
#define INDEX_BYTES (8u << 20)

/* What one fault of a mapped file brings in at the most. */
#define FAULT_BYTES (64ull << 10)

/* Bytes of a skippable frame's magic and size. */
#define SKIP_HEAD 8

/* Read a 32-bit word of the file. */
static uint32_t word_at(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Return the check word that a segment's head should have. */
static uint32_t head_check(const struct mt_segment *head, const uint8_t *extra)
{
	struct mt_segment copy = *head;

	copy.check = 0;
	return mt_check(mt_check(MT_CHECK_INIT, &copy, sizeof(copy)), extra,
			copy.extra_bytes);
}

/* Tell whether a whole and sound head is at `off`, and copy it. */
static bool head_read(const struct trace *t, uint64_t off,
		      struct mt_segment *head)
{
	const uint64_t fixed = sizeof(*head) - SKIP_HEAD;

	if (t->map_bytes - off < sizeof(*head))
		return false;
	memcpy(head, t->map + off, sizeof(*head));
	return head->skip_magic == MT_SKIP_SEGMENT &&
	       memcmp(head->magic, MT_SEGMENT_MAGIC, 4) == 0 &&
	       head->skip_bytes >= fixed &&
	       head->extra_bytes <= TRACE_MAX_EXTRA &&
	       head->extra_bytes <= head->skip_bytes - fixed &&
	       head->skip_bytes <= t->map_bytes - off - SKIP_HEAD &&
	       head->check == head_check(head, t->map + off + sizeof(*head));
}

bool trace_copy_entry(const struct trace *t, const struct trace_segment *s,
		      struct mt_segment *head, uint8_t *packed)
{
	const uint8_t *at = t->map + s->offset;

	memcpy(head, at, sizeof(*head));
	/* It may be written over meanwhile. */
	if (head->extra_bytes > TRACE_MAX_EXTRA ||
	    head->extra_bytes > t->map_bytes - s->offset - sizeof(*head))
		return false;
	memcpy(packed, at + sizeof(*head), head->extra_bytes);
	return head->check == head_check(head, packed);
}

/* Return the columns that a stream has, 0 for one that we do not know. */
static unsigned int stream_columns(unsigned int stream)
{
	static const uint8_t columns[] = {
		[MT_STREAM_META] = 1,  [MT_STREAM_PCS] = 1,
		[MT_STREAM_NODES] = 2, [MT_STREAM_EVENTS] = MT_COLUMNS,
		[MT_STREAM_NAMES] = 1, [MT_STREAM_WORDS] = 2,
		[MT_STREAM_SCANS] = 1, [MT_STREAM_IMAGE] = 1,
	};

	return stream < TRACE_STREAMS ? columns[stream] : 0;
}

/* Keep the later of two readings of the clock. */
static void note_clock(struct trace *t, uint64_t clock, uint64_t clock_ns)
{
	if (clock > t->end_clock) {
		t->end_clock = clock;
		t->end_clock_ns = clock_ns;
	}
}

/* Enter a segment whose head is sound. */
static void add_segment(struct trace *t, uint64_t off,
			const struct mt_segment *head)
{
	unsigned int columns = stream_columns(head->stream);
	struct trace_segments *list;

	if (!columns)
		return;
	if (head->columns != columns || head->tick_shift > 32 ||
	    (head->stream == MT_STREAM_EVENTS &&
	     head->count > MT_MAX_SEGMENT_EVENTS)) {
		error_set(&t->damage, off, "segment head makes no sense");
		return;
	}
	if (head->stream == MT_STREAM_EVENTS)
		list = &trace_thread(t, head->thread)->segments;
	else
		list = &t->segments[head->stream];
	list->at = util_grow(list->at, list->count, &list->room,
			     sizeof(*list->at));
	list->at[list->count++] = (struct trace_segment){
		.offset = off,
		.data = t->map + off + SKIP_HEAD + head->skip_bytes,
		.data_bytes = head->data_bytes,
		.first = head->first,
		.base_time = head->base_time,
		.count = head->count,
		.thread = head->thread,
		.stream = head->stream,
		.columns = (uint8_t)columns,
		.tick_shift = head->tick_shift,
	};
	t->streams[head->stream].segments++;
	t->streams[head->stream].records += head->count;
	t->streams[head->stream].bytes += head->data_bytes;
	note_clock(t, head->clock, head->clock_ns);
}

/* Return where the next sound head is, or the end of the file. */
static uint64_t resync(const struct trace *t, uint64_t off)
{
	struct mt_segment head;

	for (off = (off + 8) & ~7ull; off < t->map_bytes; off += 8)
		if (t->map_bytes - off >= sizeof(head) &&
		    word_at(t->map + off) == MT_SKIP_SEGMENT &&
		    head_read(t, off, &head))
			return off;
	return t->map_bytes;
}

/*
 * Give the memory behind [from, to) of the mapping back. A fault brings in
 * the pages around it too, so what lies before is given back once more.
 */
static void forget(struct trace *t, uint64_t from, uint64_t to)
{
	uint64_t start = from & ~(FAULT_BYTES - 1), end = to & ~4095ull;

	if (start < end)
		madvise((void *)(t->map + start), end - start, MADV_DONTNEED);
}

void index_file(struct trace *t)
{
	uint64_t off = 0, seen = 0, left, bytes;
	struct mt_segment head;

	while ((left = t->map_bytes - off)) {
		if (left < SKIP_HEAD) {
			t->truncated = true;
			return;
		}
		if (word_at(t->map + off) == MT_SKIP_SPACE) {
			bytes = SKIP_HEAD + (uint64_t)word_at(t->map + off + 4);
			if (bytes > left) {
				t->truncated = true;
				return;
			}
			off += bytes;
			continue;
		}
		if (!head_read(t, off, &head)) {
			if (word_at(t->map + off) == MT_SKIP_SEGMENT &&
			    left < 4096)
				t->truncated = true;
			else if (!t->torn)
				error_set(&t->damage, off, "bad segment head");
			off = resync(t, off);
			continue;
		}
		bytes = SKIP_HEAD + (uint64_t)head.skip_bytes;
		if (head.data_bytes > left - bytes) {
			t->truncated = true;
			off = resync(t, off);
			continue;
		}
		add_segment(t, off, &head);
		off += bytes + head.data_bytes;
		if (off - seen > INDEX_BYTES) {
			forget(t, seen, off);
			seen = off;
		}
	}
}

/* Find out what begins at p->offset; false when it is not whole. */
static bool part_at(const struct trace *t, struct trace_part *p)
{
	uint64_t left = t->map_bytes - p->offset;
	const uint8_t *at = t->map + p->offset;
	struct mt_segment head;

	p->stream = 0;
	if (left < SKIP_HEAD)
		return false;
	p->bytes = SKIP_HEAD + (uint64_t)word_at(at + 4);
	if (word_at(at) == MT_SKIP_SPACE)
		return p->bytes <= left;
	if (!head_read(t, p->offset, &head))
		return false;
	p->stream = head.stream;
	p->bytes += head.data_bytes;
	return p->bytes <= left;
}

bool trace_next_part(const struct trace *t, struct trace_part *p)
{
	p->offset += p->bytes;
	while (p->offset < t->map_bytes) {
		if (part_at(t, p))
			return true;
		p->offset = resync(t, p->offset);
	}
	return false;
}

/* Order segments by their first record, then by place in the file. */
static int compare_segments(const void *a, const void *b)
{
	const struct trace_segment *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return (x->offset > y->offset) - (x->offset < y->offset);
}

void index_sort(struct trace_segments *s)
{
	if (s->count)
		qsort(s->at, s->count, sizeof(*s->at), compare_segments);
}

void trace_forget(struct trace *t, const struct trace_segment *s)
{
	if (!s->live)
		forget(t, s->offset,
		       (uint64_t)(s->data - t->map) + s->data_bytes);
}
