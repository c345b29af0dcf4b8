/* SPDX-License-Identifier: MIT */
/* The trace file: open it, and read the streams that are not events. */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

/* Records that may be missing in front of a segment, before it is refused. */
#define MAX_GAP (1u << 22)

/* The most raw bytes that a record of any stream has in a column. */
#define MAX_RECORD_BYTES 32

static int compare_threads(const void *a, const void *b)
{
	const struct trace_thread *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

struct trace_thread *trace_thread(struct trace *t, uint32_t index)
{
	bool fresh;
	uint64_t *at = map_put(&t->thread_at, index, &fresh);

	if (fresh) {
		*at = t->thread_count;
		t->threads = util_grow(t->threads, t->thread_count,
				       &t->thread_room, sizeof(*t->threads));
		t->threads[t->thread_count++] =
			(struct trace_thread){.index = index};
	}
	return &t->threads[*at];
}

/* Make room for `bytes` in a buffer. */
static void buffer_reserve(struct trace_buffer *b, size_t bytes)
{
	if (bytes <= b->room)
		return;
	free(b->bytes);
	b->bytes = util_resize(NULL, bytes, 1);
	b->room = bytes;
}

/* One zstd frame of a segment. */
struct frame {
	const uint8_t *data;
	size_t bytes, raw_bytes;
};

/* Find the frames of a segment; -1 and the damage noted when they are bad. */
static int find_frames(struct trace *t, const struct trace_segment *s,
		       struct frame frame[MT_COLUMNS])
{
	const uint8_t *p = s->data, *end = p + s->data_bytes;
	uint64_t most = (uint64_t)s->count * MAX_RECORD_BYTES;

	if (most > MT_MAX_COLUMN_BYTES)
		most = MT_MAX_COLUMN_BYTES;
	for (unsigned int i = 0; i < s->columns; i++) {
		size_t bytes = ZSTD_findFrameCompressedSize(p, end - p);
		unsigned long long raw;

		if (ZSTD_isError(bytes))
			return error_set(&t->damage, p - t->map,
					 "bad zstd frame (%s)",
					 ZSTD_getErrorName(bytes));
		raw = ZSTD_getFrameContentSize(p, bytes);
		if (raw == ZSTD_CONTENTSIZE_UNKNOWN)
			raw = most;
		if (raw > most)
			return error_set(&t->damage, p - t->map,
					 "column of impossible size");
		frame[i] = (struct frame){p, bytes, raw};
		p += bytes;
	}
	return 0;
}

/* Point `c` at the columns of a slot of the live file. */
static int slot_columns(struct trace *t, const struct trace_segment *s,
			struct mt_columns *c)
{
	struct mt_slot slot;

	memcpy(&slot, s->data, sizeof(slot));
	for (unsigned int i = 0; i < MT_COLUMNS; i++) {
		if (slot.column_off[i] > s->data_bytes ||
		    slot.column_bytes[i] > s->data_bytes - slot.column_off[i])
			return error_set(&t->damage, s->offset,
					 "live slot exceeds its region");
		c->at[i] = s->data + slot.column_off[i];
		c->end[i] = c->at[i] + slot.column_bytes[i];
	}
	return 0;
}

int trace_read_columns(struct trace *t, const struct trace_segment *s,
		       struct trace_buffer *b, struct mt_columns *c)
{
	struct frame frame[MT_COLUMNS];
	size_t total = 0;
	uint8_t *p;

	if (s->live)
		return slot_columns(t, s, c);
	if (find_frames(t, s, frame))
		return -1;
	for (unsigned int i = 0; i < s->columns; i++)
		total += frame[i].raw_bytes;
	buffer_reserve(b, total + 1);
	p = b->bytes;
	for (unsigned int i = 0; i < s->columns; i++) {
		size_t n = ZSTD_decompressDCtx(t->unzip, p, frame[i].raw_bytes,
					       frame[i].data, frame[i].bytes);

		if (ZSTD_isError(n))
			return error_set(&t->damage, frame[i].data - t->map,
					 "column does not decompress (%s)",
					 ZSTD_getErrorName(n));
		c->at[i] = p;
		c->end[i] = p + n;
		p += n;
	}
	return 0;
}

/* Add a segment to what its stream takes decompressed. */
static void count_raw_bytes(struct trace *t, const struct trace_segment *s,
			    const struct mt_columns *c)
{
	for (unsigned int i = 0; i < s->columns; i++)
		t->streams[s->stream].raw_bytes +=
			(uint64_t)(c->end[i] - c->at[i]);
}

void trace_complete_raw_bytes(struct trace *t,
			      void (*progress)(uint64_t done, uint64_t total))
{
	uint64_t done = 0, total = t->streams[MT_STREAM_WORDS].bytes +
				   t->streams[MT_STREAM_EVENTS].bytes;
	struct trace_buffer b = {0};
	struct mt_columns c;

	t->streams[MT_STREAM_WORDS].raw_bytes = 0;
	t->streams[MT_STREAM_EVENTS].raw_bytes = 0;
	for (size_t i = 0; i <= t->thread_count; i++) {
		const struct trace_segments *list =
			i ? &t->threads[i - 1].segments
			  : &t->segments[MT_STREAM_WORDS];

		for (size_t j = 0; j < list->count; j++) {
			const struct trace_segment *s = &list->at[j];

			if (s->live || trace_read_columns(t, s, &b, &c))
				continue;
			count_raw_bytes(t, s, &c);
			trace_forget(t, s);
			done += s->data_bytes;
			progress(done, total);
		}
	}
	free(b.bytes);
}

void trace_note_missing(struct trace *t, const struct trace_segment *s,
			uint64_t events, const char *why)
{
	if (__builtin_add_overflow(t->missing, events, &t->missing))
		t->missing = UINT64_MAX;
	error_set(&t->damage, s->offset, "%s", why);
}

/*
 * Where to start in records numbered from `first` when `have` are there: the
 * ones to skip, or -1 when some before them are missing for good.
 */
static int64_t records_to_skip(uint64_t have, uint64_t first, uint64_t n)
{
	if (first > have)
		return -1;
	return have - first < n ? (int64_t)(have - first) : (int64_t)n;
}

/* Append to a log of which there are `*have` bytes. */
static int append_bytes(uint8_t **log, size_t *have, uint64_t first,
			const uint8_t *bytes, uint64_t n)
{
	int64_t skip = records_to_skip(*have, first, n);

	if (skip < 0)
		return -1;
	if ((uint64_t)skip == n)
		return 0;
	n -= (uint64_t)skip;
	*log = util_resize(*log, *have + n, 1);
	memcpy(*log + *have, bytes + skip, n);
	*have += n;
	return 0;
}

int trace_append_meta(struct trace *t, uint64_t first, const uint8_t *bytes,
		      uint64_t n)
{
	return append_bytes(&t->meta, &t->meta_bytes, first, bytes, n);
}

/* Enter places for code addresses that are not known, up to `first`. */
static int fill_pcs(struct trace *t, uint64_t first)
{
	if (first > t->pc_count && first - t->pc_count > MAX_GAP)
		return -1;
	while (t->pc_count < first) {
		t->pcs = util_grow(t->pcs, t->pc_count, &t->pc_room,
				   sizeof(*t->pcs));
		t->pcs[t->pc_count++] = (struct mt_pc){
			.module = MT_NO_MODULE,
		};
	}
	return 0;
}

int trace_append_pcs(struct trace *t, uint64_t first, const uint8_t *bytes,
		     uint64_t n)
{
	if (fill_pcs(t, first))
		return -1;
	for (uint64_t i = (uint64_t)records_to_skip(t->pc_count, first, n);
	     i < n; i++) {
		t->pcs = util_grow(t->pcs, t->pc_count, &t->pc_room,
				   sizeof(*t->pcs));
		memcpy(&t->pcs[t->pc_count++], bytes + i * sizeof(*t->pcs),
		       sizeof(*t->pcs));
	}
	return 0;
}

int trace_append_node(struct trace *t, uint64_t number, struct mt_node node)
{
	if (number < t->node_count)
		return 0;
	if (number - t->node_count > MAX_GAP || number >= UINT32_MAX)
		return -1;
	do {
		t->nodes = util_grow(t->nodes, t->node_count, &t->node_room,
				     sizeof(*t->nodes));
		t->nodes[t->node_count++] = (struct mt_node){
			.parent = MT_NODE_LOST,
			.pc = UINT32_MAX,
		};
	} while (t->node_count <= number);
	t->nodes[number] = node;
	return 0;
}

/* Read the nodes of a segment from their two columns. */
static int read_nodes(struct trace *t, const struct trace_segment *s,
		      struct mt_columns *c)
{
	for (uint64_t i = 0; i < s->count; i++) {
		uint64_t up, pc, id;

		if (__builtin_add_overflow(s->first, i, &id) ||
		    !mt_varint_get(&c->at[0], c->end[0], &up) ||
		    !mt_varint_get(&c->at[1], c->end[1], &pc) || up > id ||
		    pc > UINT32_MAX)
			return error_set(&t->damage, s->offset,
					 "stack node makes no sense");
		if (trace_append_node(
			    t, id,
			    (struct mt_node){.parent = (uint32_t)(id - up),
					     .pc = (uint32_t)pc}))
			return error_set(&t->damage, s->offset,
					 "stack nodes before these are gone");
	}
	return 0;
}

/* Read one segment of the meta log, the code addresses or the nodes. */
static int read_segment(struct trace *t, const struct trace_segment *s,
			struct trace_buffer *b)
{
	struct mt_columns c;
	uint64_t bytes;
	int failed;

	if (trace_read_columns(t, s, b, &c))
		return -1;
	count_raw_bytes(t, s, &c);
	if (s->stream == MT_STREAM_NODES)
		return read_nodes(t, s, &c);
	bytes = (uint64_t)s->count;
	if (s->stream == MT_STREAM_PCS)
		bytes *= sizeof(struct mt_pc);
	if ((uint64_t)(c.end[0] - c.at[0]) != bytes)
		return error_set(&t->damage, s->offset,
				 "segment has another size than it says");
	if (s->stream == MT_STREAM_META)
		failed = trace_append_meta(t, s->first, c.at[0], bytes);
	else if (s->stream == MT_STREAM_NAMES)
		failed = append_bytes(&t->names_log, &t->names_log_bytes,
				      s->first, c.at[0], bytes);
	else if (s->stream == MT_STREAM_SCANS)
		/* Whole records, behind whatever there is of others. */
		failed = append_bytes(&t->scans_log, &t->scans_log_bytes,
				      t->scans_log_bytes, c.at[0], bytes);
	else
		failed = trace_append_pcs(t, s->first, c.at[0], s->count);
	if (failed)
		error_set(&t->damage, s->offset, "records before it are gone");
	return failed;
}

/* Read the sealed part of every stream but the events. */
static void read_streams(struct trace *t)
{
	struct trace_buffer b = {0};

	for (unsigned int i = MT_STREAM_META; i < TRACE_STREAMS; i++) {
		struct trace_segments *list = &t->segments[i];

		/* Words are read when they are asked for, the image later. */
		if (i == MT_STREAM_WORDS || i == MT_STREAM_IMAGE)
			continue;
		index_sort(list);
		for (size_t j = 0; j < list->count; j++)
			read_segment(t, &list->at[j], &b);
		free(list->at);
		*list = (struct trace_segments){0};
	}
	free(b.bytes);
}

/*
 * Make every node's parent and code address ones that exist: of a node that
 * is not known, an unknown address in a stack that was lost.
 */
static void check_nodes(struct trace *t)
{
	size_t known = t->pc_count;

	for (size_t i = 0; i < t->node_count; i++) {
		struct mt_node *n = &t->nodes[i];

		if (i < MT_NODE_FIRST) {
			*n = (struct mt_node){0};
		} else if (n->parent >= i || n->pc >= known) {
			if (!t->live_missing)
				error_set(&t->damage, ERROR_NO_OFFSET,
					  "stack node %zu makes no sense", i);
			fill_pcs(t, known + 1);
			*n = (struct mt_node){
				.parent = MT_NODE_LOST,
				.pc = (uint32_t)known,
			};
		}
	}
}

/* Map a file for reading; -1 and `e` filled when that can't be done. */
static int map_file(const char *path, const uint8_t **map, uint64_t *bytes,
		    struct error *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p = NULL;
	int saved;

	if (fd < 0 || fstat(fd, &st) < 0)
		goto failed;
	errno = EINVAL;
	if (S_ISDIR(st.st_mode))
		errno = EISDIR;
	if (!S_ISREG(st.st_mode))
		goto failed;
	*bytes = (uint64_t)st.st_size;
	if (st.st_size)
		p = mmap(NULL, *bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		goto failed;
	close(fd);
	*map = p;
	return 0;
failed:
	saved = errno;
	if (fd >= 0)
		close(fd);
	return error_set(e, ERROR_NO_OFFSET, "%s",
			 saved == EINVAL ? "not a regular file"
					 : strerror(saved));
}

/* Say why a file without a readable meta log is refused. */
static int not_a_trace(struct trace *t, struct error *e)
{
	if (error_is_set(&t->damage) && t->damage.offset) {
		*e = t->damage;
		return -1;
	}
	if (!t->map_bytes && !t->live)
		return error_set(e, ERROR_NO_OFFSET, "the file is empty");
	if (t->map_bytes >= sizeof(MT_LIVE_MAGIC) &&
	    memcmp(t->map, MT_LIVE_MAGIC, sizeof(MT_LIVE_MAGIC)) == 0)
		return error_set(e, ERROR_NO_OFFSET,
				 "this is a live file; name the trace, "
				 "without .live");
	return error_set(e, 0, "not a memtrace trace");
}

/*
 * Whether the file is a trace of which nothing but reserved space was ever
 * written: the program was killed while the recording started.
 */
static bool is_only_space(const struct trace *t)
{
	bool empty = true;

	for (size_t i = 0; i < TRACE_STREAMS; i++)
		empty &= !t->segments[i].count;
	return empty && t->map_bytes && !t->truncated &&
	       !error_is_set(&t->damage);
}

/* Start to read the trace of a name. */
static void begin(struct trace *t, const char *path)
{
	*t = (struct trace){
		.path = util_copy(path, strlen(path)),
		.state = TRACE_KILLED,
		.cut = UINT64_MAX,
		.unzip = ZSTD_createDCtx(),
	};
}

/* Read the file and the live file, which may be there as copies already. */
static int read_all(struct trace *t, struct error *e)
{
	if (!t->map && map_file(t->path, &t->map, &t->map_bytes, e))
		return -1;
	index_file(t);
	read_streams(t);
	if (!t->live)
		live_open(t);
	live_read_streams(t);
	if (!t->meta_bytes)
		return is_only_space(t) ? 0 : not_a_trace(t, e);
	if (meta_parse(t, e))
		return -1;
	live_add_slots(t);
	if (!t->follows)
		image_read(t);
	check_nodes(t);
	names_parse(t);
	if (t->thread_count)
		qsort(t->threads, t->thread_count, sizeof(*t->threads),
		      compare_threads);
	for (size_t i = 0; i < t->thread_count; i++)
		index_sort(&t->threads[i].segments);
	index_sort(&t->segments[MT_STREAM_WORDS]);
	map_free(&t->thread_at);
	return 0;
}

/* Tell whether a file is another than it was; false as well: it is gone. */
static bool has_changed(const char *path, const struct stat *was)
{
	struct stat is;

	return stat(path, &is) == 0 &&
	       (is.st_size != was->st_size || is.st_ino != was->st_ino ||
		is.st_mtim.tv_sec != was->st_mtim.tv_sec ||
		is.st_mtim.tv_nsec != was->st_mtim.tv_nsec);
}

int trace_open(struct trace *t, const char *path, struct error *e)
{
	struct trace moving;
	struct stat was = {0};
	int status;

	stat(path, &was);
	begin(t, path);
	if (read_all(t, e))
		return -1;
	if (t->state != TRACE_RUNNING) {
		/* It may have ended since its first segments were read, which
		 * are others then. */
		if (!t->live && !has_changed(path, &was))
			return 0;
		trace_close(t);
		begin(t, path);
		return read_all(t, e);
	}
	/* What is being written is copied before the rest is read again. */
	moving = *t;
	begin(t, path);
	status = snapshot_take(t, &moving, e);
	trace_close(&moving);
	return status ? -1 : read_all(t, e);
}

int trace_peek(struct trace *t, const char *path, struct error *e)
{
	begin(t, path);
	t->follows = true;
	t->torn = true;
	return read_all(t, e);
}

/* Take over how far the entries of each thread's segments were read. */
static void take_entered(struct trace *t, const struct trace *before)
{
	for (size_t i = 0, j = 0; i < t->thread_count; i++) {
		while (j < before->thread_count &&
		       before->threads[j].index < t->threads[i].index)
			j++;
		if (j < before->thread_count &&
		    before->threads[j].index == t->threads[i].index)
			t->threads[i].entered = before->threads[j].entered;
	}
}

int trace_follow(struct trace *t, const struct trace *before, struct error *e)
{
	begin(t, before->path);
	t->follows = true;
	t->torn = true;
	if (before->live_path)
		snapshot_buffers(t, before);
	if (read_all(t, e))
		return -1;
	take_entered(t, before);
	return 0;
}

/* Tell whether all threads of a trace are there later, too. */
static bool has_threads(const struct trace *t, const struct trace *before)
{
	for (size_t i = 0, j = 0; i < before->thread_count; i++, j++) {
		while (j < t->thread_count &&
		       t->threads[j].index < before->threads[i].index)
			j++;
		if (j == t->thread_count ||
		    t->threads[j].index != before->threads[i].index)
			return false;
	}
	return true;
}

bool trace_is_same_run(const struct trace *t, const struct trace *before)
{
	const struct mt_meta_process *p = &t->process, *q = &before->process;

	return has_threads(t, before) && t->state == TRACE_RUNNING &&
	       p->pid == q->pid && p->start_ticks == q->start_ticks &&
	       p->clock == q->clock && p->real_ns == q->real_ns;
}

bool trace_is_behind(const struct trace *t, uint64_t clock)
{
	return t->missing || (t->follows && t->live_path &&
			      live_image_clock(t->live_path) >= clock);
}

void trace_shrink(struct trace *t)
{
	if (t->map)
		munmap((void *)t->map, t->map_bytes);
	if (t->live_is_copy)
		free((void *)t->live);
	else if (t->live)
		munmap((void *)t->live, t->live_bytes);
	t->map = t->live = NULL;
	image_free(t);
}

void trace_close(struct trace *t)
{
	trace_shrink(t);
	for (size_t i = 0; i < t->thread_count; i++) {
		free(t->threads[i].segments.at);
		free(t->threads[i].name);
	}
	for (size_t i = 0; i < t->module_count; i++) {
		free(t->modules[i].path);
		free(t->modules[i].build_id);
	}
	for (size_t i = 0; i < t->problem_count; i++)
		free(t->problems[i].text);
	for (unsigned int i = 0; i < TRACE_STREAMS; i++)
		free(t->segments[i].at);
	for (size_t i = 0; i < t->range_count; i++)
		free(t->ranges[i].path);
	free(t->ranges);
	free(t->notes);
	free(t->suppressions);
	free(t->scans_log);
	free(t->scans);
	free(t->residents);
	free(t->pauses);
	free(t->rates);
	for (size_t i = 0; i < t->mark_count; i++)
		free(t->marks[i].name);
	free(t->marks);
	free(t->exe);
	free(t->host);
	free(t->allocator);
	free(t->options);
	free(t->parent);
	free(t->command);
	free(t->modules);
	free(t->pcs);
	free(t->nodes);
	free(t->threads);
	free(t->problems);
	free(t->meta);
	names_free(t);
	noted_free(t);
	free(t->path);
	free(t->live_path);
	map_free(&t->thread_at);
	ZSTD_freeDCtx(t->unzip);
	*t = (struct trace){0};
}
