/* SPDX-License-Identifier: MIT */
/*
 * Which programs can be recorded: found as execvp() finds them, and read
 * before they run, since a loader that ignores LD_PRELOAD says nothing.
 */
#ifndef ANALYZER_PROGRAM_H
#define ANALYZER_PROGRAM_H

#include "util.h"

/* Exit statuses for what could not be run, as env(1) and time(1) have them. */
enum {
	PROGRAM_REFUSED = 125,
	PROGRAM_NOT_EXECUTABLE = 126,
	PROGRAM_NOT_FOUND = 127,
};

/*
 * Find the file that `name` runs: itself when it has a slash, else through
 * $PATH. Return 0 and the path in `*path`, to be freed; or an exit status of
 * the above and the reason in `e`.
 */
int program_find(const char *name, char **path, struct error *e);

/*
 * Tell whether the file at `path` can be recorded, following #! lines. Return
 * 0; or an exit status of the above and the reason in `e`.
 */
int program_check(const char *path, struct error *e);

#endif
