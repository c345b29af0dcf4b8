/* SPDX-License-Identifier: MIT */
/* A verdict over the traces of a run; see gate.h. */
#include "gate.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "kinds.h"
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
	[GATE_NEW] = "new",
	[GATE_FOREIGN] = "foreign",
	[GATE_SHOWN] = "shown",
};

/* Return a copy of a text that lives as long as the gate; NULL stays NULL. */
static const char *keep(struct gate *g, const char *text)
{
	return text ? strpool_text(&g->texts, strpool_add(&g->texts, text))
		    : NULL;
}

/* Return a text made by util_format(), kept. */
static const char *keep_made(struct gate *g, char *text)
{
	const char *kept = keep(g, text);

	free(text);
	return kept;
}

/* Tell whether one of the globs matches a text. */
static bool matches_any(const struct gate_words *globs, const char *text)
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

/* ---- A process. ---- */

/* Return why a trace is not to be judged by, or NULL. */
static const char *damage_of(struct gate *g, const struct trace *t)
{
	char n[TERM_NUMBER];

	if (error_is_set(&t->damage))
		return keep_made(g, util_format("the trace is damaged: %s",
						t->damage.text));
	if (t->truncated)
		return "the trace is cut short";
	if (t->live_missing)
		return "its .live file is missing";
	if (t->lost.events)
		return keep_made(g,
				 util_format("%s event%s lost while recording",
					     term_count(n, t->lost.events),
					     t->lost.events == 1 ? " was"
								 : "s were"));
	return NULL;
}

/* Return the process of a trace, entered. */
static struct gate_process *enter(struct gate *g, const struct trace *t,
				  const struct profile *p)
{
	struct gate_process *process;

	g->processes = util_grow(g->processes, g->process_count,
				 &g->process_room, sizeof(*g->processes));
	process = &g->processes[g->process_count++];
	*process = (struct gate_process){
		.path = keep(g, t->path),
		.program = keep(g, p->program),
		.pid = p->pid,
		.began = p->real_ns,
		.became_another =
			t->state == TRACE_ENDED && t->end == MT_END_EXEC,
		.excused = matches_any(&g->options->unchecked, p->program),
		.peak_bytes = p->prof->peak_bytes,
		.allocations = p->prof->allocations,
		.temporary = p->prof->temporary,
	};
	return process;
}

/* ---- Its leaks. ---- */

/* Return a copy of a frame with texts that the gate keeps. */
static struct frame keep_frame(struct gate *g, const struct frame *f)
{
	struct frame copy = *f;

	copy.name = keep(g, f->name);
	copy.function = keep(g, f->function);
	copy.linkage = keep(g, f->linkage);
	copy.file = keep(g, f->file);
	copy.module = keep(g, f->module);
	return copy;
}

/* Take over the stack of a leak; one that was lost is a frame that says so. */
static void take_stack(struct gate *g, struct gate_leak *leak, struct stacks *s,
		       uint32_t node)
{
	struct stacks_list list = {0};

	leak->site = stacks_site_in(s, node, &list);
	leak->depth = list.count ? list.count : 1;
	leak->stack = util_alloc(leak->depth, sizeof(*leak->stack));
	leak->stack[0] = keep_frame(g, stacks_site(s, node));
	for (size_t i = 0; i < list.count; i++)
		leak->stack[i] = keep_frame(g, list.at[i]);
	stacks_list_free(&list);
}

/* Tell whether a leak is of the project's own. */
static bool is_ours(const struct gate *g, const struct gate_leak *leak)
{
	const struct gate_words *globs = &g->options->only_from;
	const struct frame *f = &leak->stack[leak->site];

	return !globs->count || matches_any(globs, f->file) ||
	       matches_any(globs, f->module);
}

/* Return what the gate makes of a leak. */
static enum gate_state state_of(const struct gate *g,
				const struct gate_leak *leak)
{
	if (!(g->options->kinds & KIND_BIT(leak->kind)))
		return GATE_SHOWN;
	return is_ours(g, leak) ? GATE_NEW : GATE_FOREIGN;
}

/* Return the leak that a block is part of, entered when it is new. */
static size_t leak_of(struct gate *g, struct stacks *s,
		      const struct graph_block *b, enum leak_kind kind)
{
	char *frames = fingerprint_frames(s, b->node);
	uint32_t text = strpool_add(&g->texts, frames);
	uint64_t *at =
		map_put(&g->leak_at, (uint64_t)text * LEAK_KINDS + kind, NULL);
	struct gate_leak *leak;

	free(frames);
	if (*at)
		return *at - 1;
	g->leaks = util_grow(g->leaks, g->leak_count, &g->leak_room,
			     sizeof(*g->leaks));
	leak = &g->leaks[g->leak_count++];
	*at = g->leak_count;
	*leak = (struct gate_leak){
		.kind = kind,
		.frames = strpool_text(&g->texts, text),
		.allocator = kinds_name(b->kind),
		.first_process = g->process_count - 1,
	};
	fingerprint_hash(leak->fingerprint, leak->frames);
	take_stack(g, leak, s, b->node);
	leak->state = state_of(g, leak);
	return g->leak_count - 1;
}

/* Return what a block stands for: with what hangs off it. None: it stands
 * with the one that it hangs off, or is no leak. */
static struct leak_sum sum_of(const struct leaks *l, size_t block)
{
	const struct graph_block *b = &l->graph.blocks[block];

	if (b->loader || l->blocks[block].kind == LEAK_REACHABLE)
		return (struct leak_sum){0};
	if (l->blocks[block].kind == LEAK_POSSIBLE)
		return (struct leak_sum){1, b->size};
	return leaks_retained(l, block);
}

/* Gather the leaks of a process. */
static void gather(struct gate *g, struct stacks *s, const struct leaks *l)
{
	struct map known = {0}; /* stack and kind -> place in g->leaks + 1 */

	for (size_t i = 0; i < l->graph.block_count; i++) {
		const struct graph_block *b = &l->graph.blocks[i];
		enum leak_kind kind = l->blocks[i].kind;
		struct leak_sum sum = sum_of(l, i);
		uint64_t *at;

		if (!sum.blocks)
			continue;
		at = map_put(&known, (uint64_t)b->node * LEAK_KINDS + kind,
			     NULL);
		if (!*at)
			*at = leak_of(g, s, b, kind) + 1;
		add_sum(&g->leaks[*at - 1].here, sum);
	}
	map_free(&known);
}

/* Count what was gathered to the process. */
static void settle(struct gate *g, struct gate_process *process)
{
	for (size_t i = 0; i < g->leak_count; i++) {
		struct gate_leak *leak = &g->leaks[i];

		if (!leak->here.blocks)
			continue;
		leak->processes++;
		add_sum(&leak->sum, leak->here);
		if (leak->here.blocks > leak->most.blocks)
			leak->most.blocks = leak->here.blocks;
		if (leak->here.bytes > leak->most.bytes)
			leak->most.bytes = leak->here.bytes;
		if (leak->state == GATE_NEW)
			add_sum(&process->leaks, leak->here);
		leak->here = (struct leak_sum){0};
	}
}

/* Look for the leaks of a process, by what its replay left live if nothing
 * was recorded behind the scan. */
static int find_leaks(struct gate *g, struct gate_process *process,
		      struct profile *p, replay_progress *progress,
		      struct error *e)
{
	const struct mt_meta_scan *scan = leaks_scan(p->trace);
	bool kept = scan && p->prof->live.block &&
		    p->prof->last_clock <= scan->clock;
	struct leaks l;
	int status = leaks_find(&l, p->trace, &p->stacks,
				kept ? &p->prof->live : NULL, progress, e);

	/* The words of the scan are read here only. */
	process->why_not = damage_of(g, p->trace);
	if (!status && !process->why_not && !l.checked && g->options->kinds)
		process->why_not = l.why_not;
	if (!status && !process->why_not && l.checked) {
		gather(g, &p->stacks, &l);
		settle(g, process);
	}
	leaks_free(&l);
	return status;
}

void gate_begin(struct gate *g, const struct gate_options *o)
{
	*g = (struct gate){.options = o};
}

int gate_add(struct gate *g, const char *path, const struct sym_options *sym,
	     replay_progress *progress, struct error *e)
{
	struct prof_options all = {.until = UINT64_MAX, .keep_live = true};
	struct profile p = {0};
	struct trace t;
	int status = trace_open(&t, path, e);

	if (!status) {
		profile_of_trace(&p, &t, &all, sym, progress);
		status = find_leaks(g, enter(g, &t, &p), &p, progress, e);
		profile_free(&p);
	}
	trace_close(&t);
	return status;
}

/* ---- The verdict. ---- */

static void add_case(struct gate *g, size_t process, const char *rule,
		     enum gate_outcome outcome, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Enter a case; the verdict is the worst of all. */
static void add_case(struct gate *g, size_t process, const char *rule,
		     enum gate_outcome outcome, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = util_copy("", 0);
	va_end(args);
	g->cases = util_grow(g->cases, g->case_count, &g->case_room,
			     sizeof(*g->cases));
	g->cases[g->case_count++] = (struct gate_case){
		.process = process,
		.rule = rule,
		.outcome = outcome,
		.text = keep_made(g, text),
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

	if (p->why_not && p->became_another && goes_on(g, p))
		add_case(g, i, "leaks", GATE_PASSED,
			 "it became another program, which is judged");
	else if (p->why_not)
		add_case(g, i, "leaks", p->excused ? GATE_PASSED : GATE_VACUOUS,
			 "not checked: %s", p->why_not);
	else if (g->options->kinds)
		add_case(g, i, "leaks",
			 breach && p->leaks.blocks ? GATE_BREACHED
						   : GATE_PASSED,
			 "%s in %s block%s leaked%s",
			 term_bytes(bytes, p->leaks.bytes, false),
			 term_count(blocks, p->leaks.blocks),
			 term_plural(p->leaks.blocks), may);
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
		if ((*n)++)
			p->label = keep_made(
				g, util_format("%s (%llu)", p->program,
					       (unsigned long long)*n));
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

void gate_decide(struct gate *g)
{
	for (size_t i = 0; i < g->process_count; i++)
		add_sum(&g->total, g->processes[i].leaks);
	if (g->leak_count)
		qsort(g->leaks, g->leak_count, sizeof(*g->leaks),
		      compare_leaks);
	label_processes(g);
	for (size_t i = 0; i < g->process_count; i++) {
		judge_leaks(g, i);
		add_limit(g, i, "peak", NULL, g->processes[i].peak_bytes,
			  g->options->peak_bytes);
	}
	judge_all(g);
	if (!g->case_count)
		add_case(g, GATE_ALL, "rules", GATE_VACUOUS,
			 "nothing was asked for");
}

void gate_free(struct gate *g)
{
	for (size_t i = 0; i < g->leak_count; i++)
		free(g->leaks[i].stack);
	free(g->leaks);
	free(g->cases);
	free(g->processes);
	map_free(&g->leak_at);
	strpool_free(&g->texts);
	*g = (struct gate){0};
}
