/* SPDX-License-Identifier: MIT */
/*
 * Shows what the language of --where takes and what it means, and that what it
 * refuses is named, with the character at which it is wrong.
 */
#include <stdlib.h>
#include <string.h>

#include "expr.h"
#include "suite.h"

/* The block that the expressions are about; by field. */
static const struct {
	uint64_t number;
	const char *text;
	enum expr_truth flag;
} block[EXPR_FIELDS] = {
	[EXPR_SIZE] = {.number = 1024},
	[EXPR_ALIGN] = {.number = 64},
	[EXPR_KIND] = {.text = "new[]"},
	[EXPR_TIME] = {.number = 1500000000},
	[EXPR_LIFETIME] = {.number = UINT64_MAX},
	[EXPR_FREED] = {.flag = EXPR_NO},
	[EXPR_TEMPORARY] = {.flag = EXPR_UNKNOWN},
	[EXPR_THREAD] = {.number = 4711, .text = "worker \"1\""},
	[EXPR_FUNCTION] = {.text = "parse(int)"},
	[EXPR_FILE] = {.text = "a\\b.c"},
	[EXPR_MODULE] = {.text = "libc.so.6"},
	[EXPR_SITE] = {.text = "it's"},
	[EXPR_STACK] = {.text = "main"},
	[EXPR_DEPTH] = {.number = 12},
};

/* Answer a test about the block. */
static enum expr_truth answer(void *context, size_t test)
{
	const struct expr *x = context;
	const struct expr_test *t = &x->test[test];

	if (t->how == EXPR_FLAG)
		return block[t->field].flag;
	if (t->how == EXPR_RANGE)
		return expr_test_number(t, block[t->field].number) ? EXPR_YES
								   : EXPR_NO;
	return expr_test_text(t, block[t->field].text) ? EXPR_YES : EXPR_NO;
}

/* An expression, and whether it is true of the block. */
static const struct {
	const char *text;
	enum expr_truth is;
} accepted[] = {
	{"size == 1024", EXPR_YES},
	{"size==1K", EXPR_YES},
	{"size == 1KiB", EXPR_YES},
	{"size != 1K", EXPR_NO},
	{"size < 1K", EXPR_NO},
	{"size < 1025", EXPR_YES},
	{"size <= 1K", EXPR_YES},
	{"size > 1K", EXPR_NO},
	{"size > 1023", EXPR_YES},
	{"size >= 1K", EXPR_YES},
	{"size >= 1.5K", EXPR_NO},
	{"size < 0", EXPR_NO},
	{"size >= 0", EXPR_YES},
	{"align == 64", EXPR_YES},
	{"kind == \"new[]\"", EXPR_YES},
	{"kind == 'new'", EXPR_NO},
	{"kind ~ '^new'", EXPR_YES},
	{"kind !~ '^new'", EXPR_NO},
	{"kind != 'new'", EXPR_YES},
	{"time == 1.5s", EXPR_YES},
	{"time == 1s500ms", EXPR_YES},
	{"time == 1500", EXPR_NO},
	{"time < 1501ms", EXPR_YES},
	{"lifetime > 1000000h", EXPR_YES},
	{"lifetime < 10ms", EXPR_NO},
	{"freed", EXPR_NO},
	{"!freed", EXPR_YES},
	{"! ! freed", EXPR_NO},
	{"thread == 4711", EXPR_YES},
	{"thread != 4711", EXPR_NO},
	{"thread == '4711'", EXPR_NO},
	{"thread == \"worker \\\"1\\\"\"", EXPR_YES},
	{"thread ~ 'worker|main'", EXPR_YES},
	{"function ~ 'parse\\(int\\)'", EXPR_YES},
	{"file ~ 'a\\\\b\\.c'", EXPR_YES},
	{"file == 'a\\b.c'", EXPR_YES},
	{"module == 'libc.so.6'", EXPR_YES},
	{"site == 'it\\'s'", EXPR_YES},
	{"site == \"it's\"", EXPR_YES},
	{"stack ~ ''", EXPR_YES},
	{"depth>=12&&depth<=12", EXPR_YES},
	/* && binds closer than ||, ! closest. */
	{"size > 1 || size > 1 && size < 1", EXPR_YES},
	{"(size > 1 || size > 1) && size < 1", EXPR_NO},
	{"size < 1 && size < 1 || size > 1", EXPR_YES},
	{"!size > 1 || size > 1", EXPR_YES},
	{"!(size > 1 || size > 1)", EXPR_NO},
	{"((((size > 1))))", EXPR_YES},
	{"\tsize\n>\n1\r", EXPR_YES},
	/* What is not known decides only where it matters. */
	{"temporary", EXPR_UNKNOWN},
	{"!temporary", EXPR_UNKNOWN},
	{"temporary && size > 1", EXPR_UNKNOWN},
	{"temporary && size < 1", EXPR_NO},
	{"size < 1 && temporary", EXPR_NO},
	{"temporary || size > 1", EXPR_YES},
	{"temporary || size < 1", EXPR_UNKNOWN},
};

START_TEST(accepts)
{
	struct error e = {0};
	struct expr x = {0};

	ck_assert_msg(!expr_add(&x, accepted[_i].text, &e), "%s: %s",
		      accepted[_i].text, e.text);
	ck_assert_msg(expr_decide(&x, answer, &x) == accepted[_i].is, "%s",
		      accepted[_i].text);
	expr_free(&x);
}
END_TEST

/* A wrong one; `at` points at the wrong character, `why` is in the message. */
static const struct {
	const char *text, *at, *why;
} refused[] = {
	{"sizee > 1", "^", "unknown field 'sizee', did you mean 'size'?"},
	{"size > 1 && stak ~ 'x'", "            ^", "did you mean 'stack'?"},
	{"zzzzzzzzzzz", "^", "unknown field 'zzzzzzzzzzz'"},
	{"", "^",
	 "a field is missing here, as size or stack; there is the "
	 "end"},
	{"  ", "  ^", "a field is missing"},
	{"size", "    ^", "one of == != < <= > >=; there is the end"},
	{"size = 1", "     ^", "there is '='"},
	{"size ~ '1'", "     ^", "there is '~'"},
	{"size > ", "       ^", "a size like 1.5M; there is the end"},
	{"size > 'x'", "       ^", "there is '''"},
	{"size > 1Q", "       ^", "there is '1Q'"},
	{"size > -1", "       ^", "there is '-1'"},
	{"size > 99999999999999999999", "       ^", "a size like"},
	{"time < 5q", "       ^", "a time like 12.3s or 200ms; there is '5q'"},
	{"depth < 1.5", "        ^", "a number; there is '1.5'"},
	{"kind == malloc", "        ^", "a text in quotes; there is 'malloc'"},
	{"kind < 'a'", "     ^", "one of == != ~ !~; there is '<'"},
	{"thread == 12x", "          ^", "a name in quotes or a number"},
	{"thread ~ 12", "         ^", "a text in quotes; there is '12'"},
	{"thread < 12", "       ^", "one of == != ~ !~; there is '<'"},
	{"freed == 1", "      ^", "'&&' or '||' is missing here; there is '=="},
	{"size > 1 size", "         ^", "there is 'size'"},
	{"size > 1 & freed", "         ^", "there is '&'"},
	{"size > 1 && ", "            ^", "there is the end"},
	{"|| size > 1", "^", "a field is missing"},
	{"(size > 1", "^", "this '(' is never closed"},
	{"freed && ((size > 1)", "         ^", "this '(' is never closed"},
	{"freed)", "     ^", "this ')' closes nothing"},
	{"stack ~ 'abc", "        ^", "the text that begins here has no end"},
	{"stack ~ \"a\\\"", "        ^", "has no end"},
	{"stack ~ '('", "        ^", "'(': Unmatched ( or \\("},
	{"freed && stack ~ 'a{2,1}'", "                 ^", "'a{2,1}': Inv"},
};

START_TEST(refuses)
{
	const char *text = refused[_i].text;
	struct error e = {0};
	struct expr x = {0};

	ck_assert_msg(expr_add(&x, text, &e) == -1, "%s", text);
	ck_assert_msg(strstr(e.text, refused[_i].why) != NULL, "%s: %s", text,
		      e.text);
	ck_assert_msg(e.offset == strlen(refused[_i].at) - 1, "%s: at %d", text,
		      (int)e.offset);
	expr_free(&x);
}
END_TEST

/* Make n copies of a text, one behind the other. */
static char *repeat(const char *text, size_t n)
{
	size_t bytes = strlen(text);
	char *all = util_alloc(n * bytes + 1, 1);

	for (size_t i = 0; i < n; i++)
		memcpy(all + i * bytes, text, bytes);
	return all;
}

/* What is endless is refused before it is deep. */
static const struct {
	const char *repeated, *end, *why;
	size_t good, bad;
} endless[] = {
	{"freed && ", "freed", "more than 256 tests", 255, 256},
	{"freed || ", "freed", "more than 256 tests", 255, 100000},
	{"!", "freed", "nested more than 64 times", 64, 65},
	{"(", "freed", "nested more than 64 times", 0, 100000},
};

START_TEST(limits)
{
	for (int bad = 0; bad < 2; bad++) {
		char *head = repeat(endless[_i].repeated,
				    bad ? endless[_i].bad : endless[_i].good);
		char *text = util_format("%s%s", head, endless[_i].end);
		struct error e = {0};
		struct expr x = {0};

		ck_assert_int_eq(expr_add(&x, text, &e), -bad);
		ck_assert(!bad || strstr(e.text, endless[_i].why));
		expr_free(&x);
		free(text);
		free(head);
	}
}
END_TEST

/* Conditions added one by one all have to hold. */
START_TEST(adds_up)
{
	struct error e = {0};
	struct expr x = {0};

	ck_assert_int_eq(expr_decide(&x, answer, &x), EXPR_YES);
	ck_assert_int_eq(expr_add(&x, "freed || size > 1", &e), 0);
	ck_assert_int_eq(expr_add_range(&x, EXPR_SIZE, 1024, 1024, &e), 0);
	ck_assert_int_eq(expr_add_text(&x, EXPR_STACK, EXPR_MATCHES, "^m",
				       false, &e),
			 0);
	ck_assert_int_eq(
		expr_add_text(&x, EXPR_STACK, EXPR_MATCHES, "m$", true, &e), 0);
	ck_assert_int_eq(expr_decide(&x, answer, &x), EXPR_YES);
	ck_assert(expr_uses(&x, EXPR_STACK) && !expr_uses(&x, EXPR_SITE));
	ck_assert_int_eq(expr_add(&x, "freed || size > 1K", &e), 0);
	ck_assert_int_eq(expr_decide(&x, answer, &x), EXPR_NO);
	ck_assert_int_eq(expr_add_text(&x, EXPR_STACK, EXPR_MATCHES, "(", false,
				       &e),
			 -1);
	ck_assert_ptr_nonnull(strstr(e.text, "'(': Unmatched"));
	ck_assert_uint_eq(e.offset, ERROR_NO_OFFSET);
	expr_free(&x);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_loop_test(c, accepts, 0, COUNT(accepted));
	tcase_add_loop_test(c, refuses, 0, COUNT(refused));
	tcase_add_loop_test(c, limits, 0, COUNT(endless));
	tcase_add_test(c, adds_up);
}

int main(void)
{
	return suite_main("expr", add);
}
