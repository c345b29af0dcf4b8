/* SPDX-License-Identifier: MIT */
/*
 * A table, and its three forms: text for people, JSON, CSV. Every view is made
 * of them, so all views have all forms.
 *
 * In text, columns are as wide as they need to be, numbers have units, and the
 * last row may sum up what is not shown. JSON and CSV have integers (bytes, ns)
 * under each column's key.
 */
#ifndef ANALYZER_TABLE_H
#define ANALYZER_TABLE_H

#include "stacks.h"
#include "term.h"

enum table_type {
	TABLE_COUNT,
	TABLE_BYTES,
	TABLE_COUNT_CHANGE, /* signed */
	TABLE_BYTES_CHANGE,
	TABLE_ID,   /* a number that is a name */
	TABLE_TIME, /* ns */
	TABLE_PERCENT,
	TABLE_NUMBER, /* a real number, two decimals */
	TABLE_TEXT,   /* to the left */
	TABLE_RIGHT,  /* text, to the right */
	TABLE_SITE,   /* a frame: function, file, line and module */
};

/* A column with no key is in text only, one with no title in the others. */
struct table_column {
	const char *key, *title;
	enum table_type type;
};

union table_cell {
	uint64_t n;
	int64_t change;
	double real;
	const char *text; /* by table_keep(), or static; NULL: none */
	const struct frame *frame;
};

#define TABLE_MAX_COLUMNS 32

struct table {
	const char *key;   /* of its array in JSON */
	const char *title; /* in text; NULL: none */
	const struct table_column *column;
	unsigned int columns;
	union table_cell *cell; /* row by row */
	size_t rows;
	bool blank_zeros; /* in text */
	const char *rest; /* the last row sums up what is not shown: as what */

	/* The rest is table.c's own. */
	size_t room;
	struct strpool *texts;
};

enum table_form { TABLE_AS_TEXT, TABLE_AS_JSON, TABLE_AS_CSV };

struct table_style {
	enum table_form form;
	bool exact;	    /* text: bytes as integers */
	unsigned int width; /* text: of the terminal; 0: no bound */
	struct term_style term;
};

/* Begin a table; `column` must outlive it. */
void table_begin(struct table *t, const char *key, const char *title,
		 const struct table_column *column, unsigned int columns);

/* Append a row and return its cells, zeroed; valid until the next. */
union table_cell *table_add(struct table *t);

/* Return a copy of a text that lives as long as the table. */
const char *table_keep(struct table *t, const char *text);

/* Write a table; in JSON as `"key": [...]`, without what stands around. */
void table_print(const struct table *t, const struct table_style *s, FILE *out);

void table_free(struct table *t);

/* Write a frame's fields, as JSON has them. */
void table_put_json_site(const struct frame *f, FILE *out);

/* Return `part` of `whole` in per cent. */
double table_percent(uint64_t part, uint64_t whole);

/* Write a frame for people: its function and where it is. Long templates'
 * arguments are left out. At most `width` columns, 0: no bound. */
void table_put_site(FILE *out, const struct frame *f,
		    const struct term_style *style, unsigned int width);

#endif
