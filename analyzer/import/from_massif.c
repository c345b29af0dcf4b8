/* SPDX-License-Identifier: MIT */
/*
 * massif's output: snapshots of the heap's size over time, some of them with
 * a tree of who allocated what. The tree of the peak is what is live at the
 * peak, that of the last detailed snapshot stands for the end.
 *
 *   snapshot=N  time=N  mem_heap_B=N  heap_tree=empty|detailed|peak
 *    n2: 40000 0x1090AC: append (growth.c:19)
 *
 * A node's children are its callers, one blank deeper; "n" is followed by
 * their number. What children do not explain is the node's own.
 */
#include "import.h"

#include <stdlib.h>

#include "map.h"
#include "scan.h"
#include "strpool.h"

/* massif's own bound is 30 callers; ours is a stack's. */
#define MAX_DEPTH MT_MAX_FRAMES

/* A node on the way down a tree. */
struct level {
	uint32_t pc;
	uint64_t left; /* bytes that its children have not explained */
};

struct reader {
	struct profile *profile;
	const struct import *in;
	struct scan scan;
	struct level level[MAX_DEPTH];
	size_t depth;
	uint64_t time, bytes, peak_bytes, last_detailed;
	uint64_t time_unit_ns; /* 0: not a time */
	struct strpool *names; /* addresses with what stands behind */
	struct map pc_of;      /* its number -> pc */
	bool peak_tree;
};

bool massif_matches(const struct import *in)
{
	return in->bytes >= 6 && memcmp(in->text, "desc: ", 6) == 0;
}

/* Enter what a stack, given by its levels, holds. */
static void add_row(struct reader *r, bool peak)
{
	uint64_t bytes = r->depth ? r->level[r->depth - 1].left : 0;
	struct profile_row row = {.node = 0};

	if (!bytes)
		return;
	for (size_t i = r->depth; i-- > 0;)
		row.node = stacks_add_node(&r->profile->stacks, row.node,
					   r->level[i].pc);
	if (peak)
		row.totals.peak_bytes = bytes;
	else
		row.totals.exit_bytes = bytes;
	profile_add_row(r->profile, &row);
}

/* Make a pc of "FUNCTION (FILE:LINE)" or "FUNCTION (in MODULE)". */
static uint32_t make_frame(struct reader *r, uint64_t address, char *text)
{
	struct stacks *stacks = &r->profile->stacks;
	char *place = strrchr(text, '('), *colon, *module = NULL;
	struct sym_frame f = {.function = text};
	uint32_t module_id = MT_NO_MODULE, pc;

	if (place && place > text && text[strlen(text) - 1] == ')') {
		place[-1] = '\0';
		place[strlen(place) - 1] = '\0';
		place++;
		colon = strrchr(place, ':');
		if (strncmp(place, "in ", 3) == 0) {
			module = place + 3;
		} else if (colon) {
			*colon = '\0';
			f.file = place;
			f.line = (uint32_t)strtoul(colon + 1, NULL, 10);
		}
	}
	if (strcmp(text, "???") == 0)
		f.function = NULL;
	if (module)
		module_id = stacks_add_module(
			stacks, &(struct trace_module){.path = module});
	pc = stacks_new_pc(stacks, address, module_id, MT_PC_EXACT);
	stacks_set_frames(stacks, pc, &f, f.function ? 1 : 0);
	return pc;
}

/*
 * Read what stands behind the bytes of a node. One address may be of several
 * inlined frames, a line each, so the whole text is the key.
 */
static uint32_t read_frame(struct reader *r)
{
	struct scan *s = &r->scan;
	char *text;
	uint64_t address = 0, *pc;
	bool fresh;

	scan_blanks(s);
	text = util_copy(s->at, (size_t)(s->end - s->at));
	pc = map_put(&r->pc_of, strpool_add(r->names, text), &fresh);
	free(text);
	if (!fresh)
		return (uint32_t)*pc;
	/* "in 3 places, all below massif's threshold": who is not said. */
	if (s->end - s->at > 2 && s->at[0] == '0' && s->at[1] == 'x' &&
	    scan_number(s, 16, &address))
		scan_text(s, ":");
	scan_blanks(s);
	text = util_copy(s->at, (size_t)(s->end - s->at));
	*pc = make_frame(r, address, text);
	free(text);
	return (uint32_t)*pc;
}

/* Read one line of a tree, whose node is `depth` deep (0: the whole heap). */
static bool read_node(struct reader *r, size_t depth, uint64_t *children)
{
	struct scan *s = &r->scan;
	struct level *level;
	uint64_t bytes;

	if (!scan_text(s, "n") || !scan_number(s, 10, children) ||
	    !scan_text(s, ":") || !scan_number(s, 10, &bytes) ||
	    depth > MAX_DEPTH)
		return false;
	r->depth = depth;
	if (!depth)
		return true;
	level = &r->level[depth - 1];
	if (depth > 1) {
		if (level[-1].left < bytes)
			return false;
		level[-1].left -= bytes;
	}
	level->left = bytes;
	level->pc = read_frame(r);
	return true;
}

/*
 * Read a tree. A node's bytes minus its children's are known when the next
 * line is no child of it: then its stack is entered.
 */
static bool read_tree(struct reader *r, bool peak)
{
	uint64_t open[MAX_DEPTH + 1], children;
	size_t depth = 0;

	open[0] = 1;
	for (;;) {
		while (!open[depth]) {
			/* All children of the node at this depth are read. */
			r->depth = depth - 1;
			if (depth <= 1 && !open[0])
				return true;
			if (r->depth)
				add_row(r, peak);
			depth--;
		}
		open[depth]--;
		if (!scan_line(&r->scan))
			return false;
		scan_blanks(&r->scan);
		if (!read_node(r, depth, &children) || depth == MAX_DEPTH)
			return false;
		if (!children && depth)
			add_row(r, peak);
		else
			open[++depth] = children;
		if (!depth)
			return true;
	}
}

/* Forget the rows of an earlier tree that was taken for the end's. */
static void drop_exit(struct reader *r)
{
	struct profile *p = r->profile;
	size_t n = 0;

	for (size_t i = 0; i < p->row_count; i++)
		if (p->rows[i].totals.peak_bytes)
			p->rows[n++] = p->rows[i];
	p->row_count = n;
	p->totals.exit_bytes = 0;
}

/* Apply a line of a snapshot; false: it makes no sense. */
static bool read_line(struct reader *r)
{
	struct scan *s = &r->scan;
	struct profile *p = r->profile;

	if (scan_text(s, "time_unit: ms"))
		r->time_unit_ns = 1000000;
	else if (scan_text(s, "time="))
		return scan_number(s, 10, &r->time);
	else if (scan_text(s, "mem_heap_B="))
		return scan_number(s, 10, &r->bytes);
	else if (scan_text(s, "heap_tree=peak")) {
		r->peak_tree = true;
		p->peak_ns = r->time * r->time_unit_ns;
		return read_tree(r, true);
	} else if (scan_text(s, "heap_tree=detailed")) {
		drop_exit(r);
		r->last_detailed = r->time;
		return read_tree(r, false);
	}
	return true;
}

/* Keep the command line. */
static void read_head(struct reader *r)
{
	char *text;

	while (scan_line(&r->scan))
		if (scan_text(&r->scan, "cmd: "))
			break;
	text = util_copy(r->scan.at, (size_t)(r->scan.end - r->scan.at));
	profile_set_command(r->profile, text);
	free(text);
}

/* Say what there is of the moments, and what is not in the file. */
static void conclude(struct reader *r)
{
	struct profile *p = r->profile;

	p->has = (r->peak_tree ? PROFILE_HAS_PEAK : 0) |
		 (p->totals.exit_bytes ? PROFILE_HAS_EXIT : 0) |
		 (r->time_unit_ns ? PROFILE_HAS_TIME : 0);
	p->duration_ns = r->time * r->time_unit_ns;
	profile_add_note(p, "a massif file: bytes only, no counts of blocks; "
			    "small sites are together");
	if (p->totals.exit_bytes && r->last_detailed != r->time)
		profile_add_note(p, "the end is that of the last detailed "
				    "snapshot");
	if (!r->time_unit_ns)
		profile_add_note(p, "its time is counted in instructions or "
				    "bytes");
}

int massif_read(struct profile *p, const struct import *in, struct error *e)
{
	struct reader *r = util_alloc(1, sizeof(*r));
	int status = 0;

	r->profile = p;
	r->in = in;
	r->names = util_alloc(1, sizeof(*r->names));
	profile_begin(p, in->path, "massif", 0);
	scan_begin(&r->scan, in->text, in->bytes);
	read_head(r);
	while (status == 0 && scan_line(&r->scan)) {
		const char *line = r->scan.at;

		if (!read_line(r))
			status = error_set(e, (uint64_t)(line - in->text),
					   "no massif snapshot");
	}
	if (status == 0)
		conclude(r);
	strpool_free(r->names);
	free(r->names);
	map_free(&r->pc_of);
	free(r);
	return status;
}
