/* SPDX-License-Identifier: MIT */
/*
 * Output to a file: whole or not at all. It is written under another name
 * beside it and renamed at the end; but a device or a pipe is written itself.
 */
#ifndef ANALYZER_OUTFILE_H
#define ANALYZER_OUTFILE_H

#include <stdio.h>

#include "util.h"

struct outfile {
	FILE *f;
	char *path, *temporary; /* NULL: `path` is no file */
};

/* Begin the file at `path`; -1 and `e` filled when that can't be done. */
int outfile_open(struct outfile *o, const char *path, struct error *e);

/* Put the file in its place; -1 and `e` filled, and no file, when not. */
int outfile_commit(struct outfile *o, struct error *e);

/* Give the file up. */
void outfile_abort(struct outfile *o);

#endif
