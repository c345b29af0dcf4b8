/* SPDX-License-Identifier: MIT */
/*
 * What the resident set is made of; see memory.h.
 *
 * All is from smaps: the allocator is not asked. mallinfo2() would have to be
 * called with none of its locks held, which nobody knows in a handler that
 * interrupted malloc(), and walks all free chunks under its lock: 13 ms for a
 * million of them. Nor does it say what of them is resident. So what it keeps
 * is a difference that the reader makes: what is resident of the mappings that
 * blocks are in, less those blocks.
 *
 * The kernel makes one mapping of two that touch. What is known to be of
 * another kind (our own memory, a thread's stack, a module's data behind its
 * file) is cut out of it, and the resident pages of the parts are counted.
 */
#include "memory.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>

#include <memtrace/varint.h>

#include "clock.h"
#include "home.h"
#include "live.h"
#include "maps.h"
#include "meta.h"
#include "sys.h"
#include "thread.h"

/* Extents of a note, packed; and of all notes of a run together. */
#define PACKED_BYTES 16384
#define MOST_BYTES (8u << 20)

/* Of the time, this part may be spent on marks and failures. */
#define MARKS_SHARE 100

/* What of a thread's control block is behind its pointer: struct pthread of
 * glibc, to the next page. */
#define TCB_BYTES 2304

/* Mappings of one file that follow each other. */
struct file {
	uint64_t inode; /* 0: none */
	uint64_t bytes;
	uint64_t data_end;   /* of what the program may have written */
	uint64_t module_end; /* with what its file does not cover; 0: none */
	bool is_code, is_own;
};

/* A look at memory. */
struct look {
	struct mt_meta_memory m;
	struct file file;
	uint64_t left;	    /* resident bytes of the mapping, not counted yet */
	uint64_t guard_end; /* of the mapping before, if it is a guard */
	uint64_t stack_bytes; /* of the last that was found, or by default */
	uint64_t last_page;   /* end of the extent before */
	uint8_t *to;	      /* in packed */
	uint32_t tid, pid;
	int mem;
};

/* A look and its room, mapped at the first: addresses, and copies of words of
 * the program must not be where a scan for leaks finds them. */
struct room {
	struct look look;
	uint64_t words[MT_HOME_WORDS];
	char path[4096];
	uint8_t packed[PACKED_BYTES];
};

static struct {
	struct sys_lock lock;
	struct room *room;
	uint64_t ended_ns, took_ns; /* of the last */
	uint64_t bytes;		    /* of all notes */
} memory;

void mt_memory_begin(void)
{
	memory.lock.word = 0;
	memory.bytes = 0;
	memory.ended_ns = memory.took_ns = 0;
}

/* ---- Files. ---- */

/* Return where a module ends in memory, by its program headers; 0: none. */
static uint64_t module_end(const struct look *l, const struct mt_mapping *m)
{
	const Elf64_Ehdr *e = (const void *)memory.room->words;
	long got = sys_pread(l->mem, memory.room->words,
			     sizeof(memory.room->words), m->file_start);
	uint64_t low = UINT64_MAX, high = 0;

	if (got < (long)sizeof(*e) || memcmp(e->e_ident, ELFMAG, SELFMAG) != 0)
		return 0;
	for (uint64_t i = 0; i < e->e_phnum; i++) {
		uint64_t at = e->e_phoff + i * sizeof(Elf64_Phdr);
		Elf64_Phdr p;

		if (at > (uint64_t)got - sizeof(p))
			return 0;
		memcpy(&p, (const char *)e + at, sizeof(p));
		if (p.p_type != PT_LOAD)
			continue;
		if (p.p_vaddr < low)
			low = p.p_vaddr;
		if (p.p_vaddr + p.p_memsz > high)
			high = p.p_vaddr + p.p_memsz;
	}
	if (low >= high)
		return 0;
	return MT_ALIGN_UP(m->file_start + high - (low & ~(MT_PAGE_BYTES - 1)),
			   MT_PAGE_BYTES);
}

/* Whether a mapping has our code in it, or is one of our own. */
static bool is_own(const struct mt_mapping *m)
{
	uint64_t code = (uint64_t)(uintptr_t)&mt_memory_note, start, end;

	return (code >= m->start && code < m->end) ||
	       (sys_own_memory(m->start, &start, &end) && start <= m->start);
}

/* Count the file that has ended. */
static void end_file(struct look *l)
{
	const struct file *f = &l->file;

	if (f->is_own)
		l->m.own += f->bytes;
	else if (f->is_code)
		l->m.program += f->bytes;
	else
		l->m.files += f->bytes;
	l->file = (struct file){0};
}

/* Count a mapping of a file. */
static void add_file(struct look *l, const struct mt_mapping *m)
{
	struct file *f = &l->file;

	if (m->inode != f->inode) {
		end_file(l);
		f->inode = m->inode;
	}
	f->bytes += m->resident;
	f->is_code |= m->executable;
	f->is_own |= is_own(m);
	f->data_end = m->writable && !m->shared ? m->end : 0;
	if (f->data_end)
		f->module_end = module_end(l, m);
}

/* ---- Memory of no file. ---- */

/* Return what is resident of [start, end), as a part of the mapping. */
static uint64_t take(struct look *l, const struct mt_mapping *m, uint64_t start,
		     uint64_t end)
{
	uint64_t bytes = l->left;

	if (start > m->start || end < m->end)
		bytes = sys_resident_pages(start, end) * MT_PAGE_BYTES;
	if (bytes > l->left)
		bytes = l->left;
	l->left -= bytes;
	return bytes;
}

/* Note an extent. */
static void put_extent(struct look *l, const struct mt_mapping *m,
		       uint64_t start, uint64_t end)
{
	uint64_t bytes = take(l, m, start, end), first = start / MT_PAGE_BYTES;

	if (!bytes)
		return;
	if (l->to + 3 * MT_VARINT_MAX > memory.room->packed + PACKED_BYTES) {
		l->m.unlisted += bytes;
		return;
	}
	l->to = mt_varint_put(l->to, first - l->last_page);
	l->last_page = end / MT_PAGE_BYTES;
	l->to = mt_varint_put(l->to, (l->last_page - first) << 1 | m->heap);
	l->to = mt_varint_put(l->to, bytes / MT_PAGE_BYTES);
	l->m.extents++;
}

/* Return the control block at the end of [start, end); 0: none is there. */
static uint64_t find_home(const struct look *l, uint64_t start, uint64_t end)
{
	struct mt_mapping part = {.start = start, .end = end};
	struct mt_home home;

	return mt_home_find(l->mem, &part, l->tid, memory.room->words, &home)
		       ? home.tcb
		       : 0;
}

/* Return the control block of a thread whose stack begins at `start` and ends
 * by `end`; 0: there is none. One that never allocated is told by the end of
 * the mapping, or if something follows there, by the length of the others. */
static uint64_t find_tcb(const struct look *l, const struct mt_mapping *m,
			 uint64_t start, uint64_t end)
{
	uint64_t tcb;

	for (struct mt_thread *t = mt_thread_first(); t; t = t->next)
		if (t->tcb >= start && t->tcb < end && t->slot->tid != l->pid)
			return t->tcb;
	if (l->guard_end != m->start || start != m->start)
		return 0;
	tcb = find_home(l, start, end);
	if (!tcb && l->stack_bytes < end - start)
		tcb = find_home(l, start, start + l->stack_bytes);
	return tcb;
}

/* Return the end of a thread's stack that a part of a mapping begins with;
 * `start`: it is none. */
static uint64_t stack_end(struct look *l, const struct mt_mapping *m,
			  uint64_t start, uint64_t end)
{
	uint64_t stack = find_tcb(l, m, start, end);

	if (!stack)
		return start;
	stack = MT_ALIGN_UP(stack + TCB_BYTES, MT_PAGE_BYTES);
	if (stack > end)
		stack = end;
	l->stack_bytes = stack - start;
	return stack;
}

/* Count a part of a mapping that is not ours. */
static void add_part(struct look *l, const struct mt_mapping *m, uint64_t start,
		     uint64_t end)
{
	uint64_t stack = start;

	if (!m->heap && m->resident)
		stack = stack_end(l, m, start, end);
	if (stack > start)
		l->m.stacks += take(l, m, start, stack);
	if (stack < end)
		put_extent(l, m, stack, end);
}

/* Count a mapping of private memory, cut where ours begins and ends. */
static void add_anonymous(struct look *l, const struct mt_mapping *m)
{
	uint64_t at = m->start, own_start, own_end;

	l->left = m->resident;
	if (m->start == l->file.data_end && l->file.module_end > m->start) {
		at = l->file.module_end < m->end ? l->file.module_end : m->end;
		l->file.bytes += take(l, m, m->start, at);
	}
	while (at < m->end && sys_own_memory(at, &own_start, &own_end) &&
	       own_start < m->end) {
		own_end = MT_ALIGN_UP(own_end, MT_PAGE_BYTES);
		if (own_start > at)
			add_part(l, m, at, own_start);
		else
			own_start = at;
		at = own_end < m->end ? own_end : m->end;
		l->m.own += take(l, m, own_start, at);
	}
	if (at < m->end)
		add_part(l, m, at, m->end);
	l->m.unlisted += l->left;
}

/* Count a mapping. */
static bool add(void *context, const struct mt_mapping *m, const char *path)
{
	struct look *l = context;

	l->m.resident += m->resident;
	l->m.swapped += m->swapped;
	if (m->inode) {
		add_file(l, m);
	} else if (m->stack) {
		l->m.stacks += m->resident;
	} else if (*path == '[' && !m->heap && strncmp(path, "[anon", 5) != 0) {
		l->m.program += m->resident; /* the kernel's: [vdso] */
	} else {
		add_anonymous(l, m);
		end_file(l);
	}
	l->guard_end = m->readable || m->inode ? 0 : m->end;
	return true;
}

/* Look, and write down what there is. */
static void look(enum mt_why why)
{
	struct look *l = &memory.room->look;

	*l = (struct look){
		.m = {.clock = mt_clock(), .why = why},
		.to = memory.room->packed,
		.tid = sys_tid(),
		.pid = sys_pid(),
		.stack_bytes = sys_stack_limit(),
		.mem = sys_open("/proc/thread-self/mem", O_RDONLY, 0),
	};
	if (mt_maps_each_sized(add, l, memory.room->path,
			       sizeof(memory.room->path))) {
		end_file(l);
		memory.bytes +=
			sizeof(l->m) + (size_t)(l->to - memory.room->packed);
		mt_meta_add(MT_META_MEMORY, &l->m, sizeof(l->m),
			    memory.room->packed,
			    (size_t)(l->to - memory.room->packed));
	}
	if (l->mem >= 0)
		sys_close(l->mem);
}

/* Whether a note is one too many. */
static bool is_too_much(enum mt_why why, uint64_t now_ns)
{
	bool many = why == MT_WHY_MARK || why == MT_WHY_FAILED;

	if (why == MT_WHY_END)
		return false;
	return memory.bytes > MOST_BYTES ||
	       (many &&
		now_ns - memory.ended_ns < (MARKS_SHARE - 1) * memory.took_ns);
}

void mt_memory_note(enum mt_why why)
{
	struct sys_signals old = sys_lock(&memory.lock);
	uint64_t now_ns = sys_monotonic_ns();

	if (!memory.room)
		memory.room = sys_map_lazy(sizeof(*memory.room));
	if (memory.room && !is_too_much(why, now_ns)) {
		look(why);
		memory.ended_ns = sys_monotonic_ns();
		memory.took_ns = memory.ended_ns - now_ns;
	}
	sys_unlock(&memory.lock, old);
}
