/* SPDX-License-Identifier: MIT */
/*
 * Which allocations an expression about their lives takes; see lives.h.
 */
#include "lives.h"

#include <stdlib.h>
#include <string.h>

#include "slots.h"

/* A block that was not decided when it began. */
struct pending {
	struct mt_event event;
	uint64_t number;
	uint32_t thread;
	bool lives;
};

/* A block's owner when it is decided. */
#define NO_PENDING UINT32_MAX

struct finding {
	struct lives *lives;
	struct answers *answers;
	struct slots slots;
	struct pending *pending; /* by slot */
	size_t room;
};

bool lives_are_asked(const struct expr *x)
{
	return expr_uses(x, EXPR_LIFETIME) || expr_uses(x, EXPR_FREED) ||
	       expr_uses(x, EXPR_TEMPORARY);
}

/* Note that a block is taken. */
static void take(struct lives *l, uint64_t number)
{
	while (number / 8 >= l->bytes) {
		size_t old = l->bytes;

		l->bits = util_grow(l->bits, old, &l->bytes, 1);
		memset(l->bits + old, 0, l->bytes - old);
	}
	l->bits[number / 8] |= (uint8_t)(1u << number % 8);
}

/* Note that it is not, after all. */
static void leave(struct lives *l, uint64_t number)
{
	if (number / 8 < l->bytes)
		l->bits[number / 8] &= (uint8_t) ~(1u << number % 8);
}

/* Keep a block until it is decided; returns where. */
static uint32_t keep(struct finding *f, const struct replay_event *e)
{
	uint32_t i = slots_take(&f->slots);

	f->pending = util_grow(f->pending, i, &f->room, sizeof(*f->pending));
	f->pending[i] = (struct pending){
		.event = *e->event,
		.number = e->number,
		.thread = e->thread,
		.lives = true,
	};
	return i;
}

static void begins(void *context, struct heap_block *b,
		   const struct replay_event *e, const struct heap_block *from)
{
	struct finding *f = context;
	struct answers_block block = {.event = e->event, .thread = e->thread};
	enum expr_truth truth = answers_decide(f->answers, &block);

	(void)from;
	b->owner = truth == EXPR_UNKNOWN ? keep(f, e) : NO_PENDING;
	if (truth == EXPR_YES)
		take(f->lives, e->number);
}

/* Decide about a block whose life is known. */
static void decide(struct finding *f, const struct pending *p, bool freed,
		   bool temporary, uint64_t lifetime)
{
	struct answers_block b = {
		.event = &p->event,
		.thread = p->thread,
		.is_known = true,
		.freed = freed,
		.temporary = temporary,
		.lifetime = lifetime,
	};

	if (answers_decide(f->answers, &b) == EXPR_YES)
		take(f->lives, p->number);
}

/* Return how long a block lived. Ticks that tie may have it end first. */
static uint64_t lifetime_of(const struct heap_block *b,
			    const struct replay_event *e)
{
	uint64_t clock = e->event->time;

	return clock > b->born ? clock - b->born : 0;
}

static void ends(void *context, const struct heap_block *b,
		 const struct replay_event *e, enum replay_end why,
		 bool temporary)
{
	struct finding *f = context;

	if (b->owner == NO_PENDING)
		return;
	decide(f, &f->pending[b->owner], true, temporary, lifetime_of(b, e));
	f->pending[b->owner].lives = false;
	slots_end(&f->slots, b->owner, e->thread, why == REPLAY_REALLOCATED);
}

static void resumes(void *context, const struct heap_block *b,
		    const struct replay_event *e)
{
	struct finding *f = context;

	if (b->owner == NO_PENDING)
		return;
	slots_resume(&f->slots, e->thread);
	f->pending[b->owner].lives = true;
	leave(f->lives, f->pending[b->owner].number);
}

/* Decide about the blocks that nobody freed. */
static void decide_rest(struct finding *f)
{
	for (uint32_t i = 0; i < f->slots.count; i++)
		if (f->pending[i].lives)
			decide(f, &f->pending[i], false, false, UINT64_MAX);
}

void lives_find(struct lives *l, struct answers *a, struct trace *t,
		replay_progress *progress)
{
	struct finding f = {.lives = l, .answers = a};
	struct replay_listener listener = {
		.context = &f,
		.begins = begins,
		.ends = ends,
		.resumes = resumes,
	};
	struct replay r;

	replay_run(&r, t, UINT64_MAX, &listener, 1, progress);
	replay_free(&r);
	decide_rest(&f);
	slots_free(&f.slots);
	free(f.pending);
}

void lives_free(struct lives *l)
{
	free(l->bits);
	*l = (struct lives){0};
}
