/* SPDX-License-Identifier: MIT */
/*
 * The language in which blocks are chosen: tests of their fields, joined by
 * &&, || and !. Reading it and joining the answers is done here; what a test's
 * answer is for a block, the caller knows.
 *
 *   expression  all { "||" all }
 *   all         one { "&&" one }
 *   one         "!" one | "(" expression ")" | flag | field operator value
 *   operator    == != < <= > >=       numbers
 *               == != ~ !~            texts
 *   value       number with a unit | "text" | 'text'
 */
#ifndef ANALYZER_EXPR_H
#define ANALYZER_EXPR_H

#include <regex.h>

#include "util.h"

enum expr_field {
	EXPR_SIZE,
	EXPR_ALIGN,
	EXPR_KIND,
	EXPR_TIME,
	EXPR_LIFETIME,
	EXPR_FREED,
	EXPR_TEMPORARY,
	EXPR_THREAD, /* its number by EXPR_RANGE, else its name */
	EXPR_FUNCTION,
	EXPR_FILE,
	EXPR_MODULE,
	EXPR_SITE,
	EXPR_STACK,
	EXPR_DEPTH,
	EXPR_FIELDS,
};

/* Three values, so that a block can be judged before all is known of it. */
enum expr_truth { EXPR_NO, EXPR_UNKNOWN, EXPR_YES };

enum expr_how {
	EXPR_FLAG,
	EXPR_RANGE,   /* min <= number <= max; bytes or ns */
	EXPR_IS,      /* the text */
	EXPR_MATCHES, /* the regular expression (POSIX, extended) */
};

struct expr_test {
	enum expr_field field;
	enum expr_how how;
	uint64_t min, max;
	char *text;
	regex_t *regex;
};

/* An inner node joins two others (! the left one), a leaf is a test. */
enum expr_join { EXPR_TEST, EXPR_NOT, EXPR_AND, EXPR_OR };

struct expr_node {
	enum expr_join join;
	uint32_t left, right; /* EXPR_TEST: left is the test's number */
};

/* Zeroed takes all. */
struct expr {
	struct expr_test *test;
	struct expr_node *node; /* the root is the last */
	size_t test_count, test_room, count, room;
};

/* So many tests at the most, so that no recursion is deep. */
#define EXPR_MAX_TESTS 256

/*
 * Each of these adds a condition by &&. -1, with `e` filled and the expression
 * to be freed, when it is wrong; its offset is that of the wrong character,
 * where it is of `text`.
 */
int expr_add(struct expr *x, const char *text, struct error *e);
int expr_add_text(struct expr *x, enum expr_field field, enum expr_how how,
		  const char *text, bool negated, struct error *e);
int expr_add_range(struct expr *x, enum expr_field field, uint64_t min,
		   uint64_t max, struct error *e);

void expr_free(struct expr *x);

const char *expr_field_name(enum expr_field field);

/* Tell whether a field is asked for. */
bool expr_uses(const struct expr *x, enum expr_field field);

/* Answer the test of a number. */
typedef enum expr_truth expr_answer(void *context, size_t test);

/* Decide by the answers, asking for as few as it takes. */
enum expr_truth expr_decide(const struct expr *x, expr_answer *answer,
			    void *context);

/* Tell whether a text is, or matches, a test's. */
bool expr_test_text(const struct expr_test *t, const char *text);

/* Tell whether a number is in a test's range. */
static inline bool expr_test_number(const struct expr_test *t, uint64_t n)
{
	return n >= t->min && n <= t->max;
}

#endif
