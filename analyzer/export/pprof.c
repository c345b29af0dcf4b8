/* SPDX-License-Identifier: MIT */
/*
 * pprof's profile.proto, gzipped: the four sample types of a Go heap profile,
 * of which "inuse" is what was live at the end, or at the instant of --at.
 * A sample is a stack, a thread and a size.
 *
 * Mappings, locations and functions are entered as the samples need them; a
 * location is a pc, all of its inlined frames are its lines.
 * Source: github.com/google/pprof, proto/profile.proto.
 */
#include "export.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gzip.h"
#include "map.h"
#include "oneline.h"
#include "protobuf.h"
#include "strpool.h"

/* Fields of the messages, by name. */
enum {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE,
	PROFILE_MAPPING,
	PROFILE_LOCATION,
	PROFILE_FUNCTION,
	PROFILE_STRING_TABLE,
	PROFILE_DROP_FRAMES,
	PROFILE_TIME_NANOS = 9,
	PROFILE_DURATION_NANOS,
	PROFILE_PERIOD_TYPE,
	PROFILE_PERIOD,
	PROFILE_COMMENT,
	PROFILE_DEFAULT_SAMPLE_TYPE
};
enum { SAMPLE_LOCATION_ID = 1, SAMPLE_VALUE, SAMPLE_LABEL };
enum { LABEL_KEY = 1, LABEL_STR, LABEL_NUM, LABEL_NUM_UNIT };
enum {
	MAPPING_ID = 1,
	MAPPING_START,
	MAPPING_LIMIT,
	MAPPING_FILENAME = 5,
	MAPPING_BUILD_ID,
	MAPPING_HAS_FUNCTIONS,
	MAPPING_HAS_FILENAMES,
	MAPPING_HAS_LINE_NUMBERS,
	MAPPING_HAS_INLINE_FRAMES
};
enum { LOCATION_ID = 1, LOCATION_MAPPING_ID, LOCATION_ADDRESS, LOCATION_LINE };
enum { LINE_FUNCTION_ID = 1, LINE_LINE };
enum {
	FUNCTION_ID = 1,
	FUNCTION_NAME,
	FUNCTION_SYSTEM_NAME,
	FUNCTION_FILENAME
};
enum { TYPE_TYPE = 1, TYPE_UNIT };

/* What stands between the program and the allocator; pprof anchors it. */
static const char drop_frames[] =
	"malloc|calloc|realloc|reallocarray|memalign|aligned_alloc|"
	"posix_memalign|valloc|pvalloc|strdup|strndup|"
	"operator new.*|std::__new_allocator.*::allocate|"
	"__gnu_cxx::new_allocator.*::allocate|"
	"std::allocator.*::allocate|std::allocator_traits.*::allocate";

/* What is known of the names in a mapping. */
struct names {
	bool used, functions, files, lines, inlined;
};

struct pprof {
	struct profile *profile;
	bool peak; /* "inuse" is of the peak */
	struct protobuf body, message, inner, packed;
	struct strpool strings;
	uint64_t *location;		 /* by pc: its id, 0: none yet */
	uint64_t special[MT_NODE_FIRST]; /* by node; 0: a hidden stack's */
	uint64_t locations, functions;
	struct map pairs, function_at; /* (name, linkage) + file -> id */
	size_t main;		       /* number of the main module */
	struct names *names;	       /* by mapping id - 1 */
};

/* Return the number of a text among the strings. */
static uint64_t text_of(struct pprof *w, const char *text)
{
	return strpool_add(&w->strings, text ? text : "");
}

/* Find the module that is the program itself: pprof takes the first one. */
static void find_main(struct pprof *w)
{
	const struct stacks *s = &w->profile->stacks;

	for (size_t i = 0; i < s->module_count; i++) {
		const char *path = s->modules[i].path;

		if (!path || strcmp(util_basename(path), w->profile->program))
			continue;
		w->main = i;
		return;
	}
}

/* Return the mapping's id of a module: the main one is the first. */
static uint64_t mapping_of(const struct pprof *w, uint32_t module)
{
	size_t n = w->profile->stacks.module_count;

	if (module >= n)
		return n + 1;
	if (module == w->main)
		return 1;
	return module < w->main ? module + 2 : module + 1;
}

/* Return the id of a frame's function, written when it is new. */
static uint64_t function_of(struct pprof *w, const struct frame *f)
{
	uint64_t name = text_of(w, f->name);
	uint64_t linkage = text_of(w, f->linkage ? f->linkage : f->name);
	uint64_t file = text_of(w, f->file);
	bool fresh;
	uint64_t *at = map_put(&w->pairs, name << 32 | linkage, &fresh);

	if (fresh)
		*at = w->pairs.count;
	at = map_put(&w->function_at, *at << 32 | file, &fresh);
	if (!fresh)
		return *at;
	*at = ++w->functions;
	protobuf_put_int(&w->inner, FUNCTION_ID, w->functions);
	protobuf_put_int(&w->inner, FUNCTION_NAME, name);
	protobuf_put_int(&w->inner, FUNCTION_SYSTEM_NAME, linkage);
	protobuf_put_int(&w->inner, FUNCTION_FILENAME, file);
	protobuf_put_message(&w->body, PROFILE_FUNCTION, &w->inner);
	return w->functions;
}

/* Write a location; returns its id. */
static uint64_t put_location(struct pprof *w, uint64_t mapping,
			     uint64_t address, const struct frame *f, size_t n)
{
	struct names *names = &w->names[mapping - 1];
	struct protobuf *m = &w->message;

	protobuf_put_int(m, LOCATION_ID, ++w->locations);
	protobuf_put_int(m, LOCATION_MAPPING_ID, mapping);
	protobuf_put_int(m, LOCATION_ADDRESS, address);
	for (size_t i = 0; i < n; i++) {
		uint64_t function = function_of(w, &f[i]);

		protobuf_put_int(&w->inner, LINE_FUNCTION_ID, function);
		protobuf_put_int(&w->inner, LINE_LINE, f[i].line);
		protobuf_put_message(m, LOCATION_LINE, &w->inner);
		names->functions |= f[i].function != NULL;
		names->files |= f[i].file != NULL;
		names->lines |= f[i].line != 0;
		names->inlined |= f[i].inlined;
	}
	names->used = true;
	protobuf_put_message(&w->body, PROFILE_LOCATION, m);
	return w->locations;
}

/* Return the id of a pc's location, 0 when all of its frames are hidden. */
static uint64_t location_of(struct pprof *w, uint32_t number)
{
	struct stacks *s = &w->profile->stacks;
	const struct mt_pc *pc = &s->pcs[number];
	const struct frame *f;
	size_t n;

	if (w->location[number])
		return w->location[number];
	f = stacks_frames(s, number, &n);
	if (!n)
		return 0;
	w->location[number] =
		put_location(w, mapping_of(w, f->module_id),
			     pc->pc - (pc->pc && !(pc->flags & MT_PC_EXACT)), f,
			     n);
	return w->location[number];
}

/*
 * Return the location that stands for the end of a stack at a special node,
 * or for all of a stack whose frames are hidden; 0 when nothing does.
 */
static uint64_t special_of(struct pprof *w, uint32_t node, uint32_t innermost)
{
	struct stacks *s = &w->profile->stacks;
	struct stacks_list list = {0};
	uint64_t *id = &w->special[node];

	if (*id || !innermost)
		return *id;
	stacks_expand(s, node ? node : innermost, &list);
	if (list.count)
		*id = put_location(w, s->module_count + 1, 0, list.at[0], 1);
	stacks_list_free(&list);
	return *id;
}

/* Put the locations of a stack in w->packed. */
static void pack_stack(struct pprof *w, uint32_t innermost)
{
	struct stacks *s = &w->profile->stacks;
	uint32_t node = innermost;
	uint64_t id;

	for (; node >= MT_NODE_FIRST && node < s->node_count;
	     node = s->nodes[node].parent) {
		id = location_of(w, s->nodes[node].pc);
		if (id)
			protobuf_put_varint(&w->packed, id);
	}
	if (!node && w->packed.count)
		return;
	if (node >= MT_NODE_FIRST)
		node = MT_NODE_LOST;
	id = special_of(w, node, innermost);
	if (id)
		protobuf_put_varint(&w->packed, id);
}

/* Add a label to the sample in w->message; one of `text` and `n`. */
static void put_label(struct pprof *w, const char *key, const char *text,
		      uint64_t n, const char *unit)
{
	protobuf_put_int(&w->inner, LABEL_KEY, text_of(w, key));
	protobuf_put_int(&w->inner, LABEL_STR, text_of(w, text));
	protobuf_put_int(&w->inner, LABEL_NUM, n);
	protobuf_put_int(&w->inner, LABEL_NUM_UNIT, text_of(w, unit));
	protobuf_put_message(&w->message, SAMPLE_LABEL, &w->inner);
}

/* Say of a sample what tells it apart from others of its stack. */
static void put_labels(struct pprof *w, const struct profile_row *row)
{
	const struct profile *p = w->profile;

	if (p->keys & PROF_BY_SIZE && row->size)
		put_label(w, "bytes", NULL, row->size, "bytes");
	if (p->keys & PROF_BY_THREAD && row->thread < p->thread_count) {
		const struct profile_thread *t = &p->threads[row->thread];

		if (t->name && *t->name)
			put_label(w, "thread", t->name, 0, NULL);
		if (t->tid)
			put_label(w, "thread_id", NULL, t->tid, NULL);
	}
}

/* Write a row as a sample. */
static void put_sample(struct pprof *w, const struct profile_row *row)
{
	const struct profile_totals *n = &row->totals;
	unsigned int has = w->profile->has;

	pack_stack(w, row->node);
	protobuf_put_message(&w->message, SAMPLE_LOCATION_ID, &w->packed);
	if (has & PROFILE_HAS_ALLOCATED) {
		protobuf_put_varint(&w->packed, n->allocations);
		protobuf_put_varint(&w->packed, n->allocated_bytes);
	}
	if (has & PROFILE_HAS_BLOCKS)
		protobuf_put_varint(&w->packed,
				    w->peak ? n->peak_blocks : n->exit_blocks);
	if (has & (PROFILE_HAS_EXIT | PROFILE_HAS_PEAK))
		protobuf_put_varint(&w->packed,
				    w->peak ? n->peak_bytes : n->exit_bytes);
	protobuf_put_message(&w->message, SAMPLE_VALUE, &w->packed);
	put_labels(w, row);
	protobuf_put_message(&w->body, PROFILE_SAMPLE, &w->message);
}

/* Write a mapping, if some location is in it; the main one always. */
static void put_mapping(struct pprof *w, const struct trace_module *m,
			uint64_t id)
{
	const struct names *names = &w->names[id - 1];
	struct protobuf *b = &w->message;
	char build_id[129] = "";

	if (!names->used && id > 1)
		return;
	protobuf_put_int(b, MAPPING_ID, id);
	if (m) {
		protobuf_put_int(b, MAPPING_START, m->start);
		protobuf_put_int(b, MAPPING_LIMIT, m->end);
		for (uint32_t i = 0; i < m->build_id_bytes && i < 64; i++)
			sprintf(build_id + 2 * i, "%02x", m->build_id[i]);
	}
	protobuf_put_int(b, MAPPING_FILENAME,
			 text_of(w, m && m->path ? m->path : "[unknown]"));
	protobuf_put_int(b, MAPPING_BUILD_ID, text_of(w, build_id));
	protobuf_put_int(b, MAPPING_HAS_FUNCTIONS, names->functions);
	protobuf_put_int(b, MAPPING_HAS_FILENAMES, names->files);
	protobuf_put_int(b, MAPPING_HAS_LINE_NUMBERS, names->lines);
	protobuf_put_int(b, MAPPING_HAS_INLINE_FRAMES, names->inlined);
	protobuf_put_message(&w->body, PROFILE_MAPPING, b);
}

/* Write all mappings, in the order of their ids. */
static void put_mappings(struct pprof *w)
{
	const struct stacks *s = &w->profile->stacks;

	if (s->module_count)
		put_mapping(w, &s->modules[w->main], 1);
	for (size_t i = 0; i < s->module_count; i++)
		if (i != w->main)
			put_mapping(w, &s->modules[i],
				    mapping_of(w, (uint32_t)i));
	put_mapping(w, NULL, s->module_count + 1);
}

/* Write a type of values. */
static void put_type(struct pprof *w, unsigned int field, const char *type,
		     const char *unit)
{
	protobuf_put_int(&w->inner, TYPE_TYPE, text_of(w, type));
	protobuf_put_int(&w->inner, TYPE_UNIT, text_of(w, unit));
	protobuf_put_message(&w->body, field, &w->inner);
}

/* Write which values the samples have: what is known. */
static void put_types(struct pprof *w)
{
	unsigned int has = w->profile->has;

	if (has & PROFILE_HAS_ALLOCATED) {
		put_type(w, PROFILE_SAMPLE_TYPE, "alloc_objects", "count");
		put_type(w, PROFILE_SAMPLE_TYPE, "alloc_space", "bytes");
	}
	if (has & PROFILE_HAS_BLOCKS)
		put_type(w, PROFILE_SAMPLE_TYPE, "inuse_objects", "count");
	if (has & (PROFILE_HAS_EXIT | PROFILE_HAS_PEAK))
		put_type(w, PROFILE_SAMPLE_TYPE, "inuse_space", "bytes");
	put_type(w, PROFILE_PERIOD_TYPE, "space", "bytes");
	protobuf_put_int(&w->body, PROFILE_PERIOD,
			 w->profile->rate_bytes ? w->profile->rate_bytes : 1);
}

/* Write a comment and free it. */
static void put_comment(struct pprof *w, char *text)
{
	protobuf_put_int(&w->body, PROFILE_COMMENT, text_of(w, text));
	free(text);
}

/* Say in comments who was recorded, and how far to trust it. */
static void put_comments(struct pprof *w, const struct options *o)
{
	const struct profile *p = w->profile;
	char *command = oneline_command(p), *sampled = export_estimates(p);

	put_comment(w, util_format("memtrace %s, from a %s file%s",
				   OPTIONS_VERSION, p->source, sampled));
	put_comment(w, util_format("command: %s", command));
	if (p->pid)
		put_comment(w, util_format("pid: %u", p->pid));
	if (p->host)
		put_comment(w, util_format("host: %s", p->host));
	if (o->at_moment)
		put_comment(w, util_format("inuse: live at %s", o->at_moment));
	else if (o->at == OPTIONS_AT_TIME)
		put_comment(w, util_format("inuse: live at %" PRIu64 " ns",
					   o->at_ns));
	else
		put_comment(w, util_format("inuse: live at the %s",
					   w->peak ? "peak" : "end"));
	if (p->trace && p->trace->lost.events)
		put_comment(w, util_format("lost events: %" PRIu64,
					   p->trace->lost.events));
	for (size_t i = 0; i < p->note_count; i++)
		put_comment(w, util_format("%s", p->notes[i]));
	free(command);
	free(sampled);
}

/* Write what is of the whole profile. */
static void put_head(struct pprof *w, const struct options *o)
{
	const struct profile *p = w->profile;
	bool live = p->has & (PROFILE_HAS_EXIT | PROFILE_HAS_PEAK) &&
		    o->at != OPTIONS_AT_TOTAL && o->at != OPTIONS_AT_CHURN &&
		    o->at != OPTIONS_AT_TEMPORARY;

	put_types(w);
	protobuf_put_int(&w->body, PROFILE_DROP_FRAMES,
			 text_of(w, drop_frames));
	protobuf_put_int(&w->body, PROFILE_TIME_NANOS, p->real_ns);
	protobuf_put_int(&w->body, PROFILE_DURATION_NANOS, p->duration_ns);
	protobuf_put_int(&w->body, PROFILE_DEFAULT_SAMPLE_TYPE,
			 text_of(w, live ? "inuse_space" : "alloc_space"));
	put_comments(w, o);
}

/* Write a string; what is not UTF-8 becomes '?', as readers insist on it. */
static void put_string(struct pprof *w, const char *text)
{
	char *copy = util_copy(text, strlen(text));

	for (char *p = copy; *p;) {
		unsigned int n = term_utf8(p);

		if (!n)
			*p = '?';
		p += n ? n : 1;
	}
	protobuf_put_bytes(&w->body, PROFILE_STRING_TABLE, copy, strlen(copy));
	free(copy);
}

/* Write the strings, and free all. */
static void finish(struct pprof *w, FILE *out)
{
	for (size_t i = 0; i < w->strings.count; i++)
		put_string(w, strpool_text(&w->strings, (uint32_t)i));
	fwrite(w->body.at, 1, w->body.count, out);
	protobuf_free(&w->body);
	protobuf_free(&w->message);
	protobuf_free(&w->inner);
	protobuf_free(&w->packed);
	strpool_free(&w->strings);
	map_free(&w->pairs);
	map_free(&w->function_at);
	free(w->location);
	free(w->names);
}

int export_pprof(struct export *x, struct error *e)
{
	struct profile *p = x->profile;
	const struct options *o = x->options;
	struct pprof w = {
		.profile = p,
		.peak = o->at == OPTIONS_AT_PEAK ||
			!(p->has & PROFILE_HAS_EXIT),
		.location = util_alloc(p->stacks.pc_count, sizeof(uint64_t)),
		.names = util_alloc(p->stacks.module_count + 1,
				    sizeof(*w.names)),
	};
	FILE *out = gzip_open(x->out);

	(void)e;
	find_main(&w);
	put_head(&w, o);
	for (size_t i = 0; i < p->row_count; i++)
		put_sample(&w, &p->rows[i]);
	put_mappings(&w);
	finish(&w, out);
	fclose(out);
	return 0;
}
