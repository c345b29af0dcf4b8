// SPDX-License-Identifier: MIT
/*
 * A program with operators of its own, which the compiler may make jumps to
 * malloc and free, so that no frame tells of them; of the sized delete it has
 * none. It is not judged; what is freed twice is.
 */
#include <new>

#include "cases.h"

void *operator new(std::size_t size)
{
	return malloc(size);
}

void operator delete(void *p) noexcept
{
	free(p);
}

static void *volatile a;

static OUTLINE void good()
{
	a = ::operator new(40);
	::operator delete(a, std::size_t(40));
	a = new char[40];
	::operator delete[](a);
}

static OUTLINE void mixed()
{
	a = malloc(40);
	::operator delete(a, std::size_t(40));
}

static OUTLINE void twice()
{
	a = ::operator new(40);
	::operator delete(a);
	::operator delete(a);
	__asm__ volatile("" ::: "memory");
}

static const struct badfree_case cases[] = {
	{"good", good, "none"},
	{"mixed", mixed, "none"},
	{"twice", twice, "double twice twice fatal=1"},
	{nullptr, nullptr, nullptr},
};

int main(int argc, char **argv)
{
	return run_cases(cases, argc, argv);
}
