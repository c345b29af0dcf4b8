/* SPDX-License-Identifier: MIT */
/*
 * The report as text, made to fit a screen: what ran and the totals, a table
 * per question, and how far the figures are to be trusted.
 */
#include "view.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* The longest function name that is shown whole. */
#define NAME_COLUMNS 56

/* A table: its title, what it is sorted by, and one more column. */
struct table {
	const char *title;
	const char *column;
	view_key *key;
	bool key_is_bytes;
	const char *other_column;
	view_key *other;
	bool other_is_bytes;
};

static uint64_t peak_blocks(const struct site_totals *t)
{
	return t->peak_blocks;
}

static uint64_t exit_blocks(const struct site_totals *t)
{
	return t->exit_blocks;
}

static const struct table table_peak = {
	"Live at peak", "bytes",     view_peak_bytes, true,
	"blocks",	peak_blocks, false,
};
static const struct table table_bytes = {
	"Most allocated, by bytes",
	"bytes",
	view_allocated_bytes,
	true,
	"calls",
	view_allocations,
	false,
};
static const struct table table_calls = {
	"Most allocated, by calls", "calls", view_allocations, false, "bytes",
	view_allocated_bytes,	    true,
};
static const struct table table_temporary = {
	"Temporary: freed by the thread before it allocated again",
	"temporary",
	view_temporary,
	false,
	"of calls",
	view_allocations,
	false,
};
static const struct table table_exit = {
	"Live at the end", "bytes",	view_exit_bytes, true,
	"blocks",	   exit_blocks, false,
};

/* Print the name of the program, as the command line has it. */
static void put_program(const struct trace *t)
{
	const char *name = t->exe && *t->exe ? t->exe : t->command;

	term_put_text(stdout, name && *name ? util_basename(name) : "?");
}

/* Print what ran, and the totals. */
static void put_head(const struct view *v)
{
	const struct prof *p = v->prof;
	char a[TERM_NUMBER], b[TERM_NUMBER], c[TERM_NUMBER];

	fputs(v->style.bold, stdout);
	put_program(v->trace);
	printf("%s, pid %u: %s, %s allocations, %s in total\n", v->style.plain,
	       v->trace->process.pid, term_time(a, trace_duration_ns(v->trace)),
	       term_count(b, p->allocations),
	       term_bytes(c, p->allocated_bytes, v->exact));
}

/* Print the lines of the two moments. */
static void put_moments(const struct view *v)
{
	const struct prof *p = v->prof;
	char bytes[2][TERM_NUMBER], blocks[2][TERM_NUMBER], at[TERM_NUMBER];
	int wide, high;

	term_bytes(bytes[0], p->peak_bytes, v->exact);
	term_bytes(bytes[1], p->exit_bytes, v->exact);
	term_count(blocks[0], p->peak_blocks);
	term_count(blocks[1], p->exit_blocks);
	wide = (int)(strlen(bytes[0]) > strlen(bytes[1]) ? strlen(bytes[0])
							 : strlen(bytes[1]));
	high = (int)(strlen(blocks[0]) > strlen(blocks[1]) ? strlen(blocks[0])
							   : strlen(blocks[1]));
	printf("peak  %*s in %*s blocks at %s\n", wide, bytes[0], high,
	       blocks[0], term_time(at, trace_ns(v->trace, p->peak_clock)));
	printf("exit  %*s in %*s blocks still live\n", wide, bytes[1], high,
	       blocks[1]);
}

/* Print the line about mappings, if there were any. */
static void put_mappings(const struct view *v)
{
	const struct prof *p = v->prof;
	char n[TERM_NUMBER], total[TERM_NUMBER], peak[TERM_NUMBER],
		now[TERM_NUMBER];

	if (!p->mmaps && !p->munmaps)
		return;
	printf("mmap  %s in %s calls, peak %s, at the end %s\n",
	       term_bytes(total, p->mapped_bytes, v->exact),
	       term_count(n, p->mmaps),
	       term_bytes(peak, p->mappings.peak_bytes, v->exact),
	       term_bytes(now, p->mappings.bytes, v->exact));
}

/*
 * Print a function's name; of a long one the arguments of templates are left
 * out, from the innermost on, as "<..>".
 */
static void put_function(const char *name)
{
	char *copy = util_copy(name, strlen(name)), *open, *close;

	while (strlen(copy) > NAME_COLUMNS) {
		close = copy;
		/* The first '>' ends the first innermost pair; not "->". */
		do {
			close = strchr(close + 1, '>');
		} while (close && (close[-1] == '-' || close[-1] == '<' ||
				   close[-1] == 1));
		if (!close)
			break;
		for (open = close; open > copy && *open != '<'; open--)
			;
		if (open == copy)
			break;
		open[0] = 2;
		open[1] = 1;
		memmove(open + 2, close + 1, strlen(close + 1) + 1);
	}
	for (char *p = copy; *p; p++) {
		if (*p == 2 && p[1] == 1) {
			fputs("<..>", stdout);
			p++;
		} else {
			char one[2] = {*p, '\0'};

			if ((unsigned char)*p < 0x80)
				term_put_text(stdout, one);
			else
				fputc(*p, stdout);
		}
	}
	free(copy);
}

/* Print where in the source or in which module a site is. */
static void put_site(const struct view *v, const struct site *s)
{
	const char *module = s->module ? util_basename(s->module) : NULL;

	if (s->function)
		put_function(s->function);
	if (s->function && (s->file || module))
		printf("  %s", v->style.dim);
	if (s->file) {
		term_put_text(stdout, util_basename(s->file));
		printf(":%u", s->line);
	} else if (module) {
		term_put_text(stdout, module);
	}
	if (!s->function)
		printf("%s0x%" PRIx64, module ? "+" : "", s->offset);
	else if (s->file || module)
		fputs(v->style.plain, stdout);
	putchar('\n');
}

/* Return `part` of `whole` in per cent. */
static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* Write a table's number as text. */
static const char *cell(char to[TERM_NUMBER], uint64_t n, bool bytes,
			bool exact)
{
	return bytes ? term_bytes(to, n, exact) : term_count(to, n);
}

/* Print the numbers of a row. */
static void put_row(const struct view *v, const struct table *t, uint64_t key,
		    uint64_t sum, uint64_t other)
{
	uint64_t whole = t->key(&v->sites->totals);
	char a[TERM_NUMBER], b[TERM_NUMBER];

	printf("%11s %6.1f %6.1f %11s  ",
	       cell(a, key, t->key_is_bytes, v->exact), percent(key, whole),
	       percent(sum, whole),
	       cell(b, other, t->other_is_bytes, v->exact));
}

/* Print the row that makes the columns add up. */
static void put_remainder(const struct view *v, const struct table *t,
			  uint64_t sum, uint64_t other, size_t sites)
{
	const struct site_totals *all = &v->sites->totals;
	char n[TERM_NUMBER];

	put_row(v, t, t->key(all) - sum, t->key(all), t->other(all) - other);
	printf("%s(%s other site%s)%s\n", v->style.dim, term_count(n, sites),
	       sites == 1 ? "" : "s", v->style.plain);
}

/* Print a table, unless it would be empty. */
static void put_table(const struct view *v, const struct table *t)
{
	const struct site **site;
	uint64_t sum = 0, other = 0;
	size_t n = 0, shown;

	if (!t->key(&v->sites->totals))
		return;
	site = view_sort(v->sites, t->key);
	while (n < v->sites->count && t->key(&site[n]->totals))
		n++;
	/* A remainder of one site takes no more room than the site. */
	shown = n <= (size_t)v->rows + 1 ? n : v->rows;
	printf("\n%s%s%s\n%s%11s %6s %6s %11s  site%s\n", v->style.bold,
	       t->title, v->style.plain, v->style.dim, t->column, "%", "sum%",
	       t->other_column, v->style.plain);
	for (size_t i = 0; i < shown; i++) {
		const struct site_totals *s = &site[i]->totals;

		sum += t->key(s);
		other += t->other(s);
		put_row(v, t, t->key(s), sum, t->other(s));
		put_site(v, site[i]);
	}
	if (shown < v->sites->count &&
	    (shown < n || other < t->other(&v->sites->totals)))
		put_remainder(v, t, sum, other, v->sites->count - shown);
	free(site);
}

/* The trust section: its title before its first line. */
struct trust {
	const struct view *view;
	bool begun;
};

static void trust_line(struct trust *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Print a line of the trust section. */
static void trust_line(struct trust *s, const char *format, ...)
{
	va_list args;
	char *text;

	if (!s->begun)
		printf("\n%sHow far to trust this%s\n", s->view->style.bold,
		       s->view->style.plain);
	s->begun = true;
	va_start(args, format);
	if (vasprintf(&text, format, args) >= 0) {
		fputs("  ", stdout);
		term_put_text(stdout, text);
		putchar('\n');
		free(text);
	}
	va_end(args);
}

/* Say how it ended, when not of itself. */
static void trust_end(struct trust *s)
{
	const struct trace *t = s->view->trace;

	if (t->state == TRACE_RUNNING)
		trust_line(s, "the program is still running");
	else if (t->state == TRACE_KILLED)
		trust_line(s, "the program was killed: what was live then "
			      "counts as live at the end");
	else if (t->end == MT_END_SIGNAL)
		trust_line(s, "the program died of signal %u (%s)", t->signal,
			   t->signal && t->signal < NSIG
				   ? strsignal((int)t->signal)
				   : "unknown");
	else if (t->end == MT_END_EXEC)
		trust_line(s, "the process became another program by exec");
	else if (t->end == MT_END_UNDERSCORE_EXIT)
		trust_line(s, "the program ended by _exit: what it still "
			      "would have freed counts as live at the end");
	if (t->live_missing)
		trust_line(s,
			   "%s.live is not there: the last events of each "
			   "thread are missing",
			   util_basename(t->path));
	if (t->truncated)
		trust_line(s, "the file is cut short");
}

/* Say how many of something there are, unless none. */
static void trust_count(struct trust *s, uint64_t n, const char *one,
			const char *several)
{
	char text[TERM_NUMBER];

	if (n)
		trust_line(s, "%s %s", term_count(text, n),
			   n == 1 ? one : several);
}

/* Say what of the recording was given up or is damaged. */
static void trust_losses(struct trust *s)
{
	const struct trace *t = s->view->trace;

	trust_count(s, t->lost.events, "event was lost while recording",
		    "events were lost while recording");
	trust_count(s, t->lost.stacks, "event has no stack",
		    "events have no stack");
	trust_count(s, t->lost.cut, "stack was cut at its outer end",
		    "stacks were cut at their outer end");
	trust_count(s, t->missing, "event can't be read",
		    "events can't be read");
	if (error_is_set(&t->damage))
		trust_line(s, "the trace is damaged: %s", t->damage.text);
	for (size_t i = 0; i < t->problem_count; i++)
		trust_line(s, "%s", t->problems[i].text);
}

/* Say what in the events does not fit together. */
static void trust_anomalies(struct trust *s)
{
	const struct prof_anomalies *a = &s->view->prof->anomalies;

	trust_count(s, a->lost_frees,
		    "free was not seen: its block's address was given again",
		    "frees were not seen: their blocks' addresses were given "
		    "again");
	trust_count(s, a->unknown_frees,
		    "free was of a block that was not seen allocated",
		    "frees were of blocks that were not seen allocated");
	trust_count(s, a->unknown_kinds, "event is of unknown kind",
		    "events are of unknown kind");
	trust_count(s, a->unknown_stacks, "event is of unknown stack",
		    "events are of unknown stack");
}

/* Return why sites in a module have no name. */
static const char *why_nameless(const struct view *v, uint32_t module_id)
{
	switch (sites_module_state(v->sites, module_id)) {
	case SYM_MISSING:
		return "not found or not readable";
	case SYM_MISMATCH:
		return "another build than was recorded";
	case SYM_EXPORTS:
		return "stripped";
	default:
		return "no symbol for these";
	}
}

/* Say what share of the bytes is charged to places without names. */
static void trust_symbols(struct trust *s)
{
	const struct view *v = s->view;
	size_t modules = v->trace->module_count;
	uint64_t *bytes = util_alloc(modules, sizeof(*bytes));
	uint64_t nowhere = 0, all = v->sites->totals.allocated_bytes;

	for (size_t i = 0; i < v->sites->count; i++) {
		const struct site *site = &v->sites->at[i];

		if (site->function)
			continue;
		if (site->module_id < modules)
			bytes[site->module_id] += site->totals.allocated_bytes;
		else
			nowhere += site->totals.allocated_bytes;
	}
	for (size_t i = 0; i < modules; i++)
		if (percent(bytes[i], all) >= 0.05)
			trust_line(s,
				   "no symbols for %s (%s): %.1f %% of the "
				   "bytes",
				   util_basename(v->trace->modules[i].path),
				   why_nameless(v, (uint32_t)i),
				   percent(bytes[i], all));
	if (percent(nowhere, all) >= 0.05)
		trust_line(s, "code outside any module: %.1f %% of the bytes",
			   percent(nowhere, all));
	free(bytes);
}

void view_summary(const struct view *v)
{
	struct trust trust = {.view = v};

	put_head(v);
	put_moments(v);
	put_mappings(v);
	if (v->at != VIEW_EXIT)
		put_table(v, &table_peak);
	if (v->at == VIEW_ALL) {
		put_table(v, &table_bytes);
		put_table(v, &table_calls);
		put_table(v, &table_temporary);
	}
	if (v->at != VIEW_PEAK)
		put_table(v, &table_exit);
	trust_end(&trust);
	trust_losses(&trust);
	trust_anomalies(&trust);
	trust_symbols(&trust);
}
