/* SPDX-License-Identifier: MIT */
/*
 * Numbers for frames; see number.h. Equal names are the same pointers
 * (stacks.h), so that no text is compared.
 */
#include "number.h"

#include <stdlib.h>

/* Return the number of a key in a map, from 0. */
static uint64_t number_key(struct map *m, uint64_t key, bool *fresh)
{
	uint64_t *at = map_put(m, key, fresh);

	if (*fresh)
		*at = m->count - 1;
	return *at;
}

uint32_t number_frame(struct number *n, const struct frame *f)
{
	bool fresh;
	uint64_t *at = map_put(&n->of_frame, (uintptr_t)f, &fresh);
	uint64_t name, file, pair, line = n->lines ? f->line : 0;

	if (!fresh)
		return (uint32_t)*at;
	name = number_key(&n->of_text, (uintptr_t)f->name, &fresh);
	file = number_key(&n->of_text, (uintptr_t)f->file, &fresh);
	pair = number_key(&n->of_pair, name << 32 | file, &fresh);
	*at = number_key(&n->of_line, pair << 32 | line, &fresh);
	if (fresh) {
		n->frames = util_grow(n->frames, n->count, &n->room,
				      sizeof(*n->frames));
		n->frames[n->count++] = f;
	}
	return (uint32_t)*at;
}

void number_free(struct number *n)
{
	free(n->frames);
	map_free(&n->of_frame);
	map_free(&n->of_text);
	map_free(&n->of_pair);
	map_free(&n->of_line);
	*n = (struct number){0};
}
