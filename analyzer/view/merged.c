/* SPDX-License-Identifier: MIT */
/*
 * merge FILE...: several files, or all in a directory, as one profile; shown as
 * the summary of it.
 */
#include "view.h"

#include "combine.h"

int view_merge(struct view *v, struct error *e)
{
	struct profile all;
	int status;

	profile_begin(&all, v->inputs[0].profile->path, "merged", 0);
	for (size_t i = 0; i < v->input_count; i++)
		combine_add(&all, v->inputs[i].profile);
	profile_add_note(&all,
			 "%zu profiles together: the peak is the sum of "
			 "theirs, which were at moments of their own",
			 v->input_count);
	v->profile = &all;
	v->trace = NULL;
	status = view_summary(v, e);
	profile_free(&all);
	return status;
}
