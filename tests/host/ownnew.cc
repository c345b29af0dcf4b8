/* SPDX-License-Identifier: MIT */
/*
 * A program with an operator new and delete of its own, which libstdc++'s
 * other forms call: they still do, and are told from malloc and free, which
 * would not take the pool's blocks.
 */
#include <cstdio>
#include <cstdlib>
#include <new>

#include "host.h"

static char pool[1 << 16];
static std::size_t used, news, deletes;

void *operator new(std::size_t n)
{
	news++;
	used += (n + 15) & ~std::size_t(15);
	return used <= sizeof(pool) ? pool + used - ((n + 15) & ~15ul)
				    : nullptr;
}

void operator delete(void *) noexcept
{
	deletes++;
}

void operator delete(void *p, std::size_t) noexcept
{
	operator delete(p);
}

int main(void)
{
	for (int i = 0; i < 10; i++) {
		keep(operator new(24));
		void *p = keep(operator new[](40));
		void *q = keep(operator new(8, std::nothrow));
		void *r = keep(operator new[](16, std::nothrow));

		operator delete[](p);
		operator delete(q, std::size_t(8));
		operator delete[](r, std::nothrow);
	}
	std::printf("news %zu, deletes %zu\n", news, deletes);
	return news == 40 && deletes == 30 ? EXIT_SUCCESS : EXIT_FAILURE;
}
