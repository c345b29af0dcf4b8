/* SPDX-License-Identifier: MIT */
/*
 * heaptrack's traces, versions 1 to 3 of its text format: a line a record,
 * numbers in hexadecimal, things referred to by their number, from 1 on.
 *
 *   v VERSION FORMAT     s [BYTES] TEXT (bytes since format 3)
 *   X COMMAND            I PAGE_BYTES PAGES
 *   i IP MODULE [FUNCTION FILE LINE]...   innermost first
 *   t IP PARENT          a BYTES TRACE
 *   + ALLOCATION         - ALLOCATION
 *   c MILLISECONDS
 *
 * An event names the kind of allocation (its size and stack), not the block:
 * so the sums are exact, and "temporary" is what heaptrack takes it to be, an
 * allocation whose like is freed in the next event.
 */
#include "import.h"

#include <stdlib.h>

#include "scan.h"

#define NOTHING UINT64_MAX

/* One kind of allocation. */
struct kind {
	uint64_t bytes;
	uint32_t node;
	uint64_t allocations, temporary, live, peak, peak_number;
};

struct reader {
	struct profile *profile;
	struct scan scan;
	uint64_t format;
	const char **strings; /* by number - 1 */
	size_t string_count, string_room;
	uint32_t *ips; /* by number - 1: pcs */
	size_t ip_count, ip_room;
	uint32_t *traces; /* by number - 1: nodes */
	size_t trace_count, trace_room;
	struct kind *kinds; /* by number, from 0 */
	size_t kind_count, kind_room;
	struct {
		uint64_t string, module;
	} * modules; /* known ones, by string */
	size_t module_count, module_room;
	uint64_t live_bytes, peak_bytes, peak_number;
	uint64_t now_ms, last; /* last: the kind allocated by the last event */
};

bool heaptrack_matches(const struct import *in)
{
	struct scan s;
	uint64_t version, format;

	scan_begin(&s, in->text, in->bytes);
	return scan_line(&s) && scan_text(&s, "v ") &&
	       scan_number(&s, 16, &version) &&
	       (s.at == s.end || scan_number(&s, 16, &format));
}

/* Read the version. */
static bool read_version(struct reader *r)
{
	uint64_t version;

	if (!scan_number(&r->scan, 16, &version))
		return false;
	r->format = 0;
	scan_number(&r->scan, 16, &r->format);
	return r->format >= 1 && r->format <= 3;
}

/* Read a string. */
static bool read_string(struct reader *r)
{
	struct scan *s = &r->scan;
	uint64_t bytes;
	char *text;

	if (r->format >= 3) {
		/* It may hold newlines: its length counts. */
		if (!scan_number(s, 16, &bytes) || s->at == s->end)
			return false;
		s->at++;
		if (bytes > (size_t)(s->limit - s->at))
			return false;
		if (s->at + bytes > s->end) {
			s->end = s->at + bytes;
			s->next = s->end < s->limit ? s->end + 1 : s->limit;
		}
	} else {
		scan_blanks(s);
		bytes = (size_t)(s->end - s->at);
	}
	text = util_copy(s->at, bytes);
	r->strings = util_grow(r->strings, r->string_count, &r->string_room,
			       sizeof(*r->strings));
	r->strings[r->string_count++] = profile_keep(r->profile, text);
	free(text);
	return true;
}

/* Return a string by its number; NULL: it has none. */
static const char *string_at(const struct reader *r, uint64_t number)
{
	return number && number <= r->string_count ? r->strings[number - 1]
						   : NULL;
}

/* Return the module of a string's number, entered when it is new. */
static uint32_t module_of(struct reader *r, uint64_t string)
{
	struct trace_module m = {.path = (char *)string_at(r, string)};
	size_t i = r->module_count;

	if (!m.path)
		return MT_NO_MODULE;
	while (i--)
		if (r->modules[i].string == string)
			return (uint32_t)r->modules[i].module;
	r->modules = util_grow(r->modules, r->module_count, &r->module_room,
			       sizeof(*r->modules));
	r->modules[r->module_count].string = string;
	r->modules[r->module_count].module =
		stacks_add_module(&r->profile->stacks, &m);
	return (uint32_t)r->modules[r->module_count++].module;
}

/* Read an instruction pointer, with its frames. */
static bool read_ip(struct reader *r)
{
	struct sym_frame frame[SYM_MAX_FRAMES];
	struct scan *s = &r->scan;
	uint64_t ip, module = 0, function, file, line;
	size_t n = 0;
	uint32_t pc;

	if (!scan_number(s, 16, &ip))
		return false;
	scan_number(s, 16, &module);
	while (n < SYM_MAX_FRAMES && scan_number(s, 16, &function)) {
		file = line = 0;
		if (scan_number(s, 16, &file) && !scan_number(s, 16, &line))
			return false;
		frame[n++] = (struct sym_frame){
			.function = string_at(r, function),
			.file = string_at(r, file),
			.line = (uint32_t)line,
		};
	}
	pc = stacks_add_pc(&r->profile->stacks, ip, module_of(r, module), 0);
	stacks_set_frames(&r->profile->stacks, pc, frame, n);
	r->ips = util_grow(r->ips, r->ip_count, &r->ip_room, sizeof(*r->ips));
	r->ips[r->ip_count++] = pc;
	return true;
}

/* Read a stack: an ip and the stack of its caller. */
static bool read_trace(struct reader *r)
{
	uint64_t ip, parent;

	if (!scan_number(&r->scan, 16, &ip) ||
	    !scan_number(&r->scan, 16, &parent) || !ip || ip > r->ip_count ||
	    parent > r->trace_count)
		return false;
	r->traces = util_grow(r->traces, r->trace_count, &r->trace_room,
			      sizeof(*r->traces));
	r->traces[r->trace_count] =
		stacks_add_node(&r->profile->stacks,
				parent ? r->traces[parent - 1] : 0,
				r->ips[ip - 1]);
	r->trace_count++;
	return true;
}

/* Read a kind of allocation. */
static bool read_kind(struct reader *r)
{
	struct kind k = {.node = MT_NODE_LOST};
	uint64_t trace;

	if (!scan_number(&r->scan, 16, &k.bytes) ||
	    !scan_number(&r->scan, 16, &trace) || trace > r->trace_count)
		return false;
	if (trace)
		k.node = r->traces[trace - 1];
	r->kinds = util_grow(r->kinds, r->kind_count, &r->kind_room,
			     sizeof(*r->kinds));
	r->kinds[r->kind_count++] = k;
	return true;
}

/* Set a kind's live blocks aside when they are those of the peak. */
static void before_change(struct reader *r, struct kind *k)
{
	if (k->peak_number != r->peak_number) {
		k->peak_number = r->peak_number;
		k->peak = k->live;
	}
}

/* Apply an allocation. */
static bool read_alloc(struct reader *r)
{
	struct kind *k;
	uint64_t n;

	if (!scan_number(&r->scan, 16, &n) || n >= r->kind_count)
		return false;
	k = &r->kinds[n];
	before_change(r, k);
	k->allocations++;
	k->live++;
	r->live_bytes += k->bytes;
	r->last = n;
	if (r->live_bytes > r->peak_bytes) {
		r->peak_bytes = r->live_bytes;
		r->peak_number++;
		r->profile->peak_ns = r->now_ms * 1000000;
	}
	return true;
}

/* Apply a free; heaptrack may have been attached after the allocation. */
static bool read_free(struct reader *r)
{
	struct kind *k;
	uint64_t n;

	if (!scan_number(&r->scan, 16, &n) || n >= r->kind_count)
		return false;
	k = &r->kinds[n];
	if (k->live) {
		before_change(r, k);
		k->live--;
		r->live_bytes -= k->bytes;
	}
	k->temporary += r->last == n;
	r->last = NOTHING;
	return true;
}

/* Keep the command as one argument after the other. */
static void read_command(struct reader *r)
{
	char *text;

	scan_blanks(&r->scan);
	text = util_copy(r->scan.at, (size_t)(r->scan.end - r->scan.at));
	profile_set_command(r->profile, text);
	free(text);
}

/* Apply a line; false: it makes no sense. */
static bool read_line(struct reader *r)
{
	char type = r->scan.at < r->scan.end ? *r->scan.at++ : '#';

	switch (type) {
	case 'v':
		return read_version(r);
	case 's':
		return read_string(r);
	case 'X':
		read_command(r);
		return true;
	case 'i':
		return read_ip(r);
	case 't':
		return read_trace(r);
	case 'a':
		return read_kind(r);
	case '+':
		return read_alloc(r);
	case '-':
		return read_free(r);
	case 'c':
		return scan_number(&r->scan, 16, &r->now_ms);
	default:
		return true; /* comments, RSS, suppressions */
	}
}

/* Make the rows of what was counted. */
static void make_rows(struct reader *r)
{
	for (size_t i = 0; i < r->kind_count; i++) {
		const struct kind *k = &r->kinds[i];
		uint64_t peak =
			k->peak_number == r->peak_number ? k->peak : k->live;
		struct profile_row row = {
			.node = k->node,
			.size = k->bytes,
			.totals =
				{
					.allocations = k->allocations,
					.allocated_bytes =
						k->allocations * k->bytes,
					.temporary = k->temporary,
					.frees = k->allocations - k->live,
					.peak_blocks = peak,
					.peak_bytes = peak * k->bytes,
					.exit_blocks = k->live,
					.exit_bytes = k->live * k->bytes,
				},
		};

		profile_add_row(r->profile, &row);
	}
	r->profile->duration_ns = r->now_ms * 1000000;
}

int heaptrack_read(struct profile *p, const struct import *in, struct error *e)
{
	struct reader r = {.profile = p, .last = NOTHING};
	int status = 0;

	profile_begin(p, in->path, "heaptrack",
		      PROFILE_HAS_ALLOCATED | PROFILE_HAS_PEAK |
			      PROFILE_HAS_EXIT | PROFILE_HAS_TEMPORARY |
			      PROFILE_HAS_TIME | PROFILE_HAS_BLOCKS);
	p->keys = PROF_BY_SIZE;
	profile_add_note(p, "a heaptrack file: no threads and no lifetimes; "
			    "stacks of 64 frames at the most");
	scan_begin(&r.scan, in->text, in->bytes);
	while (status == 0 && scan_line(&r.scan)) {
		const char *line = r.scan.at;

		if (!read_line(&r))
			status = error_set(e, (uint64_t)(line - in->text),
					   "no heaptrack record (format 1 to "
					   "3)");
	}
	if (status == 0)
		make_rows(&r);
	free(r.strings);
	free(r.ips);
	free(r.traces);
	free(r.kinds);
	free(r.modules);
	return status;
}
