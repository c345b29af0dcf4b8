/* SPDX-License-Identifier: MIT */
/*
 * A heap profile; see profile.h.
 */
#include "profile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "strpool.h"

void profile_add_totals(struct profile_totals *a,
			const struct profile_totals *b)
{
	a->allocations += b->allocations;
	a->allocated_bytes += b->allocated_bytes;
	a->temporary += b->temporary;
	a->frees += b->frees;
	a->lifetime_ns += b->lifetime_ns;
	a->peak_bytes += b->peak_bytes;
	a->peak_blocks += b->peak_blocks;
	a->exit_bytes += b->exit_bytes;
	a->exit_blocks += b->exit_blocks;
	spread_add(&a->allocated, &b->allocated);
	spread_add(&a->peak, &b->peak);
	spread_add(&a->exit, &b->exit);
}

void profile_begin(struct profile *p, const char *path, const char *source,
		   unsigned int has)
{
	*p = (struct profile){
		.path = path,
		.source = source,
		.has = has,
		.program = "?",
		.texts = util_alloc(1, sizeof(*p->texts)),
	};
	stacks_begin(&p->stacks);
}

void profile_add_row(struct profile *p, const struct profile_row *row)
{
	p->rows = util_grow(p->rows, p->row_count, &p->row_room,
			    sizeof(*p->rows));
	p->rows[p->row_count++] = *row;
	profile_add_totals(&p->totals, &row->totals);
}

void profile_add_thread(struct profile *p, const struct profile_thread *t)
{
	p->threads = util_grow(p->threads, p->thread_count, &p->thread_room,
			       sizeof(*p->threads));
	p->threads[p->thread_count++] = *t;
}

void profile_add_note(struct profile *p, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	p->notes = util_grow(p->notes, p->note_count, &p->note_room,
			     sizeof(*p->notes));
	p->notes[p->note_count++] = util_copy(text, strlen(text));
}

const char *profile_keep(struct profile *p, const char *text)
{
	return strpool_text(p->texts, strpool_add(p->texts, text));
}

void profile_set_command(struct profile *p, const char *line)
{
	char *word = util_copy(line, strcspn(line, " "));

	p->command = profile_keep(p, line);
	p->command_bytes = strlen(line) + 1;
	if (*word)
		p->program = profile_keep(p, util_basename(word));
	free(word);
}

/* Take over who was recorded. */
static void take_process(struct profile *p, const struct trace *t)
{
	const char *name = t->exe && *t->exe ? t->exe : t->command;

	if (name && *name)
		p->program = util_basename(name);
	p->command = t->command;
	p->command_bytes = t->command_bytes;
	p->host = t->host;
	p->pid = t->process.pid;
	p->real_ns = t->process.real_ns;
	for (size_t i = 0; i < t->thread_count; i++)
		profile_add_thread(p, &(struct profile_thread){
					      t->threads[i].index,
					      t->threads[i].tid,
					      t->threads[i].name,
				      });
}

/* Take over what more there is to a row of a sampled trace. */
static void take_spread(struct profile *p, const struct prof *prof, uint32_t i,
			struct profile_totals *to)
{
	const struct prof_spread *from = &prof->spread[i];
	bool aside = prof_row(prof, i)->peak_number == prof->peak_number;

	to->allocated = from->allocated;
	to->peak = aside ? from->peak : from->live;
	to->exit = from->live;
	to->frees = from->frees;
	to->lifetime_ns = trace_span_ns(p->trace, (uint64_t)from->lifetimes);
}

/* Take over a row of the replay. */
static void take_row(struct profile *p, const struct prof *prof, uint32_t i)
{
	const struct prof_row *from = prof_row(prof, i);
	const struct prof_key *key = &prof->key[i];
	struct profile_row row = {
		.node = key->node,
		.thread = key->thread,
		.size = key->size,
		.totals =
			{
				.allocations = from->allocations,
				.allocated_bytes = from->allocated_bytes,
				.temporary = from->temporary,
				.frees = from->frees,
				.lifetime_ns = trace_span_ns(p->trace,
							     from->lifetimes),
				.exit_bytes = from->live_bytes,
				.exit_blocks = from->live_blocks,
			},
	};

	prof_peak(prof, from, &row.totals.peak_bytes, &row.totals.peak_blocks);
	if (prof->spread)
		take_spread(p, prof, i, &row.totals);
	if (row.totals.allocations || row.totals.peak_blocks ||
	    row.totals.exit_blocks)
		profile_add_row(p, &row);
}

void profile_open_trace(struct profile *p, struct trace *t,
			const struct sym_options *sym)
{
	*p = (struct profile){
		.path = t->path,
		.source = "memtrace",
		.has = PROFILE_HAS_ALL,
		.program = "?",
		.trace = t,
		.prof = util_alloc(1, sizeof(*p->prof)),
	};
	if (estimate_is_needed(t)) {
		p->has &= ~PROFILE_HAS_TEMPORARY;
		p->rate_bytes = t->rates[t->rate_count - 1].rate_bytes;
	}
	take_process(p, t);
	stacks_of_trace(&p->stacks, t, sym);
}

/* Take over the sums. */
static void take_sums(struct profile *p)
{
	struct prof *prof = p->prof;

	p->keys = prof->options.keys;
	for (uint32_t i = 0; i < prof->row_count; i++)
		take_row(p, prof, i);
	prof_drop_rows(prof);
	p->duration_ns = trace_duration_ns(p->trace);
	p->peak_ns = trace_ns(p->trace, prof->peak_clock);
}

void profile_replay(struct profile *p, const struct prof_options *o,
		    replay_progress *progress)
{
	prof_run(p->prof, p->trace, o, progress);
	take_sums(p);
}

void profile_take(struct profile *p, struct prof *prof)
{
	*p->prof = *prof;
	*prof = (struct prof){0};
	take_sums(p);
}

void profile_of_trace(struct profile *p, struct trace *t,
		      const struct prof_options *o,
		      const struct sym_options *sym, replay_progress *progress)
{
	profile_open_trace(p, t, sym);
	profile_replay(p, o, progress);
}

void profile_free(struct profile *p)
{
	stacks_free(&p->stacks);
	if (p->prof)
		prof_free(p->prof);
	free(p->prof);
	for (size_t i = 0; i < p->note_count; i++)
		free(p->notes[i]);
	free(p->notes);
	free(p->rows);
	free(p->threads);
	if (p->texts)
		strpool_free(p->texts);
	free(p->texts);
	*p = (struct profile){0};
}
