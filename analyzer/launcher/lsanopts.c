/* SPDX-License-Identifier: MIT */
/* $LSAN_OPTIONS; see lsanopts.h. */
#include "lsanopts.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

#define SEPARATORS " ,:\n\t\r"

/* Take a value off the text at `*p`: in quotes, or up to a separator. */
static char *take_value(const char **p)
{
	const char *start = *p, *end;

	if (*start == '\'' || *start == '"') {
		end = strchr(start + 1, *start);
		if (end) {
			*p = end + 1;
			return util_copy(start + 1, (size_t)(end - start - 1));
		}
	}
	*p += strcspn(start, SEPARATORS);
	return util_copy(start, (size_t)(*p - start));
}

/* Keep a text, "" being none, in the place of the one before it. */
static void keep_text(char **text, char *value)
{
	free(*text);
	*text = *value ? value : NULL;
	if (!*value)
		free(value);
}

/* Keep a value if its key, of `n` bytes, is one of ours. */
static void keep(struct lsanopts *o, const char *key, size_t n, char *value)
{
	bool terminal = !strcmp(value, "stdout") || !strcmp(value, "stderr");
	char *end;
	long number;

	if (n == 8 && !strncmp(key, "log_path", n)) {
		if (terminal)
			*value = '\0';
		keep_text(&o->log_path, value);
		return;
	}
	if (n == 12 && !strncmp(key, "suppressions", n)) {
		keep_text(&o->suppressions, value);
		return;
	}
	if (n == 8 && !strncmp(key, "exitcode", n)) {
		number = strtol(value, &end, 10);
		if (*value && !*end && number >= 0 && number <= 255)
			o->exitcode = (int)number;
	}
	free(value);
}

void lsanopts_parse(struct lsanopts *o, const char *text)
{
	const char *p = text ? text : "", *key;
	size_t n;

	*o = (struct lsanopts){.exitcode = -1};
	for (;;) {
		p += strspn(p, SEPARATORS);
		if (!*p)
			return;
		key = p;
		n = strcspn(p, "=" SEPARATORS);
		p += n;
		if (*p != '=')
			continue;
		p++;
		keep(o, key, n, take_value(&p));
	}
}

void lsanopts_free(struct lsanopts *o)
{
	free(o->log_path);
	free(o->suppressions);
}
