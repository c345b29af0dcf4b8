/* SPDX-License-Identifier: MIT */
/* How far from the bound of its control group; see cgroups.h. */
#include "cgroups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is less than this share of the bound away from it is near. */
#define NEAR_SHARE 10

uint64_t cgroups_kills(const char *text)
{
	static const char word[] = "oom_kill ";

	for (const char *p = text; p && *p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, word, sizeof(word) - 1) == 0)
			return strtoull(p + sizeof(word) - 1, NULL, 10);
	}
	return 0;
}

/* Read a file of the group; "" when it is not there. */
static void read_file(const struct trace *t, const char *name, char *text,
		      size_t size)
{
	char *path = util_format("%s/%s", t->cgroup, name);
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, size - 1, f) : 0;

	text[n] = '\0';
	if (f)
		fclose(f);
	free(path);
}

/* Tell whether this is the machine that it ran on. */
static bool is_here(const struct trace *t)
{
	char host[256] = "";

	return t->host && gethostname(host, sizeof(host) - 1) == 0 &&
	       strcmp(host, t->host) == 0;
}

/* Take what the group itself says now: its kills, and the most it had. */
static uint64_t ask_group(const struct trace *t, uint64_t *most)
{
	bool v1 = t->cgroups->version == 1;
	char text[1024];

	if (!t->cgroup || !is_here(t))
		return 0;
	read_file(t, v1 ? "memory.max_usage_in_bytes" : "memory.peak", text,
		  sizeof(text));
	*most = strtoull(text, NULL, 10);
	read_file(t, v1 ? "memory.oom_control" : "memory.events", text,
		  sizeof(text));
	return cgroups_kills(text);
}

/* Take a maximum that the group says, unless it may be of before. */
static void take_peak(struct cgroups *g, const struct trace *t, uint64_t peak)
{
	if (peak > t->cgroups->peak_bytes && peak > g->most_bytes)
		g->most_bytes = peak;
}

/* Tell whether it ended by SIGKILL, for all that is known. */
static bool is_killed(const struct trace *t)
{
	return t->state == TRACE_KILLED ||
	       (t->state == TRACE_ENDED && t->end == MT_END_SIGNAL &&
		t->signal == 9);
}

struct cgroups cgroups_judge(const struct trace *t)
{
	struct cgroups g = {0};
	uint64_t kills, most = 0;

	if (!t->cgroup_count || t->cgroups->max_bytes == UINT64_MAX)
		return g;
	g.max_bytes = t->cgroups->max_bytes;
	for (size_t i = 0; i < t->cgroup_count; i++) {
		const struct mt_meta_cgroup *c = &t->cgroups[i];

		if (c->current_bytes > g.most_bytes)
			g.most_bytes = c->current_bytes;
		if (i)
			take_peak(&g, t, c->peak_bytes);
	}
	if (!is_killed(t))
		return g;
	kills = ask_group(t, &most);
	take_peak(&g, t, most);
	if (kills > t->cgroups->oom_kills)
		g.kill = CGROUPS_KILLED;
	else if (g.most_bytes >= g.max_bytes - g.max_bytes / NEAR_SHARE)
		g.kill = CGROUPS_MAYBE_KILLED;
	return g;
}
