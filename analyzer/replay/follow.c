/* SPDX-License-Identifier: MIT */
/* A trace that is being recorded, replayed as it grows; see follow.h. */
#include "follow.h"

#include <stdlib.h>
#include <string.h>

int follow_open(struct follow *f, const char *path, replay_progress *progress,
		struct error *e)
{
	struct prof_options all = {.until = UINT64_MAX};

	f->open = true;
	if (trace_open(&f->trace, path, e))
		return -1;
	f->ended = f->trace.state != TRACE_RUNNING;
	f->listener[0] = prof_begin(&f->prof, &f->trace, &all);
	f->listener[1] = tally_begin(&f->tally, &f->trace);
	replay_begin(&f->replay, &f->trace, f->listener, 2);
	replay_on(&f->replay, &f->trace, UINT64_MAX, progress);
	return 0;
}

/* Read all of it anew; what came since the last look is told as before. */
static int open_again(struct follow *f, uint64_t cut, replay_progress *progress,
		      struct error *e)
{
	char *path = util_copy(f->trace.path, strlen(f->trace.path));
	int status;

	follow_close(f);
	f->tally.since = cut;
	status = follow_open(f, path, progress, e);
	free(path);
	return status;
}

int follow_on(struct follow *f, replay_progress *progress, struct error *e)
{
	uint64_t cut = f->trace.cut;
	struct trace before = f->trace;
	bool behind;

	if (trace_follow(&f->trace, &before, e)) {
		trace_close(&f->trace);
		f->trace = before;
		return -1;
	}
	replay_move(&f->replay, &before, &f->trace);
	prof_move(&f->prof, &f->trace);
	tally_move(&f->tally, &f->trace, cut);
	replay_on(&f->replay, &f->trace, UINT64_MAX, progress);
	behind = trace_is_behind(&f->trace, &before);
	trace_close(&before);
	if (behind || f->trace.state != TRACE_RUNNING)
		return open_again(f, cut, progress, e);
	return 0;
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
