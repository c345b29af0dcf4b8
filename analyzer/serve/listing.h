/* SPDX-License-Identifier: MIT */
/* What serve lists of a trace: in /status, and in its index of pages. */
#ifndef ANALYZER_LISTING_H
#define ANALYZER_LISTING_H

#include <stdio.h>

#include "served.h"

/* Print the members of a JSON object about a trace, from ",\n" on. */
void listing_put_json(FILE *out, const struct trace *t);

/* Print a row of the table of the index. */
void listing_put_row(FILE *out, struct served *s);

#endif
