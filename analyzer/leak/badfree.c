/* SPDX-License-Identifier: MIT */
/*
 * Bad frees; see badfree.h.
 *
 * The trace is replayed once to see which frees meet no block, and which meet
 * one that was asked for otherwise; if there are some of the former, a second
 * time, to keep the history of their addresses alone: so the memory that this
 * takes depends on the bad frees, not on all that were ever freed.
 *
 * What is believed:
 *
 *  - An address that no allocator gives (noblock.h) is no block, always.
 *  - What began and ended since recording last went on is known.
 *  - An address that was never seen to be a block is one that we did not see
 *    begin, if the program lives on after its free. In a whole recording
 *    that means that somebody has the allocator's memory past us: then
 *    an address may have become a block again unseen, and "freed twice" is
 *    believed only where the program ended over it.
 *  - Clocks of two threads may differ by more than it takes to hand a block
 *    over; then it begins while it is still live, and its end comes too late.
 *    Such an end is set off against the beginning.
 */
#include "badfree.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "kinds.h"
#include "map.h"
#include "noblock.h"
#include "operators.h"

const char *const bad_free_kind_names[BAD_FREE_KINDS] = {
	[BAD_FREE_DOUBLE] = "double",	  [BAD_FREE_INVALID] = "invalid",
	[BAD_FREE_INTERIOR] = "interior", [BAD_FREE_MISMATCH] = "mismatch",
	[BAD_FREE_SIZE] = "size",
};

/* A clock is not read ahead by more. */
#define READ_AHEAD_NS 1000u

/* The history of an address whose free met no block. */
struct place {
	uint64_t address; /* first, for util_up_to() */
	struct bad_free_call alloc, first;
	uint64_t size, reused;
	int64_t owed; /* ends that are still to come; below 0: came early */
	struct bad_free_call doubt; /* the last double free; kind 0: none */
	size_t doubt_place;	    /* in the list */
	struct heap_block around;   /* the live block it is inside of */
};

/* What a thread did last, if that was a free where no block is. */
struct last {
	enum { LAST_OTHER, LAST_BAD, LAST_UNSEEN } is;
	size_t bad; /* LAST_BAD: place in the list */
	struct bad_free unseen;
};

struct search {
	struct trace *trace;
	struct bad_frees *found;
	struct map group;     /* of equal ones -> place in `found` + 1 */
	struct map align;     /* by address, of blocks that asked for one */
	struct map missed;    /* addresses whose free met no block */
	struct place *places; /* they, in order; none in the first replay */
	size_t place_count;
	struct last *last; /* by thread */
	size_t pause;	   /* those before are over */
	uint64_t since;	   /* all that was done since then is known */
	bool inherits;	   /* blocks from before `since` are unknown */
	uint64_t unseen;   /* frees of addresses never seen, in a whole run */
};

/* ---- What is known when. ---- */

/* Return why hardly anything can be believed, or NULL. */
static const char *why_unsure(const struct trace *t)
{
	if (t->lost.events)
		return "events were lost while recording";
	if (t->missing || error_is_set(&t->damage) || t->truncated)
		return "events cannot be read";
	if (t->live_missing)
		return "the last events are missing";
	for (size_t i = 0; i < t->problem_count; i++)
		if (t->problems[i].problem == MT_PROBLEM_NO_LIVE &&
		    t->state != TRACE_ENDED)
			return "the last events are missing";
	return NULL;
}

/* Take note of a thread's next event. */
static void step(struct search *s, const struct replay_event *e)
{
	s->last[e->thread].is = LAST_OTHER;
	while (s->pause < s->trace->pause_count &&
	       s->trace->pauses[s->pause].clock <= e->event->time) {
		const struct mt_meta_pause *p = &s->trace->pauses[s->pause++];

		s->since = p->paused ? UINT64_MAX : p->clock;
		s->inherits = true;
	}
}

/* Return an event as a call. */
static struct bad_free_call call_of(const struct replay_event *e)
{
	return (struct bad_free_call){
		.clock = e->event->time,
		.node = e->event->stack,
		.thread = e->thread,
		.kind = e->event->kind,
	};
}

/* Return the allocation of a block. */
static struct bad_free_call birth_of(const struct heap_block *b)
{
	return (struct bad_free_call){
		.clock = b->born,
		.node = b->owner,
		.thread = b->thread,
		.kind = b->kind,
	};
}

/* ---- The list. ---- */

/* Enter a bad free, or count it with its like; return its place. */
static size_t enter(struct search *s, const struct bad_free *bad)
{
	struct bad_frees *f = s->found;
	uint64_t key[] = {bad->kind, bad->free.node, bad->alloc.node,
			  bad->first.node, bad->where != NULL};
	uint64_t *place = map_put(&s->group, util_hash(key, sizeof(key)), NULL);

	if (!*place) {
		f->at = util_grow(f->at, f->count, &f->room, sizeof(*f->at));
		f->at[f->count++] = *bad;
		*place = f->count;
	}
	f->at[*place - 1].times++;
	return *place - 1;
}

/* Note a realloc(p, 0). */
static void note(struct search *s, const struct bad_free *call)
{
	struct bad_frees *f = s->found;
	uint64_t key[] = {BAD_FREE_KINDS, call->free.node, call->alloc.node};
	uint64_t *place = map_put(&s->group, util_hash(key, sizeof(key)), NULL);

	if (!*place) {
		f->noted = util_grow(f->noted, f->noted_count, &f->noted_room,
				     sizeof(*f->noted));
		f->noted[f->noted_count++] = *call;
		*place = f->noted_count;
	}
	f->noted[*place - 1].times++;
}

/* ---- The first replay: what was asked for otherwise. ---- */

/* Keep who allocated a block, and at what alignment. */
static void keep_begin(void *context, struct heap_block *b,
		       const struct replay_event *e,
		       const struct heap_block *from)
{
	struct search *s = context;
	uint64_t *align;

	(void)from;
	step(s, e);
	b->owner = e->event->stack;
	if (e->event->align_log2) {
		*map_put(&s->align, b->address, NULL) = 1ull
							<< e->event->align_log2;
	} else if (s->align.count) {
		align = map_get(&s->align, b->address);
		if (align)
			*align = 0;
	}
}

/* Tell whether a free says another size or alignment than was asked for. */
static bool says_otherwise(const struct bad_free *bad)
{
	bool size = bad->said_size && bad->said_size != bad->size;

	switch (bad->free.kind) {
	case MT_DELETE:
	case MT_DELETE_ARRAY:
		return size || bad->said_align != bad->align;
	case MT_FREE_SIZED:
		return bad->said_size != bad->size || bad->align;
	case MT_FREE_ALIGNED_SIZED:
		return bad->said_size != bad->size ||
		       bad->said_align != bad->align;
	default:
		return false;
	}
}

/* Judge a free by how its block was asked for. */
static void judge_end(void *context, const struct heap_block *b,
		      const struct replay_event *e, enum replay_end why,
		      bool temporary)
{
	struct search *s = context;
	const struct mt_event *event = e->event;
	struct bad_free bad = {
		.address = b->address,
		.block = b->address,
		.size = b->size,
		.said_size = event->size,
	};
	const uint64_t *align;

	(void)temporary;
	step(s, e);
	if (why == REPLAY_LOST || b->born < s->since || s->found->unsure)
		return;
	bad.free = call_of(e);
	bad.alloc = birth_of(b);
	if (event->kind == MT_REALLOC_FREE && event->size)
		note(s, &bad);
	align = s->align.count ? map_get(&s->align, b->address) : NULL;
	bad.align = align ? *align : 0;
	bad.said_align = event->align_log2 ? 1ull << event->align_log2 : 0;
	if (kinds_family(b->kind) != kinds_family(event->kind))
		bad.kind = BAD_FREE_MISMATCH;
	else if (says_otherwise(&bad))
		bad.kind = BAD_FREE_SIZE;
	else
		return;
	enter(s, &bad);
}

/* Note the address of a free that meets no block. */
static void note_miss(void *context, const struct replay_event *e)
{
	struct search *s = context;

	step(s, e);
	map_put(&s->missed, e->event->address, NULL);
}

/* ---- The second replay: the history of those addresses. ---- */

/* Return the first place at an address or behind it. */
static struct place *place_from(const struct search *s, uint64_t address)
{
	return &s->places[util_up_to(s->places, s->place_count,
				     sizeof(*s->places), address - 1)];
}

/*
 * Take a double free back if the address was given to another thread at once:
 * then it was the end of that block, by a clock that was read ahead of a load
 * (preload/record.c).
 */
static void take_back(struct search *s, struct place *p,
		      const struct bad_free_call *birth)
{
	uint64_t span = birth->clock - p->doubt.clock;

	if (p->doubt.kind && birth->thread != p->doubt.thread &&
	    trace_span_ns(s->trace, span) < READ_AHEAD_NS) {
		s->found->at[p->doubt_place].times--;
		s->found->unknown++;
		p->owed--;
	}
	p->doubt.kind = 0;
}

/* Enter a block into the history of all places in it. */
static void occupy(struct search *s, const struct heap_block *b, bool again)
{
	struct place *end = s->places + s->place_count;

	for (struct place *p = place_from(s, b->address);
	     p < end && p->address - b->address < (b->size ? b->size : 1);
	     p++) {
		if (p->address != b->address) {
			p->around = *b;
			continue;
		}
		p->reused += !again && p->alloc.kind;
		p->alloc = birth_of(b);
		take_back(s, p, &p->alloc);
		p->size = b->size;
		p->first.kind = 0;
	}
}

static void history_begin(void *context, struct heap_block *b,
			  const struct replay_event *e,
			  const struct heap_block *from)
{
	struct search *s = context;

	(void)from;
	step(s, e);
	b->owner = e->event->stack;
	occupy(s, b, false);
}

static void history_resume(void *context, const struct heap_block *b,
			   const struct replay_event *e)
{
	struct search *s = context;

	step(s, e);
	occupy(s, b, true);
}

static void history_end(void *context, const struct heap_block *b,
			const struct replay_event *e, enum replay_end why,
			bool temporary)
{
	struct search *s = context;
	struct place *end = s->places + s->place_count;

	(void)temporary;
	step(s, e);
	for (struct place *p = place_from(s, b->address);
	     p < end && p->address - b->address < (b->size ? b->size : 1);
	     p++) {
		if (p->address != b->address)
			p->around.address = 0;
		else if (why == REPLAY_LOST)
			p->owed++;
		else
			p->first = call_of(e);
	}
}

static void history_other(void *context, const struct replay_event *e)
{
	step(context, e);
}

/* Tell whether the loader freed: it has blocks from before everything. */
static bool is_loaders(const struct trace *t, uint32_t node)
{
	const struct mt_pc *pc;

	if (node < MT_NODE_FIRST || node >= t->node_count)
		return false;
	pc = &t->pcs[t->nodes[node].pc];
	return pc->module < t->module_count && t->modules[pc->module].path &&
	       util_starts(util_basename(t->modules[pc->module].path), "ld-");
}

/* Fill in a free of a block that was freed before. */
static void set_double(struct bad_free *bad, const struct place *p)
{
	bad->kind = BAD_FREE_DOUBLE;
	bad->block = p->address;
	bad->size = p->size;
	bad->alloc = p->alloc;
	bad->first = p->first;
	bad->reused = p->reused;
	if (p->around.address) {
		bad->holder = birth_of(&p->around);
		bad->holder_block = p->around.address;
		bad->holder_size = p->around.size;
	}
}

/* Fill in what a free that meets no block is; false: nobody knows. */
static bool judge_place(const struct search *s, const struct place *p,
			struct bad_free *bad)
{
	bool sure = !s->found->unsure;

	if (sure && p->first.kind && p->first.clock >= s->since) {
		set_double(bad, p);
		return true;
	}
	if (sure && p->around.address && p->around.born >= s->since) {
		bad->kind = BAD_FREE_INTERIOR;
		bad->block = p->around.address;
		bad->size = p->around.size;
		bad->alloc = birth_of(&p->around);
		return true;
	}
	bad->kind = BAD_FREE_INVALID;
	bad->where = noblock_at(s->trace, p->address, &bad->module);
	return bad->where;
}

/* Judge a free that meets no block. */
static void judge_miss(void *context, const struct replay_event *e)
{
	struct search *s = context;
	struct last *last = &s->last[e->thread];
	struct place *p = place_from(s, e->event->address);
	struct bad_free bad = {
		.address = p->address,
		.free = call_of(e),
	};

	step(s, e);
	if (p->owed > 0) {
		p->owed--;
		s->found->unknown++;
	} else if (judge_place(s, p, &bad)) {
		last->is = LAST_BAD;
		last->bad = enter(s, &bad);
		if (bad.kind == BAD_FREE_DOUBLE) {
			p->doubt = bad.free;
			p->doubt_place = last->bad;
		}
	} else {
		last->is = LAST_UNSEEN;
		last->unseen = bad;
		s->found->unknown++;
		if (!s->inherits && !is_loaders(s->trace, bad.free.node))
			s->unseen++;
	}
	if (!p->first.kind || p->first.clock < s->since)
		p->first = bad.free;
}

/* ---- The verdict. ---- */

/* Tell whether the process may have ended over a free. */
static bool is_fatal_end(const struct trace *t)
{
	if (t->state == TRACE_KILLED)
		return true;
	return t->state == TRACE_ENDED && t->end == MT_END_SIGNAL &&
	       t->signal != SIGKILL && t->signal != SIGTERM &&
	       t->signal != SIGINT && t->signal != SIGHUP;
}

/* Look which free was the last thing that a thread did before the end. */
static void judge_last(struct search *s)
{
	struct last *unseen = NULL;
	size_t place;

	if (!is_fatal_end(s->trace))
		return;
	for (size_t i = 0; i < s->trace->thread_count; i++) {
		struct last *l = &s->last[i];

		if (l->is == LAST_BAD)
			s->found->at[l->bad].fatal = true;
		if (l->is == LAST_UNSEEN)
			unseen = l;
	}
	/* The one such free in a whole recording, and the end came there. */
	if (!unseen || s->unseen != 1 || s->inherits || s->found->unsure)
		return;
	unseen->unseen.where = "never seen to be a block";
	place = enter(s, &unseen->unseen);
	s->found->at[place].fatal = true;
	s->found->unknown--;
	s->unseen--;
}

/* Tell whether a bad free stands, now that all is known. */
static bool stands(struct search *s, struct operators *o, struct bad_free *bad)
{
	const char *own;

	if (!bad->times)
		return false;
	if (bad->kind == BAD_FREE_DOUBLE)
		return bad->fatal || !s->unseen;
	if (bad->kind != BAD_FREE_MISMATCH && bad->kind != BAD_FREE_SIZE)
		return true;
	own = operators_own(o, bad->alloc.node);
	if (!own)
		own = operators_own(o, bad->free.node);
	if (own)
		s->found->not_judged = own;
	if (own || s->unseen)
		return false;
	return bad->kind == BAD_FREE_SIZE ||
	       operators_family(o, bad->alloc.kind, bad->alloc.node) !=
		       operators_family(o, bad->free.kind, bad->free.node);
}

static int compare(const void *a, const void *b)
{
	const struct bad_free *x = a, *y = b;

	if (x->free.clock != y->free.clock)
		return x->free.clock < y->free.clock ? -1 : 1;
	return (x->address > y->address) - (x->address < y->address);
}

/* Leave in the list what stands. */
static void settle(struct search *s, struct stacks *stacks)
{
	struct bad_frees *f = s->found;
	struct operators o;
	size_t kept = 0;

	operators_begin(&o, stacks);
	for (size_t i = 0; i < f->count; i++) {
		if (!stands(s, &o, &f->at[i])) {
			f->unknown += s->unseen ? f->at[i].times : 0;
			continue;
		}
		f->total += f->at[i].times;
		f->at[kept++] = f->at[i];
	}
	f->count = kept;
	operators_end(&o);
	if (f->count)
		qsort(f->at, f->count, sizeof(*f->at), compare);
}

/* Start a replay at the beginning. */
static void rewind_search(struct search *s)
{
	s->pause = 0;
	s->since = 0;
	s->inherits = s->trace->parent != NULL;
}

/* Replay for a listener. */
static void replay(struct search *s, const struct replay_listener *l,
		   replay_progress *progress)
{
	struct replay r;

	rewind_search(s);
	replay_run(&r, s->trace, UINT64_MAX, l, 1, progress);
	replay_free(&r);
}

/* Set up the places of the addresses that were missed. */
static void make_places(struct search *s)
{
	s->places = util_alloc(s->missed.count, sizeof(*s->places));
	for (size_t i = 0; i < s->missed.slots; i++)
		if (s->missed.entry[i].used)
			s->places[s->place_count++].address =
				s->missed.entry[i].key;
}

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

void bad_frees_find(struct bad_frees *b, struct trace *t, struct stacks *stacks,
		    replay_progress *progress)
{
	struct search s = {
		.trace = t,
		.found = b,
		.last = util_alloc(t->thread_count, sizeof(*s.last)),
	};
	const struct replay_listener first = {
		.context = &s,
		.begins = keep_begin,
		.ends = judge_end,
		.misses = note_miss,
	};
	const struct replay_listener second = {
		.context = &s,
		.begins = history_begin,
		.ends = history_end,
		.resumes = history_resume,
		.others = history_other,
		.misses = judge_miss,
	};

	*b = (struct bad_frees){.unsure = why_unsure(t)};
	replay(&s, &first, progress);
	if (s.missed.count) {
		make_places(&s);
		qsort(s.places, s.place_count, sizeof(*s.places),
		      compare_places);
		replay(&s, &second, progress);
		judge_last(&s);
	}
	settle(&s, stacks);
	free(s.places);
	free(s.last);
	map_free(&s.group);
	map_free(&s.align);
	map_free(&s.missed);
}

char *bad_frees_text(const struct bad_frees *b)
{
	uint64_t sum[BAD_FREE_KINDS] = {0};
	char *text = util_copy("", 0), *longer;

	for (size_t i = 0; i < b->count; i++)
		sum[b->at[i].kind] += b->at[i].times;
	for (size_t i = 0; i < BAD_FREE_KINDS; i++) {
		if (!sum[i])
			continue;
		longer = util_format("%s%s%" PRIu64 " %s", text,
				     *text ? ", " : "", sum[i],
				     bad_free_kind_names[i]);
		free(text);
		text = longer;
	}
	return text;
}

void bad_frees_free(struct bad_frees *b)
{
	free(b->at);
	free(b->noted);
	*b = (struct bad_frees){0};
}
