/* SPDX-License-Identifier: MIT */
/*
 * Imports: other tools' files read as profiles, one file a format. What a
 * format lacks is not guessed: the profile says in `has` what there is, and in
 * its notes what there is not.
 */
#ifndef ANALYZER_IMPORT_H
#define ANALYZER_IMPORT_H

#include "profile.h"

/* A file as an importer gets it, decompressed. A NUL follows the last byte. */
struct import {
	const char *path;
	const char *text;
	size_t bytes;
};

/* Tell whether a file is of the format. */
typedef bool import_matches(const struct import *in);

/* Begin a profile and read the file into it; 0, or -1 with `e` filled. */
typedef int import_function(struct profile *p, const struct import *in,
			    struct error *e);

import_matches heaptrack_matches, massif_matches, legacy_matches, pprof_matches;
import_function heaptrack_read; /* versions 1 to 3 */
import_function massif_read;
import_function legacy_read; /* gperftools and jemalloc heap profiles */
import_function pprof_read;  /* heap profiles in profile.proto */

/*
 * Read the file at `path` by the format that it is of. 0; -1 with `e` filled;
 * 1 when it is of none. Free `p` after 0 only.
 */
int import_file(struct profile *p, const char *path,
		const struct sym_options *sym, struct error *e);

#endif
