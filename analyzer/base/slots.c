/* SPDX-License-Identifier: MIT */
/* Numbers for live blocks; see slots.h. */
#include "slots.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

uint32_t slots_take(struct slots *s)
{
	uint32_t number = s->unused - 1;

	if (s->unused) {
		s->unused = s->next[number];
		return number;
	}
	s->next = util_grow(s->next, s->count, &s->room, sizeof(*s->next));
	return s->count++;
}

/* Give a number + 1 back; 0: none. */
static void give_back(struct slots *s, uint32_t number)
{
	if (!number)
		return;
	s->next[number - 1] = s->unused;
	s->unused = number;
}

/* Return the place of what a thread's last realloc took. */
static uint32_t *moving_of(struct slots *s, uint32_t thread)
{
	while (thread >= s->threads) {
		size_t old = s->threads;

		s->moving = util_grow(s->moving, old, &s->threads,
				      sizeof(*s->moving));
		memset(s->moving + old, 0,
		       (s->threads - old) * sizeof(*s->moving));
	}
	return &s->moving[thread];
}

void slots_end(struct slots *s, uint32_t number, uint32_t thread, bool moved)
{
	uint32_t *moving;

	if (!moved) {
		give_back(s, number + 1);
		return;
	}
	moving = moving_of(s, thread);
	give_back(s, *moving);
	*moving = number + 1;
}

void slots_resume(struct slots *s, uint32_t thread)
{
	*moving_of(s, thread) = 0;
}

void slots_free(struct slots *s)
{
	free(s->next);
	free(s->moving);
	*s = (struct slots){0};
}
