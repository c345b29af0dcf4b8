/* SPDX-License-Identifier: MIT */
/*
 * Which blocks a report is about; see select.h.
 */
#include "select.h"

#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "image.h"
#include "lives.h"
#include "moments.h"
#include "term.h"
#include "units.h"

struct select {
	struct expr expr; /* which blocks */
	struct expr hide; /* which frames: one test, or none */
	bool asks_lives;

	/* Of the trace at hand. */
	struct answers answers;
	struct lives lives;
};

/* ---- The options. ---- */

/* Put an option's name before what is wrong with it. */
static int blame(struct error *e, const char *option)
{
	struct error inner = *e;

	*e = (struct error){0};
	return error_set(e, inner.offset, "--%s: %s", option, inner.text);
}

/* Add the condition of --thread: a name, or a number. */
static int add_thread(struct expr *x, const char *text, struct error *e)
{
	char *end;
	uint64_t n = strtoull(text, &end, 10);

	if (*text && strspn(text, "0123456789") == strlen(text))
		return expr_add_range(x, EXPR_THREAD, n, n, e);
	return expr_add_text(x, EXPR_THREAD, EXPR_IS, text, false, e);
}

/* Add the condition of a range, which options.c has checked. */
static int add_range(struct expr *x, enum expr_field field, const char *text,
		     bool (*read)(const char *, uint64_t *), struct error *e)
{
	uint64_t min = 0, max = UINT64_MAX;

	units_range(text, read, &min, &max);
	return expr_add_range(x, field, min, max, e);
}

/* Add the conditions of all options. */
static int add_all(struct select *s, const struct options *o, struct error *e)
{
	struct expr *x = &s->expr;

	if (o->where && expr_add(x, o->where, e))
		return blame(e, "where");
	if (o->thread && add_thread(x, o->thread, e))
		return blame(e, "thread");
	if (o->size && add_range(x, EXPR_SIZE, o->size, units_bytes, e))
		return blame(e, "size");
	if (o->lifetime &&
	    add_range(x, EXPR_LIFETIME, o->lifetime, units_time, e))
		return blame(e, "lifetime");
	if (o->focus &&
	    expr_add_text(x, EXPR_STACK, EXPR_MATCHES, o->focus, false, e))
		return blame(e, "focus");
	if (o->ignore &&
	    expr_add_text(x, EXPR_STACK, EXPR_MATCHES, o->ignore, true, e))
		return blame(e, "ignore");
	if (o->hide && expr_add_text(&s->hide, EXPR_STACK, EXPR_MATCHES,
				     o->hide, false, e))
		return blame(e, "hide");
	return 0;
}

int select_new(struct select **s, const struct options *o, struct error *e)
{
	struct select *new = util_alloc(1, sizeof(*new));
	int status = add_all(new, o, e);

	new->asks_lives = lives_are_asked(&new->expr);
	*s = NULL;
	if (status || (!new->expr.count && !new->hide.count))
		select_free(new);
	else
		*s = new;
	return status;
}

/* Free what is of the trace at hand. */
static void forget_trace(struct select *s)
{
	answers_free(&s->answers);
	lives_free(&s->lives);
}

void select_free(struct select *s)
{
	if (!s)
		return;
	forget_trace(s);
	expr_free(&s->expr);
	expr_free(&s->hide);
	free(s);
}

/* ---- Traces. ---- */

/* stacks_hides. */
static bool hides(void *context, const struct frame *f)
{
	const struct select *s = context;

	return answers_test_frame(&s->hide.test[0], f);
}

/* Set up for stacks; `t` is NULL for an import. */
static void begin(struct select *s, struct stacks *stacks,
		  const struct trace *t, size_t threads)
{
	forget_trace(s);
	answers_begin(&s->answers, &s->expr, stacks, t, threads);
	if (s->hide.count)
		stacks_hide(stacks, hides, s);
}

void select_trace(struct select *s, struct trace *t, struct stacks *stacks,
		  replay_progress *progress)
{
	if (!s)
		return;
	begin(s, stacks, t, t->thread_count);
	for (size_t i = 0; i < t->thread_count; i++)
		answers_set_thread(&s->answers, i, t->threads[i].name,
				   t->threads[i].tid);
	if (s->asks_lives)
		lives_find(&s->lives, &s->answers, t, progress);
}

bool select_chooses(const struct select *s)
{
	return s && s->expr.count;
}

bool select_takes(struct select *s, const struct replay_event *e)
{
	struct answers_block b = {.event = e->event, .thread = e->thread};

	if (!select_chooses(s))
		return true;
	return s->asks_lives ? lives_take(&s->lives, e->number)
			     : answers_decide(&s->answers, &b) == EXPR_YES;
}

/* prof_takes. */
static bool takes(void *context, const struct replay_event *e)
{
	return select_takes(context, e);
}

void select_set_options(struct select *s, struct prof_options *o)
{
	if (!select_chooses(s))
		return;
	o->takes = takes;
	o->takes_context = s;
}

/* ---- Imports. ---- */

/* Refuse to ask a profile for what it does not know. */
static int check_fields(const struct select *s, const struct profile *p,
			struct error *e)
{
	for (int i = 0; i < EXPR_FUNCTION; i++) {
		bool has = (i == EXPR_SIZE && p->keys & PROF_BY_SIZE) ||
			   (i == EXPR_THREAD && p->keys & PROF_BY_THREAD);

		if (!has && expr_uses(&s->expr, (enum expr_field)i))
			return error_set(e, ERROR_NO_OFFSET,
					 "blocks cannot be chosen by %s: a %s "
					 "profile does not tell it",
					 expr_field_name((enum expr_field)i),
					 p->source);
	}
	return 0;
}

int select_rows(struct select *s, struct profile *p, struct error *e)
{
	size_t kept = 0;

	if (!s)
		return 0;
	if (check_fields(s, p, e))
		return -1;
	begin(s, &p->stacks, NULL, p->thread_count);
	for (size_t i = 0; i < p->thread_count; i++)
		answers_set_thread(&s->answers, i, p->threads[i].name,
				   p->threads[i].tid);
	p->totals = (struct profile_totals){0};
	for (size_t i = 0; i < p->row_count; i++) {
		const struct profile_row *row = &p->rows[i];
		struct mt_event event = {
			.size = row->size,
			.stack = row->node,
		};
		struct answers_block b = {.event = &event,
					  .thread = row->thread};

		if (answers_decide(&s->answers, &b) != EXPR_YES)
			continue;
		profile_add_totals(&p->totals, &row->totals);
		p->rows[kept++] = *row;
	}
	p->row_count = kept;
	return 0;
}

/* ---- What views ask. ---- */

bool select_shows(struct select *s, uint32_t pc)
{
	size_t n = 1;

	if (s && s->hide.count)
		stacks_frames(s->answers.stacks, pc, &n);
	return n;
}

/* Return the clock value right behind the instant of --at. */
static uint64_t at_clock(const struct options *o, const struct trace *t)
{
	uint64_t clock;

	if (o->at_moment && moments_find(t, o->at_moment, &clock))
		return clock < UINT64_MAX ? clock + 1 : clock;
	return o->at_ns == UINT64_MAX ? UINT64_MAX
				      : trace_clock(t, o->at_ns + 1);
}

void select_window(const struct options *o, const struct trace *t,
		   uint64_t *from, uint64_t *until)
{
	*from = o->from_ns ? trace_clock(t, o->from_ns) : 0;
	*until = o->to_ns == UINT64_MAX ? UINT64_MAX : trace_clock(t, o->to_ns);
	if (o->at == OPTIONS_AT_TIME)
		*until = at_clock(o, t);
}

int select_check_history(const struct options *o, const struct trace *t,
			 struct error *e)
{
	uint64_t from, until, begins = image_clock(t);
	char text[TERM_NUMBER];

	if (o->at_moment && !moments_find(t, o->at_moment, &until))
		return error_set(e, ERROR_NO_OFFSET,
				 "it has no moment '%.100s'", o->at_moment);
	select_window(o, t, &from, &until);
	if ((!from || from >= begins) && until > begins)
		return 0;
	return error_set(e, ERROR_NO_OFFSET,
			 "its history begins at %s: what was before is in sums "
			 "of the whole run only",
			 term_time(text, trace_ns(t, begins)));
}
