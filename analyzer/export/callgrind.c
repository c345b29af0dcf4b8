/* SPDX-License-Identifier: MIT */
/*
 * callgrind's profile: what each function's lines allocated themselves, and
 * what was allocated through each call.
 *
 * A reader takes a function's inclusive cost to be its own and that of its
 * calls. So that recursion is not counted twice, a stack counts for each of
 * its functions once: where it is innermost, as its own or for the one call
 * that it makes there.
 * Source: the Valgrind manual, "Callgrind Format Specification".
 */
#include "export.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "oneline.h"
#include "strpool.h"

enum { EVENT_PEAK, EVENT_EXIT, EVENT_BYTES, EVENT_CALLS, EVENTS };

static const struct {
	const char *name, *help;
	unsigned int has;
} events[EVENTS] = {
	{"PeakB", "bytes live at the peak", PROFILE_HAS_PEAK},
	{"ExitB", "bytes live at the end", PROFILE_HAS_EXIT},
	{"AllocB", "bytes allocated", PROFILE_HAS_ALLOCATED},
	{"Allocs", "allocations", PROFILE_HAS_ALLOCATED},
};

/* A function; its names are numbers of the pool. */
struct function {
	uint32_t name, file, module;
	uint32_t seen; /* the last stack it was on, from 1 */
};

/* What a line of a function costs: its own, or that of a call in it. */
struct cost {
	uint32_t function, line, callee; /* NO_CALLEE: its own */
	uint64_t event[EVENTS];
};

#define NO_CALLEE UINT32_MAX

struct callgrind {
	struct profile *profile;
	struct strpool names;
	struct function *function;
	size_t function_count, function_room;
	struct cost *cost;
	size_t cost_count, cost_room;
	struct number functions;
	struct map calls, of_place; /* function, callee, line -> cost */
	bool *written;	/* by name: its text is in the file; per kind */
	uint32_t *rank; /* of a function, by name */
	FILE *out;
};

/* Return the number of a key in a map, counted from 0. */
static uint64_t number_of(struct map *m, uint64_t key, bool *fresh)
{
	uint64_t *at = map_put(m, key, fresh);

	if (*fresh)
		*at = m->count - 1;
	return *at;
}

/* Return the number of a frame's function. */
static uint32_t function_of(struct callgrind *c, const struct frame *f)
{
	uint32_t i = number_frame(&c->functions, f);

	if (i < c->function_count)
		return i;
	c->function = util_grow(c->function, c->function_count,
				&c->function_room, sizeof(*c->function));
	c->function[c->function_count++] = (struct function){
		.name = strpool_add(&c->names, f->name),
		.file = strpool_add(&c->names, f->file ? f->file : "???"),
		.module = strpool_add(&c->names, f->module ? f->module : "???"),
	};
	return i;
}

/* Return the costs of a line, or of a call there. */
static struct cost *cost_of(struct callgrind *c, uint32_t function,
			    uint32_t callee, uint32_t line)
{
	bool fresh;
	uint64_t call =
		number_of(&c->calls, (uint64_t)function << 32 | callee, &fresh);
	uint64_t i = number_of(&c->of_place, call << 32 | line, &fresh);

	if (fresh) {
		c->cost = util_grow(c->cost, c->cost_count, &c->cost_room,
				    sizeof(*c->cost));
		c->cost[c->cost_count++] = (struct cost){
			.function = function,
			.callee = callee,
			.line = line,
		};
	}
	return &c->cost[i];
}

/* Count a stack, the number-th; `n` are its costs. */
static void add_stack(struct callgrind *c, const struct stacks_list *list,
		      uint32_t number, const uint64_t n[EVENTS])
{
	uint32_t callee = NO_CALLEE;

	for (size_t i = 0; i < list->count; i++) {
		uint32_t f = function_of(c, list->at[i]);
		struct cost *cost;

		if (c->function[f].seen != number) {
			c->function[f].seen = number;
			cost = cost_of(c, f, callee, list->at[i]->line);
			for (int j = 0; j < EVENTS; j++)
				cost->event[j] += n[j];
		}
		callee = f;
	}
}

/* Read the profile's rows. */
static void add_rows(struct callgrind *c)
{
	struct profile *p = c->profile;
	struct stacks_list list = {0};

	for (size_t i = 0; i < p->row_count; i++) {
		const struct profile_totals *t = &p->rows[i].totals;
		uint64_t n[EVENTS] = {
			[EVENT_PEAK] = t->peak_bytes,
			[EVENT_EXIT] = t->exit_bytes,
			[EVENT_BYTES] = t->allocated_bytes,
			[EVENT_CALLS] = t->allocations,
		};

		stacks_expand(&p->stacks, p->rows[i].node, &list);
		add_stack(c, &list, (uint32_t)i + 1, n);
	}
	stacks_list_free(&list);
}

/* Order two functions, given by their numbers, by name. */
static int compare_functions(const void *a, const void *b, void *context)
{
	const struct callgrind *c = context;
	const struct function *x = &c->function[*(const uint32_t *)a];
	const struct function *y = &c->function[*(const uint32_t *)b];
	int d = strcmp(strpool_text(&c->names, x->name),
		       strpool_text(&c->names, y->name));

	return d ? d
		 : strcmp(strpool_text(&c->names, x->file),
			  strpool_text(&c->names, y->file));
}

/* Order two costs: by function, its own first, by callee and line. */
static int compare_costs(const void *a, const void *b, void *context)
{
	const struct callgrind *c = context;
	const struct cost *x = a, *y = b;
	uint32_t i = c->rank[x->function], j = c->rank[y->function];

	if (i == j) {
		i = x->callee == NO_CALLEE ? 0 : c->rank[x->callee] + 1;
		j = y->callee == NO_CALLEE ? 0 : c->rank[y->callee] + 1;
	}
	if (i == j) {
		i = x->line;
		j = y->line;
	}
	return (i > j) - (i < j);
}

/* Put functions and costs in order. */
static void sort(struct callgrind *c)
{
	uint32_t *order = util_alloc(c->function_count, sizeof(*order));

	c->rank = util_alloc(c->function_count, sizeof(*c->rank));
	for (size_t i = 0; i < c->function_count; i++)
		order[i] = (uint32_t)i;
	if (c->function_count)
		qsort_r(order, c->function_count, sizeof(*order),
			compare_functions, c);
	for (size_t i = 0; i < c->function_count; i++)
		c->rank[order[i]] = (uint32_t)i;
	free(order);
	if (c->cost_count)
		qsort_r(c->cost, c->cost_count, sizeof(*c->cost), compare_costs,
			c);
}

/* Write text in a line. */
static void put_text(FILE *out, const char *text)
{
	for (; *text; text++)
		putc((unsigned char)*text < 0x20 ? ' ' : *text, out);
}

/* Write `key=(number) name`, the name only the first time of its kind. */
static void put_name(struct callgrind *c, const char *key, int kind,
		     uint32_t number, uint32_t name)
{
	bool *written = &c->written[(size_t)number * 3 + (size_t)kind];

	fprintf(c->out, "%s=(%u)", key, number + 1);
	if (!*written) {
		putc(' ', c->out);
		put_text(c->out, strpool_text(&c->names, name));
	}
	*written = true;
	putc('\n', c->out);
}

/* Write which function lines are of. */
static void put_function(struct callgrind *c, uint32_t number)
{
	const struct function *f = &c->function[number];

	put_name(c, "\nob", 0, f->module, f->module);
	put_name(c, "fl", 1, f->file, f->file);
	put_name(c, "fn", 2, c->rank[number], f->name);
}

/* Write which function is called, as far as it differs from the caller. */
static void put_callee(struct callgrind *c, uint32_t number, uint32_t caller)
{
	const struct function *f = &c->function[number];
	const struct function *from = &c->function[caller];

	if (f->module != from->module)
		put_name(c, "cob", 0, f->module, f->module);
	if (f->file != from->file)
		put_name(c, "cfi", 1, f->file, f->file);
	put_name(c, "cfn", 2, c->rank[number], f->name);
}

/* Write the events that are known. */
static void put_events(const struct callgrind *c, const uint64_t *n)
{
	for (int i = 0; i < EVENTS; i++)
		if (c->profile->has & events[i].has)
			fprintf(c->out, " %" PRIu64, n[i]);
	putc('\n', c->out);
}

/* Write all costs. */
static void put_costs(struct callgrind *c)
{
	for (size_t i = 0; i < c->cost_count; i++) {
		const struct cost *n = &c->cost[i];
		uint64_t calls = n->event[EVENT_CALLS];

		if (!i || n->function != n[-1].function)
			put_function(c, n->function);
		if (n->callee != NO_CALLEE) {
			put_callee(c, n->callee, n->function);
			fprintf(c->out, "calls=%" PRIu64 " 0\n",
				calls ? calls : 1);
		}
		fprintf(c->out, "%u", n->line);
		put_events(c, n->event);
	}
}

/* Write what the file is of. */
static void put_head(const struct callgrind *c)
{
	const struct profile *p = c->profile;
	char *command = oneline_command(p), *sampled = export_estimates(p);

	fprintf(c->out,
		"# callgrind format\nversion: 1\ncreator: memtrace %s%s\n",
		OPTIONS_VERSION, sampled);
	if (p->pid)
		fprintf(c->out, "pid: %u\n", p->pid);
	fprintf(c->out, "cmd: %s\npositions: line\n", command);
	free(command);
	free(sampled);
	for (int i = 0; i < EVENTS; i++)
		if (p->has & events[i].has)
			fprintf(c->out, "event: %s : %s\n", events[i].name,
				events[i].help);
	fputs("events:", c->out);
	for (int i = 0; i < EVENTS; i++)
		if (p->has & events[i].has)
			fprintf(c->out, " %s", events[i].name);
	putc('\n', c->out);
}

static void free_all(struct callgrind *c)
{
	strpool_free(&c->names);
	free(c->function);
	free(c->cost);
	free(c->rank);
	free(c->written);
	number_free(&c->functions);
	map_free(&c->calls);
	map_free(&c->of_place);
}

int export_callgrind(struct export *x, struct error *e)
{
	struct callgrind c = {.profile = x->profile, .out = x->out};
	const struct profile_totals *t = &x->profile->totals;
	uint64_t totals[EVENTS] = {t->peak_bytes, t->exit_bytes,
				   t->allocated_bytes, t->allocations};
	size_t most;

	(void)e;
	add_rows(&c);
	sort(&c);
	most = c.names.count > c.function_count ? c.names.count
						: c.function_count;
	c.written = util_alloc(most * 3, sizeof(*c.written));
	put_head(&c);
	fputs("summary:", c.out);
	put_events(&c, totals);
	put_costs(&c);
	fputs("\ntotals:", c.out);
	put_events(&c, totals);
	free_all(&c);
	return 0;
}
