/* SPDX-License-Identifier: MIT */
/*
 * memtrace-report: where the memory of a recorded program went.
 *
 * The map of rooms and the modules in them. A room uses those above it only,
 * and a module those above it (tests/layers has the order and checks it):
 *
 *   base/      what anybody may use
 *     util       memory that is there, errors with offsets
 *     map        hash map of integers
 *     slots      numbers for live blocks
 *     strpool    strings kept once
 *     trend      statistics of short series
 *     procstat   what the kernel says of a running process
 *     units      quantities as people write them
 *     unpack     a whole file, decompressed
 *     gzip       a stream, compressed
 *     outfile    output to a file, whole or not at all
 *     term       units, colour, progress
 *   trace/     a trace and the live file beside it, read
 *     symframe   what is known about a code address
 *     kinds      what the kinds of events are called, which belong together
 *     trace      a trace's streams (with segment the user of zstd)
 *     index      which segments the file has, and where
 *     live       the live file of a recording that was not ended
 *     meta       the meta log: process, modules, threads, end
 *     names      the names that a trace carries
 *     entries    what its index says of the events
 *     words      what a scan saw in memory
 *     times      its clock, how long it lasted, how it ended
 *     cursor     one thread's events, decoded batch by batch
 *     segment    segments, written
 *     image      the heap image of a bounded trace
 *     noted      what was noted of the process beside its events
 *     moments    moments by their names
 *     snapshot   a trace that is being recorded, as it is at one moment
 *     testruns   which test ran when
 *     mailbox    the mailbox of a running program
 *   launcher/  what memtrace needs, the program that starts a recording
 *     child      other programs, run to their end
 *     scratch    a directory for what nobody need see
 *     lsanopts   $LSAN_OPTIONS
 *     program    which programs can be recorded
 *     family     the traces that a program and its descendants left
 *     checked    the traces judged, for --check
 *     selftest   a program that leaks, judged
 *   replay/    every event applied to the heap, and who listens
 *     merge      all threads' events in the order of time
 *     heap       the live blocks, by address
 *     mappings   the mapped ranges
 *     estimate   what the blocks of a sample stand for
 *     replay     every event applied to the heap, listeners told
 *     prof       a listener: sums and exact peak per stack
 *     tally      a listener: what is live and new of threads and sizes
 *     traffic    a listener: sums per thread and pair of threads
 *     series     a listener: the heap over time
 *     lifespan   a listener: how long blocks live
 *     chains     a listener: chains of reallocs
 *     growth     a listener: what of each site is left, by age
 *     verdict    which sites leak though their blocks can be reached
 *     notes      what the program said of its blocks
 *     reconcile  the resident set, laid over the live blocks
 *     cgroups    how far from the bound of its control group
 *     chosen     a replay of the blocks that were chosen
 *     follow     a trace that is being recorded, replayed as it grows
 *     siblings   how long the freed blocks of sites lived
 *   sym/       names for code addresses
 *     symexpand  compressed sections, expanded
 *     symfile    a module's files (elfutils enters through it)
 *     symname    names as people know them (the only user of libiberty)
 *     symtab     the symbol table
 *     symdwarf   debug info
 *     symcache   what was looked up before
 *     perfmap    names for code in no module, from JIT compilers
 *     sym        names for code addresses
 *     pcs        code addresses by module
 *     symbolize  a trace with its names in it
 *   profile/   stacks, and sums over them
 *     judge      whose a frame is: the program's or a runtime's
 *     stacks     stacks, and the names of their frames
 *     profile    who was recorded, stacks and sums: of a trace or an import
 *     group      a profile by site, function, module, thread, size, stack
 *     calltree   a profile as a tree of calls
 *     combine    several profiles as one
 *     compare    what differs between runs, with its chance
 *     trust      how far a profile is to be trusted
 *     samename   what a group is called in every run
 *   leak/      blocks that are lost, frees that are bad
 *     graph      what pointed to which block at a scan
 *     leaks      which blocks can be reached, and how the lost ones hang
 *     rootname   names for the roots of a scan
 *     operators  whose operator new and delete a block went through
 *     noblock    addresses that no allocator gives
 *     badfree    frees that no allocator has to take
 *     owners     who owns the blocks of a scan, as a tree of sites
 *   print/     tables
 *     json       JSON's texts
 *     table      a table as text, JSON or CSV
 *   gate/      a verdict for CI
 *     parent     which test a process was forked in
 *     fingerprint what names a stack in every build and run
 *     suppress   leaks that are accepted, by rules of LSan's and valgrind's
 *     repeats    what grows with every run of a test
 *     baseline   leaks that are known already
 *     gate       a verdict over the traces of a run
 *     gather     what it knows of each process
 *   options/   the command line
 *     optiontab  what options and commands are called
 *     options    the command line
 *     completion the command line, for shells to complete
 *   export/    what other tools read, one file a format
 *   report/    the gate's verdict, one file a format
 *   select/    which blocks a report is about
 *     expr       the language of --where
 *     answers    an expression's tests, answered for the blocks of a trace
 *     lives      which blocks are chosen by how long they lived
 *     select     which blocks a report is about, by the options
 *   import/    files opened; what other tools wrote, one file a format
 *     scan       text, taken apart
 *     import     which format a file has
 *     input      a file opened: a trace or an import
 *   view/      what is printed, one file a view
 *   serve/     profiles and metrics, over HTTP
 *     listener   a socket that is listened on
 *     upload     bytes sent to an HTTP server (the only user of libcurl)
 *     delta      a profile less an earlier one
 *     kept       metrics of traces that do not change any more
 *     states     what traces were replayed to, to go on from there
 *     served     the traces that are served or pushed
 *     earlier    profiles of now, to be taken from later ones
 *     worker     a process that answers one request
 *     keeper     the process that keeps what answers can use
 *     http       an HTTP server (the only user of libmicrohttpd)
 *     listing    what is listed of a trace
 *     serve      what it answers
 *     push       profiles sent to a server of profiles
 *   watch/     what a running program does, on the terminal
 *     figures    what a look at it found
 *     watch      the looks, one after another
 *     plain      a line a look
 *     tui        the whole terminal (the only user of ncurses)
 *   ctl        what it is told to do
 *   main       which view
 *
 * launch.c is another program: memtrace, which starts a recording.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "export/export.h"
#include "input.h"
#include "push.h"
#include "serve.h"
#include "symbolize.h"
#include "view/check.h"
#include "view/view.h"
#include "watch/watch.h"

/* What a command is given. */
enum needs {
	NEEDS_PROFILE,
	NEEDS_STACKS, /* a profile whose sums the view makes */
	NEEDS_TRACE,
	NEEDS_PROFILES, /* of all files at once */
	NEEDS_PATHS,	/* it opens what is named by itself */
};

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
	const struct export_format *f = format_of(v->options);
	struct profile all;
	int status;

	if (v->input_count == 1)
		return export_write(f, v->profile, v->options, e);
	if (f->needs_trace)
		return error_set(e, ERROR_NO_OFFSET,
				 "%s needs the events of one trace: export "
				 "each of the %zu by itself",
				 f->name, v->input_count);
	view_merge_profiles(v, &all);
	status = export_write(f, &all, v->options, e);
	profile_free(&all);
	return status;
}

/* The command symbolize. */
static int run_symbolize(struct view *v, struct error *e)
{
	struct sym_options sym = input_sym_options(v->options);

	if (!v->options->output)
		options_usage("symbolize needs --output, not", "nothing", NULL);
	return symbolize_write(v->trace, &sym, v->options->output, e);
}

/* What a command makes of a sample of the blocks. */
enum sampled {
	ESTIMATES,  /* and says how far they are off */
	NEEDS_EACH, /* nothing */
};

/* The commands of options.c, and what does them. */
static const struct command {
	const char *name;
	enum needs needs;
	view_function *view;
	unsigned int keys;    /* of the profile */
	bool has_argument;    /* before the files */
	enum sampled sampled; /* what it makes of a sample of the blocks */
} commands[] = {
	{NULL, NEEDS_PROFILE, view_summary, 0, false, ESTIMATES},
	{"top", NEEDS_PROFILE, view_top, 0, false, ESTIMATES},
	{"tree", NEEDS_PROFILE, view_tree, 0, false, ESTIMATES},
	{"peek", NEEDS_PROFILE, view_peek, 0, true, ESTIMATES},
	{"list", NEEDS_PROFILE, view_list, 0, true, ESTIMATES},
	{"info", NEEDS_TRACE, view_info, 0, false, ESTIMATES},
	{"timeline", NEEDS_TRACE, view_timeline, 0, false, ESTIMATES},
	{"sizes", NEEDS_PROFILE, view_sizes, PROF_BY_SIZE, false, ESTIMATES},
	{"lifetimes", NEEDS_TRACE, view_lifetimes, 0, false, ESTIMATES},
	{"threads", NEEDS_TRACE, view_threads, 0, false, ESTIMATES},
	{"reallocs", NEEDS_PROFILE, view_reallocs, 0, false, NEEDS_EACH},
	{"diff", NEEDS_PROFILES, view_diff, 0, false, ESTIMATES},
	{"merge", NEEDS_PROFILES, view_merge, 0, false, ESTIMATES},
	{"leaks", NEEDS_PROFILE, view_leaks, 0, false, NEEDS_EACH},
	{"check", NEEDS_PATHS, NULL, 0, false, ESTIMATES},
	{"serve", NEEDS_PATHS, NULL, 0, false, ESTIMATES},
	{"push", NEEDS_PATHS, NULL, 0, false, ESTIMATES},
	{"bad-frees", NEEDS_PROFILE, view_bad_frees, 0, false, NEEDS_EACH},
	{"why", NEEDS_PROFILE, view_why, 0, true, NEEDS_EACH},
	{"growth", NEEDS_STACKS, view_growth, 0, false, NEEDS_EACH},
	{"memory", NEEDS_TRACE, view_memory, 0, false, NEEDS_EACH},
	{"snapshots", NEEDS_PROFILE, view_snapshots, 0, false, NEEDS_EACH},
	{"events", NEEDS_TRACE, view_events, 0, false, ESTIMATES},
	{"export", NEEDS_PROFILES, run_export, 0, false, ESTIMATES},
	{"symbolize", NEEDS_TRACE, run_symbolize, 0, false, ESTIMATES},
};

/* The command completion; returns the exit status. */
static int run_completion(int argc, char **argv)
{
	const char *shell = argc == 1 ? argv[0] : "";

	if (options_completion(stdout, shell))
		options_usage("completion is for bash, zsh or fish, not", shell,
			      NULL);
	return 0;
}

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

/* Return what tells rows of the profile apart. */
static unsigned int keys_of(const struct options *o, const struct command *c)
{
	unsigned int keys = c->keys;

	if (c->view == run_export)
		keys |= format_of(o)->keys;
	if (o->by == GROUP_THREAD)
		keys |= PROF_BY_THREAD;
	if (o->by == GROUP_SIZE)
		keys |= PROF_BY_SIZE;
	return keys;
}

/* Tell whether it is rather done without these: an export says nowhere that the
 * sums of the blocks that were told apart are of the history only. Where events
 * are exported they are of that, anyway. */
static bool wants_whole(const struct options *o, const struct command *c)
{
	return c->view == run_export && !format_of(o)->needs_trace;
}

/* Tell whether a command needs the blocks that were live at the end. */
static bool keeps_live(const struct options *o, const struct command *c)
{
	return (c->view == view_summary || c->view == view_leaks ||
		c->view == view_why) &&
	       !o->from_ns && o->to_ns == UINT64_MAX && !o->at;
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

/* The files of a command, and what is shown of them. */
struct job {
	const struct command *command;
	struct view view;
	struct input_wants wants;
	struct input *inputs;
	size_t count;
};

/* Say what is damaged in a trace; tell whether something is. */
static bool is_damaged(const struct input *in)
{
	if (!in->trace || !error_is_set(&in->trace->damage))
		return false;
	fflush(stdout);
	complain(in->trace->path, &in->trace->damage);
	return true;
}

/* Return what of a command needs every block, or NULL. */
static const char *needing_each(const struct job *j)
{
	const struct options *o = j->view.options;

	if (j->command->sampled == NEEDS_EACH)
		return j->command->name;
	if (o->total)
		return "--total";
	if (o->quick)
		return "--quick";
	if (o->at == OPTIONS_AT_TEMPORARY)
		return "--at temporary";
	if (j->command->view == run_export && format_of(o)->needs_each)
		return o->format;
	return NULL;
}

/* Refuse what a sample of the blocks does not tell: 0, or -1 with `e`
 * filled. */
static int refuse_sampled(const struct job *j, const struct input *in,
			  struct error *e)
{
	const char *what = needing_each(j);

	if (what && in->trace && estimate_is_needed(in->trace))
		return error_set(e, ERROR_NO_OFFSET,
				 "%s needs every block, of which this is a "
				 "sample (sample=SIZE)",
				 what);
	return 0;
}

/* Open the files, and show them together; 0, or -1 and whose fault it is. */
static int open_and_show(struct job *j, const struct input_path *paths,
			 size_t n, const char **path, struct error *e)
{
	int status = 0;

	j->inputs = util_alloc(n, sizeof(*j->inputs));
	for (j->count = 0; j->count < n && !status; j->count++) {
		*path = paths[j->count].path;
		status = input_open(&j->inputs[j->count], *path, &j->wants, e);
		j->inputs[j->count].side = paths[j->count].side;
		if (!status)
			status = refuse_sampled(j, &j->inputs[j->count], e);
	}
	if (status)
		return status;
	j->view.trace = j->inputs[0].trace;
	j->view.profile = j->inputs[0].profile;
	j->view.inputs = j->inputs;
	j->view.input_count = j->count;
	return j->command->view(&j->view, e);
}

/* Show files together; return the exit status. */
static int show(struct job *j, const struct input_path *paths, size_t n)
{
	struct error e = {0};
	const char *path = paths->path;
	int status = open_and_show(j, paths, n, &path, &e);

	if (status)
		complain(path, &e);
	for (size_t i = 0; i < j->count; i++) {
		status |= !status && is_damaged(&j->inputs[i]);
		input_close(&j->inputs[i]);
	}
	free(j->inputs);
	j->inputs = NULL;
	j->count = 0;
	return status != 0;
}

/* Show each file by itself; return the exit status. */
static int show_each(struct job *j, const struct input_path *paths, size_t n)
{
	int status = 0;

	for (size_t i = 0; i < n; i++) {
		if (i && j->view.style.form == TABLE_AS_TEXT &&
		    j->command->needs != NEEDS_TRACE)
			putchar('\n');
		status |= show(j, &paths[i], 1);
	}
	return status;
}

/* Show what the arguments name; return the exit status. */
static int show_arguments(struct job *j, char *const *arguments, size_t n)
{
	struct error e = {0};
	struct input_path *paths;
	const char *path;
	size_t count = input_list(arguments, n, &paths, &path, &e);
	int status = 1;

	j->view.sides = n;
	if (count > 1 && j->command->view == run_symbolize)
		options_usage("symbolize takes one trace, not", arguments[0],
			      NULL);
	if (!count)
		complain(path, &e);
	else if (j->command->needs == NEEDS_PROFILES)
		status = show(j, paths, count);
	else
		status = show_each(j, paths, count);
	for (size_t i = 0; i < count; i++)
		free(paths[i].path);
	free(paths);
	return status;
}

/* The commands serve and push; returns the exit status. */
static int run_served(const struct view *v, const char *name,
		      char *const *arguments, size_t n)
{
	const struct served_from from = {v->options, v->select, arguments, n};
	bool serves = strcmp(name, "serve") == 0;
	struct error e = {0};

	if (!(serves ? serve_run(&from, &e) : push_run(&from, &e)))
		return 0;
	complain(serves ? "serve" : arguments[0], &e);
	return 1;
}

/* The command check; returns the exit status. */
static int run_check(const struct view *v, char *const *arguments, size_t n)
{
	struct error e = {0};
	const char *path = NULL;
	int status = check_run(v->options, &v->style, arguments, n, &path, &e);

	if (status >= 0)
		return status;
	complain(path, &e);
	return 1;
}

/* Name the next useful command on stderr: what the view says, or NULL. */
static void hint(const char *path, const struct options *o,
		 const struct command *c, const char *next)
{
	char *self, *trace;

	if (o->json || o->csv || o->rows || o->at || (c->name && !next))
		return;
	fflush(stdout);
	self = util_quote(program_invocation_name);
	trace = util_quote(path);
	fputs("\nnext: ", stderr);
	term_put_text(stderr, self);
	fputc(' ', stderr);
	term_put_text(stderr, next ? next : "top --at peak");
	fputc(' ', stderr);
	term_put_text(stderr, trace);
	fputc('\n', stderr);
	free(self);
	free(trace);
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

/* End the program over files that are missing on the command line. */
static _Noreturn void no_files(const struct options_command *c)
{
	fprintf(stderr,
		"memtrace-report: which trace? "
		"usage: memtrace-report %s%s[options] %s\n",
		c->name ? c->name : "", c->name ? " " : "", c->arguments);
	exit(2);
}

/* Have the program of --now scanned; returns its trace, or ends this one. */
static char *scan_now(struct options *o, char **arguments)
{
	char *trace;

	if (*arguments)
		options_usage("--now takes no trace, as", *arguments, NULL);
	trace = ctl_scan_now(o);
	if (!trace)
		exit(1);
	return trace;
}

int main(int argc, char **argv)
{
	const struct options_command *said;
	struct options o;
	struct job j = {0};
	int first, status;
	char *now = NULL;

	said = options_parse(argc, argv, &o, &first);
	if (!first)
		return finish(0);
	if (said->name && strcmp(said->name, "completion") == 0)
		return finish(run_completion(argc - first, argv + first));
	if (said->name && strcmp(said->name, "ctl") == 0)
		return finish(ctl_run(&o, argc - first, argv + first));
	if (said->name && strcmp(said->name, "live") == 0)
		return finish(watch_run(&o, argc - first, argv + first));
	j.command = command_of(said);
	if (j.command->has_argument && first < argc)
		j.view.argument = argv[first++];
	if (o.pid)
		now = scan_now(&o, argv + first);
	else if (first == argc)
		no_files(said);
	j.view.options = j.wants.options = &o;
	j.view.select = j.wants.select = read_selection(&o);
	j.view.style = style_of(&o);
	j.wants.profile = j.command->needs != NEEDS_TRACE && !o.total;
	j.wants.no_sums = j.command->needs == NEEDS_STACKS;
	j.wants.keys = keys_of(&o, j.command);
	j.wants.whole = wants_whole(&o, j.command);
	j.wants.live = keeps_live(&o, j.command);
	j.wants.command = said->name;
	if (j.command->needs == NEEDS_PATHS && strcmp(said->name, "check") != 0)
		status = run_served(&j.view, said->name, argv + first,
				    (size_t)(argc - first));
	else if (j.command->needs == NEEDS_PATHS)
		status = run_check(&j.view, argv + first,
				   (size_t)(argc - first));
	else if (now)
		status = show_arguments(&j, &now, 1);
	else
		status = show_arguments(&j, argv + first,
					(size_t)(argc - first));
	select_free(j.view.select);
	if (!status)
		hint(argv[argc - 1], &o, j.command, j.view.next);
	free(j.view.next);
	free(now);
	options_free(&o);
	return finish(status);
}
