/* SPDX-License-Identifier: MIT */
/*
 * A replay for a listener to the blocks that were chosen; see chosen.h. Stands
 * between the two, and marks the others by their owner.
 */
#include "chosen.h"

/* The owner of a block that was not chosen. */
#define NOT_CHOSEN UINT32_MAX

struct chosen {
	const struct prof_options *options;
	const struct replay_listener *to;
};

static void begins(void *context, struct heap_block *b,
		   const struct replay_event *e, const struct heap_block *from)
{
	const struct chosen *c = context;
	const struct prof_options *o = c->options;

	if (o->takes && !o->takes(o->takes_context, e)) {
		b->owner = NOT_CHOSEN;
		return;
	}
	if (from && from->owner == NOT_CHOSEN)
		from = NULL;
	if (c->to->begins)
		c->to->begins(c->to->context, b, e, from);
}

static void carries(void *context, struct heap_block *b,
		    const struct replay_event *e)
{
	const struct chosen *c = context;
	const struct prof_options *o = c->options;

	if (o->takes && !o->takes(o->takes_context, e))
		b->owner = NOT_CHOSEN;
	else if (c->to->carries)
		c->to->carries(c->to->context, b, e);
	else if (c->to->begins)
		c->to->begins(c->to->context, b, e, NULL);
}

static void ends(void *context, const struct heap_block *b,
		 const struct replay_event *e, enum replay_end why,
		 bool temporary)
{
	const struct chosen *c = context;

	if (b->owner != NOT_CHOSEN && c->to->ends)
		c->to->ends(c->to->context, b, e, why, temporary);
}

static void resumes(void *context, const struct heap_block *b,
		    const struct replay_event *e)
{
	const struct chosen *c = context;

	if (b->owner != NOT_CHOSEN && c->to->resumes)
		c->to->resumes(c->to->context, b, e);
}

static void others(void *context, const struct replay_event *e)
{
	const struct chosen *c = context;

	if (!c->options->takes && c->to->others)
		c->to->others(c->to->context, e);
}

static void left(void *context, const struct heap_block *b)
{
	const struct chosen *c = context;

	if (b->owner != NOT_CHOSEN && c->to->left)
		c->to->left(c->to->context, b);
}

void chosen_replay(struct trace *t, const struct prof_options *o,
		   const struct replay_listener *l, replay_progress *progress)
{
	struct chosen c = {o, l};
	const struct replay_listener first = {
		.context = &c,
		.begins = begins,
		.ends = ends,
		.resumes = resumes,
		.others = others,
		.carries = carries,
		.left = left,
	};
	struct replay r;

	replay_run(&r, t, o->until, &first, 1, progress);
	if (o->until == UINT64_MAX)
		trace_extend(t, r.last_clock);
	replay_free(&r);
}
