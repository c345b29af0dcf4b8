/* SPDX-License-Identifier: MIT */
/* A verdict as text and as JSON. */
#include "report.h"

#include <inttypes.h>
#include <stdlib.h>

#include "json.h"

/* Rows of a table of text. */
#define ROWS 12

int report_status(const struct gate *g)
{
	static const int status[] = {
		[GATE_PASSED] = 0,
		[GATE_BREACHED] = 3,
		[GATE_VACUOUS] = 4,
	};

	return status[g->verdict];
}

const char *report_outcome(enum gate_outcome outcome)
{
	static const char *const names[] = {
		[GATE_PASSED] = "passed",
		[GATE_BREACHED] = "breached",
		[GATE_VACUOUS] = "vacuous",
	};

	return names[outcome];
}

const char *report_subject(const struct gate *g, const struct gate_case *c)
{
	return c->process == GATE_ALL ? "all" : g->processes[c->process].label;
}

/* Tell whether a row is shown, which text bounds. */
static bool has_room(const struct table *t, const struct table_style *style)
{
	return style->form != TABLE_AS_TEXT || t->rows < ROWS;
}

/* Say in a last row of text how many are not shown; which column says it. */
static void put_rest(struct table *t, size_t rest, const char *what,
		     unsigned int column)
{
	char n[TERM_NUMBER], *text;

	if (!rest)
		return;
	text = util_format("(%s %s)", term_count(n, rest), what);
	table_add(t)[column].text = table_keep(t, text);
	free(text);
}

/* ---- The tables. ---- */

/* Print what was judged; in text what was not passed. */
static void put_cases(FILE *out, const struct gate *g,
		      const struct table_style *style)
{
	static const struct table_column column[] = {
		{"outcome", "outcome", TABLE_TEXT},
		{"process", "process", TABLE_TEXT},
		{"rule", "rule", TABLE_TEXT},
		{"found", "found", TABLE_TEXT},
	};
	struct table t;
	size_t passed = 0, rest = 0;

	table_begin(&t, "cases", NULL, column, 4);
	for (size_t i = 0; i < g->case_count; i++) {
		const struct gate_case *c = &g->cases[i];
		union table_cell *row;

		if (c->outcome == GATE_PASSED && style->form == TABLE_AS_TEXT)
			passed++;
		else if (!has_room(&t, style))
			rest++;
		else {
			row = table_add(&t);
			row[0].text = report_outcome(c->outcome);
			row[1].text = report_subject(g, c);
			row[2].text = c->rule;
			row[3].text = c->text;
		}
	}
	put_rest(&t, rest, "more", 3);
	if (t.rows)
		put_rest(&t, passed, "passed", 3);
	if (t.rows || style->form != TABLE_AS_TEXT)
		table_print(&t, style, out);
	table_free(&t);
}

/* Print the leaks; in text those that count. */
static void put_leaks(FILE *out, const struct gate *g,
		      const struct table_style *style)
{
	static const struct table_column column[] = {
		{"bytes", "lost", TABLE_BYTES},
		{"blocks", "blocks", TABLE_COUNT},
		{"processes", "processes", TABLE_COUNT},
		{"most_bytes", NULL, TABLE_BYTES},
		{"most_blocks", NULL, TABLE_COUNT},
		{"kind", "kind", TABLE_TEXT},
		{"state", "state", TABLE_TEXT},
		{"fingerprint", "fingerprint", TABLE_TEXT},
		{"frames", NULL, TABLE_TEXT},
		{"site", "site", TABLE_SITE},
	};
	bool text = style->form == TABLE_AS_TEXT;
	size_t rest = 0;
	struct table t;

	table_begin(&t, "leaks", "Leaks that count", column, 10);
	for (size_t i = 0; i < g->leak_count; i++) {
		const struct gate_leak *leak = &g->leaks[i];
		union table_cell *row;

		if (text && (leak->state != GATE_NEW || !has_room(&t, style))) {
			rest += leak->state == GATE_NEW;
			continue;
		}
		row = table_add(&t);
		row[0].n = leak->sum.bytes;
		row[1].n = leak->sum.blocks;
		row[2].n = leak->processes;
		row[3].n = leak->most.bytes;
		row[4].n = leak->most.blocks;
		row[5].text = leak_kind_names[leak->kind];
		row[6].text = gate_state_names[leak->state];
		row[7].text = leak->fingerprint;
		row[8].text = leak->frames;
		row[9].frame = &leak->stack[leak->site];
	}
	(void)rest;
	if (t.rows || !text)
		table_print(&t, style, out);
	table_free(&t);
}

/* Print the processes, in JSON. */
static void put_processes(FILE *out, const struct gate *g,
			  const struct table_style *style)
{
	static const struct table_column column[] = {
		{"trace", NULL, TABLE_TEXT},
		{"program", NULL, TABLE_TEXT},
		{"label", NULL, TABLE_TEXT},
		{"pid", NULL, TABLE_ID},
		{"leak_bytes", NULL, TABLE_BYTES},
		{"leak_blocks", NULL, TABLE_COUNT},
		{"peak_bytes", NULL, TABLE_BYTES},
		{"allocations", NULL, TABLE_COUNT},
		{"temporary", NULL, TABLE_COUNT},
		{"why_not_checked", NULL, TABLE_TEXT},
	};
	struct table t;

	table_begin(&t, "processes", NULL, column, 10);
	for (size_t i = 0; i < g->process_count; i++) {
		const struct gate_process *p = &g->processes[i];
		union table_cell *row = table_add(&t);

		row[0].text = p->path;
		row[1].text = p->program;
		row[2].text = p->label;
		row[3].n = p->pid;
		row[4].n = p->leaks.bytes;
		row[5].n = p->leaks.blocks;
		row[6].n = p->peak_bytes;
		row[7].n = p->allocations;
		row[8].n = p->temporary;
		row[9].text = p->why_not;
	}
	table_print(&t, style, out);
	table_free(&t);
}

/* ---- The two forms. ---- */

/* Print what kinds and states of leaks there are that do not count. */
static void put_uncounted(FILE *out, const struct gate *g)
{
	struct leak_sum sum[GATE_STATES] = {0};
	char bytes[TERM_NUMBER], blocks[TERM_NUMBER];
	static const char *const says[GATE_STATES] = {
		[GATE_FOREIGN] = "from elsewhere than --only-from",
		[GATE_SHOWN] = "possibly lost, or held at exit()",
	};

	for (size_t i = 0; i < g->leak_count; i++) {
		sum[g->leaks[i].state].bytes += g->leaks[i].sum.bytes;
		sum[g->leaks[i].state].blocks += g->leaks[i].sum.blocks;
	}
	for (int i = 0; i < GATE_STATES; i++)
		if (says[i] && sum[i].blocks)
			fprintf(out, "not counted: %s in %s block%s %s\n",
				term_bytes(bytes, sum[i].bytes, false),
				term_count(blocks, sum[i].blocks),
				term_plural(sum[i].blocks), says[i]);
}

static void put_text(FILE *out, const struct gate *g,
		     const struct table_style *style)
{
	char processes[TERM_NUMBER], cases[TERM_NUMBER];

	fprintf(out, "%s%s%s: %s process%s, %s case%s\n", style->term.bold,
		report_outcome(g->verdict), style->term.plain,
		term_count(processes, g->process_count),
		g->process_count == 1 ? "" : "es",
		term_count(cases, g->case_count), term_plural(g->case_count));
	put_cases(out, g, style);
	put_leaks(out, g, style);
	put_uncounted(out, g);
}

static void put_json(FILE *out, const struct gate *g,
		     const struct table_style *style)
{
	fprintf(out,
		"{\n  \"version\": 1,\n  \"view\": \"check\",\n"
		"  \"verdict\": \"%s\",\n  \"exit_status\": %d,\n"
		"  \"leak_bytes\": %" PRIu64 ",\n  \"leak_blocks\": %" PRIu64
		",\n  ",
		report_outcome(g->verdict), report_status(g), g->total.bytes,
		g->total.blocks);
	put_processes(out, g, style);
	fputs(",\n  ", out);
	put_cases(out, g, style);
	fputs(",\n  ", out);
	put_leaks(out, g, style);
	fputs("\n}\n", out);
}

void report_verdict(FILE *out, const struct gate *g,
		    const struct table_style *style)
{
	if (style->form == TABLE_AS_JSON)
		put_json(out, g, style);
	else
		put_text(out, g, style);
}
