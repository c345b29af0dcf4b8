/* SPDX-License-Identifier: MIT */
/* What the trace of the process that one forked from knows; see parent.h. */
#include "parent.h"

#include <stdlib.h>
#include <string.h>

#include "testruns.h"

/* Children's children that are followed up. */
#define MAX_FORKS 64

/* Open a trace if it can be that of a process that `t` forked from: one in
 * between which did nothing yet has no trace, so the pid need not be that of
 * the parent. */
static bool open_if(struct trace *parent, const char *path,
		    const struct trace *t)
{
	struct error e;

	if (!trace_open(parent, path, &e) &&
	    parent->process.clock_kind == t->process.clock_kind &&
	    parent->process.clock < t->process.clock)
		return true;
	trace_close(parent);
	return false;
}

/* Open the trace of the nearest process above `t` that has one. */
static bool open_parent(struct trace *parent, const struct trace *t)
{
	const char *slash = strrchr(t->path, '/');
	char *beside;
	bool found;

	if (!t->parent)
		return false;
	beside = util_format("%.*s%s", slash ? (int)(slash + 1 - t->path) : 0,
			     t->path, util_basename(t->parent));
	found = open_if(parent, beside, t) || open_if(parent, t->parent, t);
	free(beside);
	return found;
}

/* Return the test that was running in a trace at a moment, or NULL. */
static char *test_at(const struct trace *t, uint64_t clock)
{
	const struct testrun *run;
	struct testruns runs;
	char *name;

	testruns_list(&runs, t);
	run = testruns_at(&runs, clock, t->process.pid);
	name = run ? util_copy(run->name, strlen(run->name)) : NULL;
	testruns_free(&runs);
	return name;
}

/* As parent_test(), with so many forks to go. */
static char *find_test(const struct trace *t, unsigned int forks)
{
	struct trace parent;
	char *name;

	if (!forks || !open_parent(&parent, t))
		return NULL;
	name = test_at(&parent, t->process.clock);
	if (!name)
		name = find_test(&parent, forks - 1);
	trace_close(&parent);
	return name;
}

char *parent_test(const struct trace *t)
{
	return find_test(t, MAX_FORKS);
}
