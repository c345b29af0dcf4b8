/* SPDX-License-Identifier: MIT */
/* What the traces that are served were replayed to; see states.h. */
#include "states.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Begin the metrics of a state. */
static const struct replay_listener *begin(void *context, struct trace *t)
{
	struct state *st = context;

	st->listener = metrics_follow(&st->replay, &st->metrics, t);
	return &st->listener;
}

static void move(void *context, struct trace *t)
{
	struct state *st = context;

	metrics_move(&st->replay, t);
}

static void free_state(struct state *st)
{
	follow_close(&st->follow);
	metrics_free(&st->replay);
	free(st->path);
	free(st);
}

/* Return where the state of a path is linked in, or would be. */
static struct state **place_of(const struct states *s, const char *path)
{
	struct state *const *at = &s->first;

	while (*at && strcmp((*at)->path, path) != 0)
		at = &(*at)->next;
	return (struct state **)at;
}

struct state *states_find(const struct states *s, const char *path)
{
	return *place_of(s, path);
}

/* Return a state without a trace. */
static struct state *new_state(const char *path)
{
	struct state *st = util_alloc(1, sizeof(*st));

	st->path = util_copy(path, strlen(path));
	st->options = (struct follow_options){
		.keys = PROF_BY_SIZE | PROF_BY_THREAD,
		.exact = true,
		.begin = begin,
		.move = move,
		.context = st,
	};
	return st;
}

/* Read a trace from its beginning. */
static int read_anew(struct states *s, struct state *st, struct error *e)
{
	follow_close(&st->follow);
	return follow_open(&st->follow, st->path, &st->options, s->progress, e);
}

/* Bring a state up to now. */
static int bring_up(struct states *s, struct state *st, struct error *e)
{
	struct kept_file file;
	bool same;

	if (!kept_identify(&file, st->path))
		return error_set(e, ERROR_NO_OFFSET, "it is gone");
	same = memcmp(&file, &st->file, sizeof(file)) == 0;
	st->file = file;
	if (!st->follow.trace.path || (st->follow.ended && !same))
		return read_anew(s, st, e);
	if (st->follow.ended)
		return 0;
	if (follow_on(&st->follow, s->progress, e))
		return -1;
	return metrics_fit(&st->replay) ? 0 : read_anew(s, st, e);
}

struct state *states_get(struct states *s, const char *path, struct error *e)
{
	struct state **at = place_of(s, path), *st = *at;

	if (st)
		*at = st->next;
	else
		st = new_state(path);
	if (bring_up(s, st, e)) {
		free_state(st);
		return NULL;
	}
	st->asked_ns = now_ns();
	st->next = s->first;
	s->first = st;
	return st;
}

void states_tidy(struct states *s)
{
	uint64_t now = now_ns(), bytes = 0;
	struct state **at = &s->first;

	while (*at) {
		struct state *st = *at;

		follow_shrink(&st->follow);
		bytes += follow_bytes(&st->follow);
		if (bytes <= STATES_BYTES &&
		    now - st->asked_ns < STATES_IDLE_NS) {
			at = &st->next;
			continue;
		}
		bytes -= follow_bytes(&st->follow);
		*at = st->next;
		free_state(st);
	}
}

bool state_profile(struct state *st, struct profile *p, unsigned int keys,
		   struct metrics *m)
{
	struct follow *f = &st->follow;
	uint64_t image;
	bool folded;

	if (!follow_rest(f) || f->trace.missing || !metrics_fit(&st->replay))
		return false;
	folded = f->from_image ||
		 (!f->ended && live_image_state(f->trace.live_path, &image));
	if (m)
		metrics_settle(&st->replay, folded);
	/* Rows apart are made of events, of which the first are gone. */
	if (folded || !keys)
		prof_merge_rows(&f->prof);
	prof_end(&f->prof, &f->trace, &f->replay);
	profile_take(p, &f->prof);
	if (!m)
		return true;
	*m = st->metrics;
	metrics_end(m, p);
	return true;
}
