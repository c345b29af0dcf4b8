/* SPDX-License-Identifier: MIT */
/*
 * merge FILE...: several files, or all in a directory, as one profile; shown as
 * the summary of it. What is to be said against one of them is said of the
 * whole, with the file's name.
 */
#include "view.h"

#include <stdlib.h>
#include <string.h>

#include "combine.h"
#include "trust.h"

/* Something said of files: of which first, and of how many. */
struct remark {
	char *text;
	const char *path;
	size_t files;
};

struct remarks {
	struct remark *at;
	size_t count, room;
	const char *path; /* of the file that is asked now */
};

/* Enter what is said of a file; the same of several is one remark. */
static void take_line(void *context, const char *text)
{
	struct remarks *r = context;

	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->at[i].text, text) == 0) {
			r->at[i].files++;
			return;
		}
	r->at = util_grow(r->at, r->count, &r->room, sizeof(*r->at));
	r->at[r->count++] = (struct remark){
		.text = util_copy(text, strlen(text)),
		.path = r->path,
		.files = 1,
	};
}

/* Note of the whole what is said of its parts. */
static void note_parts(struct profile *all, const struct view *v)
{
	struct remarks r = {0};

	for (size_t i = 0; i < v->input_count; i++) {
		r.path = util_basename(v->inputs[i].profile->path);
		trust_tell(v->inputs[i].profile, take_line, &r);
	}
	for (size_t i = 0; i < r.count; i++) {
		const struct remark *a = &r.at[i];

		if (a->files > 1)
			profile_add_note(all, "%s and %zu more: %s", a->path,
					 a->files - 1, a->text);
		else
			profile_add_note(all, "%s: %s", a->path, a->text);
		free(a->text);
	}
	free(r.at);
}

void view_merge_profiles(const struct view *v, struct profile *all)
{
	profile_begin(all, v->inputs[0].profile->path, "merged",
		      PROFILE_HAS_ALL);
	all->keys = PROF_BY_THREAD | PROF_BY_SIZE;
	for (size_t i = 0; i < v->input_count; i++)
		combine_add(all, v->inputs[i].profile);
	profile_add_note(all,
			 "%zu profiles together: the peak is the sum of "
			 "theirs, which were at moments of their own",
			 v->input_count);
	note_parts(all, v);
}

int view_merge(struct view *v, struct error *e)
{
	struct profile all;
	int status;

	view_merge_profiles(v, &all);
	v->profile = &all;
	v->trace = NULL;
	status = view_summary(v, e);
	profile_free(&all);
	return status;
}
