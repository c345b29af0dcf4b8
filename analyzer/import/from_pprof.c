/* SPDX-License-Identifier: MIT */
/*
 * Heap profiles in pprof's profile.proto (gzip is taken off before). Of the
 * message: 1 sample types, 2 samples, 3 mappings, 4 locations, 5 functions,
 * 6 strings, 9 time, 10 duration.
 *
 * Sample types "alloc_objects", "alloc_space", "inuse_objects" and
 * "inuse_space" are what heap profiles of Go, jemalloc and tcmalloc have;
 * "objects" and "space" are taken for those in use.
 */
#include "import.h"

#include <stdlib.h>

#include "map.h"
#include "scan.h"

#define MAX_TYPES 32

/* A message, or a part of one. */
struct wire {
	const uint8_t *at, *end;
};

/* A field of a message. */
struct field {
	uint32_t number;
	uint64_t value;	   /* of an integer */
	struct wire bytes; /* of anything else */
};

struct function {
	uint64_t name, linkage, file;
};

struct reader {
	struct profile *profile;
	struct wire *strings;
	size_t string_count, string_room;
	struct function *functions;
	size_t function_count, function_room;
	struct map function_at;	  /* id -> place */
	struct map mapping_at;	  /* id -> module */
	struct map location_at;	  /* id -> pc */
	uint64_t type[MAX_TYPES]; /* the sample types' names */
	size_t types;
};

/* Read a varint; false: it is cut. */
static bool read_varint(struct wire *w, uint64_t *v)
{
	return mt_varint_get(&w->at, w->end, v);
}

/* Read the next field; false: there is none, or it makes no sense, and then
 * `at` is not at the end. */
static bool next_field(struct wire *w, struct field *f)
{
	uint64_t key, n = 0;

	*f = (struct field){0};
	if (w->at == w->end || !read_varint(w, &key))
		return false;
	f->number = (uint32_t)(key >> 3);
	switch (key & 7) {
	case 0:
		return read_varint(w, &f->value);
	case 1:
		n = 8;
		break;
	case 2:
		if (!read_varint(w, &n))
			return false;
		break;
	case 5:
		n = 4;
		break;
	default:
		return false;
	}
	if (n > (uint64_t)(w->end - w->at))
		return false;
	f->bytes = (struct wire){w->at, w->at + n};
	w->at += n;
	return true;
}

/* Return a string of the table as a text of the profile's; NULL: empty. */
static const char *string_at(struct reader *r, uint64_t number)
{
	const struct wire *w;
	const char *kept;
	char *text;

	if (!number || number >= r->string_count)
		return NULL;
	w = &r->strings[number];
	text = util_copy(w->at, (size_t)(w->end - w->at));
	kept = *text ? profile_keep(r->profile, text) : NULL;
	free(text);
	return kept;
}

/* Tell whether a file begins as a profile does: with fields of its own. */
bool pprof_matches(const struct import *in)
{
	struct wire w = {(const uint8_t *)in->text,
			 (const uint8_t *)in->text + in->bytes};
	struct field f;
	size_t n = 0;

	while (n < 8 && next_field(&w, &f)) {
		if (!f.number || f.number > 15)
			return false;
		n++;
	}
	return n == 8 || (n > 1 && w.at == w.end);
}

/* ---- What must be known before the samples are read. ---- */

static void read_function(struct reader *r, struct wire w)
{
	struct function f = {0};
	struct field field;
	uint64_t id = 0;

	while (next_field(&w, &field)) {
		uint64_t *to = field.number == 1   ? &id
			       : field.number == 2 ? &f.name
			       : field.number == 3 ? &f.linkage
			       : field.number == 4 ? &f.file
						   : NULL;

		if (to)
			*to = field.value;
	}
	*map_put(&r->function_at, id, NULL) = r->function_count;
	r->functions = util_grow(r->functions, r->function_count,
				 &r->function_room, sizeof(*r->functions));
	r->functions[r->function_count++] = f;
}

/* Turn the hexadecimal text of a build-id into bytes. */
static uint32_t read_build_id(const char *text, uint8_t *bytes, size_t most)
{
	uint32_t n = 0;

	while (text && n < most && scan_digit(text[0]) < 16 &&
	       scan_digit(text[1]) < 16) {
		bytes[n++] = (uint8_t)(scan_digit(text[0]) << 4 |
				       scan_digit(text[1]));
		text += 2;
	}
	return n;
}

static void read_mapping(struct reader *r, struct wire w)
{
	struct trace_module m = {0};
	uint64_t id = 0, offset = 0, file = 0, build_id = 0;
	uint8_t bytes[64];
	struct field field;

	while (next_field(&w, &field)) {
		uint64_t *to = field.number == 1   ? &id
			       : field.number == 2 ? &m.start
			       : field.number == 3 ? &m.end
			       : field.number == 4 ? &offset
			       : field.number == 5 ? &file
			       : field.number == 6 ? &build_id
						   : NULL;

		if (to)
			*to = field.value;
	}
	m.path = (char *)string_at(r, file);
	if (!m.path)
		return;
	m.bias = m.start - offset;
	m.build_id = bytes;
	m.build_id_bytes =
		read_build_id(string_at(r, build_id), bytes, sizeof(bytes));
	*map_put(&r->mapping_at, id, NULL) =
		stacks_add_module(&r->profile->stacks, &m);
}

/* Read a line of a location into a frame. */
static struct sym_frame read_frame(struct reader *r, struct wire w)
{
	uint64_t id = 0, line = 0, *at;
	struct sym_frame f = {0};
	struct field field;

	while (next_field(&w, &field)) {
		if (field.number == 1)
			id = field.value;
		else if (field.number == 2)
			line = field.value;
	}
	at = map_get(&r->function_at, id);
	if (at) {
		const struct function *function = &r->functions[*at];

		f.function = string_at(r, function->name);
		f.linkage = string_at(r, function->linkage);
		f.file = string_at(r, function->file);
		f.line = line <= UINT32_MAX ? (uint32_t)line : 0;
	}
	return f;
}

static void read_location(struct reader *r, struct wire w)
{
	struct sym_frame frame[SYM_MAX_FRAMES];
	uint64_t id = 0, mapping = 0, address = 0, *module;
	struct field field;
	size_t n = 0;
	uint32_t pc;

	while (next_field(&w, &field)) {
		if (field.number == 1)
			id = field.value;
		else if (field.number == 2)
			mapping = field.value;
		else if (field.number == 3)
			address = field.value;
		else if (field.number == 4 && n < SYM_MAX_FRAMES)
			frame[n++] = read_frame(r, field.bytes);
	}
	module = map_get(&r->mapping_at, mapping);
	/* The address is one inside the call, not behind it. */
	pc = stacks_new_pc(&r->profile->stacks, address,
			   module ? (uint32_t)*module : MT_NO_MODULE,
			   MT_PC_EXACT);
	if (n)
		stacks_set_frames(&r->profile->stacks, pc, frame, n);
	*map_put(&r->location_at, id, NULL) = pc;
}

/* ---- Samples. ---- */

/* Call for each integer of a repeated field, packed or not. */
static size_t read_integers(const struct field *f, uint64_t *to, size_t count,
			    size_t most)
{
	struct wire w = f->bytes;

	if (!w.at) {
		if (count < most)
			to[count++] = f->value;
		return count;
	}
	while (w.at < w.end && count < most && read_varint(&w, &to[count]))
		count++;
	return count;
}

/* Put a value where its sample type says. */
static void put_value(struct reader *r, struct profile_totals *t, size_t type,
		      uint64_t value)
{
	static const struct {
		const char *name;
		size_t offset;
		unsigned int has;
	} types[] = {
#define TYPE(name, field, has) \
	{name, offsetof(struct profile_totals, field), has}
		TYPE("alloc_objects", allocations, PROFILE_HAS_ALLOCATED),
		TYPE("alloc_space", allocated_bytes, PROFILE_HAS_ALLOCATED),
		TYPE("inuse_objects", exit_blocks, PROFILE_HAS_EXIT),
		TYPE("inuse_space", exit_bytes, PROFILE_HAS_EXIT),
		TYPE("objects", exit_blocks, PROFILE_HAS_EXIT),
		TYPE("space", exit_bytes, PROFILE_HAS_EXIT),
#undef TYPE
	};
	const char *name = string_at(r, r->type[type]);

	for (size_t i = 0; name && i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(types[i].name, name) == 0) {
			memcpy((char *)t + types[i].offset, &value,
			       sizeof(value));
			r->profile->has |= types[i].has;
		}
}

/* Enter the stack of location ids, innermost first. */
static uint32_t make_stack(struct reader *r, const uint64_t *id, size_t n)
{
	uint32_t node = 0;

	while (n--) {
		uint64_t *pc = map_get(&r->location_at, id[n]);

		if (pc)
			node = stacks_add_node(&r->profile->stacks, node,
					       (uint32_t)*pc);
	}
	return node ? node : MT_NODE_LOST;
}

static void read_sample(struct reader *r, struct wire w)
{
	uint64_t location[MT_MAX_FRAMES], value[MAX_TYPES];
	size_t locations = 0, values = 0;
	struct profile_row row = {0};
	struct field f;

	while (next_field(&w, &f)) {
		if (f.number == 1)
			locations = read_integers(&f, location, locations,
						  MT_MAX_FRAMES);
		else if (f.number == 2)
			values = read_integers(&f, value, values, MAX_TYPES);
	}
	row.node = make_stack(r, location, locations);
	for (size_t i = 0; i < values && i < r->types; i++)
		put_value(r, &row.totals, i, value[i]);
	profile_add_row(r->profile, &row);
}

/* Read the name of a sample type. */
static void read_type(struct reader *r, struct wire w)
{
	struct field f;

	if (r->types == MAX_TYPES)
		return;
	r->type[r->types] = 0;
	while (next_field(&w, &f))
		if (f.number == 1)
			r->type[r->types] = f.value;
	r->types++;
}

/* Read the fields of one pass; references go to fields of passes before. */
static void read_field(struct reader *r, int pass, const struct field *f)
{
	if (pass == 0 && f->number == 6) {
		r->strings = util_grow(r->strings, r->string_count,
				       &r->string_room, sizeof(*r->strings));
		r->strings[r->string_count++] = f->bytes;
	} else if (pass == 1 && f->number == 1) {
		read_type(r, f->bytes);
	} else if (pass == 1 && f->number == 3) {
		read_mapping(r, f->bytes);
	} else if (pass == 1 && f->number == 5) {
		read_function(r, f->bytes);
	} else if (pass == 2 && f->number == 4) {
		read_location(r, f->bytes);
	} else if (pass == 3 && f->number == 2) {
		read_sample(r, f->bytes);
	} else if (pass == 3 && f->number == 9) {
		r->profile->real_ns = f->value;
	} else if (pass == 3 && f->number == 10) {
		r->profile->duration_ns = f->value;
	}
}

/* Say what the profile is. */
static int conclude(struct reader *r, struct error *e)
{
	struct profile *p = r->profile;

	if (p->has == PROFILE_HAS_BLOCKS)
		return error_set(e, ERROR_NO_OFFSET,
				 "a pprof profile, but not one of a heap");
	if (p->stacks.module_count)
		p->program = util_basename(p->stacks.modules[0].path);
	profile_add_note(p, "a pprof profile: one moment, no peak; figures "
			    "may be estimates of a sampler");
	return 0;
}

int pprof_read(struct profile *p, const struct import *in, struct error *e)
{
	struct reader r = {.profile = p};
	int status = 0;

	profile_begin(p, in->path, "pprof", PROFILE_HAS_BLOCKS);
	for (int pass = 0; pass < 4 && status == 0; pass++) {
		struct wire w = {(const uint8_t *)in->text,
				 (const uint8_t *)in->text + in->bytes};
		struct field f;

		while (next_field(&w, &f))
			read_field(&r, pass, &f);
		if (w.at != w.end)
			status = error_set(
				e, (uint64_t)(w.at - (const uint8_t *)in->text),
				"no field of a pprof profile");
	}
	if (status == 0)
		status = conclude(&r, e);
	free(r.strings);
	free(r.functions);
	map_free(&r.function_at);
	map_free(&r.mapping_at);
	map_free(&r.location_at);
	return status;
}
