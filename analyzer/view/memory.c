/* SPDX-License-Identifier: MIT */
/*
 * memory: what the resident set is made of, and how that goes together with
 * the live blocks; the answer to "the profile says 200 MB and top says 2 GB".
 */
#include "view.h"

#include <inttypes.h>
#include <stdlib.h>

#include "moments.h"
#include "reconcile.h"

/* Rows of the list of moments when -n does not say. */
#define ROWS 10

/* Return a note's kind as a word. */
static const char *why_of(const struct reconciled *at)
{
	const char *name = moments_name(at->note->m.why);

	return name ? name : "?";
}

/* Print the moments as rows of numbers: for programs. */
static void put_data(struct view *v, const struct reconciliation *r)
{
	static const struct table_column column[] = {
		{"time_ns", NULL, TABLE_TIME},
		{"why", NULL, TABLE_TEXT},
		{"resident_bytes", NULL, TABLE_BYTES},
		{"live_blocks", NULL, TABLE_COUNT},
		{"requested_bytes", NULL, TABLE_BYTES},
		{"overhead_bytes", NULL, TABLE_BYTES},
		{"kept_bytes", NULL, TABLE_BYTES},
		{"absent_bytes", NULL, TABLE_BYTES},
		{"mapped_bytes", NULL, TABLE_BYTES},
		{"stack_bytes", NULL, TABLE_BYTES},
		{"program_bytes", NULL, TABLE_BYTES},
		{"file_bytes", NULL, TABLE_BYTES},
		{"own_bytes", NULL, TABLE_BYTES},
		{"other_bytes", NULL, TABLE_BYTES},
		{"swapped_bytes", NULL, TABLE_BYTES},
	};
	struct table t;

	table_begin(&t, "moments", NULL, column, 15);
	for (size_t i = 0; i < r->count; i++) {
		const struct reconciled *at = &r->at[i];
		const struct mt_meta_memory *m = &at->note->m;
		union table_cell *row;

		if (!at->known)
			continue;
		row = table_add(&t);
		row[0].n = trace_ns(v->trace, m->clock);
		row[1].text = why_of(at);
		row[2].n = m->resident;
		row[3].n = at->blocks;
		row[4].n = at->requested;
		row[5].n = at->overhead;
		row[6].n = at->kept;
		row[7].n = at->absent;
		row[8].n = at->mapped;
		row[9].n = m->stacks;
		row[10].n = m->program;
		row[11].n = m->files;
		row[12].n = m->own;
		row[13].n = at->other;
		row[14].n = m->swapped;
	}
	view_table(v, &t);
}

/* Add a row of the sum. */
static void add_part(struct table *t, const struct view *v,
		     const struct reconciled *at, uint64_t bytes, bool less,
		     const char *what)
{
	char text[TERM_NUMBER], *number;
	union table_cell *row;
	double percent = table_percent(bytes, at->note->m.resident);

	if (!bytes)
		return;
	number = util_format("%s%s", less ? "-" : "",
			     term_bytes(text, bytes, v->style.exact));
	row = table_add(t);
	row[0].text = table_keep(t, number);
	row[1].real = less ? -percent : percent;
	row[2].text = what;
	free(number);
}

/* Print a moment as a sum. */
static void put_sum(struct view *v, const struct reconciliation *r,
		    const struct reconciled *at)
{
	static const struct table_column column[] = {
		{NULL, "bytes", TABLE_RIGHT},
		{NULL, "%", TABLE_PERCENT},
		{NULL, "what", TABLE_TEXT},
	};
	const struct mt_meta_memory *m = &at->note->m;
	char time[TERM_NUMBER], total[TERM_NUMBER];
	char *title =
		util_format("Resident set of %s at %s (%s)",
			    term_bytes(total, m->resident, v->style.exact),
			    term_time(time, trace_ns(v->trace, m->clock)),
			    why_of(at));
	struct table t;

	table_begin(&t, "sum", title, column, 3);
	add_part(&t, v, at, at->requested, false, "live blocks, as asked for");
	add_part(&t, v, at, at->overhead, false,
		 "their headers and rounding up");
	add_part(&t, v, at, at->kept, false,
		 r->is_glibc ? "free, kept by the allocator"
			     : "the allocator's own: free memory, rounding up, "
			       "tables");
	add_part(&t, v, at, at->absent, true,
		 "of live blocks not resident: never touched, or swapped out");
	add_part(&t, v, at, at->mapped, false,
		 "other anonymous mappings: the program's mmap");
	add_part(&t, v, at, m->stacks, false, "stacks");
	add_part(&t, v, at, m->program, false,
		 "the program and its libraries: code and data");
	add_part(&t, v, at, m->files, false, "other files, shared memory");
	add_part(&t, v, at, m->own, false, "memtrace's own");
	add_part(&t, v, at, at->other, false, "not told apart");
	add_part(&t, v, at, m->resident, false, "resident set");
	view_table(v, &t);
	if (m->swapped)
		view_line(v, "swapped out, beside it: %s",
			  term_bytes(total, m->swapped, v->style.exact));
	free(title);
}

/* Print the list of moments. */
static void put_list(struct view *v, const struct reconciliation *r)
{
	static const struct table_column column[] = {
		{NULL, "time", TABLE_TIME},	 {NULL, "moment", TABLE_TEXT},
		{NULL, "resident", TABLE_BYTES}, {NULL, "live", TABLE_BYTES},
		{NULL, "%", TABLE_PERCENT},	 {NULL, "kept", TABLE_BYTES},
	};
	size_t shown = view_rows(v, ROWS, r->count);
	struct table t;

	table_begin(&t, "moments", "Moments", column, 6);
	for (size_t i = r->count - shown; i < r->count; i++) {
		const struct reconciled *at = &r->at[i];
		uint64_t resident = at->note->m.resident;
		union table_cell *row;

		if (!at->known)
			continue;
		row = table_add(&t);
		row[0].n = trace_ns(v->trace, at->note->m.clock);
		row[1].text = why_of(at);
		row[2].n = resident;
		row[3].n = at->requested;
		row[4].real = table_percent(at->requested, resident);
		row[5].n = at->kept;
	}
	if (t.rows > 1)
		view_table(v, &t);
	else
		table_free(&t);
}

/* Return the moment to show: the one nearest to --at, or of the largest set;
 * NULL: there is none. */
static const struct reconciled *choose(const struct view *v,
				       const struct reconciliation *r)
{
	bool nearest = v->options->at == OPTIONS_AT_TIME;
	const struct reconciled *best = NULL;
	uint64_t from, until, most = 0;

	select_window(v->options, v->trace, &from, &until);
	for (size_t i = 0; i < r->count; i++) {
		const struct mt_meta_memory *m = &r->at[i].note->m;
		uint64_t away =
			m->clock > until ? m->clock - until : until - m->clock;
		uint64_t rank = nearest ? UINT64_MAX - away : m->resident;

		if (!r->at[i].known || (best && rank < most))
			continue;
		best = &r->at[i];
		most = rank;
	}
	return best;
}

int view_memory(struct view *v, struct error *e)
{
	const struct reconciled *at;
	struct reconciliation r;
	size_t early = 0;

	reconcile(&r, v->trace, term_bar);
	term_bar_clear();
	for (size_t i = 0; i < r.count; i++)
		early += !r.at[i].known;
	at = choose(v, &r);
	if (!at) {
		reconcile_free(&r);
		return error_set(e, ERROR_NO_OFFSET,
				 "no look at the resident set is in it%s",
				 v->trace->state == TRACE_RUNNING
					 ? ": memtrace-report ctl PID snapshot "
					   "takes one"
				 : early ? " since its history begins"
					 : "");
	}
	view_begin(v, "memory");
	if (v->style.form != TABLE_AS_TEXT) {
		put_data(v, &r);
	} else {
		put_sum(v, &r, at);
		put_list(v, &r);
		if (early)
			view_line(v, "%zu earlier: before the history", early);
	}
	view_end(v);
	reconcile_free(&r);
	return 0;
}
