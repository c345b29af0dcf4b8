/* SPDX-License-Identifier: MIT */
/* The traces that are served; see served.h. */
#include "served.h"

#include <stdlib.h>
#include <string.h>

#include "input.h"

/* How often a trace is opened whose segments go while they are read. */
#define TRIES 3

/* Append a trace that is not open. */
static void append(struct served_list *l, size_t *room, char *path)
{
	l->at = util_grow(l->at, l->count, room, sizeof(*l->at));
	l->at[l->count++] = (struct served){.path = path};
}

void served_find(struct served_list *l, const struct served_from *from)
{
	size_t room = 0;

	*l = (struct served_list){0};
	for (size_t i = 0; i < from->count; i++) {
		struct input_path *paths;
		struct error none = {0};
		const char *path;
		size_t n = input_list(&from->arguments[i], 1, &paths, &path,
				      &none);

		for (size_t j = 0; j < n; j++)
			append(l, &room, paths[j].path);
		free(paths);
	}
}

/* Take note of an attempt to open a trace. */
static bool note_open(struct served *s, int status)
{
	s->is_open = status == 0;
	s->trace = &s->opened;
	if (!s->is_open)
		trace_close(&s->opened);
	return s->is_open;
}

bool served_open(struct served *s)
{
	return note_open(s, trace_open(&s->opened, s->path, &s->why));
}

bool served_peek(struct served *s)
{
	return note_open(s, trace_peek(&s->opened, s->path, &s->why));
}

bool served_has_states(const struct served_from *from)
{
	const struct options *o = from->options;

	return !select_chooses(from->select) && !o->from_ns &&
	       o->to_ns == UINT64_MAX && o->at != OPTIONS_AT_TIME;
}

bool served_follow(struct served *s, struct states *states)
{
	struct state *st = states_get(states, s->path, &s->why);

	served_close(s);
	s->state = st;
	if (!st)
		return false;
	s->trace = &st->follow.trace;
	s->is_open = true;
	return true;
}

void served_close(struct served *s)
{
	if (s->has_profile)
		profile_free(&s->profile);
	if (s->is_open && !s->state)
		trace_close(&s->opened);
	s->state = NULL;
	s->has_profile = s->is_open = false;
}

/* Profile what a state comes to; false: the recorder was faster. */
static bool profile_state(struct served *s, const struct served_from *from,
			  unsigned int keys)
{
	struct sym_options sym = input_sym_options(from->options);

	profile_open_trace(&s->profile, s->trace, &sym);
	s->has_profile = true;
	select_trace(from->select, s->trace, &s->profile.stacks, NULL);
	return state_profile(s->state, &s->profile, keys, s->metrics);
}

/* Profile what is open. */
static void profile(struct served *s, const struct served_from *from,
		    unsigned int keys)
{
	/* Rows apart are made of events, of which the first are gone. */
	struct prof_options p = {.keys = s->trace->image ? 0 : keys};
	struct sym_options sym = input_sym_options(from->options);
	struct metrics_replay replay;
	struct replay_listener beside;

	select_window(from->options, s->trace, &p.from, &p.until);
	profile_open_trace(&s->profile, s->trace, &sym);
	s->has_profile = true;
	select_trace(from->select, s->trace, &s->profile.stacks, NULL);
	select_set_options(from->select, &p);
	if (s->metrics) {
		beside = metrics_begin(&replay, s->metrics, s->trace, &p);
		p.beside = &beside;
	}
	profile_replay(&s->profile, &p, NULL);
	if (!s->metrics)
		return;
	metrics_end(s->metrics, &s->profile);
	s->metrics->missing = s->trace->missing;
}

bool served_profile(struct served *s, const struct served_from *from,
		    unsigned int keys)
{
	if (s->state) {
		if (profile_state(s, from, keys))
			return true;
		served_close(s);
		if (!served_open(s))
			return false;
	}
	for (int i = 0; i < TRIES && s->is_open; i++) {
		if (select_check_history(from->options, s->trace, &s->why))
			return false;
		profile(s, from, keys);
		if (!s->trace->live_is_copy || !s->trace->missing)
			return true;
		/* Folded, or ended, while it was read. */
		served_close(s);
		if (!served_open(s))
			return false;
	}
	error_set(&s->why, ERROR_NO_OFFSET,
		  "it changes faster than it can be read");
	return false;
}

void served_free(struct served_list *l)
{
	for (size_t i = 0; i < l->count; i++) {
		served_close(&l->at[i]);
		free(l->at[i].path);
	}
	free(l->at);
	*l = (struct served_list){0};
}
