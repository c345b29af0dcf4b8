/* SPDX-License-Identifier: MIT */
/*
 * Moments of a recording by their names: those that the program marked, and
 * those that the recorder took note of.
 */
#ifndef ANALYZER_MOMENTS_H
#define ANALYZER_MOMENTS_H

#include "trace.h"

/* What --at calls the notes of a kind, and why a note was made, in words.
 * enum mt_why; NULL: it is none. */
const char *moments_name(uint32_t why);

/* Tell whether a text has the form of a moment's name: "limit", "failure",
 * "snapshot", each with ":N" to say which, from 1, or "mark:NAME". */
bool moments_is_name(const char *text);

/* Find the moment of a name, the last if it says no number: the clock value.
 * False: there is none in the trace. */
bool moments_find(const struct trace *t, const char *text, uint64_t *clock);

#endif
