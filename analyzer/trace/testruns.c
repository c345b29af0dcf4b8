/* SPDX-License-Identifier: MIT */
/* Which test ran when; see testruns.h. */
#include "testruns.h"

#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "strpool.h"

/* Order marks by time. */
static int by_clock(const void *a, const void *b)
{
	const struct trace_mark *x = *(const struct trace_mark *const *)a;
	const struct trace_mark *y = *(const struct trace_mark *const *)b;

	if (x->clock != y->clock)
		return x->clock < y->clock ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Return the marks in the order of time. To be freed. */
static const struct trace_mark **sort_marks(const struct trace *t)
{
	const struct trace_mark **marks =
		util_alloc(t->mark_count + 1, sizeof(*marks));

	for (size_t i = 0; i < t->mark_count; i++)
		marks[i] = &t->marks[i];
	qsort(marks, t->mark_count, sizeof(*marks), by_clock);
	return marks;
}

/* End the run that a thread is in, if it is in one. */
static void end_run(struct testruns *r, struct map *running, uint32_t tid,
		    uint64_t clock)
{
	uint64_t *run = map_put(running, tid, NULL);

	if (*run)
		r->at[*run - 1].end = clock;
	*run = 0;
}

/* Begin a run; `tests` maps a name's number to that of its test + 1. */
static void begin_run(struct testruns *r, const struct trace_mark *m,
		      uint64_t *test)
{
	if (!*test)
		*test = ++r->test_count;
	r->at[r->count++] = (struct testrun){
		.begin = m->clock,
		.end = UINT64_MAX,
		.name = m->name ? m->name : "",
		.tid = m->tid,
		.test = (uint32_t)*test - 1,
		.run = ++r->runs[*test - 1],
	};
}

/* Note up to where the runs before each one reach. */
static void sum_ends(struct testruns *r)
{
	uint64_t ended = 0;

	for (size_t i = 0; i < r->count; i++) {
		if (r->at[i].end > ended)
			ended = r->at[i].end;
		r->at[i].ended = ended;
	}
}

void testruns_list(struct testruns *r, const struct trace *t)
{
	const struct trace_mark **marks = sort_marks(t);
	struct map running = {0}, tests = {0};
	struct strpool names = {0};

	*r = (struct testruns){
		.at = util_alloc(t->mark_count + 1, sizeof(*r->at)),
		.runs = util_alloc(t->mark_count + 1, sizeof(*r->runs)),
	};
	for (size_t i = 0; i < t->mark_count; i++) {
		const struct trace_mark *m = marks[i];
		const char *name = m->name ? m->name : "";

		if (m->mark != MT_MARK_TEST_BEGIN &&
		    m->mark != MT_MARK_TEST_END)
			continue;
		end_run(r, &running, m->tid, m->clock);
		if (m->mark == MT_MARK_TEST_END)
			continue;
		begin_run(r, m,
			  map_put(&tests, strpool_add(&names, name), NULL));
		*map_put(&running, m->tid, NULL) = r->count;
	}
	sum_ends(r);
	strpool_free(&names);
	map_free(&tests);
	map_free(&running);
	free(marks);
}

/* Return how many runs had begun at `clock`. */
static size_t count_begun(const struct testruns *r, uint64_t clock)
{
	return util_up_to(r->at, r->count, sizeof(*r->at), clock);
}

const struct testrun *testruns_at(const struct testruns *r, uint64_t clock,
				  uint32_t tid)
{
	const struct testrun *other = NULL;

	for (size_t i = count_begun(r, clock); i-- > 0;) {
		const struct testrun *run = &r->at[i];

		if (run->ended <= clock)
			break; /* so have all before it */
		if (run->end <= clock)
			continue;
		if (run->tid == tid)
			return run;
		if (!other)
			other = run;
	}
	return other;
}

void testruns_free(struct testruns *r)
{
	free(r->at);
	free(r->runs);
}
