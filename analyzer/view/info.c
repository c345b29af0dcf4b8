/* SPDX-License-Identifier: MIT */
/*
 * info: what is in a trace, without reading its events: who was recorded, how
 * it ended, threads, modules and what the streams take.
 */
#include "view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What the segments of a stream take. */
struct stream {
	uint64_t segments, records, bytes;
};

/* Add a list of segments to a stream's sums. */
static void add(struct stream *s, const struct trace_segments *list)
{
	for (size_t i = 0; i < list->count; i++) {
		s->segments++;
		s->records += list->at[i].count;
		s->bytes += list->at[i].live ? 0 : list->at[i].data_bytes;
	}
}

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
	struct table table;

	table_begin(&table, "facts", "Recording", column, 2);
	add_pair(&table, "format", format);
	add_pair(&table, "program", t->exe);
	add_pair(&table, "command", command);
	add_pair(&table, "host", t->host);
	add_number(&table, "pid", t->process.pid);
	add_pair(&table, "parent trace", t->parent);
	add_pair(&table, "allocator", t->allocator);
	add_pair(&table, "options",
		 t->options && *t->options ? t->options : NULL);
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
}

/* Add the row of a stream. */
static void add_stream(struct table *t, const char *name,
		       const struct stream *s)
{
	union table_cell *row = table_add(t);

	row[0].text = name;
	row[1].n = s->segments;
	row[2].n = s->records;
	row[3].n = s->bytes;
	row[4].real = s->records ? (double)s->bytes / (double)s->records : 0;
}

/* Print what the streams take. */
static void put_streams(struct view *v)
{
	static const struct table_column column[] = {
		{"stream", "stream", TABLE_TEXT},
		{"segments", "segments", TABLE_COUNT},
		{"records", "records", TABLE_COUNT},
		{"bytes", "compressed", TABLE_BYTES},
		{"bytes_per_record", "bytes each", TABLE_NUMBER},
	};
	static const char *const names[] = {
		[MT_STREAM_META] = "meta",
		[MT_STREAM_PCS] = "code addresses",
		[MT_STREAM_NODES] = "stacks",
	};
	const struct trace *t = v->trace;
	struct stream events = {0};
	struct table table;

	table_begin(&table, "streams", "Streams", column, 5);
	for (unsigned int i = MT_STREAM_META; i <= MT_STREAM_NODES; i++) {
		struct stream s = {0};

		add(&s, &t->segments[i]);
		add_stream(&table, names[i], &s);
	}
	for (size_t i = 0; i < t->thread_count; i++)
		add(&events, &t->threads[i].segments);
	add_stream(&table, "events", &events);
	view_table(v, &table);
}

/* Print the threads. */
static void put_threads(struct view *v)
{
	static const struct table_column column[] = {
		{"index", "thread", TABLE_COUNT},
		{"tid", "tid", TABLE_COUNT},
		{"events", "events", TABLE_COUNT},
		{"name", "name", TABLE_TEXT},
	};
	const struct trace *t = v->trace;
	struct table table;

	table_begin(&table, "threads", "Threads", column, 4);
	for (size_t i = 0; i < t->thread_count; i++) {
		union table_cell *row = table_add(&table);
		struct stream s = {0};

		add(&s, &t->threads[i].segments);
		row[0].n = t->threads[i].index;
		row[1].n = t->threads[i].tid;
		row[2].n = s.records;
		row[3].text = t->threads[i].name;
	}
	view_table(v, &table);
}

/* Print the modules. */
static void put_modules(struct view *v)
{
	static const struct table_column column[] = {
		{"build_id", "build-id", TABLE_TEXT},
		{"path", "module", TABLE_TEXT},
	};
	const struct trace *t = v->trace;
	struct table table;

	table_begin(&table, "modules", "Modules", column, 2);
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
		row[1].text = m->path;
	}
	view_table(v, &table);
}

int view_info(struct view *v, struct error *e)
{
	(void)e;
	view_begin(v, "info");
	put_process(v);
	put_streams(v);
	put_threads(v);
	put_modules(v);
	view_end(v);
	return 0;
}
