/* SPDX-License-Identifier: MIT */
/*
 * A hash map from 64-bit keys to 64-bit values, by linear probing.
 */
#include "map.h"

#include <stdlib.h>

#include "util.h"

/* Return the slot where the search for `key` begins. */
static size_t home(const struct map *m, uint64_t key)
{
	key ^= key >> 32;
	key *= 0x9e3779b97f4a7c15u;
	return (key >> 24) & (m->slots - 1);
}

/* Return the slot of `key`, or the free one where it would go. */
static struct map_entry *find(const struct map *m, uint64_t key)
{
	size_t i = home(m, key);

	while (m->entry[i].used && m->entry[i].key != key)
		i = (i + 1) & (m->slots - 1);
	return &m->entry[i];
}

/* Double the slots. */
static void grow(struct map *m)
{
	struct map old = *m;

	m->slots = old.slots ? old.slots * 2 : 16;
	m->entry = util_alloc(m->slots, sizeof(*m->entry));
	for (size_t i = 0; i < old.slots; i++)
		if (old.entry[i].used)
			*find(m, old.entry[i].key) = old.entry[i];
	free(old.entry);
}

uint64_t *map_get(const struct map *m, uint64_t key)
{
	struct map_entry *e;

	if (!m->slots)
		return NULL;
	e = find(m, key);
	return e->used ? &e->value : NULL;
}

uint64_t *map_put(struct map *m, uint64_t key, bool *fresh)
{
	struct map_entry *e;

	if (m->count * 2 >= m->slots)
		grow(m);
	e = find(m, key);
	if (fresh)
		*fresh = !e->used;
	if (!e->used) {
		e->used = true;
		e->key = key;
		m->count++;
	}
	return &e->value;
}

void map_free(struct map *m)
{
	free(m->entry);
	*m = (struct map){0};
}
