/* SPDX-License-Identifier: MIT */
/*
 * Shows that rules of LSan and of valgrind match what those match, that ours
 * end, and that a wrong line is named.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"
#include "suppress.h"
#include "textfile.h"

static struct suppress s;
static void end(void)
{
	suppress_free(&s);
	unlink(path);
}

/* Read rules on the first of March; returns the error, or "". */
static const char *read_text(const char *text)
{
	static struct error e;

	textfile_write(text);
	suppress_free(&s);
	e = (struct error){0};
	ck_assert_int_eq(suppress_read(&s, path, "2026-03-01", &e) != 0,
			 error_is_set(&e));
	return e.text;
}

/* make() was called by Shop::sell(int), that by main. */
static const struct frame make = {
	.function = "make",
	.linkage = "make",
	.file = "/src/a/make.c",
	.module = "/usr/lib/libmake.so.2",
};
static const struct frame sell = {
	.function = "Shop::sell(int)",
	.linkage = "_ZN4Shop4sellEi",
	.file = "/src/a/shop.cc",
	.module = "/opt/shop[1]",
};
static const struct frame start = {
	.function = "main",
	.linkage = "main",
	.module = "/opt/shop[1]",
};

static bool matches(enum leak_kind kind, unsigned int how)
{
	const struct frame *at[] = {&make, &sell, &start};
	struct stacks_list list = {at, 3, 3};

	return suppress_find(&s, kind, how, &list);
}

static const struct {
	const char *line;
	bool matches;
} leaks[] = {
	{"leak:make", true},	     {"leak:ake", true},
	{"leak:Make", false},	     {"leak:^make$", true},
	{"leak:^ake", false},	     {"leak:mak$", false},
	{"leak:shop.cc", true},	     {"leak:libmake.so", true},
	{"leak:/opt/shop[1]", true}, {"leak:Shop::sell(int)", true},
	{"leak:Shop::*(int)", true}, {"leak:^S*l", true},
	{"leak:sel?", false},	     {"leak:^main$", true},
	{"leak:malloc", true},	     {"leak:calloc", false},
	{"leak:m*k*e*x", false},
};

START_TEST(lsan_matches_a_part_of_any_frame)
{
	ck_assert_str_eq(read_text(leaks[_i].line), "");
	ck_assert_int_eq(matches(LEAK_DEFINITE, MT_MALLOC), leaks[_i].matches);
}
END_TEST

static const struct {
	const char *frames;
	bool matches;
} stacks[] = {
	{"fun:malloc\nfun:make", true},
	{"fun:malloc\nfun:make\nfun:_ZN4Shop4sellEi\nfun:main", true},
	{"fun:malloc\nfun:make\nfun:_ZN4Shop4sellEi\nfun:main\nfun:x", false},
	{"fun:make", false}, /* the first is the allocator */
	{"fun:calloc\nfun:make", false},
	{"...\nfun:main", true},
	{"...\nfun:make\n...\nfun:main\n...", true},
	{"...\nfun:main\n...\nfun:make", false},
	{"fun:malloc\n...\nfun:_ZN4*", true},
	{"fun:malloc\nfun:m?ke", true},
	{"fun:malloc\nfun:m?", false},
	{"fun:malloc\nfun:mak", false}, /* whole names */
	{"fun:*alloc\nobj:*/libmake.so*\nobj:*", true},
	{"fun:malloc\nobj:libmake*", false}, /* whole paths */
	{"...\nsrc:shop.cc", true},
	{"...\nsrc:shop.cc:33", true},
	{"...\nsrc:/src/a/*.cc", true},
	{"...\nsrc:shop.c", false},
	{"...\nfun:Shop::sell(int)", true},
};

START_TEST(valgrind_matches_frame_by_frame)
{
	char text[256];

	snprintf(text, sizeof(text), "{\n  name\n  Memcheck:Leak\n%s\n}\n",
		 stacks[_i].frames);
	ck_assert_str_eq(read_text(text), "");
	ck_assert_int_eq(matches(LEAK_DEFINITE, MT_MALLOC), stacks[_i].matches);
}
END_TEST

START_TEST(kinds_and_tools_are_told_apart)
{
	ck_assert_str_eq(read_text("# a comment\n\n{\n a\n Memcheck:Leak\n"
				   " match-leak-kinds: indirect,possible\n"
				   " ...\n fun:make\n}\r\n"),
			 "");
	ck_assert(!matches(LEAK_DEFINITE, MT_MALLOC));
	ck_assert(matches(LEAK_INDIRECT, MT_MALLOC));
	ck_assert(matches(LEAK_POSSIBLE, MT_MALLOC));
	ck_assert_str_eq(read_text("{\n a\n Memcheck:Leak\n"
				   " match-leak-kinds: definite\n ...\n}\n"),
			 "");
	ck_assert(matches(LEAK_HELD, MT_MALLOC));
	/* Other errors, with lines that leaks have not. */
	ck_assert_str_eq(read_text("{\n a\n Memcheck:Param\n write(buf)\n"
				   " ...\n}\n{\n b\n Helgrind:Race\n fun:*\n"
				   "}\n"),
			 "");
	ck_assert_uint_eq(s.count, 2);
	ck_assert(!matches(LEAK_DEFINITE, MT_MALLOC));
	ck_assert_str_eq(read_text("{\n a\n Addrcheck,Memcheck:Leak\n"
				   " fun:_Znwm\n}\n"),
			 "");
	ck_assert(matches(LEAK_DEFINITE, MT_NEW));
	ck_assert(!matches(LEAK_DEFINITE, MT_NEW_ARRAY));
	/* The first that matches. */
	ck_assert_str_eq(read_text("leak:nothing\nleak:make\nleak:main\n"), "");
	ck_assert(matches(LEAK_DEFINITE, MT_MALLOC));
	s.rules[1].off = true;
	ck_assert(matches(LEAK_DEFINITE, MT_MALLOC));
	s.rules[2].off = true;
	ck_assert(!matches(LEAK_DEFINITE, MT_MALLOC));
}
END_TEST

START_TEST(ours_end)
{
	ck_assert_str_eq(read_text("leak:make expires=2026-03-01\n"), "");
	ck_assert(matches(LEAK_DEFINITE, MT_MALLOC));
	ck_assert_str_eq(read_text("leak:make max=3\texpires=2026-02-28\n"),
			 "");
	ck_assert(!matches(LEAK_DEFINITE, MT_MALLOC));
	ck_assert(s.rules[0].expired);
	ck_assert_uint_eq(s.rules[0].max_blocks, 3);
	/* A pattern may have blanks in it. */
	ck_assert_str_eq(read_text("leak:of max=3 here max=4\n"), "");
	ck_assert_uint_eq(s.rules[0].max_blocks, 4);
	ck_assert_str_eq(s.rules[0].pattern[0], "*of max=3 here*");
}
END_TEST

static const struct {
	const char *text, *wrong;
} wrongs[] = {
	{"leak:a\nlaek:b\n", "line 2: leak:PATTERN or { is wanted"},
	{"leak:\n", "line 1: a pattern is missing"},
	{"leak:^$\n", "line 1: a pattern is missing"},
	{"\nleak:a max=\n", "line 2: max= takes a number of blocks"},
	{"leak:a max=x\n", "line 1: max= takes a number of blocks"},
	{"leak:a expires=tomorrow\n", "line 1: expires= takes YYYY-MM-DD"},
	{"leak:a expires=2026-1-1\n", "line 1: expires= takes YYYY-MM-DD"},
	{"{\n a\n Memcheck:Leak\n fun:a\n", "line 4: a } is missing"},
	{"{\n a\n Memcheck:Leak\n}\n", "line 4: the block has no frame"},
	{"{\n a\n Memcheck:Leak\n foo:a\n}\n",
	 "line 4: fun:, obj:, src: or ... is wanted"},
	{"{\n a\n Memcheck:Leak\n match-leak-kinds: lost\n fun:a\n}\n",
	 "line 4: match-leak-kinds: takes definite, indirect, possible, "
	 "reachable or all"},
	{"}\n", "line 1: leak:PATTERN or { is wanted"},
};

START_TEST(what_is_wrong_is_named)
{
	ck_assert_str_eq(read_text(wrongs[_i].text), wrongs[_i].wrong);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_checked_fixture(c, textfile_make, end);
	tcase_add_loop_test(c, lsan_matches_a_part_of_any_frame, 0,
			    COUNT(leaks));
	tcase_add_loop_test(c, valgrind_matches_frame_by_frame, 0,
			    COUNT(stacks));
	tcase_add_test(c, kinds_and_tools_are_told_apart);
	tcase_add_test(c, ours_end);
	tcase_add_loop_test(c, what_is_wrong_is_named, 0, COUNT(wrongs));
}

int main(void)
{
	return suite_main("suppress", add);
}
