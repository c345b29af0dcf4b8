/* SPDX-License-Identifier: MIT */
/*
 * The views: what is made of an analysed trace, one file each. All write to
 * stdout and change nothing; whether stdout took it, main.c checks.
 *
 * A view that is made of tables calls view_begin(), view_table() for each,
 * and view_end(): that makes the text, the JSON object or the CSV.
 */
#ifndef ANALYZER_VIEW_H
#define ANALYZER_VIEW_H

#include <regex.h>

#include "chosen.h"
#include "group.h"
#include "input.h"
#include "leaks.h"
#include "map.h"
#include "options.h"
#include "profile.h"
#include "select.h"
#include "table.h"

/* What a view is about; one of the first two may be NULL, see main.c. */
struct view {
	struct profile *profile;
	struct trace *trace;
	const struct options *options;
	struct select *select; /* which blocks; NULL: all. A view that replays
				  the trace asks select_takes(). */
	struct table_style style;
	const char *argument; /* of commands that have one before the files */
	struct input *inputs; /* of commands on all files at once */
	size_t input_count, sides;
	bool whole; /* the selection is not heeded: it is about the file */
	bool history_only; /* what was folded is not in its figures */
	char *next; /* a command that is worth while, for main.c; or NULL */
	bool begun; /* view.c: something stands before */
};

/* What is said of a profile in a table. */
typedef uint64_t view_key(const struct profile_totals *t);

view_key view_peak_bytes, view_peak_blocks, view_exit_bytes, view_exit_blocks,
	view_allocated_bytes, view_allocations, view_temporary,
	view_churned_bytes, view_frees;

/* What --at asks for: the two numbers that are shown of a profile. */
struct view_measure {
	const char *title;
	view_key *bytes, *blocks;
	const char *blocks_name;
	unsigned int needs; /* PROFILE_HAS_... */
};

/*
 * Return the measure that was asked for, else the peak's, else what the
 * profile has. NULL with `e` filled: the profile has not what was asked for.
 */
const struct view_measure *view_measure(const struct view *v, struct error *e);

/* estimated.c: whether the figures are estimates; how uncertain one is. */
bool view_is_sampled(const struct view *v);
struct doubt view_doubt(view_key *key, const struct profile_totals *t);

/* Write how far an estimate may be off: "12 %"; free it. Of none there is no
 * share, and of what is exact: "". */
char *view_off_text(const struct interval *i);

/*
 * The columns of a figure: its own, which is to be set first, and those of its
 * interval, there when the figures are estimates. After table_begin(). Then
 * the cells of a row: of a profile's sums, or of an estimate with its doubt.
 */
#define VIEW_FIGURE 4
void view_figure_columns(const struct view *v, struct table *t,
			 struct table_column column[VIEW_FIGURE]);
void view_fill_figure(const struct view *v, struct table *t,
		      union table_cell cell[VIEW_FIGURE], view_key *key,
		      const struct profile_totals *totals);
void view_fill_estimate(const struct view *v, struct table *t,
			union table_cell cell[VIEW_FIGURE], uint64_t n,
			struct doubt doubt);

/* Print how far a figure may be off, in text and as fields of a JSON object;
 * and that all are estimates. Nothing when they are not. */
void view_put_doubt(const struct view *v, uint64_t n, struct doubt doubt);
void view_put_off(const struct view *v, view_key *key,
		  const struct profile_totals *t);
void view_put_json_interval(const struct view *v, const char *name,
			    view_key *key, const struct profile_totals *t);
void view_put_sampled(const struct view *v);
void view_put_json_sampled(const struct view *v);

/* Return the title of a table that is about it; free it. */
char *view_measure_title(const struct view *v, const struct view_measure *m);

/*
 * Return the groups by a key, largest first, ties by name. Free the array;
 * the groups stay whose they are.
 */
const struct group **view_sort(const struct groups *g, view_key *key);

/* Return how many rows a table shows: of -n, else as given; JSON and CSV have
 * all. A remainder of one row takes no more room than the row. */
size_t view_rows(const struct view *v, size_t rows, size_t there_are);

/*
 * Replay the trace for one listener, of the blocks that were chosen and up to
 * the end of the window. view_from() is the clock value that it begins at.
 */
void view_replay(const struct view *v, const struct replay_listener *l);
uint64_t view_from(const struct view *v);

/*
 * Look for leaks by the last scan of the trace, by what its replay left if
 * that is known. 0, or -1 with `e` filled: there is a selection, no trace, or
 * damage. To be freed in either case.
 */
int view_find_leaks(struct view *v, struct leaks *l, struct error *e);

/*
 * Do the same for a report that is about more: false when there is nothing to
 * be said, of an import or a selection. A damaged scan is why it was not
 * checked. To be freed in either case.
 */
bool view_asks_leaks(struct view *v, struct leaks *l);

/* Return the kinds of blocks that --kind asks for, a bit for each; `other` when
 * it was not given. */
unsigned int view_leak_kinds(const struct view *v, unsigned int other);

/* Print the sums of leaks as fields of a JSON object. */
void view_put_json_verdict(const struct leaks *l);

/* Print the blocks of a scan as a tree: leaktree.c. */
void view_leak_tree(struct view *v, const struct leaks *l);

/*
 * Print a stack from its site outward to main, a frame a line, `frames` at the
 * most, all but the first moved to the right. In text only.
 */
void view_put_stack(struct view *v, uint32_t node, int indent, size_t frames);

/* Return the names of a stack's frames, innermost first; free it. */
char *view_stack_text(const struct stacks_list *list);

/* Say what is worth asking for next: a command, and its argument or NULL. */
void view_next(struct view *v, const char *command, const char *argument);

/*
 * Which functions a command's argument means: the one of that name, and those
 * whose names match it as an extended regular expression.
 */
struct view_names {
	const char *text;
	size_t found; /* names that match, of those asked about */

	/* The rest is view.c's own. */
	regex_t pattern;
	int status;	  /* of regcomp(): a name need be no expression */
	struct map known; /* name -> 1: no, 2: yes */
};

void view_names_begin(struct view_names *n, const char *text);

/* Tell whether a frame's name is one of them. */
bool view_names_match(struct view_names *n, const char *name);

/* Set `e` to say why nothing was found; returns -1. */
int view_names_none(const struct view_names *n, struct error *e);

void view_names_end(struct view_names *n);

/* Refuse a selection when an option reads the index only: 0, or -1 with `e`
 * filled. */
int view_check_index_only(const struct view *v, const char *option,
			  struct error *e);

/* Say in text how many events the index leaves out, if it does. */
void view_put_unsealed(struct view *v, uint64_t events);

/* Put the JSON field about when the history begins, if it is not whole. */
void view_put_json_history(const struct view *v);

/* Begin a view: who ran, in the form that was asked for. */
void view_begin(struct view *v, const char *name);

/* Add a table, and free it. An empty one leaves no trace in text. */
void view_table(struct view *v, struct table *t);

/* Print a line of text, in text only. */
void view_line(struct view *v, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void view_end(struct view *v);

/* Return the word for what is known about a module. */
const char *view_symbols(enum sym_state state);

/* Print the line about what ran, and one about what was selected of it. */
void view_head(const struct view *v);

/* Print what was selected as a field of the JSON object, `{}`: nothing. */
void view_put_json_selection(const struct view *v);

/* Add the table of what grows, which in text is of what certainly does. */
void view_put_growth(struct view *v);

/* Make all inputs one profile, to be freed; they must outlive it. */
void view_merge_profiles(const struct view *v, struct profile *all);

/* badfrees.c: print a table of the bad frees, if there are any; in JSON the
 * field that has them. */
void view_put_bad_frees(struct view *v);

/* The views. Each returns 0, or -1 with `e` filled. */
typedef int view_function(struct view *v, struct error *e);

view_function view_summary; /* summary.c: the report as text */
view_function view_summary_json;
view_function view_top;
view_function view_tree;
view_function view_peek;
view_function view_list;
view_function view_info;
view_function view_diff;
view_function view_merge;
view_function view_timeline;
view_function view_sizes;
view_function view_lifetimes;
view_function view_threads;
view_function view_reallocs;
view_function view_leaks;
view_function view_bad_frees;
view_function view_why;
view_function view_growth;
view_function view_memory;
view_function view_snapshots;
view_function view_events; /* damage is noted in the trace */

/* limits.c: say in the summary how the resident set compares with what is
 * live, how far from its bound the control group was, and who was killed over
 * that; in JSON fields of the object, each with a comma behind it. */
void view_put_limits(struct view *v);
void view_put_json_limits(const struct view *v);

/* scanned.c: print what a scan is of, and what it could not see. */
void view_put_scan(struct view *v, const struct mt_meta_scan *s);

#endif
