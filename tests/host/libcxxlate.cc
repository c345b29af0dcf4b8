// SPDX-License-Identifier: MIT
// What cxxlate.c loads: it brings libstdc++, and uses its operators at once.
#include <new>
#include <string>

#include "host.h"

struct alignas(64) wide {
	char bytes[64];
};

struct counted {
	NOINLINE counted()
	{
		number = static_cast<int *>(keep(new int(1)));
	}

	~counted()
	{
		delete number;
	}

	int *number;
};

// Its constructor runs within dlopen().
static counted early;

// Use every form of new and delete `n` times; throw and catch bad_alloc.
extern "C" NOINLINE int cxx_work(unsigned int n)
{
	volatile std::size_t too_much = static_cast<std::size_t>(-1) / 4;
	int caught = 0;

	for (unsigned int i = 0; i < n; i++) {
		int *one = static_cast<int *>(keep(new int(2)));
		char *many = static_cast<char *>(keep(new char[100]));
		wide *aligned = static_cast<wide *>(keep(new wide));
		wide *row = static_cast<wide *>(keep(new wide[2]));
		int *quiet = static_cast<int *>(
			keep(new (std::nothrow) int(*early.number)));

		delete one;
		delete[] many;
		delete aligned;
		delete[] row;
		delete quiet;
		try {
			keep(new char[too_much]);
		} catch (const std::bad_alloc &) {
			caught++;
		}
	}
	return caught;
}
