/* SPDX-License-Identifier: MIT */
/*
 * The main program of a unit test: run one case and say how it went.
 */
#ifndef TESTS_UNIT_SUITE_H
#define TESTS_UNIT_SUITE_H

#include <check.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

/* Run a suite of one case, which `add` fills; return the exit status. */
static inline int suite_main(const char *name, void (*add)(TCase *c))
{
	Suite *suite = suite_create(name);
	TCase *c = tcase_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	add(c);
	tcase_set_timeout(c, 120);
	suite_add_tcase(suite, c);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

#endif
