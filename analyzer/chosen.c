/* SPDX-License-Identifier: MIT */
/* A listener to the blocks that were chosen only; see chosen.h. */
#include "chosen.h"

/* The owner of a block that was not. */
#define NOT_CHOSEN UINT32_MAX

static void begins(void *context, struct heap_block *b,
		   const struct replay_event *e, const struct heap_block *from)
{
	struct chosen *c = context;

	if (!select_takes(c->select, e)) {
		b->owner = NOT_CHOSEN;
		return;
	}
	if (from && from->owner == NOT_CHOSEN)
		from = NULL;
	if (c->to->begins)
		c->to->begins(c->to->context, b, e, from);
}

static void ends(void *context, const struct heap_block *b,
		 const struct replay_event *e, enum replay_end why,
		 bool temporary)
{
	struct chosen *c = context;

	if (b->owner != NOT_CHOSEN && c->to->ends)
		c->to->ends(c->to->context, b, e, why, temporary);
}

static void resumes(void *context, const struct heap_block *b,
		    const struct replay_event *e)
{
	struct chosen *c = context;

	if (b->owner != NOT_CHOSEN && c->to->resumes)
		c->to->resumes(c->to->context, b, e);
}

/* Mappings and failed calls are no blocks: they are not chosen. */
static void others(void *context, const struct replay_event *e)
{
	struct chosen *c = context;

	if (!select_chooses(c->select) && c->to->others)
		c->to->others(c->to->context, e);
}

struct replay_listener chosen_listener(struct chosen *c)
{
	return (struct replay_listener){c, begins, ends, resumes, others};
}
