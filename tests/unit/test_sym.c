/* SPDX-License-Identifier: MIT */
/*
 * Shows that code addresses get the right names, with the frames of inlined
 * functions, and that stacks are charged to the right site; on this program
 * itself, which is built with debug info.
 */
#include <link.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "site.h"
#include "suite.h"

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

/* Functions with the names that a C++ or Rust compiler would give. */
__attribute__((noinline)) void *grow(void) __asm__(
	"_ZNSt6vectorIiSaIiEE17_M_realloc_insertIJiEEEvv");
__attribute__((noinline)) void *tree(void) __asm__("_ZN4Tree6insertERKi");
__attribute__((noinline)) void *finish(void) __asm__(
	"_ZN5alloc7raw_vec11finish_grow17h0123456789abcdefE");
__attribute__((noinline)) void *raw_vec(void) __asm__(
	"_RNvNtCs5l0EXMQXRMU_5alloc7raw_vec4grow");

void *grow(void)
{
	return sink = here();
}

void *tree(void)
{
	return sink = here();
}

void *finish(void)
{
	return sink = here();
}

void *raw_vec(void)
{
	return sink = here();
}

static __attribute__((noinline)) void *xmalloc(void)
{
	return sink = here();
}

static jmp_buf back;
static void *behind_last_call;

/* Note where the call was made; never return there. */
static __attribute__((noinline, noreturn)) void leave(void)
{
	behind_last_call = __builtin_return_address(0);
	longjmp(back, 1);
}

/* The return address of the last call is behind the function's end. */
static __attribute__((noinline, noreturn)) void ends_in_call(void)
{
	leave();
}

static void *at_end(void)
{
	if (!setjmp(back))
		ends_in_call();
	return behind_last_call;
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
	struct sym *s = sym_new();
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
	struct sym *s = sym_new();
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

/* A stack, innermost first, and what it is to be charged to. */
#define MAX_STACK 4
static const struct {
	void *(*stack[MAX_STACK])(void);
	const char *function;
} stacks[] = {
	{{outer}, "innermost"},
	{{at_end}, "ends_in_call"},
	{{tree, outer}, "Tree::insert"},
	{{grow, tree}, "Tree::insert"},
	{{raw_vec, outer}, "innermost"},
	{{finish, raw_vec, tree}, "Tree::insert"},
	{{raw_vec, finish}, "alloc::raw_vec::grow"},
	{{xmalloc, tree}, "Tree::insert"},
	{{xmalloc, grow, raw_vec, tree}, "Tree::insert"},
	{{grow},
	 "std::vector<int, std::allocator<int> >::_M_realloc_insert"
	 "<int>"},
};

/* Make the trace of one allocation with a stack. */
static void make_trace(struct trace *t, void *(*const stack[MAX_STACK])(void))
{
	size_t depth = 0;

	while (depth < MAX_STACK && stack[depth])
		depth++;
	*t = (struct trace){.module_count = 1,
			    .pc_count = depth,
			    .node_count = MT_NODE_FIRST + depth};
	t->modules = util_alloc(1, sizeof(*t->modules));
	t->modules[0].path = util_copy(exe, strlen(exe));
	t->modules[0].bias = bias;
	t->pcs = util_alloc(depth, sizeof(*t->pcs));
	t->nodes = util_alloc(t->node_count, sizeof(*t->nodes));
	for (size_t i = 0; i < depth; i++) {
		uint32_t id = (uint32_t)(MT_NODE_FIRST + i);

		t->pcs[i].pc = (uint64_t)stack[depth - 1 - i]();
		t->nodes[id].parent = i ? id - 1 : 0;
		t->nodes[id].pc = (uint32_t)i;
	}
}

START_TEST(charges_the_program)
{
	static struct prof_stack chunk[PROF_CHUNK];
	struct prof_stack *chunks[] = {chunk};
	struct prof p = {.chunk = chunks, .stack_count = 1};
	struct sites s;
	struct trace t;

	make_trace(&t, stacks[_i].stack);
	chunk[0] = (struct prof_stack){.allocations = 3,
				       .allocated_bytes = 50,
				       .node = (uint32_t)t.node_count - 1};
	sites_build(&s, &t, &p);
	ck_assert_uint_eq(s.count, 1);
	ck_assert_str_eq(s.at[0].function, stacks[_i].function);
	ck_assert_str_eq(s.at[0].module, exe);
	ck_assert_uint_eq(s.at[0].totals.allocations, 3);
	ck_assert_uint_eq(s.totals.allocated_bytes, 50);
	sites_free(&s);
	trace_close(&t);
}
END_TEST

/* Without a file to look in, a site is a place in a module. */
START_TEST(charges_places_without_names)
{
	static struct prof_stack chunk[PROF_CHUNK];
	struct prof_stack *chunks[] = {chunk};
	struct prof p = {.chunk = chunks, .stack_count = 2};
	struct sites s;
	struct trace t;

	make_trace(&t, stacks[2].stack);
	free(t.modules[0].path);
	t.modules[0].path = util_copy("/nonexistent/program", 20);
	chunk[0] = (struct prof_stack){.allocations = 1,
				       .node = MT_NODE_FIRST + 1};
	chunk[1] = (struct prof_stack){.allocations = 1, .node = MT_NODE_LOST};
	sites_build(&s, &t, &p);
	ck_assert_uint_eq(s.count, 2);
	ck_assert_ptr_null(s.at[0].function);
	ck_assert_uint_eq(s.at[0].offset, t.pcs[1].pc - bias);
	ck_assert_str_eq(s.at[1].function, "(no stack)");
	ck_assert_int_eq(sites_module_state(&s, 0), SYM_MISSING);
	sites_free(&s);
	trace_close(&t);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_checked_fixture(c, begin, NULL);
	tcase_add_test(c, expands_inlined_functions);
	tcase_add_test(c, says_when_it_knows_nothing);
	tcase_add_loop_test(c, charges_the_program, 0, COUNT(stacks));
	tcase_add_test(c, charges_places_without_names);
}

int main(void)
{
	return suite_main("sym", add);
}
