/* SPDX-License-Identifier: MIT */
/* A trace that is being recorded, replayed as it grows; see follow.h. */
#include "follow.h"

#include <stdlib.h>
#include <string.h>

/* Replay what there is now, or what of it is old enough. */
static void step(struct follow *f, replay_progress *progress)
{
	const struct trace *t = &f->trace;
	uint64_t behind = trace_clock(t, FOLLOW_BEHIND_NS) - t->process.clock;
	uint64_t until = t->cut;

	if (f->options->exact && !f->ended)
		until = until > behind ? until - behind : 0;
	/* Time may have stood still. */
	if (until > f->applied)
		f->applied = until;
	replay_on(&f->replay, &f->trace, f->applied, progress);
}

/* Begin all who listen. */
static void begin(struct follow *f)
{
	const struct follow_options *o = f->options;
	struct prof_options sums = {.until = UINT64_MAX};
	size_t n = 1;

	f->from_image = f->trace.image;
	sums.keys = f->from_image ? 0 : o->keys;
	if (o->begin)
		sums.beside = o->begin(o->context, &f->trace);
	f->listener[0] = prof_begin(&f->prof, &f->trace, &sums);
	if (!o->exact)
		f->listener[n++] = tally_begin(&f->tally, &f->trace);
	replay_begin(&f->replay, &f->trace, f->listener, n);
}

int follow_open(struct follow *f, const char *path,
		const struct follow_options *o, replay_progress *progress,
		struct error *e)
{
	f->open = true;
	f->options = o;
	f->opened++;
	if (trace_open(&f->trace, path, e))
		return -1;
	f->ended = f->trace.state != TRACE_RUNNING;
	begin(f);
	step(f, progress);
	return 0;
}

/* Read all of it anew; what came since the last look is told as before. */
static int open_again(struct follow *f, uint64_t since,
		      replay_progress *progress, struct error *e)
{
	char *path = util_copy(f->trace.path, strlen(f->trace.path));
	const struct follow_options *o = f->options;
	uint64_t opened = f->opened;
	int status;

	follow_close(f);
	f->opened = opened;
	f->tally.since = since;
	status = follow_open(f, path, o, progress, e);
	free(path);
	return status;
}

/*
 * Tell whether the sums can go on with a later reading. Of a sample, those
 * that begin with an image lack what it has, which changes.
 */
static bool can_go_on(const struct follow *f, const struct trace *before)
{
	const struct trace *t = &f->trace;
	uint64_t state;

	if (!trace_is_same_run(t, before) ||
	    t->rate_count != before->rate_count)
		return false;
	return !f->options->exact || !estimate_is_needed(t) ||
	       !live_image_state(t->live_path, &state);
}

int follow_on(struct follow *f, replay_progress *progress, struct error *e)
{
	uint64_t since = f->trace.cut, applied = f->applied;
	struct trace before = f->trace;
	bool behind;

	if (trace_follow(&f->trace, &before, e)) {
		trace_close(&f->trace);
		f->trace = before;
		return -1;
	}
	if (!can_go_on(f, &before)) {
		trace_close(&before);
		return open_again(f, since, progress, e);
	}
	replay_move(&f->replay, &before, &f->trace);
	prof_move(&f->prof, &before, &f->trace);
	if (f->options->exact)
		f->options->move(f->options->context, &f->trace);
	else
		tally_move(&f->tally, &f->trace, since);
	step(f, progress);
	behind = trace_is_behind(&f->trace, applied) ||
		 (f->options->exact && f->replay.late);
	trace_close(&before);
	return behind ? open_again(f, since, progress, e) : 0;
}

bool follow_rest(struct follow *f)
{
	replay_on(&f->replay, &f->trace, UINT64_MAX, NULL);
	return f->ended || !trace_is_behind(&f->trace, f->applied);
}

void follow_shrink(struct follow *f)
{
	trace_shrink(&f->trace);
}

uint64_t follow_bytes(const struct follow *f)
{
	const struct trace *t = &f->trace;
	const struct prof *p = &f->prof;

	return f->replay.heap.places * sizeof(*f->replay.heap.block) +
	       p->row_count * (sizeof(**p->chunk) + sizeof(*p->key)) +
	       (p->slot ? p->slots : p->node_count) * sizeof(*p->slot) +
	       t->node_count * sizeof(*t->nodes) +
	       t->pc_count * sizeof(*t->pcs) + t->meta_bytes;
}

void follow_close(struct follow *f)
{
	if (!f->open)
		return;
	replay_end(&f->replay);
	replay_free(&f->replay);
	prof_free(&f->prof);
	tally_free(&f->tally);
	trace_close(&f->trace);
	*f = (struct follow){0};
}
