/* SPDX-License-Identifier: MIT */
/*
 * The names that a trace carries, put in by `memtrace-report symbolize`: the
 * frames that its code addresses stand for.
 *
 * Strings stay where they are in the log.
 */
#include "trace.h"

#include <stdlib.h>
#include <string.h>

/* The frames of one code address. */
struct span {
	uint32_t first, count;
};

struct trace_names {
	const char **strings; /* by number - 1 */
	struct sym_frame *frames;
	struct span *of; /* by number of the code address */
	size_t string_count, string_room, frame_count, frame_room;
};

/* Take a varint that must be below `limit`. */
static bool take(const uint8_t **p, const uint8_t *end, uint64_t limit,
		 uint64_t *v)
{
	return mt_varint_get(p, end, v) && *v < limit;
}

/* Take the number of a string, or 0 for none. */
static bool take_string(const struct trace_names *n, const uint8_t **p,
			const uint8_t *end, const char **text)
{
	uint64_t number;

	if (!take(p, end, n->string_count + 1, &number))
		return false;
	*text = number ? n->strings[number - 1] : NULL;
	return true;
}

/* Enter a string. */
static bool parse_string(struct trace_names *n, const uint8_t *p,
			 const uint8_t *end)
{
	if (p == end || end[-1])
		return false;
	n->strings = util_grow(n->strings, n->string_count, &n->string_room,
			       sizeof(*n->strings));
	n->strings[n->string_count++] = (const char *)p;
	return true;
}

/* Enter the frames of a code address. */
static bool parse_frames(struct trace *t, struct trace_names *n,
			 const uint8_t *p, const uint8_t *end)
{
	struct span span = {.first = (uint32_t)n->frame_count};
	struct sym_frame f;
	uint64_t pc, line;

	if (!take(&p, end, UINT64_MAX, &pc))
		return false;
	for (; p < end; span.count++) {
		if (span.count == SYM_MAX_FRAMES ||
		    !take_string(n, &p, end, &f.function) ||
		    !take_string(n, &p, end, &f.linkage) ||
		    !take_string(n, &p, end, &f.file) ||
		    !take(&p, end, UINT32_MAX, &line))
			return false;
		f.line = (uint32_t)line;
		n->frames = util_grow(n->frames, n->frame_count, &n->frame_room,
				      sizeof(*n->frames));
		n->frames[n->frame_count++] = f;
	}
	/* The end of a recording that was cut off may lack the address. */
	if (pc < t->pc_count)
		n->of[pc] = span;
	return true;
}

/* Note what was known of a module. */
static bool parse_module(struct trace *t, const uint8_t *p, const uint8_t *end)
{
	uint64_t id, state;

	if (!take(&p, end, UINT64_MAX, &id) ||
	    !take(&p, end, MT_NAMES_MISMATCH + 1, &state))
		return false;
	if (id < t->module_count) {
		t->modules[id].named = true;
		t->modules[id].names = (enum sym_state)state;
	}
	return true;
}

/* Act on one entry; unknown ones are stepped over. */
static bool parse_entry(struct trace *t, uint64_t type, const uint8_t *p,
			const uint8_t *end)
{
	switch (type) {
	case MT_NAMES_STRING:
		return parse_string(t->names, p, end);
	case MT_NAMES_FRAMES:
		return parse_frames(t, t->names, p, end);
	case MT_NAMES_MODULE:
		return parse_module(t, p, end);
	default:
		return true;
	}
}

void names_parse(struct trace *t)
{
	const uint8_t *p = t->names_log, *end;
	uint64_t type, bytes;

	if (!t->names_log_bytes)
		return;
	end = p + t->names_log_bytes;
	t->names = util_alloc(1, sizeof(*t->names));
	t->names->of = util_alloc(t->pc_count, sizeof(*t->names->of));
	while (p < end) {
		const uint8_t *entry = p;

		if (!mt_varint_get(&p, end, &type) ||
		    !mt_varint_get(&p, end, &bytes) ||
		    bytes > (uint64_t)(end - p) ||
		    !parse_entry(t, type, p, p + bytes)) {
			error_set(&t->damage, ERROR_NO_OFFSET,
				  "bad entry at byte %llu of the names log",
				  (unsigned long long)(entry - t->names_log));
			return;
		}
		p += bytes;
	}
}

void names_free(struct trace *t)
{
	if (t->names) {
		free(t->names->strings);
		free(t->names->frames);
		free(t->names->of);
	}
	free(t->names);
	free(t->names_log);
}

size_t trace_frames(const struct trace *t, uint32_t pc,
		    const struct sym_frame **frame)
{
	if (!t->names || pc >= t->pc_count || !t->names->of[pc].count)
		return 0;
	*frame = &t->names->frames[t->names->of[pc].first];
	return t->names->of[pc].count;
}
