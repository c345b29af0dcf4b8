/* SPDX-License-Identifier: MIT */
/* A profile summed up by one of its dimensions; see group.h. */
#include "group.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "strpool.h"

/* Return the key of a frame's site: equal frames at other pcs are one. */
static uint64_t site_key(struct groups *g, const struct frame *f)
{
	bool fresh;
	uint64_t *known = map_put(g->site, (uintptr_t)f, &fresh);

	if (fresh) {
		char *text =
			util_format("%s\n%s\n%u\n%u\n%" PRIx64,
				    f->function ? f->function : "",
				    f->file ? f->file : "", f->line,
				    f->module_id, f->function ? 0 : f->offset);

		*known = strpool_add(g->keys, text);
		free(text);
	}
	return *known;
}

/* Return what is equal for all frames of one group. */
static uint64_t frame_key(struct groups *g, const struct frame *f)
{
	switch (g->by) {
	case GROUP_FUNCTION:
		return (uintptr_t)f->name;
	case GROUP_MODULE:
		return strpool_add(g->keys, f->module ? f->module : "");
	default:
		return site_key(g, f);
	}
}

/* Return the place of the group of a key, entered when it is new. */
static size_t enter(struct groups *g, uint64_t key, const struct frame *f,
		    uint64_t number)
{
	uint64_t *place = map_put(g->number, key, NULL);

	if (*place)
		return *place - 1;
	g->at = util_grow(g->at, g->count, &g->room, sizeof(*g->at));
	g->at[g->count] = (struct group){.frame = f, .number = number};
	*place = ++g->count;
	return g->count - 1;
}

size_t groups_of(struct groups *g, struct profile *p,
		 const struct profile_row *row)
{
	const struct frame *f;

	switch (g->by) {
	case GROUP_THREAD:
		return enter(g, row->thread, NULL, row->thread);
	case GROUP_SIZE:
		return enter(g, row->size, NULL, row->size);
	case GROUP_STACK:
		f = stacks_site(&p->stacks, row->node);
		return enter(g, row->node, f, row->node);
	default:
		f = stacks_site(&p->stacks, row->node);
		return enter(g, frame_key(g, f), f, 0);
	}
}

/* Frames that were counted for a stack already, by key. */
struct seen {
	struct map last; /* key -> row + 1 */
};

/* Add a row to the inclusive sums of all that is on its stack. */
static void add_inclusive(struct groups *g, struct profile *p, size_t i,
			  struct seen *seen, struct stacks_list *list)
{
	const struct profile_row *row = &p->rows[i];

	stacks_expand(&p->stacks, row->node, list);
	for (size_t j = 0; j < list->count; j++) {
		uint64_t key = frame_key(g, list->at[j]);
		uint64_t *last = map_put(&seen->last, key, NULL);
		size_t at;

		if (*last == i + 1)
			continue;
		*last = i + 1;
		at = enter(g, key, list->at[j], 0);
		profile_add_totals(&g->at[at].inclusive, &row->totals);
	}
}

void groups_build(struct groups *g, struct profile *p, enum group_by by,
		  bool inclusive)
{
	struct stacks_list list = {0};
	struct seen seen = {0};

	*g = (struct groups){
		.by = by,
		.keys = util_alloc(1, sizeof(*g->keys)),
		.number = util_alloc(1, sizeof(*g->number)),
		.site = util_alloc(1, sizeof(*g->site)),
	};
	for (size_t i = 0; i < p->row_count; i++) {
		size_t at = groups_of(g, p, &p->rows[i]);

		profile_add_totals(&g->at[at].totals, &p->rows[i].totals);
		profile_add_totals(&g->totals, &p->rows[i].totals);
		if (inclusive && by <= GROUP_MODULE)
			add_inclusive(g, p, i, &seen, &list);
	}
	stacks_list_free(&list);
	map_free(&seen.last);
}

int groups_compare(const struct groups *g, const struct group *a,
		   const struct group *b)
{
	int d = 0;

	if (g->by == GROUP_MODULE)
		d = strcmp(a->frame->module ? a->frame->module : "",
			   b->frame->module ? b->frame->module : "");
	else if (a->frame && b->frame)
		d = stacks_compare(a->frame, b->frame);
	return d ? d : (a->number > b->number) - (a->number < b->number);
}

void groups_free(struct groups *g)
{
	if (g->keys)
		strpool_free(g->keys);
	if (g->number)
		map_free(g->number);
	if (g->site)
		map_free(g->site);
	free(g->keys);
	free(g->number);
	free(g->site);
	free(g->at);
	*g = (struct groups){0};
}
