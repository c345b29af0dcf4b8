/* SPDX-License-Identifier: MIT */
/*
 * memtrace-report: where the memory of a recorded program went.
 *
 * The map of modules; each includes only what stands above it:
 *
 *   util       memory that is there, errors with offsets
 *   map        hash map of integers
 *   strpool    strings kept once
 *   trace      a trace's index and streams (the only user of zstd)
 *     meta       the meta log: process, modules, threads, end
 *     live       the live file of a recording that was not ended
 *     cursor     one thread's events, decoded batch by batch
 *   sym        names for code addresses (the only user of libdw)
 *   merge      all threads' events in the order of time
 *   heap       the live blocks, by address
 *   mappings   the mapped ranges
 *   prof       the replay; sums and exact peak per stack
 *   site       stacks charged to places in the program
 *   term       units, colour, progress
 *   view       what the views share
 *     summary    the report as text
 *     json       the report as JSON
 *     events     every event, one a line
 *   main       the command line
 *
 * launch.c is another program: memtrace, which starts a recording.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "view.h"

#define VERSION "0.1.0"

/* Rows of a table when -n does not say: in the whole report, with --at. */
#define ROWS 5
#define ROWS_AT 20

#define EXIT_USAGE 2

struct options {
	bool json, exact, events, stacks;
	enum view_at at;
	unsigned int rows; /* 0: not said */
	enum term_colour colour;
};

static const char help[] =
	"memtrace-report - where the memory of a recorded program went\n"
	"\n"
	"  memtrace-report memtrace.app.4711.zst          one screen\n"
	"  memtrace-report -n 30 --at peak TRACE          live at the peak\n"
	"  memtrace-report --json TRACE | jq .peak.bytes  for scripts\n"
	"\n"
	"usage: memtrace-report [options] TRACE...\n"
	"       memtrace-report events [--no-stack] TRACE\n"
	"\n"
	"  -n N                  rows per table (5; 20 with --at)\n"
	"      --at peak|exit    only what was live then\n"
	"      --exact           bytes as integers\n"
	"      --json            one JSON object per trace\n"
	"      --color[=WHEN]    always, never or auto (only on a terminal)\n"
	"      --help, --version\n"
	"\n"
	"events prints every event: time_ns thread tid kind address size\n"
	"alignment stack. Exit status: 0 done, 1 unreadable input or failed\n"
	"output, 2 usage.\n";

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

/* End the program over a wrong command line. */
static _Noreturn void usage(const char *what, const char *word,
			    const char *nearest)
{
	fprintf(stderr, "memtrace-report: %s '", what);
	term_put_text(stderr, word);
	fputc('\'', stderr);
	if (nearest)
		fprintf(stderr, ", did you mean '%s'?", nearest);
	fputs("\nmemtrace-report: see memtrace-report --help\n", stderr);
	exit(EXIT_USAGE);
}

enum {
	OPT_AT = 256,
	OPT_EXACT,
	OPT_JSON,
	OPT_COLOUR,
	OPT_HELP,
	OPT_VERSION,
	OPT_NO_STACK
};

static const struct option long_options[] = {
	{"at", required_argument, NULL, OPT_AT},
	{"color", optional_argument, NULL, OPT_COLOUR},
	{"colour", optional_argument, NULL, OPT_COLOUR},
	{"exact", no_argument, NULL, OPT_EXACT},
	{"help", no_argument, NULL, OPT_HELP},
	{"json", no_argument, NULL, OPT_JSON},
	{"no-stack", no_argument, NULL, OPT_NO_STACK},
	{"version", no_argument, NULL, OPT_VERSION},
	{0},
};

/* End the program over an option that does not exist. */
static _Noreturn void unknown_option(const char *word)
{
	static const char *const names[] = {
		"--at",	      "--color",   "--exact", "--help", "--json",
		"--no-stack", "--version", "-n",      NULL,
	};
	char *name = util_copy(word, strcspn(word, "="));

	usage("unknown option", name, util_nearest(name, names));
}

/* Read the argument of -n. */
static unsigned int parse_rows(const char *text)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || !n ||
	    n > 1000000000)
		usage("-n takes a number from 1 on, not", text, NULL);
	return (unsigned int)n;
}

/* Read the argument of --at. */
static enum view_at parse_at(const char *text)
{
	static const char *const names[] = {"peak", "exit", NULL};

	if (strcmp(text, "peak") == 0)
		return VIEW_PEAK;
	if (strcmp(text, "exit") == 0)
		return VIEW_EXIT;
	usage("--at takes peak or exit, not", text, util_nearest(text, names));
}

/* Read the argument of --color. */
static enum term_colour parse_colour(const char *text)
{
	static const char *const names[] = {"always", "never", "auto", NULL};

	if (!text || strcmp(text, "always") == 0)
		return TERM_ALWAYS;
	if (strcmp(text, "never") == 0)
		return TERM_NEVER;
	if (strcmp(text, "auto") == 0)
		return TERM_AUTO;
	usage("--color takes always, never or auto, not", text,
	      util_nearest(text, names));
}

/* Read the options; return the place of the first other argument. */
static int parse_options(int argc, char **argv, struct options *o)
{
	int c;

	opterr = 0;
	for (;;) {
		int at = optind;

		c = getopt_long(argc, argv, ":n:", long_options, NULL);
		switch (c) {
		case -1:
			return optind;
		case 'n':
			o->rows = parse_rows(optarg);
			break;
		case OPT_AT:
			o->at = parse_at(optarg);
			break;
		case OPT_COLOUR:
			o->colour = parse_colour(optarg);
			break;
		case OPT_EXACT:
			o->exact = true;
			break;
		case OPT_JSON:
			o->json = true;
			break;
		case OPT_NO_STACK:
			o->stacks = false;
			break;
		case OPT_HELP:
			fputs(help, stdout);
			return 0;
		case OPT_VERSION:
			puts("memtrace-report " VERSION);
			return 0;
		case ':':
			usage("no value for option", argv[optind - 1], NULL);
		default:
			unknown_option(argv[optind > at ? optind - 1 : at]);
		}
	}
}

/* Print the report on one trace. */
static void report(struct trace *t, const struct options *o)
{
	struct prof prof;
	struct sites sites;
	struct view view = {
		.trace = t,
		.prof = &prof,
		.sites = &sites,
		.rows = o->rows ? o->rows
			: o->at ? ROWS_AT
				: ROWS,
		.exact = o->exact,
		.at = o->at,
		.style = term_style(term_wants_colour(o->colour)),
	};

	prof_run(&prof, t, o->json ? NULL : term_bar);
	sites_build(&sites, t, &prof);
	term_bar_clear();
	if (o->json)
		view_json(&view);
	else
		view_summary(&view);
	sites_free(&sites);
	prof_free(&prof);
}

/* Work on one trace; return the exit status. */
static int run(const char *path, const struct options *o)
{
	struct error e = {0};
	struct trace t;
	int status = 0;

	if (trace_open(&t, path, &e)) {
		complain(path, &e);
		trace_close(&t);
		return 1;
	}
	if (o->events)
		view_events(&t, o->stacks);
	else
		report(&t, o);
	if (error_is_set(&t.damage)) {
		fflush(stdout);
		complain(path, &t.damage);
		status = 1;
	}
	trace_close(&t);
	return status;
}

/* Name the next useful command on stderr. */
static void hint(const char *path, const struct options *o)
{
	if (o->json || o->events || o->rows || o->at)
		return;
	fflush(stdout);
	fputs("\nnext: memtrace-report -n 30 --at peak ", stderr);
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

int main(int argc, char **argv)
{
	struct options o = {.stacks = true};
	int first, status = 0;

	if (argc > 1 && strcmp(argv[1], "events") == 0) {
		o.events = true;
		argc--;
		argv++;
	}
	first = parse_options(argc, argv, &o);
	if (!first)
		return finish(0);
	if (first == argc) {
		fputs("memtrace-report: which trace? "
		      "usage: memtrace-report [options] TRACE...\n",
		      stderr);
		return EXIT_USAGE;
	}
	for (int i = first; i < argc; i++) {
		if (i > first && !o.json && !o.events)
			putchar('\n');
		status |= run(argv[i], &o);
	}
	if (!status)
		hint(argv[argc - 1], &o);
	return finish(status);
}
