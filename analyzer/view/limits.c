/* SPDX-License-Identifier: MIT */
/*
 * What the summary says of memory beyond the blocks: the resident set where it
 * is much larger, the control group's bound, and who was killed over it.
 */
#include "view.h"

#include <inttypes.h>

#include "cgroups.h"

/* A resident set that is larger than the live blocks by so much, and twice as
 * large, is told. */
#define TOLD_BYTES (32u << 20)

/* Tell whether a resident set is much larger than what is live. */
static bool is_much(uint64_t resident, uint64_t live)
{
	return resident / 2 > live && resident - live >= TOLD_BYTES;
}

/* Say how a resident set compares with the live blocks, when that is much. */
static bool put_resident(struct view *v, const char *when, uint64_t resident,
			 uint64_t live)
{
	char a[TERM_NUMBER], b[TERM_NUMBER];

	if (!is_much(resident, live))
		return false;
	printf("rss   %s at the %s, live blocks %s: see memtrace-report "
	       "memory\n",
	       term_bytes(a, resident, v->style.exact), when,
	       term_bytes(b, live, v->style.exact));
	return true;
}

/* Return the resident set: the largest that was noted, and the last. */
static void find_resident(const struct trace *t, uint64_t *most, uint64_t *last)
{
	*most = *last = 0;
	for (size_t i = 0; i < t->resident_count; i++) {
		*last = t->residents[i].bytes;
		if (*last > *most)
			*most = *last;
	}
	for (size_t i = 0; i < t->memory_count; i++) {
		const struct mt_meta_memory *m = &t->memories[i].m;

		if (m->resident > *most)
			*most = m->resident;
		if (m->why == MT_WHY_END)
			*last = m->resident;
	}
}

/* Say how far from its bound the group was. */
static void put_group(struct view *v, const struct cgroups *g)
{
	char a[TERM_NUMBER], b[TERM_NUMBER];

	printf("limit %s for its cgroup, of which %s was used at most (%.1f %%)"
	       "\n",
	       term_bytes(a, g->max_bytes, v->style.exact),
	       term_bytes(b, g->most_bytes, v->style.exact),
	       table_percent(g->most_bytes, g->max_bytes));
	if (g->kill == CGROUPS_NOT_KILLED)
		return;
	printf("oom   the kernel %s it for want of memory: see "
	       "memtrace-report top --at exit\n",
	       g->kill == CGROUPS_KILLED ? "killed" : "may have killed");
	view_next(v, "top --at exit", NULL);
}

void view_put_limits(struct view *v)
{
	const struct profile *p = v->profile;
	uint64_t most, last;
	struct cgroups g;

	if (!v->trace || v->select || v->options->from_ns ||
	    v->options->to_ns != UINT64_MAX || v->options->at)
		return;
	find_resident(v->trace, &most, &last);
	if (!put_resident(v, "most", most, p->totals.peak_bytes))
		put_resident(v, "end", last, p->totals.exit_bytes);
	g = cgroups_judge(v->trace);
	if (g.max_bytes)
		put_group(v, &g);
}

void view_put_json_limits(const struct view *v)
{
	static const char *const kills[] = {"no", "maybe", "yes"};
	struct cgroups g = cgroups_judge(v->trace);
	uint64_t most, last;

	find_resident(v->trace, &most, &last);
	printf("  \"resident\": {\"most_bytes\": %" PRIu64
	       ", \"last_bytes\": %" PRIu64 "},\n",
	       most, last);
	if (g.max_bytes)
		printf("  \"cgroup\": {\"max_bytes\": %" PRIu64
		       ", \"most_bytes\": %" PRIu64
		       ", \"oom_killed\": \"%s\"},\n",
		       g.max_bytes, g.most_bytes, kills[g.kill]);
}
