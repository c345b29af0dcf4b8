/* SPDX-License-Identifier: MIT */
/*
 * Heap profiles as gperftools and jemalloc write them: a text of sums per
 * stack, and the process's mappings.
 *
 *   heap profile: 4: 2560 [10: 6400] @ heap_v2/524288
 *   4: 2560 [10: 6400] @ 0x401011 0x401021        gperftools
 *
 *   heap_v2/524288
 *   @ 0x401011 0x401021                           jemalloc
 *     t*: 4: 2560 [10: 6400]
 *
 *   MAPPED_LIBRARIES:
 *   00401000-00402000 r-xp 00001000 08:01 1234 /path
 *
 * live: bytes [allocated: bytes]. Sampled ones (heap_v2/T) are scaled by the
 * stack's average size, as pprof does: it is all that they tell.
 */
#include "import.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "scan.h"

/* A stack's sums as they stand in the file. */
struct sums {
	uint64_t live, live_bytes, allocated, allocated_bytes;
};

/* A stack, until the mappings are known. */
struct stack {
	size_t first, count; /* of addresses */
	struct sums sums;
};

struct reader {
	struct profile *profile;
	struct scan scan;
	double sample; /* mean bytes between samples; 0: all were counted */
	uint64_t *address;
	size_t address_count, address_room;
	struct stack *stack;
	size_t stack_count, stack_room;
	bool jemalloc;
};

bool legacy_matches(const struct import *in)
{
	return strncmp(in->text, "heap profile: ", 14) == 0 ||
	       strncmp(in->text, "heap_v2/", 8) == 0;
}

/* Read "LIVE: BYTES [ALLOCATED: BYTES]". */
static bool read_sums(struct scan *s, struct sums *n)
{
	bool good = scan_number(s, 10, &n->live) && scan_text(s, ":") &&
		    scan_number(s, 10, &n->live_bytes);

	scan_blanks(s);
	good = good && scan_text(s, "[") && scan_number(s, 10, &n->allocated) &&
	       scan_text(s, ":") && scan_number(s, 10, &n->allocated_bytes);
	scan_blanks(s);
	return good && scan_text(s, "]");
}

/* Begin a stack with the addresses that follow. */
static struct stack *begin_stack(struct reader *r)
{
	struct stack *stack;
	uint64_t address;

	r->stack = util_grow(r->stack, r->stack_count, &r->stack_room,
			     sizeof(*r->stack));
	stack = &r->stack[r->stack_count++];
	*stack = (struct stack){.first = r->address_count};
	while (scan_number(&r->scan, 16, &address)) {
		r->address = util_grow(r->address, r->address_count,
				       &r->address_room, sizeof(*r->address));
		r->address[r->address_count++] = address;
		stack->count++;
	}
	return stack;
}

/* Read the first line: the sampling, and which of the two it is. */
static bool read_head(struct reader *r)
{
	struct scan *s = &r->scan;
	struct sums all;
	uint64_t period = 0;

	scan_line(s);
	r->jemalloc = scan_text(s, "heap_v2/");
	if (r->jemalloc) {
		r->sample = scan_number(s, 10, &period) ? (double)period : 0;
		return period > 0;
	}
	scan_text(s, "heap profile:");
	if (!read_sums(s, &all))
		return false;
	scan_blanks(s);
	scan_text(s, "@ ");
	if (scan_text(s, "heap_v2/") || scan_text(s, "heapz_v2/"))
		r->sample = scan_number(s, 10, &period) ? (double)period : 0;
	else if (scan_text(s, "heap/"))
		r->sample =
			scan_number(s, 10, &period) ? (double)period / 2 : 0;
	return true;
}

/* Apply a line of the stacks; false: it makes no sense. */
static bool read_line(struct reader *r)
{
	struct scan *s = &r->scan;
	struct sums n;

	scan_blanks(s);
	if (s->at == s->end)
		return true;
	if (r->jemalloc) {
		if (scan_text(s, "@")) {
			begin_stack(r);
			return true;
		}
		/* t0, t1...: the threads' parts of t*. */
		if (!scan_text(s, "t*:"))
			return *s->at == 't';
		if (!read_sums(s, &n))
			return false;
		if (r->stack_count)
			r->stack[r->stack_count - 1].sums = n;
		return true;
	}
	if (!read_sums(s, &n))
		return false;
	scan_blanks(s);
	if (!scan_text(s, "@"))
		return false;
	begin_stack(r)->sums = n;
	return true;
}

/*
 * Return what to take off an address of a mapping for the file's own address:
 * by its program headers, else as most files have it.
 */
static uint64_t find_bias(const char *path, uint64_t start, uint64_t offset)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t bias = start - offset;
	Elf64_Ehdr head;
	Elf64_Phdr ph;

	if (fd < 0)
		return bias;
	if (pread(fd, &head, sizeof(head), 0) == sizeof(head) &&
	    memcmp(head.e_ident, ELFMAG, SELFMAG) == 0 &&
	    head.e_phentsize == sizeof(ph))
		for (unsigned int i = 0; i < head.e_phnum; i++) {
			off_t at = (off_t)(head.e_phoff + i * sizeof(ph));

			if (pread(fd, &ph, sizeof(ph), at) == sizeof(ph) &&
			    ph.p_type == PT_LOAD && ph.p_flags & PF_X &&
			    offset >= (ph.p_offset & ~4095ull) &&
			    offset < ph.p_offset + ph.p_filesz)
				bias = start - offset + ph.p_offset -
				       ph.p_vaddr;
		}
	close(fd);
	return bias;
}

/* Read a line of the mappings; those with code become modules. */
static void read_mapping(struct reader *r)
{
	struct scan *s = &r->scan;
	struct trace_module m = {0};
	uint64_t offset, skipped;
	char *path;

	if (!scan_number(s, 16, &m.start) || !scan_text(s, "-") ||
	    !scan_number(s, 16, &m.end) || s->end - s->at < 6 ||
	    s->at[3] != 'x')
		return;
	s->at += 5;
	if (!scan_number(s, 16, &offset) || !scan_number(s, 16, &skipped) ||
	    !scan_text(s, ":") || !scan_number(s, 16, &skipped) ||
	    !scan_number(s, 10, &skipped))
		return;
	scan_blanks(s);
	if (s->at == s->end)
		return;
	path = util_copy(s->at, (size_t)(s->end - s->at));
	m.path = path;
	m.bias = find_bias(path, m.start, offset);
	stacks_add_module(&r->profile->stacks, &m);
	free(path);
}

/* Return the module of an address. */
static uint32_t module_of(const struct stacks *s, uint64_t address)
{
	for (size_t i = 0; i < s->module_count; i++)
		if (address >= s->modules[i].start &&
		    address < s->modules[i].end)
			return (uint32_t)i;
	return MT_NO_MODULE;
}

/* Scale a sampled count and its bytes by their average size. */
static void scale(const struct reader *r, uint64_t *n, uint64_t *bytes)
{
	double factor;

	if (!*n || !r->sample)
		return;
	factor = 1 / -expm1(-(double)*bytes / (double)*n / r->sample);
	*n = (uint64_t)((double)*n * factor + 0.5);
	*bytes = (uint64_t)((double)*bytes * factor + 0.5);
}

/* Make the row of a stack. */
static void add_row(struct reader *r, const struct stack *from)
{
	struct stacks *stacks = &r->profile->stacks;
	struct profile_row row = {.node = 0};
	struct sums n = from->sums;

	for (size_t i = from->count; i-- > 0;) {
		uint64_t address = r->address[from->first + i];

		row.node = stacks_add_node(
			stacks, row.node,
			stacks_add_pc(stacks, address,
				      module_of(stacks, address), 0));
	}
	if (!row.node)
		row.node = MT_NODE_LOST;
	scale(r, &n.live, &n.live_bytes);
	scale(r, &n.allocated, &n.allocated_bytes);
	row.totals.exit_blocks = n.live;
	row.totals.exit_bytes = n.live_bytes;
	row.totals.allocations = n.allocated;
	row.totals.allocated_bytes = n.allocated_bytes;
	profile_add_row(r->profile, &row);
}

/* Read all lines; false: the one that `scan` is at makes no sense. */
static bool read_lines(struct reader *r)
{
	bool mappings = false;

	while (scan_line(&r->scan)) {
		const char *line = r->scan.at;

		if (scan_text(&r->scan, "MAPPED_LIBRARIES:") ||
		    scan_text(&r->scan, "--- Memory map: ---")) {
			mappings = true;
		} else if (mappings) {
			read_mapping(r);
		} else if (!read_line(r)) {
			r->scan.at = line;
			return false;
		}
	}
	return true;
}

int legacy_read(struct profile *p, const struct import *in, struct error *e)
{
	struct reader r = {.profile = p};
	int status = 0;

	profile_begin(p, in->path, "heap profile",
		      PROFILE_HAS_EXIT | PROFILE_HAS_BLOCKS);
	scan_begin(&r.scan, in->text, in->bytes);
	if (!read_head(&r) || !read_lines(&r))
		status = error_set(e, (uint64_t)(r.scan.at - in->text),
				   "no line of a heap profile");
	p->source = r.jemalloc ? "jemalloc" : "gperftools";
	for (size_t i = 0; i < r.stack_count && status == 0; i++)
		add_row(&r, &r.stack[i]);
	if (p->totals.allocations)
		p->has |= PROFILE_HAS_ALLOCATED;
	if (p->stacks.module_count)
		p->program = util_basename(p->stacks.modules[0].path);
	profile_add_note(p,
			 "a %s heap profile: one moment, no peak, no "
			 "lifetimes",
			 p->source);
	if (r.sample)
		profile_add_note(p,
				 "sampled every %.0f bytes: the figures are "
				 "estimates",
				 r.sample);
	free(r.address);
	free(r.stack);
	return status;
}
