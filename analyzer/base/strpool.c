/* SPDX-License-Identifier: MIT */
/*
 * Strings kept once, found by the hash of their text.
 */
#include "strpool.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

struct strpool_string {
	char *text;
	uint32_t hash;
};

/* Return the slot that holds `s`, or the free one where it would go. */
static uint32_t *find(struct strpool *p, const char *s, uint32_t hash)
{
	size_t i = hash & (p->slots - 1);

	for (; p->slot[i]; i = (i + 1) & (p->slots - 1)) {
		const struct strpool_string *at = &p->string[p->slot[i] - 1];

		if (at->hash == hash && strcmp(at->text, s) == 0)
			break;
	}
	return &p->slot[i];
}

/* Double the slots. */
static void grow(struct strpool *p)
{
	p->slots = p->slots ? p->slots * 2 : 64;
	free(p->slot);
	p->slot = util_alloc(p->slots, sizeof(*p->slot));
	for (size_t i = 0; i < p->count; i++)
		*find(p, p->string[i].text, p->string[i].hash) =
			(uint32_t)i + 1;
}

/* Enter a string that is not there and return its number. */
static uint32_t append(struct strpool *p, const char *s, size_t n,
		       uint32_t hash)
{
	if (p->count * 2 >= p->slots)
		grow(p);
	p->string =
		util_grow(p->string, p->count, &p->room, sizeof(*p->string));
	*find(p, s, hash) = (uint32_t)p->count + 1;
	p->string[p->count] = (struct strpool_string){util_copy(s, n), hash};
	return (uint32_t)p->count++;
}

uint32_t strpool_add(struct strpool *p, const char *s)
{
	size_t n = strlen(s);
	uint32_t hash = (uint32_t)util_hash(s, n), found;

	if (!p->count)
		append(p, "", 0, (uint32_t)util_hash("", 0));
	found = *find(p, s, hash);
	return found ? found - 1 : append(p, s, n, hash);
}

const char *strpool_text(const struct strpool *p, uint32_t number)
{
	return number < p->count ? p->string[number].text : "";
}

void strpool_free(struct strpool *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->string[i].text);
	free(p->string);
	free(p->slot);
	*p = (struct strpool){0};
}
