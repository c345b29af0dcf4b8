/* SPDX-License-Identifier: MIT */
/*
 * A file as the views get it: a trace, or what another tool wrote.
 */
#ifndef ANALYZER_INPUT_H
#define ANALYZER_INPUT_H

#include "import/import.h"
#include "select.h"

/* What of a file is wanted. */
struct input_wants {
	const struct options *options;
	struct select *select; /* NULL: all blocks */
	bool profile;	       /* else the trace only */
	bool no_sums;	       /* a trace's profile is not replayed: no rows */
	unsigned int keys;     /* of the profile: PROF_BY_... */
	bool whole; /* no keys, if a bounded trace has its sums only so */
	bool live;  /* the profile keeps the last live blocks */
	const char *command; /* for errors */
};

struct input {
	struct trace *trace; /* NULL: an import */
	struct profile *profile;
	size_t side; /* of the command's arguments, counted from 0 */

	/* The rest is input.c's own. */
	struct trace opened;
	struct profile made;
	struct stacks stacks; /* of a trace that is wanted alone */
};

/* A file of the command line. */
struct input_path {
	char *path;
	size_t side; /* the argument that it came of, counted from 0 */
};

/*
 * List the files of `n` arguments: of a directory those in it whose names end
 * in .zst, in order. Returns their count; free each path and the list. 0 with
 * `e` filled: the directory `path` has none.
 */
size_t input_list(char *const *arguments, size_t n, struct input_path **list,
		  const char **path, struct error *e);

/*
 * Open a file, replay it if a profile is wanted. 0, or -1 with `e` filled. To
 * be closed in either case; stays where it is.
 */
int input_open(struct input *in, const char *path, const struct input_wants *w,
	       struct error *e);

void input_close(struct input *in);

/* Return where the options say that names are to be had. */
struct sym_options input_sym_options(const struct options *o);

#endif
