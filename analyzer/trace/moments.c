/* SPDX-License-Identifier: MIT */
/* Moments of a recording by their names; see moments.h. */
#include "moments.h"

#include <stdlib.h>
#include <string.h>

#define MARK "mark:"

static const char *const names[] = {
	[MT_WHY_END] = "end",		[MT_WHY_MARK] = "mark",
	[MT_WHY_SNAPSHOT] = "snapshot", [MT_WHY_LIMIT] = "limit",
	[MT_WHY_FAILED] = "failure",
};

const char *moments_name(uint32_t why)
{
	return why < sizeof(names) / sizeof(*names) ? names[why] : NULL;
}

/* Read "KIND" or "KIND:N"; false: it is neither. N is 0 when it is not said. */
static bool read_kind(const char *text, uint32_t *why, uint64_t *number)
{
	for (*why = MT_WHY_SNAPSHOT; *why <= MT_WHY_FAILED; ++*why) {
		size_t n = strlen(names[*why]);
		char *end;

		if (strncmp(text, names[*why], n) != 0)
			continue;
		*number = 0;
		if (!text[n])
			return true;
		if (text[n] != ':' || text[n + 1] < '1' || text[n + 1] > '9')
			return false;
		*number = strtoull(text + n + 1, &end, 10);
		return !*end;
	}
	return false;
}

bool moments_is_name(const char *text)
{
	uint64_t number;
	uint32_t why;

	return strncmp(text, MARK, strlen(MARK)) == 0 ||
	       read_kind(text, &why, &number);
}

/* Find the last mark of a name. */
static bool find_mark(const struct trace *t, const char *name, uint64_t *clock)
{
	for (size_t i = t->mark_count; i-- > 0;)
		if (strcmp(t->marks[i].name, name) == 0) {
			*clock = t->marks[i].clock;
			return true;
		}
	return false;
}

bool moments_find(const struct trace *t, const char *text, uint64_t *clock)
{
	uint64_t number, found = 0;
	uint32_t why;

	if (strncmp(text, MARK, strlen(MARK)) == 0)
		return find_mark(t, text + strlen(MARK), clock);
	if (!read_kind(text, &why, &number))
		return false;
	for (size_t i = 0; i < t->snapshot_count; i++)
		if (t->snapshots[i].why == why && (!number || found < number)) {
			*clock = t->snapshots[i].clock;
			found++;
		}
	return found && found >= number;
}
