/* SPDX-License-Identifier: MIT */
/* What a program wishes; see wishes.h. The names are LSan's. */
#include "wishes.h"

#include <stdlib.h>
#include <string.h>

#include "sys.h"

/* LSan's own. */
#define EXIT_CODE 23
#define SEPARATORS ": ,\n\t\r"

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

/* Return the value of the last "name=value" in options, or NULL. */
static const char *find_last(const char *options, const char *name)
{
	const char *found = NULL;
	size_t n = strlen(name);

	for (const char *p = options; p && *p; p++)
		if ((p == options || strchr(SEPARATORS, p[-1])) &&
		    strncmp(p, name, n) == 0 && p[n] == '=')
			found = p + n + 1;
	return found;
}

/* Return an option's value: of the environment, else of the program. */
static const char *find_option(const char *name)
{
	const char *value = find_last(getenv("LSAN_OPTIONS"), name);

	if (!value && __lsan_default_options)
		value = find_last(__lsan_default_options(), name);
	return value;
}

bool mt_wishes_file(char *to, size_t size)
{
	const char *value = find_option("suppressions");
	char ends[] = SEPARATORS;
	size_t n;

	if (value && (*value == '"' || *value == '\'')) {
		ends[0] = *value++;
		ends[1] = '\0';
	}
	n = value ? strcspn(value, ends) : 0;
	if (!n || n >= size)
		return false;
	memcpy(to, value, n);
	to[n] = '\0';
	return true;
}

int mt_wishes_exit_code(void)
{
	const char *value = find_option("exitcode");

	return value ? (int)sys_parse_number(&value, 10) : EXIT_CODE;
}
