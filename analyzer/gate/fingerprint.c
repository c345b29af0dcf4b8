/* SPDX-License-Identifier: MIT */
/* What names a stack in every build and run; see fingerprint.h. */
#include "fingerprint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Return how much of a module's base name is not a library's version. */
static size_t name_bytes(const char *base)
{
	const char *so = strstr(base, ".so.");

	return so ? (size_t)(so - base) + 3 : strlen(base);
}

/* Return one frame's part of the text. Free it. */
static char *part_of(const struct frame *f)
{
	const char *base = f->module ? util_basename(f->module) : "";

	return util_format("%.*s!%s", (int)name_bytes(base), base,
			   f->function ? f->function : "?");
}

/* Tell whether a part is in a text already. */
static bool holds(const char *text, const char *part)
{
	size_t n = strlen(part);

	for (const char *at = text; (at = strstr(at, part)); at += n) {
		bool begins = at == text ||
			      (at >= text + 3 && util_starts(at - 3, " < "));

		if (begins && (!at[n] || util_starts(at + n, " < ")))
			return true;
	}
	return false;
}

/* Append a part to a text that has it not yet; return the text, moved. */
static char *append(char *text, char *part)
{
	char *longer = text;

	if (!text)
		return part;
	if (!holds(text, part)) {
		longer = util_format("%s < %s", text, part);
		free(text);
	}
	free(part);
	return longer;
}

/* Return the frames up to a kind as text; NULL: there are none. */
static char *frames_up_to(enum judge_kind kind, const struct stacks_list *list)
{
	char *text = NULL;

	for (size_t i = 0; i < list->count; i++)
		if (list->at[i]->kind <= kind)
			text = append(text, part_of(list->at[i]));
	return text;
}

char *fingerprint_frames(struct stacks *s, uint32_t node)
{
	struct stacks_list list = {0};
	char *text;

	stacks_expand(s, node, &list);
	text = frames_up_to(JUDGE_NAMELESS, &list);
	if (!text)
		text = frames_up_to(JUDGE_RUNTIME, &list);
	stacks_list_free(&list);
	return text ? text : util_copy("?", 1);
}

const char *fingerprint_hash(char to[FINGERPRINT_TEXT], const char *frames)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (const char *p = frames; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 0x100000001b3u;
	snprintf(to, FINGERPRINT_TEXT, "%016" PRIx64, hash);
	return to;
}
