/* SPDX-License-Identifier: MIT */
/*
 * What the gate knows of a process, and the leaks in it, those that are
 * suppressed left out; see gate.h.
 *
 * A block that is suppressed is no leak, nor is what hangs off it: so it is
 * made a root, and the process judged once more.
 */
#include "gate.h"

#include <stdlib.h>
#include <string.h>

#include "parent.h"
#include "term.h"

static void add_sum(struct leak_sum *to, struct leak_sum sum)
{
	to->blocks += sum.blocks;
	to->bytes += sum.bytes;
}

/* ---- A process. ---- */

/* Return why a trace is not to be judged by, or NULL. */
static const char *damage_of(struct gate *g, const struct trace *t)
{
	const char *kept;
	char *text;

	if (t->truncated)
		return "the trace is cut short";
	if (t->live_missing)
		return "its .live file is missing";
	if (estimate_is_needed(t))
		return "only a sample of its blocks was recorded (sample=)";
	if (error_is_set(&t->damage))
		text = util_format("the trace is damaged: %s", t->damage.text);
	else if (t->lost.events)
		text = util_format("events lost while recording: %llu",
				   (unsigned long long)t->lost.events);
	else
		return NULL;
	kept = gate_keep(g, text);
	free(text);
	return kept;
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
		.path = gate_keep(g, t->path),
		.program = gate_keep(g, p->program),
		.pid = p->pid,
		.began = p->real_ns,
		.duration_ns = p->duration_ns,
		.host = gate_keep(g, p->host),
		.became_another =
			t->state == TRACE_ENDED && t->end == MT_END_EXEC,
		.excused = gate_matches(&g->options->unchecked, p->program),
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

	copy.name = gate_keep(g, f->name);
	copy.function = gate_keep(g, f->function);
	copy.linkage = gate_keep(g, f->linkage);
	copy.file = gate_keep(g, f->file);
	copy.module = gate_keep(g, f->module);
	return copy;
}

/* Return a copy of a stack; one that was lost is a frame that says so. */
static struct gate_stack keep_stack(struct gate *g, struct stacks *s,
				    uint32_t node)
{
	struct stacks_list list = {0};
	struct gate_stack stack = {.site = stacks_site_in(s, node, &list)};

	stack.depth = list.count ? list.count : 1;
	stack.at = util_alloc(stack.depth, sizeof(*stack.at));
	stack.at[0] = keep_frame(g, stacks_site(s, node));
	for (size_t i = 0; i < list.count; i++)
		stack.at[i] = keep_frame(g, list.at[i]);
	stacks_list_free(&list);
	return stack;
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
		.how = b->kind,
	};
	fingerprint_hash(leak->fingerprint, leak->frames);
	leak->stack = keep_stack(g, s, b->node);
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

/* Add a part of a leak to those of a process. */
static void add_part(struct gate_leak *leak, size_t process,
		     struct leak_sum sum)
{
	size_t n = leak->part_count;

	if (!n || leak->parts[n - 1].process != process) {
		leak->parts = util_grow(leak->parts, n, &leak->part_room,
					sizeof(*leak->parts));
		leak->parts[n++] = (struct gate_part){.process = process};
		leak->part_count = n;
	}
	add_sum(&leak->parts[n - 1].sum, sum);
}

/* ---- What is suppressed. ---- */

/* What is said of the rules that a program brings along. */
static const char own_rules[] = "__lsan_default_suppressions()";

/* Add the rules that a program has for its own leaks, unless they are there
 * already, and let no others of that sort hold: they are its alone. */
static int use_own_rules(struct gate *g, const struct trace *t, struct error *e)
{
	const char *own = gate_keep(g, t->suppressions);
	struct suppress *s = &g->suppress;
	size_t files = s->count;
	bool known = !own;
	struct error wrong;

	for (size_t i = 0; i < s->count; i++) {
		s->rules[i].off = s->rules[i].own && s->rules[i].own != own;
		known |= s->rules[i].own == own;
	}
	if (known)
		return 0;
	if (suppress_read_text(s, own, own_rules, g->today, &wrong))
		return error_set(e, ERROR_NO_OFFSET, "%s: %s", own_rules,
				 wrong.text);
	for (size_t i = files; i < s->count; i++)
		s->rules[i].own = own;
	return 0;
}

/* Return the rule that a block falls under, or NULL. */
static struct suppress_rule *rule_of(struct gate *g, struct stacks *s,
				     const struct graph_block *b,
				     enum leak_kind kind)
{
	struct stacks_list list = {0};
	struct suppress_rule *rule;

	stacks_expand(s, b->node, &list);
	rule = suppress_find(&g->suppress, kind, b->kind, &list);
	stacks_list_free(&list);
	return rule;
}

/* Find each block's rule (NULL: none), and count the blocks of each rule. */
static void match_rules(struct gate *g, struct stacks *s, const struct leaks *l,
			struct suppress_rule **rule)
{
	struct map known = {0}; /* stack, kinds -> number of the rule + 1 */

	for (size_t i = 0; i < g->suppress.count; i++)
		g->suppress.rules[i].here = 0;
	for (size_t i = 0; i < l->graph.block_count; i++) {
		const struct graph_block *b = &l->graph.blocks[i];
		enum leak_kind kind = l->blocks[i].kind;
		uint64_t key =
			((uint64_t)b->node * MT_KINDS + b->kind) * LEAK_KINDS +
			kind;
		bool fresh;
		uint64_t *at;

		rule[i] = NULL;
		if (b->loader || kind == LEAK_REACHABLE)
			continue;
		at = map_put(&known, key, &fresh);
		if (fresh)
			*at = (uintptr_t)rule_of(g, s, b, kind);
		rule[i] = (struct suppress_rule *)(uintptr_t)*at;
		if (rule[i])
			rule[i]->here++;
	}
	map_free(&known);
}

/* Turn off, for this process, the rules that have more blocks than they may;
 * tell whether there are any. */
static bool turn_off(struct suppress *s)
{
	bool any = false;

	for (size_t i = 0; i < s->count; i++) {
		struct suppress_rule *rule = &s->rules[i];

		if (rule->off || rule->here <= rule->max_blocks)
			continue;
		rule->off = any = true;
		if (rule->here > rule->beyond)
			rule->beyond = rule->here;
	}
	return any;
}

/* Return all that would count or be shown. */
static struct leak_sum all_leaks(const struct leaks *l)
{
	struct leak_sum sum = {0};

	for (int kind = 0; kind < LEAK_KINDS; kind++)
		if (kind != LEAK_REACHABLE)
			add_sum(&sum, l->sum[kind]);
	return sum;
}

/* Make the blocks roots that have a rule; tell whether there are any. */
static bool make_roots(struct leaks *l, struct suppress_rule *const *rule)
{
	bool any = false;

	for (size_t i = 0; i < l->graph.block_count; i++) {
		struct graph_block *b = &l->graph.blocks[i];

		if (!rule[i])
			continue;
		add_sum(&rule[i]->suppressed, (struct leak_sum){1, b->size});
		b->loader = true;
		any = true;
	}
	return any;
}

/* Leave out what is suppressed; returns how much that is. */
static struct leak_sum suppress(struct gate *g, struct stacks *s,
				struct leaks *l)
{
	struct leak_sum before = all_leaks(l), after;
	struct suppress_rule **rule =
		util_alloc(l->graph.block_count, sizeof(*rule));

	do
		match_rules(g, s, l, rule);
	while (turn_off(&g->suppress));
	if (make_roots(l, rule))
		leaks_judge(l, s);
	free(rule);
	after = all_leaks(l);
	return (struct leak_sum){before.blocks - after.blocks,
				 before.bytes - after.bytes};
}

/* ---- Gathered. ---- */

/* Note that a leak is of a test, if there was one. */
static void add_test(struct gate *g, struct gate_leak *leak, const char *name)
{
	struct gate_words *tests = &leak->tests;

	name = gate_keep(g, name);
	for (size_t i = tests->count; i-- > 0;)
		if (tests->at[i] == name)
			return;
	tests->at = util_grow(tests->at, tests->count, &tests->room,
			      sizeof(*tests->at));
	tests->at[tests->count++] = name;
}

/* Gather what is lost. */
static void gather_lost(struct gate *g, struct stacks *s, const struct leaks *l,
			const struct trace *t, const struct testruns *runs)
{
	struct map known = {0}; /* stack and kind -> place in g->leaks + 1 */
	char *above = parent_test(t);

	for (size_t i = 0; i < l->graph.block_count; i++) {
		const struct graph_block *b = &l->graph.blocks[i];
		enum leak_kind kind = l->blocks[i].kind;
		struct leak_sum sum = sum_of(l, i);
		const struct testrun *run;
		uint64_t *at;

		if (!sum.blocks)
			continue;
		at = map_put(&known, (uint64_t)b->node * LEAK_KINDS + kind,
			     NULL);
		if (!*at)
			*at = leak_of(g, s, b, kind) + 1;
		add_part(&g->leaks[*at - 1], g->process_count - 1, sum);
		run = testruns_at(runs, b->born, t->threads[b->thread].tid);
		if (run || above)
			add_test(g, &g->leaks[*at - 1],
				 run ? run->name : above);
	}
	map_free(&known);
	free(above);
}

/* Gather what grows with the runs of a test. */
static void gather_repeats(struct gate *g, struct stacks *s,
			   const struct leaks *l, const struct trace *t,
			   const struct testruns *runs)
{
	struct repeats r;

	repeats_find(&r, l, runs, t);
	for (size_t i = 0; i < r.count; i++) {
		const struct repeat *repeat = &r.at[i];
		struct suppress_rule *rule =
			rule_of(g, s, repeat->block, LEAK_REACHABLE);
		struct gate_leak *leak;

		if (rule) {
			add_sum(&rule->suppressed, repeat->all);
			continue;
		}
		leak = &g->leaks[leak_of(g, s, repeat->block, LEAK_REACHABLE)];
		if (!leak->runs)
			leak->runs = repeat->runs;
		add_part(leak, g->process_count - 1, repeat->all);
		add_test(g, leak, repeat->test);
	}
	repeats_free(&r);
}

/* Gather the leaks of a process. */
static void gather(struct gate *g, struct stacks *s, const struct leaks *l,
		   const struct trace *t)
{
	struct testruns runs;

	testruns_list(&runs, t);
	gather_lost(g, s, l, t, &runs);
	if (g->options->kinds)
		gather_repeats(g, s, l, t, &runs);
	testruns_free(&runs);
}

/* ---- Bad frees. ---- */

/* Return the stack of a call, or none. */
static struct gate_stack keep_call(struct gate *g, struct stacks *s,
				   const struct bad_free_call *call)
{
	return call->kind ? keep_stack(g, s, call->node)
			  : (struct gate_stack){0};
}

/* Return the entry of a bad free, entered when it is new. */
static struct gate_bad_free *enter_bad_free(struct gate *g, struct stacks *s,
					    const struct bad_free *b)
{
	char *frames = fingerprint_frames(s, b->free.node);
	uint32_t text = strpool_add(&g->texts, frames);
	uint64_t *at = map_put(&g->bad_free_at,
			       (uint64_t)text * BAD_FREE_KINDS + b->kind, NULL);
	struct gate_bad_free *entry;

	free(frames);
	if (*at)
		return &g->bad_frees[*at - 1];
	g->bad_frees = util_grow(g->bad_frees, g->bad_free_count,
				 &g->bad_free_room, sizeof(*g->bad_frees));
	entry = &g->bad_frees[g->bad_free_count++];
	*at = g->bad_free_count;
	*entry = (struct gate_bad_free){
		.kind = b->kind,
		.frames = strpool_text(&g->texts, text),
		.free = keep_call(g, s, &b->free),
		.alloc = keep_call(g, s, &b->alloc),
		.first = keep_call(g, s, &b->first),
	};
	fingerprint_hash(entry->fingerprint, entry->frames);
	return entry;
}

/* Gather the bad frees of a process. */
static void gather_bad_frees(struct gate *g, struct gate_process *process,
			     struct profile *p, replay_progress *progress)
{
	struct bad_frees found;

	bad_frees_find(&found, p->trace, &p->stacks, progress);
	for (size_t i = 0; i < found.count; i++) {
		struct gate_bad_free *b =
			enter_bad_free(g, &p->stacks, &found.at[i]);
		size_t n = b->part_count;

		if (!n || b->parts[n - 1].process != g->process_count - 1) {
			b->parts = util_grow(b->parts, n, &b->part_room,
					     sizeof(*b->parts));
			b->parts[n++].process = g->process_count - 1;
			b->parts[n - 1].times = 0;
			b->part_count = n;
		}
		b->parts[n - 1].times += found.at[i].times;
		b->times += found.at[i].times;
	}
	process->bad_frees = found.total;
	bad_frees_free(&found);
}

/* ---- All of it. ---- */

/* Return why a scan says nothing of how a process ended; NULL: it does, or
 * the process goes on. */
static const char *unseen_end(const struct trace *t,
			      const struct mt_meta_scan *scan)
{
	if (scan->why == MT_SCAN_AT_END || t->state == TRACE_RUNNING)
		return NULL;
	if (t->state == TRACE_KILLED || t->end == MT_END_SIGNAL)
		return "it was killed after its last scan";
	return t->end == MT_END_EXEC
		       ? "it became another program after its last scan"
		       : NULL;
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
	process->damaged = process->why_not;
	if (!process->damaged)
		gather_bad_frees(g, process, p, progress);
	if (!status && !process->why_not && !l.checked && g->options->kinds)
		process->why_not = l.why_not;
	if (!status)
		status = use_own_rules(g, p->trace, e);
	if (!status && !process->why_not && l.checked) {
		if (g->suppress.count)
			process->suppressed = suppress(g, &p->stacks, &l);
		gather(g, &p->stacks, &l, p->trace);
		process->why_not = unseen_end(p->trace, l.scan);
	}
	leaks_free(&l);
	return status;
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
