/* SPDX-License-Identifier: MIT */
/*
 * Shows that a baseline is read back as it was written, that its lines are
 * sorted whatever the order they came in, and that a wrong line is named.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "baseline.h"
#include "suite.h"
#include "textfile.h"

static struct baseline b;
static void end(void)
{
	baseline_free(&b);
	unlink(path);
}

/* Read a text; returns the error, or "". */
static const char *read_text(const char *text)
{
	static struct error e;

	textfile_write(text);
	baseline_free(&b);
	e = (struct error){0};
	ck_assert_int_eq(baseline_read(&b, path, &e) != 0, error_is_set(&e));
	return e.text;
}

static const char sorted[] = "# memtrace baseline 1\n"
			     "0123456789abcdef definite 3 96 app!f < app!g\n"
			     "0123456789abcdef possible 1 7 app!f < app!g\n"
			     "fedcba9876543210 definite 10 320 app!h\n";

START_TEST(it_is_read_as_it_was_written)
{
	const struct leak_sum few = {3, 96}, one = {1, 7}, many = {10, 320};
	const struct baseline_line *line;
	char *text = NULL;
	size_t bytes;
	FILE *f;

	baseline_add(&b, "fedcba9876543210", LEAK_DEFINITE, many, "app!h");
	baseline_add(&b, "0123456789abcdef", LEAK_POSSIBLE, one,
		     "app!f < app!g");
	baseline_add(&b, "0123456789abcdef", LEAK_DEFINITE, few,
		     "app!f < app!g");
	baseline_sort(&b);
	f = open_memstream(&text, &bytes);
	baseline_write(&b, f);
	fclose(f);
	ck_assert_str_eq(text, sorted);
	ck_assert_str_eq(read_text(text), "");
	free(text);
	ck_assert_uint_eq(b.count, 3);
	line = baseline_find(&b, "0123456789abcdef", LEAK_POSSIBLE);
	ck_assert_ptr_nonnull(line);
	ck_assert_uint_eq(line->most.blocks, 1);
	ck_assert_uint_eq(line->most.bytes, 7);
	ck_assert_str_eq(line->frames, "app!f < app!g");
	ck_assert_ptr_null(baseline_find(&b, "0123456789abcdef", LEAK_HELD));
	ck_assert_ptr_null(
		baseline_find(&b, "0123456789abcde0", LEAK_DEFINITE));
}
END_TEST

static const struct {
	const char *text, *wrong;
} texts[] = {
	{"", ""},
	{"# a comment\n\n", ""},
	{"fedcba9876543210 definite 10 320 f\r\n0123456789abcdef definite 1 1 "
	 "g\n",
	 ""},
	{"# memtrace baseline 2\n", "line 1: a baseline of another version"},
	{"#\n<<<<<<< HEAD\n",
	 "line 2: FINGERPRINT KIND BLOCKS BYTES FRAMES is wanted"},
	{"0123456789abcde definite 1 1 f\n",
	 "line 1: FINGERPRINT KIND BLOCKS BYTES FRAMES is wanted"},
	{"0123456789abcdef definite 1 f\n",
	 "line 1: FINGERPRINT KIND BLOCKS BYTES FRAMES is wanted"},
	{"0123456789abcdef lost 1 1 f\n", "line 1: this kind of leaks is none"},
	{"0123456789abcdef possible 1 1 f\n\n0123456789abcdef possible 2 2 f\n",
	 "lines 1 and 3 have the same fingerprint and kind"},
};

START_TEST(what_is_wrong_is_named)
{
	ck_assert_str_eq(read_text(texts[_i].text), texts[_i].wrong);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_checked_fixture(c, textfile_make, end);
	tcase_add_test(c, it_is_read_as_it_was_written);
	tcase_add_loop_test(c, what_is_wrong_is_named, 0, COUNT(texts));
}

int main(void)
{
	return suite_main("baseline", add);
}
