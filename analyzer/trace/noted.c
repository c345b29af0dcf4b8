/* SPDX-License-Identifier: MIT */
/*
 * What the recorder noted of the process beside its events: what its resident
 * set was made of, moments worth a look, and the control group's memory.
 */
#include "trace.h"

#include <stdlib.h>
#include <string.h>

/* The largest address, in pages, and page. */
#define MOST_PAGES (UINT64_C(1) << 43)
#define MOST_PAGE_BYTES 65536u

/* Take a number of pages that keeps a sum below the largest. */
static bool take_pages(const uint8_t **p, const uint8_t *end, uint64_t sum,
		       uint64_t *pages)
{
	return mt_varint_get(p, end, pages) && *pages < 2 * MOST_PAGES &&
	       sum + *pages < 2 * MOST_PAGES;
}

/* Read the extents behind a record of memory; false: they make no sense. */
static bool read_extents(struct trace_memory *to, const uint8_t *p,
			 const uint8_t *end, uint64_t page_bytes)
{
	uint64_t at = 0, gap, pages, resident;

	if (!page_bytes || page_bytes > MOST_PAGE_BYTES)
		return false;
	/* An extent takes three bytes at least. */
	if (to->m.extents > (size_t)(end - p) / 3)
		return false;
	to->extent = util_alloc(to->m.extents, sizeof(*to->extent));
	for (; to->count < to->m.extents; to->count++) {
		struct trace_extent *x = &to->extent[to->count];

		if (!take_pages(&p, end, at, &gap) ||
		    !take_pages(&p, end, 0, &pages) ||
		    at + gap + pages / 2 >= MOST_PAGES ||
		    !mt_varint_get(&p, end, &resident) || resident > pages / 2)
			return false;
		at += gap;
		x->start = at * page_bytes;
		at += pages / 2;
		x->end = at * page_bytes;
		x->resident = resident * page_bytes;
		x->heap = pages & 1;
	}
	return true;
}

/* Enter a note of memory. */
static void add_memory(struct trace *t, const uint8_t *bytes, size_t n)
{
	struct trace_memory m = {0};

	memcpy(&m.m, bytes, sizeof(m.m));
	if (!read_extents(&m, bytes + sizeof(m.m), bytes + n,
			  t->process.page_bytes)) {
		error_set(&t->damage, ERROR_NO_OFFSET,
			  "a note of the resident set makes no sense");
		free(m.extent);
		return;
	}
	t->memories = util_grow(t->memories, t->memory_count, &t->memory_room,
				sizeof(*t->memories));
	t->memories[t->memory_count++] = m;
}

/* Enter a note of the control group; the first has its directory. */
static void add_cgroup(struct trace *t, const uint8_t *bytes, size_t n)
{
	t->cgroups = util_grow(t->cgroups, t->cgroup_count, &t->cgroup_room,
			       sizeof(*t->cgroups));
	memcpy(&t->cgroups[t->cgroup_count], bytes, sizeof(*t->cgroups));
	if (!t->cgroup_count++)
		t->cgroup = util_copy(bytes + sizeof(*t->cgroups),
				      n - sizeof(*t->cgroups));
}

void noted_parse(struct trace *t, unsigned int type, const uint8_t *bytes,
		 size_t n)
{
	size_t need = type == MT_META_MEMORY   ? sizeof(struct mt_meta_memory)
		      : type == MT_META_CGROUP ? sizeof(struct mt_meta_cgroup)
					       : sizeof(*t->snapshots);

	if (n < need) {
		error_set(&t->damage, ERROR_NO_OFFSET,
			  "a note of %zu bytes is too short", n);
	} else if (type == MT_META_MEMORY) {
		add_memory(t, bytes, n);
	} else if (type == MT_META_CGROUP) {
		add_cgroup(t, bytes, n);
	} else {
		t->snapshots =
			util_grow(t->snapshots, t->snapshot_count,
				  &t->snapshot_room, sizeof(*t->snapshots));
		memcpy(&t->snapshots[t->snapshot_count++], bytes,
		       sizeof(*t->snapshots));
	}
}

void noted_free(struct trace *t)
{
	for (size_t i = 0; i < t->memory_count; i++)
		free(t->memories[i].extent);
	free(t->memories);
	free(t->snapshots);
	free(t->cgroups);
	free(t->cgroup);
}
