/* SPDX-License-Identifier: MIT */
/*
 * The scan, and why it is so little.
 *
 * To tell lost blocks from reachable ones takes the live blocks, the roots,
 * and what points where. The live blocks are in the trace already: the
 * analyzer replays it to this very moment. So nothing is marked here, and no
 * table of blocks is needed: the ranges of memory that hold roots are named,
 * and of all writable memory each word is written down that could be the
 * address of a block. That is one sequential pass; coded as differences
 * and compressed a word costs one to three bytes. Everything that can be
 * argued about (what a root is, interior pointers, what the allocator's own
 * words mean) is decided by the reader, and can be decided anew.
 *
 * What could be an address: a word, aligned, whose value lies in a granule
 * (16 MiB) in which there is memory that an allocator can have got its blocks
 * from: [heap] and private anonymous mappings. Small integers, text, code
 * addresses are none, so what is left is nearly all pointers.
 *
 * Memory is read through /proc/self/mem: other threads still run, and what
 * they unmap meanwhile must be no fault of ours. Pages that were never touched
 * are not read (/proc/self/pagemap), or a reserved terabyte would become a
 * terabyte of zeros. Our own memory is left out: it is full of the program's
 * addresses.
 */
#include "scan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

#include <memtrace/model.h>

#include "home.h"
#include "journal.h"
#include "maps.h"
#include "process.h"
#include "saved.h"
#include "seal.h"
#include "sys.h"

/* Addresses are looked up in a bitmap of granules of user space. */
#define GRANULE_SHIFT 24
#define USER_BITS 47
#define BITMAP_BYTES (1ul << (USER_BITS - GRANULE_SHIFT - 3))

/* Memory is read so much at a time. */
#define CHUNK_BYTES (256ul * 1024)
#define CHUNK_PAGES (CHUNK_BYTES / MT_PAGE_BYTES)

/* Words of one segment; a column takes each at its longest. */
#define SEGMENT_WORDS (MT_JOURNAL_COLUMN_BYTES / MT_VARINT_MAX)

/* A thread below its stack pointer may use so much (ABI 3.2.2). */
#define RED_ZONE_BYTES 128

/* All that a scan needs, in memory that is mapped for it. */
struct scan {
	uint8_t *bitmap;
	int mem, pagemap, parent_pagemap;
	bool forbidden;		/* memory could not be read */
	uint32_t number, count; /* words in the segment */
	bool shared;		/* the mapping that is read */
	bool failed;		/* something could not be written */
	uint64_t last_address, last_value;
	uint8_t *end[2];
	uint64_t data_end; /* where the last module's data ended */
	const struct mt_scan_asked *asked;
	struct mt_seen_thread self; /* the one that asked */
	uint32_t log_bytes;
	uint8_t log[MT_JOURNAL_COLUMN_BYTES]; /* of records */
	uint64_t presence[CHUNK_PAGES];
	uint64_t chunk[CHUNK_BYTES / 8];
	uint8_t column[2][MT_JOURNAL_COLUMN_BYTES];
};

/* What the scans of a run have written; shared with a fork that scans. */
struct mt_scan_state {
	uint32_t count; /* of scans */
	uint32_t pause_us, fork_us;
	uint64_t words, bytes; /* of all of them */
};

static struct {
	struct mt_scan_state own, *state; /* `own` or a shared one */
	uint64_t tcb;			  /* of the first thread */
} scans = {.state = &scans.own};

/* Whether a mapping is one that an allocator can have its blocks in. */
static bool can_hold_blocks(const struct mt_mapping *m)
{
	return m->writable && !m->shared && !m->inode && !m->stack;
}

/* Note the granules of a mapping. */
static bool note_granules(void *context, const struct mt_mapping *m,
			  const char *path)
{
	struct scan *s = context;

	(void)path;
	if (!can_hold_blocks(m) || m->end > 1ull << USER_BITS)
		return true;
	for (uint64_t g = m->start >> GRANULE_SHIFT;
	     g <= (m->end - 1) >> GRANULE_SHIFT; g++)
		s->bitmap[g / 8] |= (uint8_t)(1u << g % 8);
	return true;
}

static inline bool may_point(const struct scan *s, uint64_t value)
{
	uint64_t g = value >> GRANULE_SHIFT;

	return !(value >> USER_BITS) && s->bitmap[g / 8] >> g % 8 & 1;
}

/* ---- The words. ---- */

/* Write the words so far as a segment. */
static void seal_words(struct scan *s)
{
	struct mt_segment head = {
		.stream = MT_STREAM_WORDS,
		.first = scans.state->words,
		.count = s->count,
	};
	struct mt_bytes columns[2];

	for (int i = 0; i < 2; i++) {
		columns[i] = (struct mt_bytes){
			s->column[i], (size_t)(s->end[i] - s->column[i])};
		s->end[i] = s->column[i];
	}
	scans.state->words += s->count;
	if (s->count && mt_seal_segment(&head, NULL, columns, 2))
		s->failed = true;
	s->count = 0;
	s->last_address = s->last_value = 0;
}

static inline void put_word(struct scan *s, uint64_t address, uint64_t value)
{
	s->end[0] = mt_varint_put(s->end[0], (address - s->last_address) / 8);
	s->end[1] = mt_model_put_distance(s->end[1], s->last_value, value);
	s->last_address = address;
	s->last_value = value;
	if (++s->count == SEGMENT_WORDS)
		seal_words(s);
}

/* Write down what points among `n` words read from `address`. */
static void put_words(struct scan *s, uint64_t address, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (unlikely(may_point(s, s->chunk[i])))
			put_word(s, address + i * 8, s->chunk[i]);
}

/*
 * Find out which pages were ever touched. A fork's page table has nothing of
 * memory that is shared; the one it was forked from has.
 */
static void find_presence(struct scan *s, uint64_t from, uint64_t pages)
{
	int fd = s->shared ? s->parent_pagemap : s->pagemap;
	long got =
		sys_pread(fd, s->presence, pages * 8, from / MT_PAGE_BYTES * 8);

	if (got != (long)(pages * 8)) /* then read them all */
		memset(s->presence, 0xff, pages * 8);
}

/*
 * Read [at, end), at most a chunk. A page that is no more is stepped over; but
 * where reading is forbidden, what is found says nothing.
 */
static void read_pages(struct scan *s, uint64_t at, uint64_t end)
{
	while (at < end) {
		long got = sys_pread(s->mem, s->chunk, end - at, at);

		if (got < 0 && got != -EIO && got != -EFAULT) {
			s->forbidden = true;
			return;
		}
		if (got > 0)
			put_words(s, at, (size_t)got / 8);
		at = got > 0 ? at + (uint64_t)got
			     : (at & ~(MT_PAGE_BYTES - 1)) + MT_PAGE_BYTES;
	}
}

/* Read the pages of [from, to), at most a chunk, that were ever touched. */
static void read_chunk(struct scan *s, uint64_t from, uint64_t to)
{
	uint64_t pages = (to - from + MT_PAGE_BYTES - 1) / MT_PAGE_BYTES, i = 0;

	find_presence(s, from, pages);
	while (i < pages) {
		uint64_t start = i, at, end;

		/* Bits 63 and 62: present, swapped. */
		while (i < pages && s->presence[i] >> 62)
			i++;
		if (i == start) {
			i++;
			continue;
		}
		at = from + start * MT_PAGE_BYTES;
		end = from + i * MT_PAGE_BYTES;
		read_pages(s, at, end < to ? end : to);
	}
}

/* Read a range of memory; only its first page may begin inside a page. */
static void read_range(struct scan *s, uint64_t from, uint64_t to)
{
	uint64_t part, next = from & ~(MT_PAGE_BYTES - 1);

	for (; from < to; from = next) {
		next = (next & ~(MT_PAGE_BYTES - 1)) +
		       (from % MT_PAGE_BYTES ? MT_PAGE_BYTES : CHUNK_BYTES);
		part = next < to ? next : to;
		read_chunk(s, from, part);
		next = part;
	}
}

/* ---- The records. ---- */

/* Write the records so far as a segment. */
static void seal_log(struct scan *s)
{
	struct mt_segment head = {
		.stream = MT_STREAM_SCANS,
		.first = scans.state->bytes,
		.count = s->log_bytes,
	};
	struct mt_bytes column = {s->log, s->log_bytes};

	/* Numbers are taken before they are used: whoever dies, not again. */
	scans.state->bytes += s->log_bytes;
	if (s->log_bytes && mt_seal_segment(&head, NULL, &column, 1))
		s->failed = true;
	s->log_bytes = 0;
}

/* Enter a record in the scans log. */
static void put_record(struct scan *s, enum mt_meta_type type, const void *head,
		       size_t head_bytes, const char *text)
{
	size_t text_bytes = strlen(text);
	struct mt_meta m = {(uint16_t)type,
			    (uint16_t)(head_bytes + text_bytes)};
	uint8_t *p;

	if (s->log_bytes + sizeof(m) + m.bytes > sizeof(s->log))
		seal_log(s);
	p = s->log + s->log_bytes;
	memcpy(p, &m, sizeof(m));
	memcpy(p + sizeof(m), head, head_bytes);
	memcpy(p + sizeof(m) + head_bytes, text, text_bytes);
	s->log_bytes += (uint32_t)sizeof(m) + m.bytes;
}

/* Enter a range. */
static void put_range(struct scan *s, enum mt_range_kind kind, uint64_t start,
		      uint64_t end, uint32_t tid, const char *path)
{
	struct mt_meta_range r = {
		.start = start,
		.end = end,
		.kind = kind,
		.tid = tid,
		.scan = s->number,
	};

	put_record(s, MT_META_RANGE, &r, sizeof(r), path);
}

/* ---- The ranges. ---- */

/* Name a range, and read it but for what of it is ours. */
static void add_range(struct scan *s, enum mt_range_kind kind, uint64_t start,
		      uint64_t end, uint32_t tid, const char *path)
{
	uint64_t own_start, own_end;

	put_range(s, kind, start, end, tid, path);
	while (start < end && sys_own_memory(start, &own_start, &own_end) &&
	       own_start < end) {
		if (own_start > start)
			read_range(s, start, own_start);
		start = own_end;
	}
	if (start < end)
		read_range(s, start, end);
}

static bool is_in(const struct mt_mapping *m, uint64_t address)
{
	return address >= m->start && address < m->end;
}

/* Return where the words that are alive begin on a thread's stack. */
static uint64_t live_from(const struct mt_mapping *m,
			  const struct mt_seen_thread *t)
{
	uint64_t sp = t->sp & ~7ull;

	return sp - m->start > t->below ? sp - t->below : sp;
}

/* Return a thread that lives, or NULL. */
static const struct mt_seen_thread *find_thread(const struct scan *s,
						uint32_t tid)
{
	const struct mt_seen_threads *all = s->asked->threads;

	if (s->self.tid == tid)
		return &s->self;
	for (uint32_t i = 0; i < all->count; i++)
		if (all->thread[i].tid == tid &&
		    all->thread[i].seen != MT_SEEN_GONE)
			return &all->thread[i];
	return NULL;
}

/* Scan a thread's stack where that is a mapping's only purpose; false: this
 * is none. Of a thread that runs, or not on it, all of it counts. */
static bool scan_home(struct scan *s, const struct mt_mapping *m,
		      const char *path)
{
	struct mt_home home = {.tid = (int32_t)s->asked->pid};
	uint64_t start = m->start;
	const struct mt_seen_thread *t;

	if (m->inode || (!m->stack && !mt_home_find(s->mem, m, s->self.tid,
						    s->chunk, &home)))
		return false;
	if (home.tid < 0) /* joined: what is there is for the next one */
		return true;
	t = find_thread(s, (uint32_t)home.tid);
	if (!home.tid)
		start = home.tcb;
	else if (m->stack && !t) /* so can the first one end */
		return true;
	else if (t && is_in(m, t->sp))
		start = live_from(m, t);
	add_range(s, MT_RANGE_STACK, start, m->end, (uint32_t)home.tid, path);
	return true;
}

/* Name the stacks of threads that are somewhere in a mapping, as those of
 * coroutines are: in a block, or beside other things. */
static void put_stacks(struct scan *s, const struct mt_mapping *m,
		       const char *path)
{
	const struct mt_seen_threads *all = s->asked->threads;

	for (uint32_t i = 0; i <= all->count; i++) {
		const struct mt_seen_thread *t =
			i ? &all->thread[i - 1] : &s->self;

		if (is_in(m, t->sp))
			put_range(s, MT_RANGE_STACK, live_from(m, t), m->end,
				  t->tid, path);
	}
}

/* Return what a mapping is, to be scanned; 0: it is not. */
static enum mt_range_kind kind_of(struct scan *s, const struct mt_mapping *m)
{
	if (m->inode && !m->shared)
		return MT_RANGE_MODULE;
	/* What a module's file does not cover of its data follows it. */
	if (!m->inode && !m->shared && m->start == s->data_end && !m->heap)
		return MT_RANGE_MODULE;
	if (m->heap)
		return MT_RANGE_HEAP;
	if (is_in(m, scans.tcb))
		return MT_RANGE_TLS;
	return MT_RANGE_MAPPING;
}

/* Whether a mapping may hold roots: what the program wrote, even where it may
 * not write any more. */
static bool may_hold_roots(const struct mt_mapping *m, const char *path)
{
	return m->readable && (m->writable || (!m->inode && *path != '['));
}

/* Scan a mapping. */
static bool scan_mapping(void *context, const struct mt_mapping *m,
			 const char *path)
{
	struct scan *s = context;
	enum mt_range_kind kind;

	s->shared = m->shared;
	if (!may_hold_roots(m, path) || scan_home(s, m, path))
		return true;
	kind = kind_of(s, m);
	if (kind == MT_RANGE_MODULE)
		s->data_end = m->end;
	put_stacks(s, m, path);
	add_range(s, kind, m->start, m->end, 0, path);
	return true;
}

/* ---- The threads. ---- */

/* Say what was not seen of a thread. */
static void put_unseen(struct scan *s, uint32_t tid, enum mt_unseen what)
{
	put_range(s, MT_RANGE_UNSEEN, what, 0, tid, "");
}

/* Write down which registers of a thread may point. */
static void put_registers(struct scan *s, uint32_t tid, const uint64_t *reg,
			  uint32_t which)
{
	for (int i = 0; which >> i; i++)
		if (which >> i & 1 && may_point(s, reg[i]))
			put_range(s, MT_RANGE_REGISTERS, reg[i], reg[i], tid,
				  "");
}

/* Return how many arguments a system call has that threads rest in; in the
 * registers for others is what was there before. */
static unsigned int count_arguments(long nr)
{
	switch (nr) {
	case SYS_pause:
		return 0;
	case SYS_nanosleep:
		return 2;
	case SYS_read:
	case SYS_write:
	case SYS_poll:
	case SYS_accept:
	case SYS_recvmsg:
		return 3;
	case SYS_clock_nanosleep:
	case SYS_epoll_wait:
	case SYS_wait4:
		return 4;
	default:
		return 6;
	}
}

/* Write down the registers of a thread that is parked, vectors included. */
static void look_at_parked(struct scan *s, struct mt_seen_thread *t)
{
	const uint64_t *word;
	unsigned int n;

	t->below = RED_ZONE_BYTES;
	for (unsigned int area = 0; area < 2; area++) {
		word = mt_context_registers(t->context, area, &n);
		for (unsigned int i = 0; i < n; i++)
			put_registers(s, t->tid, &word[i], 1);
	}
}

/* The same of one in a system call: its arguments; what it saved on its stack
 * is there. */
static void look_at_asleep(struct scan *s, struct mt_seen_thread *t)
{
	struct mt_saved saved = {.reg = {0}};

	put_registers(s, t->tid, t->argument,
		      (1u << count_arguments(t->call)) - 1);
	saved.reg[MT_REG_SP] = t->sp;
	saved.reg[MT_REG_PC] = t->pc;
	if (!mt_saved_find(s->mem, &saved) ||
	    (saved.known & MT_REGS_KEPT) != MT_REGS_KEPT)
		put_unseen(s, t->tid, MT_UNSEEN_REGISTERS);
	/* libc's functions that wait keep nothing there. */
	if (saved.reg[MT_REG_SP] == t->sp)
		t->below = RED_ZONE_BYTES;
}

/* Write down what was seen of a thread but for its stack, and what was not. */
static void look_at(struct scan *s, struct mt_seen_thread *t)
{
	switch (t->seen) {
	case MT_SEEN_PARKED:
		look_at_parked(s, t);
		break;
	case MT_SEEN_ASLEEP:
		look_at_asleep(s, t);
		break;
	case MT_SEEN_NOT:
		put_unseen(s, t->tid, MT_UNSEEN_THREAD);
		break;
	case MT_SEEN_GONE:
		break;
	}
}

/* Write down the registers that the program had when it called exit(). */
static void look_at_self(struct scan *s)
{
	struct mt_saved saved = {.known = MT_REGS_KEPT};

	mt_registers(saved.reg);
	if (mt_saved_find(s->mem, &saved))
		put_registers(s, s->self.tid, saved.reg, MT_REGS_KEPT);
}

/* Look at all threads. The one that asked for a scan on request has its
 * registers on its stack. */
static void look_at_all(struct scan *s)
{
	struct mt_seen_threads *all = s->asked->threads;

	if (s->asked->why == MT_SCAN_AT_END)
		look_at_self(s);
	for (uint32_t i = 0; i < all->count; i++)
		look_at(s, &all->thread[i]);
	if (all->unlisted)
		put_unseen(s, 0, MT_UNSEEN_OTHERS);
}

/* Open the page table of the process that a fork scans for. */
static int open_parent_pagemap(const struct scan *s)
{
	char path[64] = "/proc/";

	sys_append_number(path, sizeof(path), s->asked->pid);
	sys_append(path, sizeof(path), "/pagemap");
	return sys_open(path, O_RDONLY, 0);
}

/* Scan all; false: what is needed could not be read. */
static bool scan(struct scan *s)
{
	bool whole = false;

	/* Not /proc/self: that is empty once the first thread has ended. */
	s->mem = sys_open("/proc/thread-self/mem", O_RDONLY, 0);
	s->pagemap = sys_open("/proc/thread-self/pagemap", O_RDONLY, 0);
	s->parent_pagemap = open_parent_pagemap(s);
	s->end[0] = s->column[0];
	s->end[1] = s->column[1];
	if (s->mem >= 0 && mt_maps_each(note_granules, s)) {
		look_at_all(s);
		whole = mt_maps_each(scan_mapping, s);
		seal_words(s);
	}
	if (s->mem >= 0)
		sys_close(s->mem);
	if (s->pagemap >= 0)
		sys_close(s->pagemap);
	if (s->parent_pagemap >= 0)
		sys_close(s->parent_pagemap);
	return whole;
}

void mt_scan_begin(void)
{
	scans.own = (struct mt_scan_state){0};
	scans.state = &scans.own;
	scans.tcb = mt_thread_pointer();
}

/* Write the record that ends a scan. */
static void put_scan(struct scan *s, const struct mt_scan_asked *asked,
		     uint64_t first, enum mt_scan_status status)
{
	struct mt_meta_scan m = {
		.clock = asked->clock,
		.first = first,
		.words = scans.state->words - first,
		.scan = s->number,
		.status = status,
		.node = asked->node,
		.tid = asked->tid,
		.why = asked->why,
		.pause_us = scans.state->pause_us,
		.fork_us = scans.state->fork_us,
	};

	/* A small heap is scanned before that is known. */
	for (int ms = 0; asked->status == MT_SCAN_WHOLE && ms < 100 &&
			 asked->why == MT_SCAN_ON_REQUEST && !m.pause_us;
	     ms++) {
		sys_sleep_us(1000);
		m.pause_us = __atomic_load_n(&scans.state->pause_us,
					     __ATOMIC_ACQUIRE);
		m.fork_us = scans.state->fork_us;
	}
	if (s->failed && status == MT_SCAN_WHOLE)
		m.status = MT_SCAN_UNREADABLE;
	put_record(s, MT_META_SCAN, &m, sizeof(m), "");
	seal_log(s);
}

uint32_t mt_scan_number(void)
{
	return scans.state->count++;
}

void mt_scan(const struct mt_scan_asked *asked)
{
	struct scan *s = sys_map_lazy(sizeof(*s));
	uint8_t *bitmap = sys_map_lazy(BITMAP_BYTES);
	enum mt_scan_status status = MT_SCAN_UNREADABLE;
	uint64_t first = scans.state->words;

	if (s) {
		s->bitmap = bitmap;
		s->number = asked->number;
		s->asked = asked;
		s->self = (struct mt_seen_thread){.tid = asked->tid,
						  .sp = asked->sp};
		if (asked->status != MT_SCAN_WHOLE)
			status = asked->status;
		else if (bitmap && scan(s) && !s->forbidden)
			status = MT_SCAN_WHOLE;
		put_scan(s, asked, first, status);
		sys_unmap(s, sizeof(*s));
	}
	if (bitmap)
		sys_unmap(bitmap, BITMAP_BYTES);
}

bool mt_scan_share(void)
{
	if (scans.state == &scans.own) {
		struct mt_scan_state *shared = sys_map_shared(sizeof(*shared));

		if (!shared)
			return false;
		*shared = scans.own;
		scans.state = shared;
	}
	scans.state->pause_us = scans.state->fork_us = 0;
	sys_share_with_forks(scans.state, sizeof(*scans.state), true);
	return true;
}

void mt_scan_shared(uint32_t pause_us, uint32_t fork_us)
{
	scans.state->fork_us = fork_us;
	__atomic_store_n(&scans.state->pause_us, pause_us + !pause_us,
			 __ATOMIC_RELEASE);
	sys_share_with_forks(scans.state, sizeof(*scans.state), false);
}
