/* SPDX-License-Identifier: MIT */
/*
 * A trace that carries its names: the segments that it has, but for those of
 * names, as they are, then the names log.
 */
#include "symbolize.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "outfile.h"
#include "pcs.h"
#include "perfmap.h"
#include "segment.h"
#include "strpool.h"

/* The names log that is being made. */
struct log {
	uint8_t *bytes;
	size_t count, room;
	struct strpool strings;
	uint32_t written; /* of the strings */
};

/* What names are taken from. */
struct source {
	struct trace *t;
	struct sym *sym;
	struct perfmap *jit;
	size_t *module;	       /* of the trace -> sym's number */
	enum sym_state *state; /* by module of the trace */
};

/* Append bytes to the log. */
static void put(struct log *log, const void *bytes, size_t n)
{
	if (log->room - log->count < n) {
		log->room = (log->room + n) * 2;
		log->bytes = util_resize(log->bytes, log->room, 1);
	}
	memcpy(log->bytes + log->count, bytes, n);
	log->count += n;
}

static void put_varint(struct log *log, uint64_t v)
{
	uint8_t bytes[MT_VARINT_MAX];

	put(log, bytes, (size_t)(mt_varint_put(bytes, v) - bytes));
}

/* Append an entry. */
static void put_entry(struct log *log, enum mt_names_type type,
		      const void *payload, size_t n)
{
	put_varint(log, type);
	put_varint(log, n);
	put(log, payload, n);
}

/* Return the number of a string, which is in the log by now. */
static uint32_t put_string(struct log *log, const char *text)
{
	uint32_t number = text ? strpool_add(&log->strings, text) : 0;

	if (number > log->written) {
		put_entry(log, MT_NAMES_STRING, text, strlen(text) + 1);
		log->written = number;
	}
	return number;
}

/* Append the frames of a code address. */
static void put_frames(struct log *log, uint32_t pc,
		       const struct sym_frame *frame, size_t n)
{
	uint8_t payload[MT_VARINT_MAX * (1 + 4 * SYM_MAX_FRAMES)];
	uint8_t *p = mt_varint_put(payload, pc);

	for (size_t i = 0; i < n; i++) {
		p = mt_varint_put(p, put_string(log, frame[i].function));
		p = mt_varint_put(p, put_string(log, frame[i].linkage));
		p = mt_varint_put(p, put_string(log, frame[i].file));
		p = mt_varint_put(p, frame[i].line);
	}
	if (n)
		put_entry(log, MT_NAMES_FRAMES, payload, (size_t)(p - payload));
}

/* Return the module of a code address, or NULL. */
static const struct trace_module *module_of(const struct trace *t,
					    const struct mt_pc *pc)
{
	if (pc->module >= t->module_count || !t->modules[pc->module].path)
		return NULL;
	return &t->modules[pc->module];
}

/* Look up all addresses of each module. */
static void fetch(struct source *s)
{
	const struct trace *t = s->t;
	struct pcs by_module;

	pcs_index(&by_module, t->pcs, t->pc_count, t->module_count);
	for (size_t i = 0; i < t->module_count; i++)
		if (t->modules[i].path)
			pcs_fetch(&by_module, t->pcs, (uint32_t)i,
				  t->modules[i].bias, s->sym, s->module[i]);
	pcs_free(&by_module);
}

/* Open what names are taken from. */
static void begin(struct source *s, struct trace *t,
		  const struct sym_options *o)
{
	*s = (struct source){
		.t = t,
		.sym = sym_new(o),
		.jit = perfmap_open(t, o ? o->sysroot : NULL),
		.module = util_alloc(t->module_count, sizeof(*s->module)),
		.state = util_alloc(t->module_count, sizeof(*s->state)),
	};
	for (size_t i = 0; i < t->module_count; i++) {
		const struct trace_module *m = &t->modules[i];

		if (!m->path)
			continue;
		s->module[i] = sym_add(s->sym, m->path, m->build_id,
				       m->build_id_bytes);
		s->state[i] = sym_module_state(s->sym, s->module[i]);
	}
	fetch(s);
}

static void end(struct source *s)
{
	sym_free(s->sym);
	perfmap_free(s->jit);
	free(s->module);
	free(s->state);
}

/* Find the frames of a code address afresh. */
static size_t look_up(struct source *s, const struct mt_pc *pc,
		      struct sym_frame frame[SYM_MAX_FRAMES])
{
	const struct trace_module *m = module_of(s->t, pc);
	const char *name;

	if (m)
		return sym_lookup(s->sym, s->module[pc->module],
				  pcs_address(pc, m->bias), frame);
	name = perfmap_find(s->jit, pcs_address(pc, 0));
	frame[0] = (struct sym_frame){.function = name};
	return name ? 1 : 0;
}

/* Tell whether the names that the trace carries for a module are better. */
static bool carries_better(const struct source *s, size_t module)
{
	return s->t->modules[module].named &&
	       s->t->modules[module].names < s->state[module];
}

/* Append the best there is of a code address. */
static void add_pc(struct source *s, struct log *log, uint32_t number)
{
	const struct mt_pc *pc = &s->t->pcs[number];
	const struct sym_frame *carried;
	struct sym_frame frame[SYM_MAX_FRAMES];
	size_t n, old = trace_frames(s->t, number, &carried);

	if (old && module_of(s->t, pc) && carries_better(s, pc->module)) {
		put_frames(log, number, carried, old);
		return;
	}
	n = look_up(s, pc, frame);
	if (n)
		put_frames(log, number, frame, n);
	else
		put_frames(log, number, carried, old);
}

/* Append what is known of a module. */
static void add_module(struct source *s, struct log *log, uint32_t number)
{
	const struct trace_module *m = &s->t->modules[number];
	uint8_t payload[2 * MT_VARINT_MAX];
	uint8_t *p = mt_varint_put(payload, number);

	p = mt_varint_put(p, carries_better(s, number) ? m->names
						       : s->state[number]);
	put_entry(log, MT_NAMES_MODULE, payload, (size_t)(p - payload));
}

/* Make the names log of a trace. */
static void make_log(struct log *log, struct trace *t,
		     const struct sym_options *o)
{
	struct source s;

	begin(&s, t, o);
	for (size_t i = 0; i < t->module_count; i++)
		if (t->modules[i].path)
			add_module(&s, log, (uint32_t)i);
	for (size_t i = 0; i < t->pc_count; i++)
		add_pc(&s, log, (uint32_t)i);
	end(&s);
}

/* Write the trace's own segments but for those of names. */
static void write_segments(const struct trace *t, FILE *f)
{
	struct trace_part part = {0};

	while (trace_next_part(t, &part))
		if (part.stream != MT_STREAM_NAMES)
			fwrite(t->map + part.offset, 1, part.bytes, f);
}

/* Write the live file's bytes, its holes as holes. */
static int write_live(const struct trace *t, const char *path, struct error *e)
{
	static const uint8_t zeros[4096];
	struct outfile o;

	if (outfile_open(&o, path, e))
		return -1;
	for (uint64_t off = 0; off < t->live_bytes; off += sizeof(zeros)) {
		uint64_t n = t->live_bytes - off;

		if (n > sizeof(zeros))
			n = sizeof(zeros);
		if (memcmp(t->live + off, zeros, n) == 0)
			fseeko(o.f, (off_t)n, SEEK_CUR);
		else
			fwrite(t->live + off, 1, n, o.f);
	}
	fflush(o.f);
	if (!ferror(o.f) && ftruncate(fileno(o.f), (off_t)t->live_bytes)) {
		error_set(e, ERROR_NO_OFFSET, "%s: cannot be made as long",
			  path);
		outfile_abort(&o);
		return -1;
	}
	return outfile_commit(&o, e);
}

/* Check that the output may be where it is to be. */
static int check_output(const struct trace *t, const char *out,
			const char *live, struct error *e)
{
	struct stat in_st, out_st;

	if (error_is_set(&t->damage)) {
		*e = t->damage;
		return -1;
	}
	if (!t->live && access(live, F_OK) == 0)
		return error_set(e, ERROR_NO_OFFSET,
				 "%s is of another recording; remove it, or "
				 "write to another file",
				 live);
	if (t->live && stat(t->path, &in_st) == 0 && stat(out, &out_st) == 0 &&
	    in_st.st_dev == out_st.st_dev && in_st.st_ino == out_st.st_ino)
		return error_set(e, ERROR_NO_OFFSET,
				 "has a live file; write to another file");
	return 0;
}

int symbolize_write(struct trace *t, const struct sym_options *o,
		    const char *out, struct error *e)
{
	char *live = util_format("%s.live", out);
	struct log log = {0};
	struct outfile file;
	int failed = -1;

	if (check_output(t, out, live, e) || outfile_open(&file, out, e))
		goto done;
	make_log(&log, t, o);
	write_segments(t, file.f);
	segment_write_bytes(file.f, MT_STREAM_NAMES, log.bytes, log.count,
			    t->end_clock, t->end_clock_ns);
	if (t->live && write_live(t, live, e))
		outfile_abort(&file);
	else
		failed = outfile_commit(&file, e);
done:
	free(log.bytes);
	strpool_free(&log.strings);
	free(live);
	return failed;
}
