/* SPDX-License-Identifier: MIT */
/*
 * Compressed output: a stream whose bytes go to another one as gzip. The same
 * bytes in are the same bytes out: no time and no name is in the header.
 */
#ifndef ANALYZER_GZIP_H
#define ANALYZER_GZIP_H

#include <stdio.h>

/*
 * Return a stream for text or bytes. Its fclose() writes the end and leaves
 * `out` open, which has an error when it did not take all.
 */
FILE *gzip_open(FILE *out);

#endif
