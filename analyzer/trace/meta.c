/* SPDX-License-Identifier: MIT */
/*
 * The meta log: who was recorded, its modules and threads, and how it ended.
 *
 * Records stand one behind the other, each with its type and size, so that
 * a type from a later minor version is stepped over.
 */
#include "trace.h"

#include <stdlib.h>
#include <string.h>

#include <memtrace/sample.h>

/* More modules or threads than a process can have. */
#define MAX_MODULE_ID (1u << 20)

/* One record: its payload. */
struct record {
	const uint8_t *bytes;
	size_t n;
	uint64_t at; /* in the meta log */
};

/* Copy the struct that a payload starts with; -1 when it is too short. */
static int payload(struct trace *t, const struct record *r, void *to, size_t n)
{
	if (r->n < n) {
		error_set(&t->damage, ERROR_NO_OFFSET,
			  "short record at byte %llu of the meta log",
			  (unsigned long long)r->at);
		return -1;
	}
	memcpy(to, r->bytes, n);
	return 0;
}

/* Keep the text behind the first `skip` bytes of a payload. */
static void set_text(char **text, const struct record *r, size_t skip)
{
	free(*text);
	*text = util_copy(r->bytes + skip, r->n - skip);
}

/* Check the version. */
static int parse_format(struct trace *t, const struct record *r,
			struct error *e)
{
	struct mt_meta_format f;

	if (payload(t, r, &f, sizeof(f)) ||
	    memcmp(f.magic, "memtrace", sizeof(f.magic)) != 0)
		return error_set(e, 0, "not a memtrace trace");
	if (f.major != MT_FORMAT_MAJOR)
		return error_set(e, 0,
				 "format version %u.%u, this program reads %u",
				 f.major, f.minor, MT_FORMAT_MAJOR);
	t->major = f.major;
	t->minor = f.minor;
	return 0;
}

/* Enter a module under its id. */
static void parse_module(struct trace *t, const struct record *r)
{
	struct mt_meta_module m;
	struct trace_module *to;
	size_t fixed = sizeof(m);

	if (payload(t, r, &m, sizeof(m)))
		return;
	if (m.id >= MAX_MODULE_ID || m.build_id_bytes > r->n - fixed) {
		error_set(&t->damage, ERROR_NO_OFFSET,
			  "module %u makes no sense", m.id);
		return;
	}
	while (t->module_count <= m.id) {
		t->modules = util_grow(t->modules, t->module_count,
				       &t->module_room, sizeof(*t->modules));
		t->modules[t->module_count++] = (struct trace_module){0};
	}
	to = &t->modules[m.id];
	free(to->build_id);
	set_text(&to->path, r, fixed + m.build_id_bytes);
	to->build_id = (uint8_t *)util_copy(r->bytes + fixed, m.build_id_bytes);
	to->build_id_bytes = m.build_id_bytes;
	to->bias = m.bias;
	to->start = m.start;
	to->end = m.end;
}

/* Note that a module is gone. */
static void parse_unload(struct trace *t, const struct record *r)
{
	struct mt_meta_unload m;

	if (!payload(t, r, &m, sizeof(m)) && m.module < t->module_count)
		t->modules[m.module].unloaded = true;
}

/* Note a thread's id, and its name when the record has one. */
static void parse_thread(struct trace *t, const struct record *r)
{
	struct mt_meta_thread m;
	struct trace_thread *thread;

	if (payload(t, r, &m, sizeof(m)))
		return;
	thread = trace_thread(t, m.thread);
	thread->tid = m.tid;
	if (r->n > sizeof(m))
		set_text(&thread->name, r, sizeof(m));
}

/* Note what the recorder could not do. */
static void parse_problem(struct trace *t, const struct record *r)
{
	struct mt_meta_problem m;
	struct trace_problem *p;

	if (payload(t, r, &m, sizeof(m)))
		return;
	t->problems = util_grow(t->problems, t->problem_count, &t->problem_room,
				sizeof(*t->problems));
	p = &t->problems[t->problem_count++];
	*p = (struct trace_problem){.problem = m.problem, .error = m.error};
	set_text(&p->text, r, sizeof(m));
}

/* Note a range that a scan read. */
static void parse_range(struct trace *t, const struct record *r)
{
	struct mt_meta_range m;
	struct trace_range *to;

	if (payload(t, r, &m, sizeof(m)))
		return;
	t->ranges = util_grow(t->ranges, t->range_count, &t->range_room,
			      sizeof(*t->ranges));
	to = &t->ranges[t->range_count++];
	*to = (struct trace_range){
		.start = m.start,
		.end = m.end,
		.kind = m.kind,
		.tid = m.tid,
		.scan = m.scan,
	};
	if (r->n > sizeof(m))
		set_text(&to->path, r, sizeof(m));
}

/* Note the resident set. */
static void parse_resident(struct trace *t, const struct record *r)
{
	struct mt_meta_resident m;

	if (payload(t, r, &m, sizeof(m)))
		return;
	t->residents = util_grow(t->residents, t->resident_count,
				 &t->resident_room, sizeof(*t->residents));
	t->residents[t->resident_count++] = m;
}

/* Note a moment that the program named. */
static void parse_mark(struct trace *t, const struct record *r)
{
	struct mt_meta_mark m;
	struct trace_mark *to;

	if (payload(t, r, &m, sizeof(m)))
		return;
	t->marks = util_grow(t->marks, t->mark_count, &t->mark_room,
			     sizeof(*t->marks));
	to = &t->marks[t->mark_count++];
	*to = (struct trace_mark){
		.clock = m.clock, .tid = m.tid, .mark = m.mark};
	set_text(&to->name, r, sizeof(m));
}

/* Note that recording stops or goes on. */
static void parse_pause(struct trace *t, const struct record *r)
{
	struct mt_meta_pause m;

	if (payload(t, r, &m, sizeof(m)))
		return;
	t->pauses = util_grow(t->pauses, t->pause_count, &t->pause_room,
			      sizeof(*t->pauses));
	t->pauses[t->pause_count++] = m;
}

/* Note how much is recorded from then on. */
static void parse_rate(struct trace *t, const struct record *r)
{
	struct mt_meta_rate m;

	if (payload(t, r, &m, sizeof(m)))
		return;
	if (m.rate_bytes < MT_MIN_RATE || m.rate_bytes > MT_MAX_RATE) {
		error_set(&t->damage, ERROR_NO_OFFSET,
			  "a sampling rate of %llu bytes makes no sense",
			  (unsigned long long)m.rate_bytes);
		return;
	}
	t->rates = util_grow(t->rates, t->rate_count, &t->rate_room,
			     sizeof(*t->rates));
	t->rates[t->rate_count++] = m;
}

/* Note a scan. */
static void parse_scan(struct trace *t, const struct record *r)
{
	struct mt_meta_scan m = {0};

	if (payload(t, r, &m,
		    r->n < sizeof(m) ? MT_META_SCAN_OLD_BYTES : sizeof(m)))
		return;
	t->scans = util_grow(t->scans, t->scan_count, &t->scan_room,
			     sizeof(*t->scans));
	t->scans[t->scan_count++] = m;
}

/* Note what the program said of its blocks. */
static void parse_note(struct trace *t, const struct record *r)
{
	struct mt_meta_note m;

	if (payload(t, r, &m, sizeof(m)))
		return;
	t->notes = util_grow(t->notes, t->note_count, &t->note_room,
			     sizeof(*t->notes));
	t->notes[t->note_count++] = m;
}

/* Note how it ended. */
static void parse_end(struct trace *t, const struct record *r)
{
	struct mt_meta_end m;

	if (payload(t, r, &m, sizeof(m)))
		return;
	t->state = TRACE_ENDED;
	t->end = m.end;
	t->signal = m.signal;
	t->lost = m.lost;
	t->end_clock = m.clock;
	t->end_clock_ns = m.clock_ns;
}

/* Act on one record. */
static void parse_record(struct trace *t, unsigned int type,
			 const struct record *r)
{
	switch (type) {
	case MT_META_PROCESS:
		payload(t, r, &t->process, sizeof(t->process));
		break;
	case MT_META_EXE:
		set_text(&t->exe, r, 0);
		break;
	case MT_META_COMMAND:
		set_text(&t->command, r, 0);
		t->command_bytes = r->n;
		break;
	case MT_META_HOST:
		set_text(&t->host, r, 0);
		break;
	case MT_META_ALLOCATOR:
		set_text(&t->allocator, r, 0);
		break;
	case MT_META_OPTIONS:
		set_text(&t->options, r, 0);
		break;
	case MT_META_PARENT:
		set_text(&t->parent, r, 0);
		break;
	case MT_META_MODULE:
		parse_module(t, r);
		break;
	case MT_META_THREAD:
	case MT_META_THREAD_NAME:
	case MT_META_THREAD_END:
		parse_thread(t, r);
		break;
	case MT_META_PROBLEM:
		parse_problem(t, r);
		break;
	case MT_META_END:
		parse_end(t, r);
		break;
	case MT_META_RANGE:
		parse_range(t, r);
		break;
	case MT_META_RESIDENT:
		parse_resident(t, r);
		break;
	case MT_META_MARK:
		parse_mark(t, r);
		break;
	case MT_META_PAUSE:
		parse_pause(t, r);
		break;
	case MT_META_RATE:
		parse_rate(t, r);
		break;
	case MT_META_UNLOAD:
		parse_unload(t, r);
		break;
	case MT_META_SCAN:
		parse_scan(t, r);
		break;
	case MT_META_NOTE:
		parse_note(t, r);
		break;
	case MT_META_MEMORY:
	case MT_META_SNAPSHOT:
	case MT_META_CGROUP:
		noted_parse(t, type, r->bytes, r->n);
		break;
	case MT_META_SUPPRESSIONS:
		set_text(&t->suppressions, r, 0);
		break;
	default:
		break;
	}
}

/* Read the record at `*off` of a log, and step over it; false: there is none,
 * or not all of it. */
static bool next_record(const uint8_t *log, size_t bytes, size_t *off,
			uint16_t *type, struct record *r)
{
	struct mt_meta head;

	if (bytes - *off < sizeof(head))
		return false;
	memcpy(&head, log + *off, sizeof(head));
	*r = (struct record){log + *off + sizeof(head), head.bytes, *off};
	if (r->n > bytes - *off - sizeof(head))
		return false;
	*type = head.type;
	*off += sizeof(head) + r->n;
	return true;
}

/* Take the scans log apart, which has records of scans and no others. */
static void parse_scans_log(struct trace *t)
{
	size_t off = 0;
	struct record r;
	uint16_t type;

	while (next_record(t->scans_log, t->scans_log_bytes, &off, &type, &r))
		if (type == MT_META_RANGE || type == MT_META_SCAN)
			parse_record(t, type, &r);
}

int meta_parse(struct trace *t, struct error *e)
{
	size_t off = 0;
	struct record r;
	uint16_t type;

	while (next_record(t->meta, t->meta_bytes, &off, &type, &r)) {
		if (!r.at && type != MT_META_FORMAT)
			return error_set(e, 0, "not a memtrace trace");
		if (type == MT_META_FORMAT && parse_format(t, &r, e))
			return -1;
		parse_record(t, type, &r);
	}
	if (!off)
		return error_set(e, 0, "not a memtrace trace");
	parse_scans_log(t);
	/* Of a run that was killed, a mark may be the last that is known. */
	for (size_t i = 0; i < t->mark_count; i++)
		trace_extend(t, t->marks[i].clock + 1);
	for (size_t i = 0; i < t->snapshot_count; i++)
		trace_extend(t, t->snapshots[i].clock + 1);
	return 0;
}
