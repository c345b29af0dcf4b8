/* SPDX-License-Identifier: MIT */
/* A verdict over the traces of a run; see gate.h. */
#include "gate.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "term.h"

#define KIND_BIT(kind) (1u << (kind))

const struct gate_options gate_defaults = {
	.kinds = KIND_BIT(LEAK_DEFINITE),
	.leak_bytes = GATE_NO_LIMIT,
	.leak_blocks = GATE_NO_LIMIT,
	.peak_bytes = GATE_NO_LIMIT,
	.allocations = GATE_NO_LIMIT,
	.temporary = GATE_NO_LIMIT,
};

const char *const gate_state_names[GATE_STATES] = {
	[GATE_GROWN] = "grown", [GATE_NEW] = "new",
	[GATE_KNOWN] = "known", [GATE_FOREIGN] = "foreign",
	[GATE_SHOWN] = "shown",
};

const char *gate_keep(struct gate *g, const char *text)
{
	return text ? strpool_text(&g->texts, strpool_add(&g->texts, text))
		    : NULL;
}

bool gate_matches(const struct gate_words *globs, const char *text)
{
	for (size_t i = 0; text && i < globs->count; i++)
		if (fnmatch(globs->at[i], text, 0) == 0)
			return true;
	return false;
}

static void add_sum(struct leak_sum *to, struct leak_sum sum)
{
	to->blocks += sum.blocks;
	to->bytes += sum.bytes;
}

int gate_begin(struct gate *g, const struct gate_options *o, const char *today,
	       const char **path, struct error *e)
{
	*g = (struct gate){.options = o};
	snprintf(g->today, sizeof(g->today), "%s", today);
	for (size_t i = 0; i < o->suppressions.count; i++) {
		*path = o->suppressions.at[i];
		if (suppress_read(&g->suppress, *path, today, e))
			return -1;
	}
	*path = o->baseline;
	return o->baseline && !o->renews
		       ? baseline_read(&g->baseline, o->baseline, e)
		       : 0;
}

/* ---- Which leaks count. ---- */

/* Tell whether a leak is of the project's own. */
static bool is_ours(const struct gate *g, const struct gate_leak *leak)
{
	const struct gate_words *globs = &g->options->only_from;
	const struct frame *f = &leak->stack.at[leak->stack.site];

	return !globs->count || gate_matches(globs, f->file) ||
	       gate_matches(globs, f->module);
}

/* Say what a leak that counts is by the baseline, which it renews if it
 * should. */
static enum gate_state compare_baseline(struct gate *g, struct gate_leak *leak)
{
	struct baseline_line *line;

	if (g->options->renews) {
		baseline_add(&g->baseline, leak->fingerprint, leak->kind,
			     leak->most, leak->frames);
		return GATE_KNOWN;
	}
	line = baseline_find(&g->baseline, leak->fingerprint, leak->kind);
	if (!line)
		return GATE_NEW;
	line->seen = true;
	leak->known = line;
	return leak->most.blocks > line->most.blocks ||
			       leak->most.bytes > line->most.bytes
		       ? GATE_GROWN
		       : GATE_KNOWN;
}

/* Return what the gate makes of a leak. */
static enum gate_state state_of(struct gate *g, struct gate_leak *leak)
{
	if (leak->kind != LEAK_REACHABLE &&
	    !(g->options->kinds & KIND_BIT(leak->kind)))
		return GATE_SHOWN;
	return is_ours(g, leak) ? compare_baseline(g, leak) : GATE_FOREIGN;
}

/* Sum a leak up, and charge the processes if it counts. */
static void settle(struct gate *g, struct gate_leak *leak)
{
	for (size_t i = 0; i < leak->part_count; i++) {
		struct leak_sum sum = leak->parts[i].sum;

		add_sum(&leak->sum, sum);
		if (sum.blocks > leak->most.blocks)
			leak->most.blocks = sum.blocks;
		if (sum.bytes > leak->most.bytes)
			leak->most.bytes = sum.bytes;
	}
	leak->state = state_of(g, leak);
	for (size_t i = 0; i < leak->part_count && gate_counts(leak); i++)
		add_sum(&g->processes[leak->parts[i].process].leaks,
			leak->parts[i].sum);
	if (gate_counts(leak))
		add_sum(&g->total, leak->sum);
}

/* ---- The verdict. ---- */

static void add_case(struct gate *g, size_t process, const char *rule,
		     enum gate_outcome outcome, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Enter a case; the verdict is the worst of all. */
static void add_case(struct gate *g, size_t process, const char *rule,
		     enum gate_outcome outcome, const char *format, ...)
{
	const char *kept;
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = util_copy("", 0);
	va_end(args);
	kept = gate_keep(g, text);
	free(text);
	g->cases = util_grow(g->cases, g->case_count, &g->case_room,
			     sizeof(*g->cases));
	g->cases[g->case_count++] = (struct gate_case){
		.process = process,
		.rule = rule,
		.outcome = outcome,
		.text = kept,
	};
	if (outcome > g->verdict)
		g->verdict = outcome;
}

/* Enter a case of a number that may be so high; `unit` NULL: of bytes. */
static void add_limit(struct gate *g, size_t process, const char *rule,
		      const char *unit, uint64_t value, uint64_t limit)
{
	enum gate_outcome outcome = value > limit ? GATE_BREACHED : GATE_PASSED;
	char a[TERM_NUMBER], b[TERM_NUMBER];

	if (limit == GATE_NO_LIMIT)
		return;
	if (unit)
		add_case(g, process, rule, outcome, "%s %s, at the most %s",
			 term_count(a, value), unit, term_count(b, limit));
	else
		add_case(g, process, rule, outcome, "%s, at the most %s",
			 term_bytes(a, value, false),
			 term_bytes(b, limit, false));
}

/* Tell whether another trace goes on where a process became another. */
static bool goes_on(const struct gate *g, const struct gate_process *process)
{
	for (size_t i = 0; i < g->process_count; i++) {
		const struct gate_process *other = &g->processes[i];

		if (other != process && other->pid == process->pid &&
		    other->began > process->began)
			return true;
	}
	return false;
}

/* Tell whether the leaks that count are too many; say what there may be. */
static bool leaks_breach(const struct gate *g, char may[80])
{
	const struct gate_options *o = g->options;
	char a[TERM_NUMBER], b[TERM_NUMBER];
	bool bytes = o->leak_bytes != GATE_NO_LIMIT;
	bool blocks = o->leak_blocks != GATE_NO_LIMIT;

	snprintf(may, 80, "%s%s%s%s%s", bytes || blocks ? ", at the most " : "",
		 bytes ? term_bytes(a, o->leak_bytes, false) : "",
		 bytes && blocks ? " in " : "",
		 blocks ? term_count(b, o->leak_blocks) : "",
		 blocks ? " blocks" : "");
	return g->total.bytes > o->leak_bytes ||
	       g->total.blocks > o->leak_blocks ||
	       (!bytes && !blocks && g->total.blocks);
}

/* Judge the leaks of each process. */
static void judge_leaks(struct gate *g, size_t i)
{
	struct gate_process *p = &g->processes[i];
	char may[80], bytes[TERM_NUMBER], blocks[TERM_NUMBER];
	bool breach = leaks_breach(g, may);

	breach &= p->leaks.blocks > 0;
	if (p->why_not && !breach && p->became_another && goes_on(g, p))
		add_case(g, i, "leaks", GATE_PASSED,
			 "it became another program, which is judged");
	else if (p->why_not && !breach)
		add_case(g, i, "leaks", p->excused ? GATE_PASSED : GATE_VACUOUS,
			 "not checked: %s", p->why_not);
	else if (g->options->kinds)
		add_case(g, i, "leaks", breach ? GATE_BREACHED : GATE_PASSED,
			 "%s in %s block%s leaked%s",
			 term_bytes(bytes, p->leaks.bytes, false),
			 term_count(blocks, p->leaks.blocks),
			 term_plural(p->leaks.blocks), may);
}

/* Judge the bad frees of a process. */
static void judge_bad_frees(struct gate *g, size_t i)
{
	const struct gate_process *p = &g->processes[i];
	uint64_t limit = g->options->bad_frees;
	bool breach = g->bad_free_times > limit && p->bad_frees;
	char n[TERM_NUMBER], may[TERM_NUMBER];

	if (p->damaged)
		return;
	add_case(g, i, "bad-frees", breach ? GATE_BREACHED : GATE_PASSED,
		 "%s bad free%s%s%s", term_count(n, p->bad_frees),
		 term_plural(p->bad_frees), limit ? ", at the most " : "",
		 limit ? term_count(may, limit) : "");
}

/* Judge whether what the baseline has is still there. */
static void judge_baseline(struct gate *g)
{
	size_t gone = 0;

	for (size_t i = 0; i < g->baseline.count && !g->options->renews; i++)
		gone += !g->baseline.lines[i].seen;
	add_case(g, GATE_ALL, "baseline", gone ? GATE_BREACHED : GATE_PASSED,
		 "%zu of %zu lines are of leaks that are gone", gone,
		 g->baseline.count);
}

/* Judge what is of all processes together. */
static void judge_all(struct gate *g)
{
	const struct gate_options *o = g->options;
	uint64_t allocations = 0, temporary = 0;
	uint64_t least = o->processes ? o->processes : 1;
	char n[TERM_NUMBER], want[TERM_NUMBER];

	for (size_t i = 0; i < g->process_count; i++) {
		allocations += g->processes[i].allocations;
		temporary += g->processes[i].temporary;
	}
	if (g->process_count < least || o->processes)
		add_case(g, GATE_ALL, "processes",
			 g->process_count < least ? GATE_VACUOUS : GATE_PASSED,
			 "%s traced, at the least %s",
			 term_count(n, g->process_count),
			 term_count(want, least));
	if (o->strict && o->baseline)
		judge_baseline(g);
	add_limit(g, GATE_ALL, "allocations", "allocations", allocations,
		  o->allocations);
	add_limit(g, GATE_ALL, "temporary", "temporary allocations", temporary,
		  o->temporary);
}

/* Tell the processes of one program apart by number. */
static void label_processes(struct gate *g)
{
	struct map seen = {0}; /* text of the program -> how many */

	for (size_t i = 0; i < g->process_count; i++) {
		struct gate_process *p = &g->processes[i];
		uint64_t *n = map_put(&seen, strpool_add(&g->texts, p->program),
				      NULL);

		p->label = p->program;
		if (++*n > 1) {
			char *label = util_format("%s (%llu)", p->program,
						  (unsigned long long)*n);

			p->label = gate_keep(g, label);
			free(label);
		}
	}
	map_free(&seen);
}

/* Order leaks: those that count first, then by size, then by name. */
static int compare_leaks(const void *a, const void *b)
{
	const struct gate_leak *x = a, *y = b;

	if (x->state != y->state)
		return x->state < y->state ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->sum.bytes != y->sum.bytes)
		return x->sum.bytes > y->sum.bytes ? -1 : 1;
	if (x->sum.blocks != y->sum.blocks)
		return x->sum.blocks > y->sum.blocks ? -1 : 1;
	return strcmp(x->frames, y->frames);
}

/* Order bad frees by kind, then by name. */
static int compare_bad_frees(const void *a, const void *b)
{
	const struct gate_bad_free *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp(x->frames, y->frames);
}

void gate_decide(struct gate *g)
{
	for (size_t i = 0; i < g->leak_count; i++)
		settle(g, &g->leaks[i]);
	baseline_sort(&g->baseline);
	if (g->leak_count)
		qsort(g->leaks, g->leak_count, sizeof(*g->leaks),
		      compare_leaks);
	if (g->bad_free_count)
		qsort(g->bad_frees, g->bad_free_count, sizeof(*g->bad_frees),
		      compare_bad_frees);
	for (size_t i = 0; i < g->bad_free_count; i++)
		g->bad_free_times += g->bad_frees[i].times;
	label_processes(g);
	for (size_t i = 0; i < g->process_count; i++) {
		judge_leaks(g, i);
		judge_bad_frees(g, i);
		add_limit(g, i, "peak", NULL, g->processes[i].peak_bytes,
			  g->options->peak_bytes);
	}
	judge_all(g);
}

void gate_free(struct gate *g)
{
	for (size_t i = 0; i < g->leak_count; i++) {
		free(g->leaks[i].stack.at);
		free(g->leaks[i].parts);
		free(g->leaks[i].tests.at);
	}
	for (size_t i = 0; i < g->bad_free_count; i++) {
		free(g->bad_frees[i].free.at);
		free(g->bad_frees[i].alloc.at);
		free(g->bad_frees[i].first.at);
		free(g->bad_frees[i].parts);
	}
	free(g->bad_frees);
	map_free(&g->bad_free_at);
	suppress_free(&g->suppress);
	baseline_free(&g->baseline);
	free(g->leaks);
	free(g->cases);
	free(g->processes);
	map_free(&g->leak_at);
	strpool_free(&g->texts);
	*g = (struct gate){0};
}
