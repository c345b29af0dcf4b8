/* SPDX-License-Identifier: MIT */
/*
 * info: what is in a trace, without a look at its events: who was recorded, how
 * it ended, threads, what the streams take, and modules with what there is on
 * this machine to name their code by.
 */
#include "view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "symfile.h"

/* Add the row of a pair of texts. */
static void add_pair(struct table *t, const char *name, const char *value)
{
	union table_cell *row;

	if (!value)
		return;
	row = table_add(t);
	row[0].text = name;
	row[1].text = table_keep(t, value);
}

/* Add a row with a number. */
static void add_number(struct table *t, const char *name, uint64_t n)
{
	char text[TERM_NUMBER];

	add_pair(t, name, term_count(text, n));
}

/* Add the row of when it began, in UTC. */
static void add_start(struct table *t, uint64_t real_ns)
{
	time_t seconds = (time_t)(real_ns / 1000000000);
	struct tm tm;
	char text[64];

	if (gmtime_r(&seconds, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		add_pair(t, "started", text);
}

/* Return the command as one line. */
static char *command_line(const struct trace *t)
{
	char *text = util_copy(t->command ? t->command : "", t->command_bytes);

	for (size_t i = 0; i + 1 < t->command_bytes; i++)
		if (!text[i])
			text[i] = ' ';
	return text;
}

/* Print who was recorded, and how. */
static void put_process(struct view *v)
{
	static const struct table_column column[] = {
		{"name", "", TABLE_TEXT},
		{"value", "", TABLE_TEXT},
	};
	const struct trace *t = v->trace;
	char *command = command_line(t), time[TERM_NUMBER];
	char *format = util_format("%u.%u", t->major, t->minor);
	char *pid = util_format("%u", t->process.pid);
	struct table table;

	table_begin(&table, "facts", "Recording", column, 2);
	add_pair(&table, "format", format);
	add_pair(&table, "program", t->exe);
	add_pair(&table, "command", command);
	add_pair(&table, "host", t->host);
	add_pair(&table, "pid", pid);
	add_pair(&table, "parent trace", t->parent);
	add_pair(&table, "allocator", t->allocator);
	add_pair(&table, "options",
		 t->options && *t->options ? t->options : NULL);
	add_start(&table, t->process.real_ns);
	add_pair(&table, "lasted", term_time(time, trace_duration_ns(t)));
	add_pair(&table, "ended by", trace_end_name(t));
	add_pair(&table, "live file", t->live ? "there" : "none");
	add_number(&table, "lost events", t->lost.events);
	add_number(&table, "lost stacks", t->lost.stacks);
	add_number(&table, "cut stacks", t->lost.cut);
	for (size_t i = 0; i < t->problem_count; i++)
		add_pair(&table, "problem", t->problems[i].text);
	view_table(v, &table);
	free(command);
	free(format);
	free(pid);
}

/* Print what the streams take. */
static void put_streams(struct view *v)
{
	static const struct table_column column[] = {
		{"stream", "stream", TABLE_TEXT},
		{"segments", "segments", TABLE_COUNT},
		{"records", "records", TABLE_COUNT},
		{"bytes", "compressed", TABLE_BYTES},
		{"raw_bytes", "raw", TABLE_BYTES},
		{"bytes_per_record", "bytes each", TABLE_NUMBER},
	};
	static const char *const names[TRACE_STREAMS] = {
		[MT_STREAM_META] = "meta, in bytes",
		[MT_STREAM_PCS] = "code addresses",
		[MT_STREAM_NODES] = "stacks",
		[MT_STREAM_EVENTS] = "events",
		[MT_STREAM_NAMES] = "names, in bytes",
		[MT_STREAM_WORDS] = "words of scans",
		[MT_STREAM_SCANS] = "scans, in bytes",
		[MT_STREAM_IMAGE] = "heap image, in bytes",
	};
	const struct trace *t = v->trace;
	struct table table;

	table_begin(&table, "streams", "Streams", column, 6);
	for (unsigned int i = 0; i < TRACE_STREAMS; i++) {
		const struct trace_stream *s = &t->streams[i];
		union table_cell *row;

		if (!s->segments || !names[i])
			continue;
		row = table_add(&table);
		row[0].text = names[i];
		row[1].n = s->segments;
		row[2].n = s->records;
		row[3].n = s->bytes;
		row[4].n = s->raw_bytes;
		/* A segment of a damaged file may have none. */
		row[5].real =
			s->records ? (double)s->bytes / (double)s->records : 0;
	}
	view_table(v, &table);
}

/* Return the events of a thread. */
static uint64_t count_events(const struct trace_thread *thread)
{
	uint64_t n = 0;

	for (size_t i = 0; i < thread->segments.count; i++)
		n += thread->segments.at[i].count;
	return n;
}

/* Print the threads. */
static void put_threads(struct view *v)
{
	static const struct table_column column[] = {
		{"index", "thread", TABLE_ID},
		{"tid", "tid", TABLE_ID},
		{"events", "events", TABLE_COUNT},
		{"name", "name", TABLE_TEXT},
	};
	const struct trace *t = v->trace;
	struct table table;

	table_begin(&table, "threads", "Threads", column, 4);
	for (size_t i = 0; i < t->thread_count; i++) {
		union table_cell *row = table_add(&table);

		row[0].n = t->threads[i].index;
		row[1].n = t->threads[i].tid;
		row[2].n = count_events(&t->threads[i]);
		row[3].text = t->threads[i].name;
	}
	view_table(v, &table);
}

/* Fill in what is known about a module's symbols, and where that is. */
static void fill_symbols(union table_cell *row, const struct trace_module *m,
			 const struct symfile_search *search)
{
	struct symfile f;
	enum sym_state state;

	if (m->named) {
		row[0].text = view_symbols(m->names);
		row[1].text = "trace";
		return;
	}
	state = symfile_open(&f, search, m->path, m->build_id,
			     m->build_id_bytes);
	row[0].text = view_symbols(state);
	if (f.mod)
		row[1].text = symfile_is_apart(&f) ? "debug file" : "file";
	symfile_close(&f);
}

/* Print the modules. */
static void put_modules(struct view *v)
{
	static const struct table_column column[] = {
		{"build_id", "build-id", TABLE_TEXT},
		{"symbols", "symbols", TABLE_TEXT},
		{"symbols_in", "in", TABLE_TEXT},
		{"path", "module", TABLE_TEXT},
	};
	const struct trace *t = v->trace;
	const struct options *o = v->options;
	struct symfile_search search;
	struct table table;

	symfile_search_init(&search, o->sysroot, o->debug_path);
	table_begin(&table, "modules", "Modules", column, 4);
	for (size_t i = 0; i < t->module_count; i++) {
		const struct trace_module *m = &t->modules[i];
		union table_cell *row;
		char id[2 * 64 + 1] = "";

		if (!m->path)
			continue;
		for (uint32_t j = 0; j < m->build_id_bytes && j < 64; j++)
			snprintf(id + 2 * j, 3, "%02x", m->build_id[j]);
		row = table_add(&table);
		row[0].text = table_keep(&table, id);
		fill_symbols(row + 1, m, &search);
		row[3].text = m->path;
	}
	view_table(v, &table);
	symfile_search_free(&search);
}

int view_info(struct view *v, struct error *e)
{
	(void)e;
	trace_complete_raw_bytes(v->trace, term_bar);
	term_bar_clear();
	v->whole = true;
	view_begin(v, "info");
	put_process(v);
	put_streams(v);
	put_threads(v);
	put_modules(v);
	view_end(v);
	return 0;
}
