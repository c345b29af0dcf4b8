/* SPDX-License-Identifier: MIT */
/*
 * How things look on a terminal: numbers with units and separators, colour,
 * a progress bar.
 */
#ifndef ANALYZER_TERM_H
#define ANALYZER_TERM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "util.h"

/* Room for any number as text. */
#define TERM_NUMBER 32

/* Write a count as text: 1,234,567. Return `to`. */
const char *term_count(char to[TERM_NUMBER], uint64_t n);

/* Return what makes a noun one of `n`: "s", or nothing behind 1. */
const char *term_plural(uint64_t n);

/* Write bytes as text: 7.2 MiB, or exactly: 7,549,747. Return `to`. */
const char *term_bytes(char to[TERM_NUMBER], uint64_t n, bool exact);

/* Write a time as text: 2.1 s. Return `to`. */
const char *term_time(char to[TERM_NUMBER], uint64_t ns);

enum term_colour { TERM_AUTO, TERM_ALWAYS, TERM_NEVER };

/*
 * Decide whether stdout gets colour: by what was asked for, else $NO_COLOR,
 * else TERM=dumb, else whether it is a terminal.
 */
bool term_wants_colour(enum term_colour asked);

/*
 * Return the columns that stdout shows: of the terminal, or of $COLUMNS; 0
 * when it is none, so that nothing need be cut.
 */
unsigned int term_width(void);

/* Escape sequences, empty without colour. */
struct term_style {
	const char *bold, *dim, *plain;
};

struct term_style term_style(bool colour);

/*
 * Show how far the work is on stderr, if that is a terminal and the work has
 * taken a second. term_bar_clear() takes it away.
 */
void term_bar(uint64_t done, uint64_t total);
void term_bar_clear(void);

/*
 * Write text for people: control characters and bytes that are not UTF-8
 * become '?', so that a name in a trace can't steer the terminal.
 */
void term_put_text(FILE *out, const char *text);

/* Return the length in bytes of the UTF-8 character at `s`, 0 if bad. */
unsigned int term_utf8(const char *s);

#endif
