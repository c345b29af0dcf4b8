/* SPDX-License-Identifier: MIT */
/* check: the gate over all traces that are named; see check.h. */
#include "check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "input.h"
#include "outfile.h"
#include "report/report.h"

/* Refuse what chooses a part of a trace: a verdict is over the whole. */
static void refuse_selection(const struct options *o)
{
	const struct {
		const char *name;
		bool given;
	} parts[] = {
		{"--at", o->at != OPTIONS_AT_ALL},
		{"--from", o->from},
		{"--to", o->to},
		{"--thread", o->thread},
		{"--size", o->size},
		{"--lifetime", o->lifetime},
		{"--focus", o->focus},
		{"--ignore", o->ignore},
		{"--hide", o->hide},
		{"--where", o->where},
		{"--csv", o->csv},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (parts[i].given)
			options_usage("check is about whole traces, and "
				      "does not take",
				      parts[i].name, NULL);
}

/* Add the traces of an argument: a file, or those of a directory, if any. */
static int add_argument(struct gate *g, const struct options *o,
			char *const *argument, const char **path,
			struct error *e)
{
	struct sym_options sym = input_sym_options(o);
	struct error none = {0};
	struct input_path *list;
	size_t n = input_list(argument, 1, &list, path, &none);
	int status = 0;

	for (size_t i = 0; i < n && !status; i++) {
		*path = list[i].path;
		status = gate_add(g, *path, &sym, term_bar, e);
		term_bar_clear();
		if (status)
			*path = util_copy(*path, strlen(*path));
	}
	for (size_t i = 0; i < n; i++)
		free(list[i].path);
	free(list);
	return status;
}

/* Return the trace that a case is best looked into with. */
static const char *trace_of(const struct gate *g, const struct gate_case *c)
{
	size_t most = c->process;

	if (most == GATE_ALL)
		most = 0;
	for (size_t i = 0; c->process == GATE_ALL && i < g->process_count; i++)
		if (g->processes[i].allocations >
		    g->processes[most].allocations)
			most = i;
	return g->process_count ? g->processes[most].path : NULL;
}

/* Return the command that shows more of what a case is about. */
static const char *command_for(const struct gate_case *c)
{
	static const char *const commands[][2] = {
		{"leaks", "leaks"},
		{"bad-frees", "bad-frees"},
		{"peak", "top --at peak"},
		{"allocations", "top --at total --sort blocks"},
		{"temporary", "top --at temporary"},
	};

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (c->outcome == GATE_BREACHED &&
		    strcmp(commands[i][0], c->rule) == 0)
			return commands[i][1];
	return "info";
}

/* Name the next useful command on stderr. */
static void hint(const struct gate *g)
{
	const struct gate_case *worst = NULL;
	char *self, *trace;

	for (size_t i = 0; i < g->case_count && !worst; i++)
		if (g->cases[i].outcome == g->verdict)
			worst = &g->cases[i];
	if (g->verdict == GATE_PASSED || !worst || !trace_of(g, worst))
		return;
	fflush(stdout);
	self = util_quote(program_invocation_name);
	trace = util_quote(trace_of(g, worst));
	fputs("\nnext: ", stderr);
	term_put_text(stderr, self);
	fprintf(stderr, " %s ", command_for(worst));
	term_put_text(stderr, trace);
	fputc('\n', stderr);
	free(self);
	free(trace);
}

/* ---- What it writes. ---- */

/* Write a file by one of the formats, unless it is not asked for. */
static int write_file(const char *path, report_writer *write,
		      const struct gate *g, const char **wrong, struct error *e)
{
	struct outfile out;

	if (!path)
		return 0;
	*wrong = path;
	if (outfile_open(&out, path, e))
		return -1;
	write(out.f, g);
	return outfile_commit(&out, e);
}

static void write_baseline(FILE *out, const struct gate *g)
{
	baseline_write(&g->baseline, out);
}

/* Tell whether all was judged: else a baseline would lose what was not. */
static bool is_whole(const struct gate *g)
{
	for (size_t i = 0; i < g->case_count; i++)
		if (g->cases[i].outcome == GATE_VACUOUS)
			return false;
	return true;
}

/* Write the files that are asked for. */
static int write_files(const struct options *o, const struct gate *g,
		       const char **path, struct error *e)
{
	const char *baseline =
		o->gate.renews && is_whole(g) ? o->gate.baseline : NULL;

	if (o->gate.renews && !baseline)
		fprintf(stderr, "memtrace-report: not all could be judged: the "
				"baseline stays as it is\n");
	if (write_file(baseline, write_baseline, g, path, e) ||
	    write_file(o->supp, report_supp, g, path, e) ||
	    write_file(o->junit, report_junit, g, path, e) ||
	    write_file(o->sarif, report_sarif, g, path, e) ||
	    /* As LeakSanitizer: no leaks, no file. */
	    write_file(g->total.blocks ? o->lsan : NULL, report_lsan, g, path,
		       e))
		return -1;
	return 0;
}

/* Print the verdict. */
static void print(const struct options *o, const struct table_style *style,
		  const struct gate *g)
{
	if (o->tap)
		report_tap(stdout, g);
	else
		report_verdict(stdout, g, style);
	if (o->github)
		report_github(stdout, g);
	if (!o->json && !o->tap)
		hint(g);
}

/* Write the day, UTC: of $SOURCE_DATE_EPOCH, or today. */
static void write_today(char to[16])
{
	const char *fixed = getenv("SOURCE_DATE_EPOCH");
	time_t now = fixed ? (time_t)strtoll(fixed, NULL, 10) : time(NULL);
	struct tm tm;

	strftime(to, 16, "%Y-%m-%d", gmtime_r(&now, &tm));
}

int check_run(const struct options *o, const struct table_style *style,
	      char *const *arguments, size_t n, const char **path,
	      struct error *e)
{
	struct gate g;
	char today[16];
	int status;

	refuse_selection(o);
	write_today(today);
	status = gate_begin(&g, &o->gate, today, path, e);
	for (size_t i = 0; i < n && !status; i++)
		status = add_argument(&g, o, &arguments[i], path, e);
	if (!status) {
		gate_decide(&g);
		print(o, style, &g);
		status = write_files(o, &g, path, e);
	}
	if (!status)
		status = report_status(&g);
	gate_free(&g);
	return status;
}
