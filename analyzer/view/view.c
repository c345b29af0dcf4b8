/* SPDX-License-Identifier: MIT */
/*
 * What the views share: the frame around their tables, and sites in order.
 */
#include "view.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "json.h"

/* In fewer columns the line of what ran is two. */
#define NARROW_COLUMNS 72

/* The accessors of totals that tables are made by. */
#define VIEW_KEY(field)                                       \
	uint64_t view_##field(const struct profile_totals *t) \
	{                                                     \
		return t->field;                              \
	}

VIEW_KEY(peak_bytes)
VIEW_KEY(peak_blocks)
VIEW_KEY(exit_bytes)
VIEW_KEY(exit_blocks)
VIEW_KEY(allocated_bytes)
VIEW_KEY(allocations)
VIEW_KEY(temporary)
VIEW_KEY(frees)

/* Bytes allocated and freed again. */
uint64_t view_churned_bytes(const struct profile_totals *t)
{
	return t->allocated_bytes > t->exit_bytes
		       ? t->allocated_bytes - t->exit_bytes
		       : 0;
}

/* By enum options_at. Temporary ones have no bytes of their own: those of all
 * the calls stand beside them. */
static const struct view_measure measures[] = {
	[OPTIONS_AT_PEAK] = {"Live at the peak", view_peak_bytes,
			     view_peak_blocks, "blocks", PROFILE_HAS_PEAK},
	[OPTIONS_AT_EXIT] = {"Live at the end", view_exit_bytes,
			     view_exit_blocks, "blocks", PROFILE_HAS_EXIT},
	[OPTIONS_AT_TOTAL] = {"Allocated", view_allocated_bytes,
			      view_allocations, "calls", PROFILE_HAS_ALLOCATED},
	[OPTIONS_AT_CHURN] = {"Allocated and freed again", view_churned_bytes,
			      view_frees, "frees",
			      PROFILE_HAS_ALLOCATED | PROFILE_HAS_EXIT},
	[OPTIONS_AT_TEMPORARY] = {"Temporary: freed by the thread before it "
				  "allocated again; bytes of all calls",
				  view_allocated_bytes, view_temporary,
				  "temporary", PROFILE_HAS_TEMPORARY},
	[OPTIONS_AT_TIME] = {"Live at", view_exit_bytes, view_exit_blocks,
			     "blocks", PROFILE_HAS_TIME | PROFILE_HAS_EXIT},
};

const struct view_measure *view_measure(const struct view *v, struct error *e)
{
	unsigned int has = v->profile->has;
	const struct view_measure *m = &measures[v->options->at];

	if (v->options->at == OPTIONS_AT_ALL)
		m = &measures[has & PROFILE_HAS_PEAK   ? OPTIONS_AT_PEAK
			      : has & PROFILE_HAS_EXIT ? OPTIONS_AT_EXIT
						       : OPTIONS_AT_TOTAL];
	if ((has & m->needs) == m->needs)
		return m;
	error_set(e, ERROR_NO_OFFSET,
		  "a %s file does not tell that: try "
		  "another --at",
		  v->profile->source);
	return NULL;
}

char *view_measure_title(const struct view *v, const struct view_measure *m)
{
	char at[TERM_NUMBER];

	if (v->options->at_moment)
		return util_format("%s %s", m->title, v->options->at_moment);
	if (v->options->at == OPTIONS_AT_TIME)
		return util_format("%s %s", m->title,
				   term_time(at, v->options->at_ns));
	return util_format("%s", m->title);
}

/* What an order is made by. */
struct order {
	const struct groups *groups;
	view_key *key;
};

/* Order by the key, largest first, then by name. */
static int compare(const void *a, const void *b, void *context)
{
	const struct group *x = *(const struct group *const *)a;
	const struct group *y = *(const struct group *const *)b;
	const struct order *by = context;
	uint64_t m = by->key(&x->totals), n = by->key(&y->totals);

	if (m != n)
		return m > n ? -1 : 1;
	return groups_compare(by->groups, x, y);
}

const struct group **view_sort(const struct groups *g, view_key *key)
{
	const struct group **sorted = util_alloc(g->count, sizeof(*sorted));
	struct order by = {g, key};

	for (size_t i = 0; i < g->count; i++)
		sorted[i] = &g->at[i];
	qsort_r(sorted, g->count, sizeof(*sorted), compare, &by);
	return sorted;
}

uint64_t view_from(const struct view *v)
{
	uint64_t from, until;

	select_window(v->options, v->trace, &from, &until);
	return from;
}

void view_replay(const struct view *v, const struct replay_listener *l)
{
	struct prof_options o = {0};

	select_window(v->options, v->trace, &o.from, &o.until);
	select_set_options(v->select, &o);
	chosen_replay(v->trace, &o, l, term_bar);
	term_bar_clear();
}

/* Tell whether all that was live at the end is looked at. */
static bool is_all(const struct view *v)
{
	const struct options *o = v->options;

	return !v->select && !o->from_ns && !o->at && o->to_ns == UINT64_MAX;
}

int view_find_leaks(struct view *v, struct leaks *l, struct error *e)
{
	const struct mt_meta_scan *scan;
	struct prof *p = v->profile->prof;
	bool kept;
	int status;

	*l = (struct leaks){0};
	if (!v->trace)
		return error_set(e, ERROR_NO_OFFSET,
				 "leaks need a scan, which a %s file has not",
				 v->profile->source);
	if (!is_all(v))
		return error_set(e, ERROR_NO_OFFSET,
				 "leaks are looked for among all blocks that "
				 "were live at the end");
	if (v->options->scan >= 0 &&
	    !trace_choose_scan(v->trace, (uint32_t)v->options->scan))
		return error_set(e, ERROR_NO_OFFSET, "it has no scan %u",
				 (unsigned int)v->options->scan);
	scan = leaks_scan(v->trace);
	kept = scan && p->live.block && p->last_clock <= scan->clock;
	status = leaks_find(l, v->trace, &v->profile->stacks,
			    kept ? &p->live : NULL, term_bar, e);
	term_bar_clear();
	return status;
}

bool view_asks_leaks(struct view *v, struct leaks *l)
{
	struct error e = {0};

	if (view_find_leaks(v, l, &e) == 0)
		return true;
	leaks_free(l);
	l->why_not = "the scan is damaged";
	return v->trace && is_all(v);
}

unsigned int view_leak_kinds(const struct view *v, unsigned int other)
{
	const char *kind = v->options->kind;

	if (!kind)
		return other;
	for (unsigned int i = 0; i < LEAK_KINDS; i++)
		if (strcmp(kind, leak_kind_names[i]) == 0)
			return 1u << i;
	return (1u << LEAK_KINDS) - 1;
}

void view_put_json_verdict(const struct leaks *l)
{
	if (l->checked)
		fputs("  \"checked\": true", stdout);
	else
		printf("  \"checked\": \"%s\"", l->why_not);
	for (int i = 0; i < LEAK_KINDS; i++)
		printf(",\n  \"%s\": {\"blocks\": %" PRIu64
		       ", \"bytes\": %" PRIu64 "}",
		       leak_kind_names[i], l->sum[i].blocks, l->sum[i].bytes);
}

/* Tell whether a frame is libc's that begins a program or a thread. */
static bool is_beginning(const struct frame *f)
{
	static const char *const names[] = {
		"start_thread", "__libc_start_call_main", "__libc_start_main"};

	for (size_t i = 0; f->function && i < 3; i++)
		if (strcmp(f->function, names[i]) == 0)
			return true;
	return false;
}

/* Return how many frames there are of a stack from `first` on to main, or to
 * what a thread begins with. */
static size_t frames_to_main(const struct stacks_list *list, size_t first)
{
	for (size_t i = first; i < list->count; i++) {
		const char *function = list->at[i]->function;

		if (i > first && is_beginning(list->at[i]))
			return i - first;
		if (function && strcmp(function, "main") == 0)
			return i + 1 - first;
	}
	return list->count - first;
}

void view_put_stack(struct view *v, uint32_t node, int indent, size_t frames)
{
	struct stacks_list list = {0};
	size_t first = stacks_site_in(&v->profile->stacks, node, &list);
	size_t count = frames_to_main(&list, first);
	size_t shown = count <= frames + 1 ? count : frames;

	for (size_t i = 0; i < shown; i++) {
		if (i)
			printf("%*s", indent, "");
		table_put_site(stdout, list.at[first + i], &v->style.term, 0);
		putchar('\n');
	}
	if (shown < count)
		printf("%*s(%zu more frames)\n", indent, "", count - shown);
	stacks_list_free(&list);
}

char *view_stack_text(const struct stacks_list *list)
{
	char *text = util_copy("", 0);

	for (size_t i = 0; i < list->count; i++) {
		char *longer = util_format("%s%s%s", text, i ? " < " : "",
					   list->at[i]->name);

		free(text);
		text = longer;
	}
	return text;
}

void view_next(struct view *v, const char *command, const char *argument)
{
	char *word = argument ? util_quote(argument) : NULL;

	free(v->next);
	v->next = util_format("%s%s%s", command, word ? " " : "",
			      word ? word : "");
	free(word);
}

void view_names_begin(struct view_names *n, const char *text)
{
	*n = (struct view_names){.text = text};
	n->status = regcomp(&n->pattern, text, REG_EXTENDED | REG_NOSUB);
}

bool view_names_match(struct view_names *n, const char *name)
{
	uint64_t *known = map_put(&n->known, (uintptr_t)name, NULL);

	if (!*known) {
		bool is = strcmp(name, n->text) == 0 ||
			  (!n->status &&
			   regexec(&n->pattern, name, 0, NULL, 0) == 0);

		*known = is ? 2 : 1;
		n->found += is;
	}
	return *known == 2;
}

int view_names_none(const struct view_names *n, struct error *e)
{
	char why[128];

	if (!n->status)
		return error_set(e, ERROR_NO_OFFSET,
				 "no function on any stack matches '%.100s'",
				 n->text);
	regerror(n->status, &n->pattern, why, sizeof(why));
	return error_set(e, ERROR_NO_OFFSET,
			 "'%.60s' is no function on any stack and no regular "
			 "expression: %s",
			 n->text, why);
}

void view_names_end(struct view_names *n)
{
	if (!n->status)
		regfree(&n->pattern);
	map_free(&n->known);
}

int view_check_index_only(const struct view *v, const char *option,
			  struct error *e)
{
	const struct options *o = v->options;

	if (!v->select && !o->from_ns && o->to_ns == UINT64_MAX &&
	    o->at != OPTIONS_AT_TIME)
		return 0;
	return error_set(e, ERROR_NO_OFFSET,
			 "%s reads the index only, which knows of no selection",
			 option);
}

size_t view_rows(const struct view *v, size_t rows, size_t there_are)
{
	if (v->options->rows)
		rows = v->options->rows;
	else if (v->style.form != TABLE_AS_TEXT)
		rows = there_are;
	return there_are <= rows + 1 ? there_are : rows;
}

const char *view_symbols(enum sym_state state)
{
	static const char *const word[] = {
		[SYM_LINES] = "lines",	     [SYM_NAMES] = "names",
		[SYM_EXPORTS] = "exports",   [SYM_MISSING] = "missing",
		[SYM_MISMATCH] = "mismatch",
	};

	return word[state];
}

/* The options that choose what a report is about. */
#define SELECTORS 10

/* An option as it was said; `text` is NULL when it was not. */
struct said {
	const char *name, *text;
};

/* Collect what was said of the selection; returns how many were. */
static size_t selection(const struct view *v, struct said said[SELECTORS])
{
	const struct options *o = v->options;
	const struct said all[SELECTORS] = {
		{"from", o->from},   {"to", o->to},
		{"at", o->at_time},  {"thread", o->thread},
		{"size", o->size},   {"lifetime", o->lifetime},
		{"focus", o->focus}, {"ignore", o->ignore},
		{"hide", o->hide},   {"where", o->where},
	};
	size_t n = 0;

	for (size_t i = 0; i < SELECTORS && !v->whole; i++)
		if (all[i].text)
			said[n++] = all[i];
	return n;
}

/* Print the line about what was selected, if anything was. */
static void put_selection(const struct view *v)
{
	struct said said[SELECTORS];
	size_t n = selection(v, said);

	if (n)
		fputs("selected:", stdout);
	for (size_t i = 0; i < n; i++) {
		char *word = util_quote(said[i].text);

		printf(" --%s ", said[i].name);
		term_put_text(stdout, word);
		free(word);
	}
	if (n)
		putchar('\n');
}

void view_put_json_selection(const struct view *v)
{
	struct said said[SELECTORS];
	size_t n = selection(v, said);

	fputs("  \"selection\": {", stdout);
	for (size_t i = 0; i < n; i++) {
		printf("%s\"%s\": ", i ? ", " : "", said[i].name);
		json_put_text(stdout, said[i].text);
	}
	putchar('}');
}

/* Say from when on there are events, if not from the beginning. */
static void put_history(const struct view *v)
{
	char from[TERM_NUMBER], events[TERM_NUMBER];
	const struct trace *t = v->trace;

	if (!t || !t->image)
		return;
	printf("history from %s on; %s events before that are %s\n",
	       term_time(from, trace_ns(t, image_clock(t))),
	       term_count(events, t->image->sums->events),
	       v->history_only || view_is_sampled(v) ? "not counted here"
						     : "in the sums");
}

void view_put_json_history(const struct view *v)
{
	const struct trace *t = v->trace;

	if (t && t->image)
		printf(",\n  \"history\": {\"from_ns\": %" PRIu64
		       ", \"folded_events\": %" PRIu64 ", \"counted\": %s}",
		       trace_ns(t, image_clock(t)), t->image->sums->events,
		       v->history_only || view_is_sampled(v) ? "false"
							     : "true");
	view_put_json_sampled(v);
}

void view_head(const struct view *v)
{
	const struct profile *p = v->profile;
	char a[TERM_NUMBER], b[TERM_NUMBER], c[TERM_NUMBER];

	fputs(v->style.term.bold, stdout);
	term_put_text(stdout, p->program);
	fputs(v->style.term.plain, stdout);
	if (p->pid)
		printf(", pid %u", p->pid);
	putchar(':');
	if (p->has & PROFILE_HAS_TIME)
		printf(" %s,", term_time(a, p->duration_ns));
	if (v->style.width && v->style.width < NARROW_COLUMNS)
		fputs("\n ", stdout);
	if (p->has & PROFILE_HAS_ALLOCATED) {
		printf(" %s", term_count(b, p->totals.allocations));
		view_put_off(v, view_allocations, &p->totals);
		printf(" allocation%s, %s", term_plural(p->totals.allocations),
		       term_bytes(c, p->totals.allocated_bytes,
				  v->style.exact));
		view_put_off(v, view_allocated_bytes, &p->totals);
		fputs(" in total", stdout);
	} else {
		printf(" a %s file", p->source);
	}
	putchar('\n');
	view_put_sampled(v);
	put_history(v);
	put_selection(v);
}

/* Print who ran, as the first fields of the JSON object. */
static void put_json_head(const struct view *v, const char *name)
{
	printf("{\n  \"version\": 1,\n  \"view\": \"%s\",\n  \"trace\": ",
	       name);
	json_put_text(stdout, v->profile ? v->profile->path : v->trace->path);
	fputs(",\n", stdout);
	view_put_json_selection(v);
	view_put_json_history(v);
	if (!v->profile)
		return;
	fputs(",\n  \"command\": ", stdout);
	json_put_command(stdout, v->profile->command,
			 v->profile->command_bytes);
	printf(",\n  \"pid\": %u,\n  \"duration_ns\": %" PRIu64,
	       v->profile->pid, v->profile->duration_ns);
}

void view_begin(struct view *v, const char *name)
{
	v->begun = false;
	if (v->profile && v->profile->prof && !v->profile->prof->whole)
		v->history_only = true;
	if (v->style.form == TABLE_AS_JSON)
		put_json_head(v, name);
	else if (v->style.form == TABLE_AS_TEXT && v->profile)
		view_head(v);
	else if (v->style.form == TABLE_AS_TEXT) {
		view_put_sampled(v);
		put_history(v);
		put_selection(v);
	}
}

void view_table(struct view *v, struct table *t)
{
	if (v->style.form == TABLE_AS_JSON)
		fputs(",\n  ", stdout);
	else if (v->style.form == TABLE_AS_CSV && v->begun)
		putchar('\n');
	if (v->style.form != TABLE_AS_TEXT || t->rows)
		table_print(t, &v->style, stdout);
	v->begun = true;
	table_free(t);
}

void view_line(struct view *v, const char *format, ...)
{
	va_list args;
	char *text;

	if (v->style.form != TABLE_AS_TEXT)
		return;
	va_start(args, format);
	if (vasprintf(&text, format, args) >= 0) {
		term_put_text(stdout, text);
		putchar('\n');
		free(text);
	}
	va_end(args);
}

void view_put_unsealed(struct view *v, uint64_t events)
{
	char n[TERM_NUMBER];

	if (events)
		view_line(v,
			  "not in the index yet, in the live file: %s event%s",
			  term_count(n, events), term_plural(events));
}

void view_end(struct view *v)
{
	if (v->style.form == TABLE_AS_JSON)
		fputs("\n}\n", stdout);
}
