/* SPDX-License-Identifier: MIT */
/*
 * Shows that a fingerprint is of the program's frames alone: no line, address,
 * path, library's version, wrapper or depth of recursion makes another one, and
 * another function, module or order does.
 */
#include <stdlib.h>
#include <string.h>

#include "fingerprint.h"
#include "suite.h"

#define APP "/home/me/build/app"

static struct stacks s;

static void begin(void)
{
	stacks_begin(&s);
}

static void end(void)
{
	stacks_free(&s);
}

/* A frame of a stack. */
struct is {
	const char *module, *function;
	const char *file;
	uint32_t line;
};

/* Enter a stack, innermost frame first; ends with a NULL module. */
static uint32_t stack_of(const struct is *f)
{
	uint32_t parent = 0, module, pc;
	static uint64_t address = 0x1000;
	size_t n = 0;

	while (f[n].module)
		n++;
	while (n--) {
		module = stacks_add_module(
			&s,
			&(struct trace_module){.path = (char *)f[n].module});
		pc = stacks_new_pc(&s, address += 16, module, 0);
		if (f[n].function)
			stacks_set_frames(&s, pc,
					  &(struct sym_frame){
						  .function = f[n].function,
						  .linkage = f[n].function,
						  .file = f[n].file,
						  .line = f[n].line,
					  },
					  1);
		parent = stacks_add_node(&s, parent, pc);
	}
	return parent;
}

/* Check the text of a stack. */
static void is(const struct is *f, const char *want)
{
	char *frames = fingerprint_frames(&s, stack_of(f));

	ck_assert_str_eq(frames, want);
	free(frames);
}

START_TEST(only_the_programs_frames)
{
	is((struct is[]){{APP, "make", "a.c", 3},
			 {APP, "main", "a.c", 9},
			 {"/lib/libc.so.6", "__libc_start_main", NULL, 0},
			 {APP, "_start", NULL, 0},
			 {0}},
	   "app!make < app!main");
	is((struct is[]){{"/lib/libc.so.6", "strdup", NULL, 0},
			 {"/opt/app", "xstrdup", "b.c", 30},
			 {"/opt/app", "make", "b.c", 33},
			 {"/opt/app", "main", "b.c", 99},
			 {0}},
	   "app!make < app!main");
}
END_TEST

START_TEST(a_librarys_version_is_no_part)
{
	is((struct is[]){{"/usr/lib/libfoo.so.1.2.3", "foo", NULL, 0},
			 {APP, "main", NULL, 0},
			 {0}},
	   "libfoo.so!foo < app!main");
	is((struct is[]){{"/lib/libfoo.so", "foo", NULL, 0}, {0}},
	   "libfoo.so!foo");
}
END_TEST

START_TEST(a_function_counts_once)
{
	is((struct is[]){{APP, "term", NULL, 0},
			 {APP, "sum", NULL, 0},
			 {APP, "term", NULL, 0},
			 {APP, "sum", NULL, 0},
			 {APP, "main", NULL, 0},
			 {0}},
	   "app!term < app!sum < app!main");
	/* A part of a name is another function. */
	is((struct is[]){{APP, "sum", NULL, 0},
			 {APP, "sum2", NULL, 0},
			 {APP, "asum", NULL, 0},
			 {APP, "su", NULL, 0},
			 {0}},
	   "app!sum < app!sum2 < app!asum < app!su");
	is((struct is[]){{APP, "f", NULL, 0}, {"/lib/b.so", "f", NULL, 0}, {0}},
	   "app!f < b.so!f");
}
END_TEST

START_TEST(something_is_always_said)
{
	is((struct is[]){{APP, NULL, NULL, 0}, {APP, "main", NULL, 0}, {0}},
	   "app!? < app!main");
	is((struct is[]){{"/lib/libc.so.6", "getline", NULL, 0}, {0}},
	   "libc.so!getline");
	is((struct is[]){{0}}, "?");
}
END_TEST

START_TEST(the_hash_is_fnv_1a)
{
	char to[FINGERPRINT_TEXT];

	/* From the authors' test vectors. */
	ck_assert_str_eq(fingerprint_hash(to, ""), "cbf29ce484222325");
	ck_assert_str_eq(fingerprint_hash(to, "a"), "af63dc4c8601ec8c");
	ck_assert_str_eq(fingerprint_hash(to, "foobar"), "85944171f73967e8");
}
END_TEST

static void add(TCase *c)
{
	tcase_add_checked_fixture(c, begin, end);
	tcase_add_test(c, only_the_programs_frames);
	tcase_add_test(c, a_librarys_version_is_no_part);
	tcase_add_test(c, a_function_counts_once);
	tcase_add_test(c, something_is_always_said);
	tcase_add_test(c, the_hash_is_fnv_1a);
}

int main(void)
{
	return suite_main("fingerprint", add);
}
