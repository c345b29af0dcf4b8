/* SPDX-License-Identifier: MIT */
/* Shows what is taken from $LSAN_OPTIONS, quoted or not, and what is not. */
#include "lsanopts.h"
#include "suite.h"

static const struct {
	const char *text, *log_path, *suppressions;
	int exitcode;
} cases[] = {
	{NULL, NULL, NULL, -1},
	{"", NULL, NULL, -1},
	{"log_path=/tmp/a", "/tmp/a", NULL, -1},
	{"log_path='/tmp/a b:c'", "/tmp/a b:c", NULL, -1},
	{"log_path=\"a\":exitcode=7", "a", NULL, 7},
	{"verbosity=1:suppressions=s.txt,exitcode=0", NULL, "s.txt", 0},
	{"log_path=a log_path=b", "b", NULL, -1},
	{" :log_path=a:\n", "a", NULL, -1},
	{"log_path='a", "'a", NULL, -1},
	{"log_path=:exitcode=x", NULL, NULL, -1},
	{"exitcode=256:exitcode=-1:exitcode=", NULL, NULL, -1},
	{"log_path=stderr", NULL, NULL, -1},
	{"log_path=a:log_path=stdout", NULL, NULL, -1},
	{"log_paths=a:xlog_path=b:log_path", NULL, NULL, -1},
	{"detect_leaks='log_path=a'", NULL, NULL, -1},
};

static void is(const char *value, const char *want)
{
	if (want)
		ck_assert_str_eq(value, want);
	else
		ck_assert_ptr_null(value);
}

START_TEST(takes)
{
	struct lsanopts o;

	lsanopts_parse(&o, cases[_i].text);
	is(o.log_path, cases[_i].log_path);
	is(o.suppressions, cases[_i].suppressions);
	ck_assert_int_eq(o.exitcode, cases[_i].exitcode);
	lsanopts_free(&o);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_loop_test(c, takes, 0, COUNT(cases));
}

int main(void)
{
	return suite_main("lsanopts", add);
}
