/* SPDX-License-Identifier: MIT */
/*
 * Shows that no two live blocks have one number, of random lives with reallocs
 * that fail and that do not, and that numbers are given again.
 */
#include <stdlib.h>

#include "slots.h"
#include "suite.h"

#define THREADS 40
#define MAX_LIVE 500

static uint32_t live[MAX_LIVE], moving[THREADS];
static bool in_use[MAX_LIVE + THREADS], has_moving[THREADS];
static size_t count;

/* Take a number: one that is in use by none. */
static void begin(struct slots *s)
{
	uint32_t n = slots_take(s);

	ck_assert_uint_lt(n, s->count);
	ck_assert_uint_lt(n, MAX_LIVE + THREADS);
	ck_assert(!in_use[n]);
	in_use[n] = true;
	live[count++] = n;
}

/* End one, and have it live on in a third of the reallocs. */
static void end(struct slots *s)
{
	size_t i = (size_t)rand() % count;
	uint32_t thread = (uint32_t)rand() % THREADS, n = live[i];
	bool moved = rand() % 2;

	live[i] = live[--count];
	slots_end(s, n, thread, moved);
	if (!moved) {
		in_use[n] = false;
		return;
	}
	if (has_moving[thread])
		in_use[moving[thread]] = false;
	moving[thread] = n;
	has_moving[thread] = true;
	if (rand() % 3)
		return;
	slots_resume(s, thread);
	has_moving[thread] = false;
	live[count++] = n;
}

START_TEST(numbers_are_of_one_block)
{
	struct slots s = {0};
	size_t most = 0;

	srand(1);
	for (int i = 0; i < 100000; i++) {
		if (count && (count == MAX_LIVE || rand() % 2))
			end(&s);
		else
			begin(&s);
		most = count > most ? count : most;
	}
	ck_assert_uint_le(s.count, most + THREADS);
	slots_free(&s);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_test(c, numbers_are_of_one_block);
}

int main(void)
{
	return suite_main("slots", add);
}
