/* SPDX-License-Identifier: MIT */
/*
 * Shows that stacks are charged to the right site and have all their frames;
 * on this program itself, which is built with debug info.
 */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "self.h"
#include "stacks.h"
#include "suite.h"

static void *volatile sink;

/* Return the address behind the call, which is what a stack holds. */
static __attribute__((noinline)) void *here(void)
{
	return __builtin_return_address(0);
}

static inline __attribute__((always_inline)) void *innermost(void)
{
	void *p = here();

	return sink = p;
}

static inline __attribute__((always_inline)) void *middle(void)
{
	void *p = innermost();

	return sink = p;
}

static __attribute__((noinline)) void *outer(void)
{
	void *p = middle();

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
	t->modules[0].bias = self_bias;
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
	const struct frame *site;
	struct stacks s;
	struct trace t;

	make_trace(&t, stacks[_i].stack);
	stacks_of_trace(&s, &t, NULL);
	site = stacks_site(&s, (uint32_t)t.node_count - 1);
	ck_assert_str_eq(site->function, stacks[_i].function);
	ck_assert_str_eq(site->name, stacks[_i].function);
	ck_assert_str_eq(site->module, exe);
	stacks_free(&s);
	trace_close(&t);
}
END_TEST

/* Without a file to look in, a site is a place in a module. */
START_TEST(charges_places_without_names)
{
	const struct frame *site;
	struct stacks s;
	struct trace t;

	make_trace(&t, stacks[2].stack);
	free(t.modules[0].path);
	t.modules[0].path = util_copy("/nonexistent/program", 20);
	stacks_of_trace(&s, &t, NULL);
	site = stacks_site(&s, MT_NODE_FIRST + 1);
	ck_assert_ptr_null(site->function);
	ck_assert_uint_eq(site->offset, t.pcs[1].pc - self_bias);
	ck_assert(util_starts(site->name, "program+0x"));
	ck_assert_str_eq(stacks_site(&s, MT_NODE_LOST)->name, "(no stack)");
	ck_assert_int_eq(stacks_module_state(&s, 0), SYM_MISSING);
	stacks_free(&s);
	trace_close(&t);
}
END_TEST

static bool is_middle(void *context, const struct frame *f)
{
	(void)context;
	return f->function && strcmp(f->function, "middle") == 0;
}

/* A stack has all its frames, the inlined ones too, but the hidden ones. */
START_TEST(expands_stacks)
{
	struct stacks_list list = {0};
	struct stacks s;
	struct trace t;

	make_trace(&t, stacks[2].stack);
	stacks_of_trace(&s, &t, NULL);
	stacks_hide(&s, _i ? is_middle : NULL, NULL);
	stacks_expand(&s, (uint32_t)t.node_count - 1, &list);
	ck_assert_uint_eq(list.count, _i ? 3 : 4);
	ck_assert_str_eq(list.at[0]->name, "Tree::insert");
	ck_assert_str_eq(list.at[1]->name, "innermost");
	ck_assert(list.at[1]->inlined && !list.at[0]->inlined);
	ck_assert_str_eq(list.at[list.count - 1]->name, "outer");
	stacks_expand(&s, MT_NODE_CUT, &list);
	ck_assert_uint_eq(list.count, 1);
	ck_assert_str_eq(list.at[0]->name, "(cut)");
	stacks_list_free(&list);
	stacks_free(&s);
	trace_close(&t);
}
END_TEST

/* What an importer makes can be looked up again, each thing once. */
START_TEST(keeps_what_is_made)
{
	static const struct sym_frame frames[] = {
		{.function = "in", .file = "a.c", .line = 3},
		{.function = "out", .file = "a.c", .line = 9},
	};
	struct trace_module m = {.path = (char *)"/bin/x", .bias = 0x1000};
	struct stacks s;
	uint32_t module, pc, other, node;
	size_t n;

	stacks_begin(&s);
	module = stacks_add_module(&s, &m);
	pc = stacks_add_pc(&s, 0x1010, module, 0);
	ck_assert_uint_eq(stacks_add_pc(&s, 0x1010, module, 0), pc);
	other = stacks_add_pc(&s, 0x1020, module, 0);
	stacks_set_frames(&s, pc, frames, 2);
	node = stacks_add_node(&s, 0, pc);
	ck_assert_uint_ge(node, MT_NODE_FIRST);
	ck_assert_uint_eq(stacks_add_node(&s, 0, pc), node);
	ck_assert_uint_ne(stacks_add_node(&s, node, other), node);
	ck_assert_str_eq(stacks_site(&s, node)->function, "in");
	ck_assert_str_eq(stacks_frames(&s, other, &n)->name, "x+0x20");
	ck_assert_uint_eq(n, 1);
	stacks_free(&s);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_checked_fixture(c, self_find, NULL);
	tcase_add_loop_test(c, charges_the_program, 0, COUNT(stacks));
	tcase_add_test(c, charges_places_without_names);
	tcase_add_loop_test(c, expands_stacks, 0, 2);
	tcase_add_test(c, keeps_what_is_made);
}

int main(void)
{
	return suite_main("stacks", add);
}
