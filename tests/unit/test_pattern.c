/* SPDX-License-Identifier: MIT */
/* Names of traces: what a pattern expands to, what it must refuse. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <memtrace/pattern.h>

static const struct mt_names names = {
	.exe = "app",
	.host = "box",
	.pid = 4711,
	.number = 0,
};

static const struct {
	const char *pattern;
	const char *result; /* NULL: refused */
} expansions[] = {
	{"memtrace.%e.%p.zst", "memtrace.app.4711.zst"},
	{"%h/%n.%%", "box/0.%"},
	{"plain", "plain"},
	{"%e%e", "appapp"},
	{"", NULL},
	{"%", NULL},
	{"a%", NULL},
	{"a%z", NULL},
	{"%P", NULL},
};

START_TEST(expands)
{
	char buf[64];
	size_t n = mt_pattern_expand(buf, sizeof(buf), expansions[_i].pattern,
				     &names);

	if (expansions[_i].result) {
		ck_assert_uint_eq(n, strlen(expansions[_i].result));
		ck_assert_str_eq(buf, expansions[_i].result);
	} else {
		ck_assert_uint_eq(n, 0);
	}
}
END_TEST

/* A buffer of any size is never written past, and fits only with its NUL. */
START_TEST(stays_within)
{
	char buf[32];
	size_t size = (size_t)_i, whole = strlen("x.app.4711.zst"), n;

	memset(buf, '#', sizeof(buf));
	n = mt_pattern_expand(buf, size, "x.%e.%p.zst", &names);
	ck_assert_uint_eq(n, size > whole ? whole : 0);
	for (size_t i = size; i < sizeof(buf); i++)
		ck_assert_int_eq(buf[i], '#');
	memset(buf, '#', sizeof(buf));
	n = mt_pattern_retry(buf, size, "x.app.471.zst", 1);
	ck_assert_uint_eq(n, size > whole + 1 ? whole + 1 : 0);
	for (size_t i = size; i < sizeof(buf); i++)
		ck_assert_int_eq(buf[i], '#');
}
END_TEST

static const struct {
	const char *name;
	unsigned int nth;
	const char *result;
} retries[] = {
	{"a.zst", 1, "a.1.zst"}, {"a.zst", 12, "a.12.zst"},
	{"a", 3, "a.3"},	 {"a.zst.old", 1, "a.zst.old.1"},
	{".zst", 1, ".1.zst"},	 {"a.zst", 4294967295u, "a.4294967295.zst"},
};

START_TEST(retries_beside)
{
	char buf[64];

	ck_assert_uint_gt(mt_pattern_retry(buf, sizeof(buf), retries[_i].name,
					   retries[_i].nth),
			  0);
	ck_assert_str_eq(buf, retries[_i].result);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pattern");
	TCase *tcase = tcase_create("pattern");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, expands, 0,
			    sizeof(expansions) / sizeof(expansions[0]));
	tcase_add_loop_test(tcase, stays_within, 0, 32);
	tcase_add_loop_test(tcase, retries_beside, 0,
			    sizeof(retries) / sizeof(retries[0]));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
