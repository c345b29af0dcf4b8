/* SPDX-License-Identifier: MIT */
/*
 * memtrace-report: where the memory of a recorded program went.
 *
 * The map of modules; each includes only what stands above it:
 *
 *   util       memory that is there, errors with offsets
 *   units      quantities as people write them
 *   map        hash map of integers
 *   strpool    strings kept once
 *   unpack     a whole file, decompressed
 *   gzip       a stream, compressed
 *   trace      a trace's index and streams (the only user of zstd)
 *     meta       the meta log: process, modules, threads, end
 *     live       the live file of a recording that was not ended
 *     cursor     one thread's events, decoded batch by batch
 *   sym        names for code addresses (the only user of libdw)
 *   merge      all threads' events in the order of time
 *   heap       the live blocks, by address
 *   replay     every event applied to the heap, listeners told
 *   mappings   the mapped ranges
 *   prof       a listener: sums and exact peak per stack
 *   judge      whose a frame is: the program's or a runtime's
 *   stacks     stacks, and the names of their frames
 *   profile    who was recorded, stacks and sums: of a trace or an import
 *   group      a profile by site, function, module, thread, size, stack
 *   expr       the language of --where
 *   kinds      what the kinds of events are called
 *   answers    an expression's tests, answered for the blocks of a trace
 *   lives      which blocks are chosen by how long they lived
 *   term       units, colour, progress
 *   json       JSON's texts
 *   table      a table as text, JSON or CSV
 *   options    the command line
 *   select     which blocks a report is about, by the options
 *   view/      what is printed, one file a view
 *   export/    what other tools read, one file a format
 *   import/    what other tools wrote, one file a format
 *   main       which view
 *
 * launch.c is another program: memtrace, which starts a recording.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export/export.h"
#include "import/import.h"
#include "view/view.h"

/* What a command is given. */
enum needs { NEEDS_PROFILE, NEEDS_TRACE };

/* Return the format that --format asks for. */
static const struct export_format *format_of(const struct options *o)
{
	const struct export_format *f =
		o->format ? export_find(o->format) : NULL;

	if (!f)
		options_usage("export needs --format, not",
			      o->format ? o->format : "nothing", NULL);
	return f;
}

/* The command export. */
static int run_export(struct view *v, struct error *e)
{
	return export_write(format_of(v->options), v->profile, v->options, e);
}

/* The commands of options.c, and what does them. */
static const struct command {
	const char *name;
	enum needs needs;
	unsigned int keys; /* of the profile */
	view_function *view;
} commands[] = {
	{NULL, NEEDS_PROFILE, 0, view_summary},
	{"top", NEEDS_PROFILE, 0, view_top},
	{"events", NEEDS_TRACE, 0, view_events},
	{"export", NEEDS_PROFILE, 0, run_export},
};

/* Return what does a command. */
static const struct command *command_of(const struct options_command *c)
{
	const struct command *found = commands;

	for (size_t i = 1; c->name && i < sizeof(commands) / sizeof(*commands);
	     i++)
		if (strcmp(commands[i].name, c->name) == 0)
			found = &commands[i];
	return found;
}

/* Print a line about a file on stderr. */
static void complain(const char *path, const struct error *e)
{
	fprintf(stderr, "memtrace-report: ");
	term_put_text(stderr, path);
	fputs(": ", stderr);
	term_put_text(stderr, e->text);
	if (e->offset != ERROR_NO_OFFSET)
		fprintf(stderr, " at byte %" PRIu64, e->offset);
	fputc('\n', stderr);
}

/* Return what the options ask of the replay. */
static struct prof_options prof_options(const struct options *o,
					const struct command *c,
					const struct trace *t)
{
	struct prof_options p = {.keys = c->keys};

	select_window(o, t, &p.from, &p.until);
	if (c->view == run_export)
		p.keys |= format_of(o)->keys;
	if (o->by == GROUP_THREAD)
		p.keys |= PROF_BY_THREAD;
	if (o->by == GROUP_SIZE)
		p.keys |= PROF_BY_SIZE;
	return p;
}

/* Return the style that the options ask for. */
static struct table_style style_of(const struct options *o)
{
	return (struct table_style){
		.form = o->json	 ? TABLE_AS_JSON
			: o->csv ? TABLE_AS_CSV
				 : TABLE_AS_TEXT,
		.exact = o->exact,
		.width = term_width(),
		.term = term_style(term_wants_colour(o->colour)),
	};
}

/* Profile a trace and show it; 0, or -1 with `e` filled. */
static int show_profile(struct view *v, const struct command *c,
			struct error *e)
{
	struct prof_options p = prof_options(v->options, c, v->trace);
	struct profile profile;
	int status;

	profile_open_trace(&profile, v->trace, NULL);
	select_trace(v->select, v->trace, &profile.stacks, term_bar);
	select_set_options(v->select, &p);
	profile_replay(&profile, &p, term_bar);
	term_bar_clear();
	v->profile = &profile;
	status = c->view(v, e);
	profile_free(&profile);
	return status;
}

/* Show a trace by a view that needs no profile; the same. */
static int show_trace(struct view *v, const struct command *c, struct error *e)
{
	struct stacks stacks;
	int status;

	if (!v->select)
		return c->view(v, e);
	stacks_of_trace(&stacks, v->trace, NULL);
	select_trace(v->select, v->trace, &stacks, term_bar);
	term_bar_clear();
	status = c->view(v, e);
	stacks_free(&stacks);
	return status;
}

/* Say what of the command line a file without events cannot answer. */
static int refuse_import(const struct view *v, const struct command *c,
			 struct error *e)
{
	const struct options *o = v->options;

	if (c->needs == NEEDS_TRACE)
		return error_set(e, ERROR_NO_OFFSET,
				 "%s needs the events, which a %s file has not",
				 c->name, v->profile->source);
	if (o->from_ns || o->to_ns != UINT64_MAX || o->at == OPTIONS_AT_TIME)
		return error_set(e, ERROR_NO_OFFSET,
				 "a time needs the events, which a %s file has "
				 "not",
				 v->profile->source);
	return select_rows(v->select, v->profile, e);
}

/* Show what another tool wrote; 1 when it is no file of a tool known. */
static int show_import(struct view *v, const char *path,
		       const struct command *c, struct error *e)
{
	struct profile profile;
	int status = import_file(&profile, path, NULL, e);

	if (status)
		return status;
	v->profile = &profile;
	v->trace = NULL;
	status = refuse_import(v, c, e);
	if (!status)
		status = c->view(v, e);
	profile_free(&profile);
	return status;
}

/* Work on a trace that was opened; return the exit status. */
static int run_trace(struct view *v, const char *path, const struct command *c)
{
	struct error e = {0};

	if ((c->needs == NEEDS_TRACE ? show_trace : show_profile)(v, c, &e)) {
		complain(path, &e);
		return 1;
	}
	if (error_is_set(&v->trace->damage)) {
		fflush(stdout);
		complain(path, &v->trace->damage);
		return 1;
	}
	return 0;
}

/* Work on one file; return the exit status. */
static int run(const char *path, const struct options *o,
	       const struct command *c, struct select *s)
{
	struct error e = {0}, other = {0};
	struct trace t;
	struct view v = {
		.trace = &t,
		.options = o,
		.select = s,
		.style = style_of(o),
	};
	int status = 1;

	if (trace_open(&t, path, &e) == 0) {
		status = run_trace(&v, path, c);
	} else {
		status = show_import(&v, path, c, &other);
		/* Of no format: what is wrong with it as a trace counts. */
		if (status)
			complain(path, status < 0 ? &other : &e);
		status = status != 0;
	}
	trace_close(&t);
	return status;
}

/* Name the next useful command on stderr. */
static void hint(const char *path, const struct options *o,
		 const struct command *c)
{
	if (o->json || o->csv || o->rows || o->at || c->name)
		return;
	fflush(stdout);
	fputs("\nnext: memtrace-report top --at peak ", stderr);
	term_put_text(stderr, path);
	fputc('\n', stderr);
}

/* Return `status`, or 1 after a line when stdout did not take all. */
static int finish(int status)
{
	if (fflush(stdout) || ferror(stdout)) {
		if (errno != EPIPE)
			fprintf(stderr, "memtrace-report: stdout: %s\n",
				strerror(errno));
		return 1;
	}
	return status;
}

/* Show which character of --where is wrong. */
static void point_at(const char *text, uint64_t offset)
{
	fputs("  ", stderr);
	term_put_text(stderr, text);
	fputs("\n  ", stderr);
	for (uint64_t i = 0; i < offset;) {
		unsigned int n = term_utf8(text + i);

		fputc(' ', stderr);
		i += n ? n : 1;
	}
	fputs("^\n", stderr);
}

/* Read which blocks are asked for; ends the program over what cannot be. */
static struct select *read_selection(const struct options *o)
{
	struct error e = {0};
	struct select *s;

	if (!select_new(&s, o, &e))
		return s;
	fputs("memtrace-report: ", stderr);
	term_put_text(stderr, e.text);
	fputc('\n', stderr);
	if (e.offset != ERROR_NO_OFFSET)
		point_at(o->where, e.offset);
	exit(2);
}

int main(int argc, char **argv)
{
	const struct options_command *said;
	const struct command *c;
	struct select *s;
	struct options o;
	int first, status = 0;

	said = options_parse(argc, argv, &o, &first);
	if (!first)
		return finish(0);
	if (first == argc) {
		fprintf(stderr,
			"memtrace-report: which trace? "
			"usage: memtrace-report %s%s[options] %s\n",
			said->name ? said->name : "", said->name ? " " : "",
			said->arguments);
		return 2;
	}
	c = command_of(said);
	s = read_selection(&o);
	for (int i = first; i < argc; i++) {
		if (i > first && !o.json && !o.csv && c->needs != NEEDS_TRACE)
			putchar('\n');
		status |= run(argv[i], &o, c, s);
	}
	select_free(s);
	if (!status)
		hint(argv[argc - 1], &o, c);
	return finish(status);
}
