/* SPDX-License-Identifier: MIT */
/*
 * Imports: other tools' files read as profiles, one file a format. What a
 * format lacks is not guessed: the profile says in `has` what there is, and in
 * its notes what there is not.
 */
#ifndef ANALYZER_IMPORT_H
#define ANALYZER_IMPORT_H

#include "profile.h"

/* A file as an importer gets it, decompressed. NUL follows the last byte. */
struct import {
	const char *path;
	const char *text;
	size_t bytes;
};

/* Tell whether a file is of the format. */
typedef bool import_matches(const struct import *in);

/* Read it; 0, or -1 with `e` filled. `p` is to be freed in either case. */
typedef int import_function(struct profile *p, const struct import *in,
			    struct error *e);

/*
 * Read the file at `path` by the format that it is of. 0; -1 with `e` filled;
 * 1 when it is of none, with `p` untouched.
 */
int import_file(struct profile *p, const char *path, struct error *e);

#endif
