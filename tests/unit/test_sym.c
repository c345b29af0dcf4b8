/* SPDX-License-Identifier: MIT */
/*
 * Shows that code addresses get the right names, with the frames of inlined
 * functions; on this program itself, which is built with debug info.
 */
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"
#include "sym.h"
#include "util.h"

static void *volatile sink;

/* Return the address behind the call, which is what a stack holds. */
static __attribute__((noinline)) void *here(void)
{
	return __builtin_return_address(0);
}

static int innermost_line, middle_line, outer_line;

static inline __attribute__((always_inline)) void *innermost(void)
{
	void *p = (innermost_line = __LINE__, here());

	return sink = p;
}

static inline __attribute__((always_inline)) void *middle(void)
{
	void *p = (middle_line = __LINE__, innermost());

	return sink = p;
}

static __attribute__((noinline)) void *outer(void)
{
	void *p = (outer_line = __LINE__, middle());

	return sink = p;
}

/* The file this program runs from, and where it is loaded. */
static char exe[4096];
static uint64_t bias;

static int find_bias(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	bias = info->dlpi_addr;
	return 1;
}

static void begin(void)
{
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	ck_assert_int_gt(n, 0);
	exe[n] = '\0';
	dl_iterate_phdr(find_bias, NULL);
}

static const char *file_name(const char *path)
{
	return path ? util_basename(path) : "";
}

START_TEST(expands_inlined_functions)
{
	struct sym *s = sym_new(NULL);
	size_t module = sym_add(s, exe, NULL, 0);
	struct sym_frame f[SYM_MAX_FRAMES];
	uint64_t address = (uint64_t)outer() - bias - 1;

	ck_assert_int_eq(sym_module_state(s, module), SYM_LINES);
	ck_assert_uint_eq(sym_lookup(s, module, address, f), 3);
	ck_assert_str_eq(f[0].function, "innermost");
	ck_assert_str_eq(f[1].function, "middle");
	ck_assert_str_eq(f[2].function, "outer");
	ck_assert_uint_eq(f[0].line, innermost_line);
	ck_assert_uint_eq(f[1].line, middle_line);
	ck_assert_uint_eq(f[2].line, outer_line);
	for (int i = 0; i < 3; i++)
		ck_assert_str_eq(file_name(f[i].file), "test_sym.c");
	sym_free(s);
}
END_TEST

START_TEST(says_when_it_knows_nothing)
{
	static const uint8_t other_build[20] = {1, 2, 3};
	struct sym *s = sym_new(NULL);
	size_t missing = sym_add(s, "/nonexistent/lib.so", NULL, 0);
	size_t other = sym_add(s, exe, other_build, sizeof(other_build));
	size_t here_it_is = sym_add(s, exe, NULL, 0);
	struct sym_frame f[SYM_MAX_FRAMES];

	ck_assert_uint_eq(sym_lookup(s, missing, 0x1000, f), 0);
	ck_assert_int_eq(sym_module_state(s, missing), SYM_MISSING);
	ck_assert_uint_eq(sym_lookup(s, other, 0x1000, f), 0);
	ck_assert_int_eq(sym_module_state(s, other), SYM_MISMATCH);
	ck_assert_uint_eq(sym_lookup(s, here_it_is, UINT64_MAX / 2, f), 0);
	sym_free(s);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_checked_fixture(c, begin, NULL);
	tcase_add_test(c, expands_inlined_functions);
	tcase_add_test(c, says_when_it_knows_nothing);
}

int main(void)
{
	return suite_main("sym", add);
}
