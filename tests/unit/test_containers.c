/* SPDX-License-Identifier: MIT */
/*
 * Shows that the analyzer's small containers keep what is put in them: the
 * map, the pool of strings, the set of mapped ranges; and that the nearest
 * name to a misspelt one is found.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "mappings.h"
#include "strpool.h"
#include "suite.h"
#include "util.h"

START_TEST(map_keeps_values)
{
	struct map m = {0};
	bool fresh;

	ck_assert_ptr_null(map_get(&m, 0));
	for (uint64_t i = 0; i < 10000; i++) {
		*map_put(&m, i << _i, &fresh) = i;
		ck_assert(fresh);
	}
	*map_put(&m, 5ull << _i, &fresh) = 7;
	ck_assert(!fresh);
	for (uint64_t i = 0; i < 10000; i++)
		ck_assert_uint_eq(*map_get(&m, i << _i), i == 5 ? 7 : i);
	ck_assert_ptr_null(map_get(&m, 10000ull << _i));
	ck_assert_uint_eq(m.count, 10000);
	map_free(&m);
}
END_TEST

START_TEST(strpool_keeps_text_once)
{
	struct strpool p = {0};
	const char *first;
	char text[16];

	ck_assert_str_eq(strpool_text(&p, 0), "");
	first = strpool_text(&p, strpool_add(&p, "n0"));
	for (int round = 0; round < 2; round++)
		for (uint32_t i = 0; i < 3000; i++) {
			snprintf(text, sizeof(text), "n%u", i);
			ck_assert_uint_eq(strpool_add(&p, text), i + 1);
		}
	ck_assert_ptr_eq(strpool_text(&p, 1), first);
	ck_assert_uint_eq(strpool_add(&p, ""), 0);
	ck_assert_str_eq(strpool_text(&p, 2999 + 1), "n2999");
	ck_assert_str_eq(strpool_text(&p, 999999), "");
	strpool_free(&p);
}
END_TEST

/* Against a map of pages, one byte each. */
START_TEST(mappings_count_bytes)
{
	static unsigned char page[300];
	struct mappings m = {0};
	uint32_t random = (uint32_t)_i + 1;
	uint64_t peak = 0;

	for (int step = 0; step < 3000; step++) {
		uint64_t start, n, bytes = 0;
		bool map;

		random = random * 1103515245 + 12345;
		start = (random >> 8) % 250;
		n = (random >> 20) % 50;
		map = random >> 31;
		memset(page + start, map, n);
		if (map)
			mappings_add(&m, start * 4096, n * 4096);
		else
			mappings_remove(&m, start * 4096, n * 4096);
		for (int i = 0; i < 300; i++)
			bytes += page[i] * 4096u;
		if (bytes > peak)
			peak = bytes;
		ck_assert_uint_eq(m.bytes, bytes);
	}
	/* Adding over what is mapped never counts it twice. */
	ck_assert_uint_eq(m.peak_bytes, peak);
	mappings_free(&m);
}
END_TEST

START_TEST(mappings_stop_at_the_end_of_memory)
{
	struct mappings m = {0};

	mappings_add(&m, UINT64_MAX - 99, 1000);
	ck_assert_uint_eq(m.bytes, 99);
	mappings_remove(&m, 0, UINT64_MAX);
	ck_assert_uint_eq(m.bytes, 0);
	mappings_free(&m);
}
END_TEST

static const struct {
	const char *word, *nearest;
} words[] = {
	{"--jsn", "--json"},	 {"--exakt", "--exact"}, {"--json", "--json"},
	{"--colour", "--color"}, {"--zzzzzzzzzz", NULL}, {"", NULL},
};

START_TEST(nearest_name_is_found)
{
	static const char *const names[] = {"--json", "--exact", "--color",
					    NULL};
	const char *got = util_nearest(words[_i].word, names);

	if (words[_i].nearest)
		ck_assert_str_eq(got, words[_i].nearest);
	else
		ck_assert_ptr_null(got);
}
END_TEST

START_TEST(first_error_stays)
{
	struct error e = {0};

	ck_assert(!error_is_set(&e));
	ck_assert_int_eq(error_set(&e, 7, "number %d", 1), -1);
	error_set(&e, 8, "number %d", 2);
	ck_assert_str_eq(e.text, "number 1");
	ck_assert_uint_eq(e.offset, 7);
	ck_assert_int_eq(error_set(NULL, 0, "nowhere"), -1);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_loop_test(c, map_keeps_values, 0, 49);
	tcase_add_test(c, strpool_keeps_text_once);
	tcase_add_loop_test(c, mappings_count_bytes, 0, 5);
	tcase_add_test(c, mappings_stop_at_the_end_of_memory);
	tcase_add_loop_test(c, nearest_name_is_found, 0, COUNT(words));
	tcase_add_test(c, first_error_stays);
}

int main(void)
{
	return suite_main("containers", add);
}
