/* SPDX-License-Identifier: MIT */
/* What a group is called in every run; see samename.h. */
#include "samename.h"

#include <stdlib.h>
#include <string.h>

#include "term.h"

/* Append to a text that is to be freed. */
static char *append(char *text, const char *between, const char *more)
{
	char *longer = util_format("%s%s%s", text, between, more);

	free(text);
	return longer;
}

/* Name a site: the function, and what it is inlined into; in a library. */
static char *site_name(const struct profile *p, const struct frame *f)
{
	char *text = util_format("%s", f->name), *end;
	const char *module = f->module ? util_basename(f->module) : NULL;

	/* A place without a function is named by its module already. */
	if (!f->function || (module && strcmp(module, p->program) == 0))
		module = NULL;
	for (; f->inlined; f++)
		text = append(text, " < ", f[1].name);
	if (module) {
		text = append(text, "  ", module);
		end = strstr(text + strlen(text) - strlen(module), ".so.");
		if (end)
			end[3] = '\0';
	}
	return text;
}

/* Return a stack's frames as one text. */
static char *stack_text(struct stacks *s, uint32_t node)
{
	struct stacks_list list = {0};
	char *text = util_copy("", 0);

	stacks_expand(s, node, &list);
	for (size_t i = 0; i < list.count; i++)
		text = append(text, i ? ";" : "", list.at[i]->name);
	stacks_list_free(&list);
	return text;
}

char *samename_of(struct profile *p, enum group_by by, const struct group *g)
{
	const struct profile_thread *t;
	char bytes[TERM_NUMBER];

	switch (by) {
	case GROUP_SITE:
		return site_name(p, g->frame);
	case GROUP_FUNCTION:
		return util_format("%s", g->frame->name);
	case GROUP_MODULE:
		return util_format(
			"%s", g->frame->module ? util_basename(g->frame->module)
					       : "(no module)");
	case GROUP_THREAD:
		t = &p->threads[g->number];
		return util_format("%s", t->name ? t->name : "?");
	case GROUP_SIZE:
		return util_format("%s", term_bytes(bytes, g->number, true));
	default:
		return stack_text(&p->stacks, (uint32_t)g->number);
	}
}
