/* SPDX-License-Identifier: MIT */
/* A verdict as text and as JSON. */
#include "report.h"

#include <inttypes.h>
#include <stdlib.h>

#include "json.h"

/* Rows of a table of text. */
#define ROWS 12

/* Suppressions that text speaks of. */
#define RULES 5

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

/* Tell whether the program said of any leak which test it is of. */
static bool has_tests(const struct gate *g)
{
	for (size_t i = 0; i < g->leak_count; i++)
		if (g->leaks[i].tests.count)
			return true;
	return false;
}

/* Return whose a leak is, as text: of which tests, and how many runs. */
static const char *put_test(struct table *t, const struct gate_leak *leak,
			    bool with_runs)
{
	char *tests = report_tests(leak), *text = NULL;
	const char *kept;

	if (tests && with_runs && leak->runs)
		text = util_format("%s, each of %u runs", tests, leak->runs);
	kept = tests ? table_keep(t, text ? text : tests) : NULL;
	free(tests);
	free(text);
	return kept;
}

/* Print the leaks; in text those that count. */
static void put_leaks(FILE *out, const struct gate *g,
		      const struct table_style *style)
{
	const struct table_column column[] = {
		{"bytes", "lost", TABLE_BYTES},
		{"blocks", "blocks", TABLE_COUNT},
		{"processes", "processes", TABLE_COUNT},
		{"most_bytes", NULL, TABLE_BYTES},
		{"most_blocks", NULL, TABLE_COUNT},
		{"kind", "kind", TABLE_TEXT},
		{"state", "state", TABLE_TEXT},
		{"fingerprint", "fingerprint", TABLE_TEXT},
		{"frames", NULL, TABLE_TEXT},
		{"tests", has_tests(g) ? "test" : NULL, TABLE_TEXT},
		{"runs", NULL, TABLE_COUNT},
		{"site", "site", TABLE_SITE},
	};
	bool text = style->form == TABLE_AS_TEXT;
	struct leak_sum rest = {0};
	struct table t;

	table_begin(&t, "leaks", "Leaks that count", column, 12);
	for (size_t i = 0; i < g->leak_count; i++) {
		const struct gate_leak *leak = &g->leaks[i];
		union table_cell *row;

		if (text && (!gate_counts(leak) || !has_room(&t, style))) {
			rest.blocks += gate_counts(leak) ? leak->sum.blocks : 0;
			rest.bytes += gate_counts(leak) ? leak->sum.bytes : 0;
			continue;
		}
		row = table_add(&t);
		row[0].n = leak->sum.bytes;
		row[1].n = leak->sum.blocks;
		row[2].n = leak->part_count;
		row[3].n = leak->most.bytes;
		row[4].n = leak->most.blocks;
		row[5].text = leak_kind_names[leak->kind];
		row[6].text = gate_state_names[leak->state];
		row[7].text = leak->fingerprint;
		row[8].text = leak->frames;
		row[9].text = put_test(&t, leak, text);
		row[10].n = leak->runs;
		row[11].frame = report_site(leak);
	}
	if (rest.blocks) {
		union table_cell *row = table_add(&t);

		row[0].n = rest.bytes;
		row[1].n = rest.blocks;
		t.rest = "(others)";
	}
	if (t.rows || !text)
		table_print(&t, style, out);
	table_free(&t);
}

/* Return the function that a stack is charged to; NULL: there is none. */
static const char *function_of(const struct gate_stack *s)
{
	return s->depth ? s->at[s->site].name : NULL;
}

/* Print the bad frees. */
static void put_bad_frees(FILE *out, const struct gate *g,
			  const struct table_style *style)
{
	static const struct table_column column[] = {
		{"times", "times", TABLE_COUNT},
		{"processes", "processes", TABLE_COUNT},
		{"kind", "kind", TABLE_TEXT},
		{"fingerprint", "fingerprint", TABLE_TEXT},
		{"alloc_function", "allocated by", TABLE_TEXT},
		{"first_function", "first freed by", TABLE_TEXT},
		{"frames", NULL, TABLE_TEXT},
		{"site", "freed by", TABLE_SITE},
	};
	size_t rest = 0;
	struct table t;

	table_begin(&t, "bad_frees", "Bad frees", column, 8);
	for (size_t i = 0; i < g->bad_free_count; i++) {
		const struct gate_bad_free *b = &g->bad_frees[i];
		union table_cell *row;

		if (!has_room(&t, style)) {
			rest++;
			continue;
		}
		row = table_add(&t);
		row[0].n = b->times;
		row[1].n = b->part_count;
		row[2].text = bad_free_kind_names[b->kind];
		row[3].text = b->fingerprint;
		row[4].text = function_of(&b->alloc);
		row[5].text = function_of(&b->first);
		row[6].text = b->frames;
		row[7].frame = &b->free.at[b->free.site];
	}
	if (t.rows || style->form != TABLE_AS_TEXT)
		table_print(&t, style, out);
	if (rest)
		fprintf(out, "(%zu more kinds of bad frees)\n", rest);
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
		{"bad_frees", NULL, TABLE_COUNT},
		{"why_not_checked", NULL, TABLE_TEXT},
	};
	struct table t;

	table_begin(&t, "processes", NULL, column, 11);
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
		row[9].n = p->bad_frees;
		row[10].text = p->why_not;
	}
	table_print(&t, style, out);
	table_free(&t);
}

/* Return what is to be said of a rule; NULL: it does what it should. */
static const char *rule_state(const struct suppress_rule *r)
{
	if (!r->kinds)
		return NULL;
	return r->expired	      ? "expired"
	       : r->beyond	      ? "beyond_max"
	       : r->suppressed.blocks ? NULL
				      : "unused";
}

/* Print the suppressions, in JSON. */
static void put_suppressions(FILE *out, const struct gate *g,
			     const struct table_style *style)
{
	static const struct table_column column[] = {
		{"file", NULL, TABLE_TEXT},    {"line", NULL, TABLE_ID},
		{"rule", NULL, TABLE_TEXT},    {"bytes", NULL, TABLE_BYTES},
		{"blocks", NULL, TABLE_COUNT}, {"state", NULL, TABLE_TEXT},
	};
	struct table t;

	table_begin(&t, "suppressions", NULL, column, 6);
	for (size_t i = 0; i < g->suppress.count; i++) {
		const struct suppress_rule *r = &g->suppress.rules[i];
		const char *state = rule_state(r);
		union table_cell *row;

		if (!r->kinds)
			continue;
		row = table_add(&t);
		row[0].text = r->file;
		row[1].n = r->line;
		row[2].text = r->name;
		row[3].n = r->suppressed.bytes;
		row[4].n = r->suppressed.blocks;
		row[5].text = state ? state : "used";
	}
	table_print(&t, style, out);
	table_free(&t);
}

/* Print the baseline, in JSON. */
static void put_json_baseline(FILE *out, const struct gate *g,
			      const struct table_style *style)
{
	static const struct table_column column[] = {
		{"fingerprint", NULL, TABLE_TEXT}, {"kind", NULL, TABLE_TEXT},
		{"blocks", NULL, TABLE_COUNT},	   {"bytes", NULL, TABLE_BYTES},
		{"frames", NULL, TABLE_TEXT},	   {"state", NULL, TABLE_TEXT},
	};
	struct table t;

	table_begin(&t, "baseline", NULL, column, 6);
	for (size_t i = 0; i < g->baseline.count; i++) {
		const struct baseline_line *line = &g->baseline.lines[i];
		union table_cell *row = table_add(&t);

		row[0].text = line->fingerprint;
		row[1].text = leak_kind_names[line->kind];
		row[2].n = line->most.blocks;
		row[3].n = line->most.bytes;
		row[4].text = line->frames;
		row[5].text =
			line->seen || g->options->renews ? "found" : "gone";
	}
	table_print(&t, style, out);
	table_free(&t);
}

/* ---- The two forms. ---- */

/* Print a line on bytes that do not count, unless there are none. */
static void put_uncounted(FILE *out, struct leak_sum sum, const char *why)
{
	char bytes[TERM_NUMBER], blocks[TERM_NUMBER];

	if (sum.blocks)
		fprintf(out, "not counted: %s in %s block%s %s\n",
			term_bytes(bytes, sum.bytes, false),
			term_count(blocks, sum.blocks), term_plural(sum.blocks),
			why);
}

/* Print what leaks there are that do not count. */
static void put_all_uncounted(FILE *out, const struct gate *g)
{
	struct leak_sum sum[GATE_STATES] = {0}, suppressed = {0};

	for (size_t i = 0; i < g->leak_count; i++) {
		sum[g->leaks[i].state].bytes += g->leaks[i].sum.bytes;
		sum[g->leaks[i].state].blocks += g->leaks[i].sum.blocks;
	}
	for (size_t i = 0; i < g->process_count; i++) {
		suppressed.bytes += g->processes[i].suppressed.bytes;
		suppressed.blocks += g->processes[i].suppressed.blocks;
	}
	put_uncounted(out, sum[GATE_KNOWN], "in the baseline");
	put_uncounted(out, suppressed, "suppressed");
	put_uncounted(out, sum[GATE_FOREIGN],
		      "from elsewhere than --only-from");
	put_uncounted(out, sum[GATE_SHOWN], "possibly lost, or held at exit()");
}

/* Print the rules of which something is to be said. */
static void put_rules(FILE *out, const struct gate *g)
{
	size_t said = 0;

	for (size_t i = 0; i < g->suppress.count; i++) {
		const struct suppress_rule *r = &g->suppress.rules[i];
		const char *state = rule_state(r);

		/* Programs bring rules that other programs need. */
		if (r->own && !r->suppressed.blocks && !r->expired)
			continue;
		if (!state || said++ >= RULES)
			continue;
		fprintf(out, "suppression %s: ",
			r->beyond ? "beyond its max" : state);
		term_put_text(out, r->file);
		fprintf(out, ", line %" PRIu64 ": ", r->line);
		term_put_text(out, r->name);
		if (r->beyond)
			fprintf(out, " (%" PRIu64 " blocks)", r->beyond);
		putc('\n', out);
	}
	if (said > RULES)
		fprintf(out, "(%zu more suppressions)\n", said - RULES);
}

/* Print how the baseline stands. */
static void put_baseline(FILE *out, const struct gate *g)
{
	size_t gone = 0, lower = 0;

	if (!g->options->baseline || g->options->renews)
		return;
	for (size_t i = 0; i < g->baseline.count; i++)
		gone += !g->baseline.lines[i].seen;
	for (size_t i = 0; i < g->leak_count; i++) {
		const struct gate_leak *leak = &g->leaks[i];

		lower += leak->state == GATE_KNOWN &&
			 (leak->most.blocks < leak->known->most.blocks ||
			  leak->most.bytes < leak->known->most.bytes);
	}
	if (gone || lower)
		fprintf(out,
			"baseline: of %zu lines %zu are of leaks that are "
			"gone, %zu of leaks that shrank\n",
			g->baseline.count, gone, lower);
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
	put_bad_frees(out, g, style);
	put_leaks(out, g, style);
	put_all_uncounted(out, g);
	put_baseline(out, g);
	put_rules(out, g);
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
	fputs(",\n  ", out);
	put_bad_frees(out, g, style);
	fputs(",\n  ", out);
	put_suppressions(out, g, style);
	fputs(",\n  ", out);
	put_json_baseline(out, g, style);
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
