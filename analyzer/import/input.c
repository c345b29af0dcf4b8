/* SPDX-License-Identifier: MIT */
/* A file as the views get it; see input.h. */
#include "input.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "term.h"

/* Tell whether a directory's entry is a trace by its name. */
static int is_trace(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 4 && strcmp(entry->d_name + n - 4, ".zst") == 0;
}

/* Append a path to a list. */
static void append(struct input_path **list, size_t *n, size_t *room,
		   char *path, size_t side)
{
	*list = util_grow(*list, *n, room, sizeof(**list));
	(*list)[(*n)++] = (struct input_path){path, side};
}

size_t input_list(char *const *arguments, size_t n, struct input_path **list,
		  const char **path, struct error *e)
{
	size_t count = 0, room = 0;

	*list = NULL;
	for (size_t side = 0; side < n && !error_is_set(e); side++) {
		const char *name = *path = arguments[side];
		struct dirent **entry;
		int found = scandir(name, &entry, is_trace, alphasort);

		/* No directory: a file, if it is there. */
		if (found < 0)
			append(&list[0], &count, &room,
			       util_copy(name, strlen(name)), side);
		if (!found)
			error_set(e, ERROR_NO_OFFSET, "no .zst in it");
		for (int i = 0; i < found; i++) {
			append(&list[0], &count, &room,
			       util_format("%s/%s", name, entry[i]->d_name),
			       side);
			free(entry[i]);
		}
		if (found >= 0)
			free(entry);
	}
	while (error_is_set(e) && count)
		free((*list)[--count].path);
	return count;
}

struct sym_options input_sym_options(const struct options *o)
{
	return (struct sym_options){
		.sysroot = o->sysroot,
		.debug_path = o->debug_path,
		.cache = true,
	};
}

/* Make the profile of a trace. */
static void make_profile(struct input *in, const struct input_wants *w)
{
	struct prof_options p = {.keys = w->keys, .keep_live = w->live};
	struct sym_options sym = input_sym_options(w->options);

	select_window(w->options, in->trace, &p.from, &p.until);
	in->profile = &in->made;
	profile_open_trace(in->profile, in->trace, &sym);
	select_trace(w->select, in->trace, &in->profile->stacks, term_bar);
	select_set_options(w->select, &p);
	if (w->whole && in->trace->image && !p.from && !p.takes)
		p.keys = 0;
	if (!w->no_sums)
		profile_replay(in->profile, &p, term_bar);
	term_bar_clear();
}

/* Prepare a trace that is wanted without a profile. */
static void prepare_trace(struct input *in, const struct input_wants *w)
{
	struct sym_options sym = input_sym_options(w->options);

	if (!w->select)
		return;
	stacks_of_trace(&in->stacks, in->trace, &sym);
	select_trace(w->select, in->trace, &in->stacks, term_bar);
	term_bar_clear();
}

/* Say what a file without events cannot answer. */
static int refuse_import(const struct input *in, const struct input_wants *w,
			 struct error *e)
{
	const struct options *o = w->options;

	if (!w->profile)
		return error_set(e, ERROR_NO_OFFSET,
				 "%s needs the events, which a %s file has not",
				 w->command, in->profile->source);
	if (o->from_ns || o->to_ns != UINT64_MAX || o->at == OPTIONS_AT_TIME)
		return error_set(e, ERROR_NO_OFFSET,
				 "a time needs the events, which a %s file has "
				 "not",
				 in->profile->source);
	return select_rows(w->select, in->profile, e);
}

int input_open(struct input *in, const char *path, const struct input_wants *w,
	       struct error *e)
{
	struct sym_options sym = input_sym_options(w->options);
	struct error other = {0};
	int status;

	memset(in, 0, sizeof(*in));
	if (trace_open(&in->opened, path, e) == 0) {
		in->trace = &in->opened;
		if (select_check_history(w->options, in->trace, e))
			return -1;
		if (w->profile)
			make_profile(in, w);
		else
			prepare_trace(in, w);
		return 0;
	}
	status = import_file(&in->made, path, &sym, &other);
	if (status == 0)
		in->profile = &in->made;
	/* Of no format: what is wrong with it as a trace counts. */
	if (status > 0)
		return -1;
	*e = other;
	return status ? -1 : refuse_import(in, w, e);
}

void input_close(struct input *in)
{
	if (in->profile)
		profile_free(in->profile);
	stacks_free(&in->stacks);
	trace_close(&in->opened);
}
