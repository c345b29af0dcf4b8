// SPDX-License-Identifier: MIT
/*
 * C++ programs that lose blocks or lose none, one by each CASE; run reads
 * what the verdict must be from the comment above each.
 */
#include <cstdlib>
#include <string>

#define OUTLINE __attribute__((noinline, unused))

struct left {
	virtual ~left() = default;
	long a;
};

struct right {
	virtual ~right() = default;
	long b;
};

struct both : left, right {
};

struct counted {
	~counted()
	{
		n = 0;
	}
	long n = 1;
};

void *volatile kept;

#if CASE == 1
/* Expect: none */
static std::string text(100, 'x');
static OUTLINE void act()
{
	text += "y";
}
#elif CASE == 2
/* Expect: definite 1 block 32 bytes in act; indirect 1 block 101 bytes */
static OUTLINE void act()
{
	kept = new std::string(100, 'x');
	kept = nullptr;
}
#elif CASE == 3
/* Expect: possible 1 block 32 bytes in act */
static OUTLINE void act()
{
	kept = static_cast<right *>(new both);
}
#elif CASE == 4
/* Expect: none */
static OUTLINE void act()
{
	kept = new counted[4];
}
#elif CASE == 5
/* Expect: definite 1 block 40 bytes in act */
static OUTLINE void act()
{
	kept = new counted[4];
	kept = nullptr;
}
#elif CASE == 6
/* Expect: none */
static struct owner {
	~owner()
	{
		delete[] block;
	}
	char *block = new char[64];
} owner;
static OUTLINE void act()
{
	kept = &owner;
}
#endif

int main()
{
	act();
	return 0;
}
