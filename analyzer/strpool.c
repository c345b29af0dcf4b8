/* SPDX-License-Identifier: MIT */
/*
 * Strings kept once, found by the FNV hash of their text.
 */
#include "strpool.h"

#include <stdlib.h>
#include <string.h>

#include <memtrace/format.h>

#include "util.h"

/* Return the slot that holds `s`, or the free one where it would go. */
static uint32_t *find(struct strpool *p, const char *s)
{
	size_t i = mt_check(MT_CHECK_INIT, s, strlen(s)) & (p->slots - 1);

	while (p->slot[i] && strcmp(p->text[p->slot[i] - 1], s) != 0)
		i = (i + 1) & (p->slots - 1);
	return &p->slot[i];
}

/* Double the slots. */
static void grow(struct strpool *p)
{
	p->slots = p->slots ? p->slots * 2 : 64;
	free(p->slot);
	p->slot = util_alloc(p->slots, sizeof(*p->slot));
	for (size_t i = 0; i < p->count; i++)
		*find(p, p->text[i]) = (uint32_t)i + 1;
}

/* Enter a string that is not there and return its number. */
static uint32_t append(struct strpool *p, const char *s)
{
	if (p->count * 2 >= p->slots)
		grow(p);
	p->text = util_grow(p->text, p->count, &p->room, sizeof(*p->text));
	p->text[p->count] = util_copy(s, strlen(s));
	*find(p, s) = (uint32_t)p->count + 1;
	return (uint32_t)p->count++;
}

uint32_t strpool_add(struct strpool *p, const char *s)
{
	uint32_t found;

	if (!p->count)
		append(p, "");
	found = *find(p, s);
	return found ? found - 1 : append(p, s);
}

const char *strpool_text(const struct strpool *p, uint32_t number)
{
	return number < p->count ? p->text[number] : "";
}

void strpool_free(struct strpool *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->text[i]);
	free(p->text);
	free(p->slot);
	*p = (struct strpool){0};
}
