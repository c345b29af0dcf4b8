/* SPDX-License-Identifier: MIT */
/*
 * The live file: what a recording that has not been ended holds beside the
 * trace, the tail of every stream and the buffer of every thread.
 *
 * A slot that holds events becomes one more segment of its thread; whatever
 * of it was sealed already is skipped by number like any other overlap.
 */
#include "trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memtrace/image.h>

#include "procstat.h"

/* Copy the first record of a type in the meta log; NULL: there is none. */
static char *find_record(const struct trace *t, unsigned int type, size_t *n)
{
	size_t off = 0;
	struct mt_meta head;

	while (t->meta_bytes - off >= sizeof(head)) {
		memcpy(&head, t->meta + off, sizeof(head));
		off += sizeof(head);
		if (head.bytes > t->meta_bytes - off)
			return NULL;
		if (head.type == type) {
			*n = head.bytes;
			return util_copy(t->meta + off, head.bytes);
		}
		off += head.bytes;
	}
	return NULL;
}

/* Return the directory that live=DIR in the recorder's options is, or NULL. */
static char *directory_in_options(const struct trace *t)
{
	size_t n;
	char *options = find_record(t, MT_META_OPTIONS, &n), *found = NULL;
	char *rest = options, *item;

	while (options && (item = strsep(&rest, ",")))
		if (util_starts(item, "live=") && item[5] && !found)
			found = util_copy(item + 5, strlen(item + 5));
	free(options);
	return found;
}

/* Map a live file; false when there is none of that name. */
static bool map_live(struct trace *t, char *name)
{
	int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
	struct stat st;
	void *p = MAP_FAILED;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size > 0)
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd,
			 0);
	if (fd >= 0)
		close(fd);
	if (p == MAP_FAILED) {
		free(name);
		return false;
	}
	t->live = p;
	t->live_bytes = (uint64_t)st.st_size;
	t->live_path = name;
	return true;
}

/* Give the live file up. */
static void unmap_live(struct trace *t)
{
	munmap((void *)t->live, t->live_bytes);
	t->live = NULL;
	t->live_bytes = 0;
}

/* Give the live file up, and say why. */
static void refuse(struct trace *t, const char *why)
{
	error_set(&t->damage, ERROR_NO_OFFSET, "%s: %s",
		  util_basename(t->live_path), why);
	unmap_live(t);
}

/* Copy the head of the live file. */
static struct mt_live live_head(const struct trace *t)
{
	struct mt_live head = {0};

	if (t->live)
		memcpy(&head, t->live, sizeof(head));
	return head;
}

/* Tell whether the live file is of the process that the trace is of. */
static bool is_ours(const struct trace *t, const struct mt_live *head)
{
	struct mt_meta_process process;
	size_t n = 0;
	char *record = find_record(t, MT_META_PROCESS, &n);
	bool same = true;

	if (record && n >= sizeof(process)) {
		memcpy(&process, record, sizeof(process));
		same = process.pid == head->pid &&
		       process.start_ticks == head->start_ticks;
	}
	free(record);
	return same;
}

/*
 * Find the live file: beside the trace, else where the options say, from
 * here or (the program may have run there) from the trace's directory.
 */
static bool find_live(struct trace *t)
{
	const char *base = util_basename(t->path);
	char *directory;
	bool found;

	if (map_live(t, util_format("%s.live", t->path)))
		return true;
	directory = directory_in_options(t);
	if (!directory)
		return false;
	found = map_live(t, util_format("%s/%s.live", directory, base)) ||
		map_live(t, util_format("%.*s%s/%s.live", (int)(base - t->path),
					t->path, directory, base));
	free(directory);
	return found;
}

void live_open(struct trace *t)
{
	struct mt_live head;

	if (!find_live(t))
		return;
	if (t->live_bytes < sizeof(head)) {
		refuse(t, "too short");
		return;
	}
	head = live_head(t);
	if (!head.magic[0]) /* killed before it had described itself */
		unmap_live(t);
	else if (memcmp(head.magic, MT_LIVE_MAGIC, sizeof(head.magic)) != 0)
		refuse(t, "not a live file");
	else if (head.major != MT_FORMAT_MAJOR)
		refuse(t, "of another format version");
	else if (!is_ours(t, &head))
		refuse(t, "of another process");
}

/* Copy entry `i` of the directory; false when it is not inside the file. */
static bool region_at(const struct trace *t, uint32_t i, struct mt_region *r)
{
	uint64_t off = sizeof(struct mt_live) + (uint64_t)i * sizeof(*r);

	if (i >= live_head(t).regions || i >= MT_MAX_REGIONS ||
	    off > t->live_bytes || t->live_bytes - off < sizeof(*r))
		return false;
	memcpy(r, t->live + off, sizeof(*r));
	return true;
}

/* Tell whether a region is inside the file. */
static bool region_is_sound(const struct trace *t, const struct mt_region *r)
{
	return r->offset <= t->live_bytes &&
	       r->bytes <= t->live_bytes - r->offset;
}

/* Find the region of a type and index. */
static bool find_region(const struct trace *t, uint32_t type, uint32_t index,
			struct mt_region *r)
{
	for (uint32_t i = 0; region_at(t, i, r); i++)
		if (r->type == type && r->index == index)
			return region_is_sound(t, r);
	return false;
}

/*
 * Copy a region; a slot until its epoch is even and stays as it was, so that
 * it was not turned over meanwhile. Its count is copied before its columns,
 * which only grow.
 */
static void copy_region(uint8_t *to, const uint8_t *from,
			const struct mt_region *r)
{
	const volatile struct mt_slot *slot = (const void *)from;
	uint32_t epoch = 0;

	for (int tries = 0; tries < 1000; tries++) {
		if (r->type == MT_REGION_SLOT && r->bytes >= sizeof(*slot))
			epoch = slot->epoch;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		memcpy(to, from, r->bytes);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (r->type != MT_REGION_SLOT || r->bytes < sizeof(*slot) ||
		    (slot->epoch == epoch && !(epoch & 1)))
			return;
		usleep(100);
	}
}

/* Which regions are copied together. */
enum group { SLOTS, IMAGE, STREAMS };

static enum group group_of(const struct mt_region *r)
{
	if (r->type == MT_REGION_SLOT)
		return SLOTS;
	return r->type == MT_REGION_IMAGE ? IMAGE : STREAMS;
}

/* Copy the first `count` regions, those of a group. */
static void copy_regions(uint8_t *to, const struct trace *from,
			 enum group group, uint32_t count)
{
	struct mt_region r;

	for (uint32_t i = 0; i < count && region_at(from, i, &r); i++)
		if (group_of(&r) == group && region_is_sound(from, &r))
			copy_region(to + r.offset, from->live + r.offset, &r);
}

/* Have room in a copy for all of a live file. */
static void make_room(struct trace *t, const struct trace *from)
{
	uint8_t *bytes = (uint8_t *)t->live;

	if (!bytes) {
		t->live = util_alloc(from->live_bytes, 1);
		t->live_bytes = from->live_bytes;
		t->live_is_copy = true;
		t->live_path =
			util_copy(from->live_path, strlen(from->live_path));
	} else if (from->live_bytes > t->live_bytes) {
		bytes = util_resize(bytes, from->live_bytes, 1);
		memset(bytes + t->live_bytes, 0,
		       from->live_bytes - t->live_bytes);
		t->live = bytes;
		t->live_bytes = from->live_bytes;
	}
}

/* Map the live file of a path, as large as it is now. */
static bool map_path(struct trace *t, const char *path)
{
	*t = (struct trace){0};
	return map_live(t, util_copy(path, strlen(path)));
}

static void unmap_path(struct trace *t)
{
	unmap_live(t);
	free(t->live_path);
}

/*
 * The slots are copied first, then the counts of the streams that they name,
 * then those. What is sealed after that is there twice, never missing.
 */
bool live_copy(struct trace *t, const char *path, enum live_part part)
{
	uint64_t head_bytes = MT_LIVE_HEAD_BYTES;
	struct mt_live *head;
	struct trace from;
	uint32_t regions;

	/* It grows: regions that are counted first are then mapped. */
	if (!map_path(&from, path))
		return false;
	regions = live_head(&from).regions;
	unmap_path(&from);
	if (!map_path(&from, path))
		return false;
	make_room(t, &from);
	head = (struct mt_live *)t->live;
	if (head_bytes > from.live_bytes)
		head_bytes = from.live_bytes;
	copy_regions((uint8_t *)head, &from, part == LIVE_IMAGE ? IMAGE : SLOTS,
		     regions);
	memcpy(head, from.live, head_bytes);
	head->regions = regions;
	if (part == LIVE_REST)
		copy_regions((uint8_t *)head, &from, STREAMS, regions);
	unmap_path(&from);
	return true;
}

/* Return the heap image of a mapped live file, or NULL. */
static const struct mt_image *image_in(const struct trace *t)
{
	const struct mt_image *m;
	struct mt_region r;

	if (!find_region(t, MT_REGION_IMAGE, 0, &r) || r.bytes < sizeof(*m))
		return NULL;
	m = (const void *)(t->live + r.offset);
	return m->magic[0] ? m : NULL;
}

bool live_image_state(const char *path, uint64_t *state)
{
	const struct mt_image *m;
	struct trace t;

	if (!map_path(&t, path))
		return false;
	m = image_in(&t);
	if (m)
		*state = __atomic_load_n(&m->state, __ATOMIC_ACQUIRE);
	unmap_path(&t);
	return m;
}

uint64_t live_image_clock(const char *path)
{
	uint64_t clock = 0, state, again;
	const struct mt_image *m;
	struct trace t;

	if (!map_path(&t, path))
		return 0;
	m = image_in(&t);
	/* The sums of a step stay for the next one, no longer. */
	for (int tries = 0; m && tries < 1000; tries++) {
		state = __atomic_load_n(&m->state, __ATOMIC_ACQUIRE);
		clock = m->sums[(state >> 32) % 2].clock;
		again = __atomic_load_n(&m->state, __ATOMIC_ACQUIRE);
		if (state >> 32 == again >> 32)
			break;
	}
	unmap_path(&t);
	return clock;
}

/* Append records [first, first + n) of a stream from where they lie. */
static int append(struct trace *t, uint32_t type, uint64_t first,
		  const uint8_t *at, uint64_t n)
{
	if (type == MT_REGION_META)
		return trace_append_meta(t, first, at, n);
	if (type == MT_REGION_PCS)
		return trace_append_pcs(t, first, at, n);
	for (uint64_t i = 0; i < n; i++) {
		struct mt_node node;

		if (first + i < t->node_count)
			continue;
		memcpy(&node, at + i * sizeof(node), sizeof(node));
		if (trace_append_node(t, first + i, node))
			return -1;
	}
	return 0;
}

/* Read the `count` records of one stream from its regions. */
static void read_stream(struct trace *t, uint32_t type, uint64_t record_bytes,
			uint64_t count)
{
	uint64_t first = 0;
	struct mt_region r;

	for (uint32_t index = 0; first < count; index++) {
		uint64_t n;

		/* It was private memory, which the recorder's problem says. */
		if (!find_region(t, type, index, &r) || r.bytes < record_bytes)
			return;
		n = r.bytes / record_bytes;
		if (n > count - first)
			n = count - first;
		if (append(t, type, first, t->live + r.offset, n)) {
			error_set(&t->damage, ERROR_NO_OFFSET,
				  "records between the trace and %s are gone",
				  util_basename(t->live_path));
			return;
		}
		first += n;
	}
}

void live_read_streams(struct trace *t)
{
	struct mt_live head = live_head(t);

	if (!t->live)
		return;
	read_stream(t, MT_REGION_META, 1, head.meta_bytes);
	read_stream(t, MT_REGION_PCS, sizeof(struct mt_pc), head.pcs);
	read_stream(t, MT_REGION_NODES, sizeof(struct mt_node), head.nodes);
}

/* Enter a slot that holds events as a segment of its thread. */
static void add_slot(struct trace *t, const struct mt_region *r)
{
	struct trace_segments *list;
	struct trace_thread *thread;
	struct mt_slot slot;

	if (r->bytes < sizeof(slot))
		return;
	memcpy(&slot, t->live + r->offset, sizeof(slot));
	if (slot.epoch & 1 || !slot.count || slot.thread == MT_NO_THREAD)
		return;
	if (slot.tick_shift > 32 || slot.count > MT_MAX_SEGMENT_EVENTS) {
		error_set(&t->damage, ERROR_NO_OFFSET,
			  "%s: slot at byte %llu makes no sense",
			  util_basename(t->live_path),
			  (unsigned long long)r->offset);
		return;
	}
	thread = trace_thread(t, slot.thread);
	if (!thread->tid)
		thread->tid = slot.tid;
	list = &thread->segments;
	list->at = util_grow(list->at, list->count, &list->room,
			     sizeof(*list->at));
	list->at[list->count++] = (struct trace_segment){
		.offset = r->offset,
		.data = t->live + r->offset,
		.data_bytes = r->bytes,
		.first = slot.first,
		.base_time = slot.base_time,
		.count = slot.count,
		.thread = slot.thread,
		.stream = MT_STREAM_EVENTS,
		.columns = MT_COLUMNS,
		.tick_shift = (uint8_t)slot.tick_shift,
		.live = true,
	};
}

/* Tell whether the recorded process is still there. */
static bool still_runs(const struct trace *t)
{
	char text[PROCSTAT_BYTES], *p = procstat_text(t->process.pid, text);

	/* A zombie holds nothing but its exit status. */
	if (!p || p[1] != ' ' || p[2] == 'Z' || p[2] == 'X')
		return false;
	/* The state is field 3, the start time field 22. */
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	return p && strtoull(p, NULL, 10) == t->process.start_ticks;
}

/* Learn from the live file how the recording ended. */
static void read_end(struct trace *t)
{
	struct mt_live head = live_head(t);

	if (t->state == TRACE_ENDED)
		return;
	t->lost = head.lost;
	t->live_missing = !t->live;
	if (head.clock > t->end_clock) {
		t->end_clock = head.clock;
		t->end_clock_ns = head.clock_ns;
	}
	if (head.end != MT_END_NONE) {
		t->state = TRACE_ENDED;
		t->end = head.end;
		t->signal = head.signal;
	} else if (still_runs(t)) {
		t->state = TRACE_RUNNING;
	}
}

bool live_chunk(const struct trace *t, uint32_t *i, uint32_t *index,
		const uint8_t **bytes, uint64_t *n)
{
	struct mt_region r;

	while (t->live && region_at(t, (*i)++, &r)) {
		if (r.type != MT_REGION_IMAGE || !region_is_sound(t, &r))
			continue;
		*index = r.index;
		*bytes = t->live + r.offset;
		*n = r.bytes;
		return true;
	}
	return false;
}

void live_add_slots(struct trace *t)
{
	struct mt_region r;

	read_end(t);
	for (uint32_t i = 0; t->live && region_at(t, i, &r); i++)
		if (r.type == MT_REGION_SLOT && region_is_sound(t, &r))
			add_slot(t, &r);
}
