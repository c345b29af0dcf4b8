/* SPDX-License-Identifier: MIT */
/*
 * Shows that linkage names of C++, Rust and D become what people know the
 * functions by, without parameters, and that others stay as they are.
 */
#include "suite.h"
#include "symname.h"

static const struct {
	const char *linkage, *function;
} names[] = {
	/* C, and what compilers add to names. */
	{"main", "main"},
	{"grow.part.0", "grow"},
	{"grow.isra.0.cold", "grow"},
	{"grow.llvm.1234", "grow"},
	{"_start", "_start"},
	{"_DYNAMIC", "_DYNAMIC"},
	{"_D", "_D"},
	{"", ""},
	/* C++ */
	{"_ZN4Tree6insertERKi", "Tree::insert"},
	{"_ZN4Tree6insertERKi.constprop.0", "Tree::insert"},
	{"_ZNSt6vectorIiSaIiEE17_M_realloc_insertIJiEEEvv",
	 "std::vector<int, std::allocator<int> >::_M_realloc_insert<int>"},
	{"_ZZ4mainENKUlvE_clEv", "main::{lambda()#1}::operator()"},
	{"_Znwm", "operator new"},
	{"_ZN4", "_ZN4"},
	/* Rust, in its old and its new way */
	{"_ZN5alloc7raw_vec11finish_grow17h0123456789abcdefE",
	 "alloc::raw_vec::finish_grow"},
	{"_ZN4core3ptr27drop_in_place$LT$app..T$GT$17h0123456789abcdefE",
	 "core::ptr::drop_in_place<app::T>"},
	{"_RNvNtCs5l0EXMQXRMU_5alloc7raw_vec4grow", "alloc::raw_vec::grow"},
	{"_RINvNtC3std3mem8align_ofjEC3foo", "std::mem::align_of::<usize>"},
	{"_RNvMNtCs5l0EXMQXRMU_5alloc7raw_vecINtB2_6RawVechE4grow",
	 "<alloc::raw_vec::RawVec<u8>>::grow"},
	{"_RNCNvC3app4main0", "app::main::{closure#0}"},
	/* D */
	{"_Dmain", "D main"},
	{"_D3app4growFZAi", "app.grow"},
	{"_D3app4growFiZAi", "app.grow"},
	{"_D8demangle3Foo3barMFiZi", "demangle.Foo.bar"},
	{"_D6object9Exception8toStringMxFZAya", "object.Exception.toString"},
	{"_D3std5stdio__T7writelnTAyaZQnFQhZv",
	 "std.stdio.writeln!(immutable(char)[]).writeln"},
	{"_D4test3fooFDFiZvZi", "test.foo"},
	{"_D4test3fooFiZ3barFaZi", "test.foo.bar"},
};

START_TEST(names_functions)
{
	struct symname s = {0};
	struct sym_frame f = {0}, again = {0};

	symname_set(&s, names[_i].linkage, &f);
	symname_set(&s, names[_i].linkage, &again);
	ck_assert_str_eq(f.function, names[_i].function);
	ck_assert_str_eq(f.linkage, names[_i].linkage);
	ck_assert_ptr_eq(f.function, again.function);
	symname_free(&s);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_loop_test(c, names_functions, 0, COUNT(names));
}

int main(void)
{
	return suite_main("symname", add);
}
