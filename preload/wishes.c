/* SPDX-License-Identifier: MIT */
/* What a program wishes; see wishes.h. The names are LSan's. */
#include "wishes.h"

#include <stdlib.h>
#include <string.h>

#include "sys.h"

/* LSan's own. */
#define EXIT_CODE 23

/* The program's, where it exports them. */
extern int __lsan_is_turned_off(void) __attribute__((weak));
extern const char *__lsan_default_suppressions(void) __attribute__((weak));
extern const char *__lsan_default_options(void) __attribute__((weak));

bool mt_wishes_no_check(void)
{
	return __lsan_is_turned_off && __lsan_is_turned_off();
}

const char *mt_wishes_suppressions(void)
{
	return __lsan_default_suppressions ? __lsan_default_suppressions()
					   : NULL;
}

/* Find the last "name=N" in options that colons or blanks part. */
static bool find_number(const char *options, const char *name, int *value)
{
	size_t n = strlen(name);
	bool found = false;

	for (const char *p = options; p && *p; p++) {
		if ((p != options && !strchr(": ,\n\t", p[-1])) ||
		    strncmp(p, name, n) != 0 || p[n] != '=')
			continue;
		p += n + 1;
		*value = (int)sys_parse_number(&p, 10);
		found = true;
		p--;
	}
	return found;
}

int mt_wishes_exit_code(void)
{
	int code = EXIT_CODE;

	if (__lsan_default_options)
		find_number(__lsan_default_options(), "exitcode", &code);
	find_number(getenv("LSAN_OPTIONS"), "exitcode", &code);
	return code;
}
