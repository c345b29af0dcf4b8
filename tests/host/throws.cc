/* SPDX-License-Identifier: MIT */
/*
 * Exceptions through frames that allocate, out of operator new when memory is
 * short, through a new handler, and rethrown: all are caught where they are
 * without the recorder, and each allocation is there.
 */
#include <new>
#include <stdexcept>
#include <string>

#include "host.h"

extern "C" NOINLINE void *throw_alloc(size_t n)
{
	return keep(::operator new(n));
}

static int handler_calls;

static void on_short(void)
{
	if (++handler_calls >= 3)
		std::set_new_handler(nullptr);
}

struct guard {
	void *p;

	guard() : p(throw_alloc(48))
	{
	}
	~guard()
	{
		::operator delete(p);
	}
};

static NOINLINE void thrower(int level)
{
	guard g;

	if (!level)
		throw std::runtime_error("deep inside, with a longer text");
	thrower(level - 1);
	keep(&g);
}

/* Ask for more than there is; return whether bad_alloc came. */
static bool too_much(std::size_t n)
{
	try {
		guard g;

		keep(::operator new(n));
	} catch (const std::bad_alloc &) {
		return true;
	}
	return false;
}

int main()
{
	int caught = 0;

	for (int i = 0; i < 200; i++) {
		try {
			try {
				thrower(i % 20);
			} catch (...) {
				throw;
			}
		} catch (const std::runtime_error &e) {
			caught += std::string(e.what()).size() > 10;
		}
	}
	need(caught == 200, "runtime_error");
	for (int i = 0; i < 200; i++)
		caught += too_much(static_cast<std::size_t>(-1) / 4);
	need(caught == 400, "bad_alloc");
	std::set_new_handler(on_short);
	need(too_much(static_cast<std::size_t>(-1) / 4), "new handler");
	need(handler_calls == 3, "new handler calls");
	need(!::operator new(static_cast<std::size_t>(-1) / 4, std::nothrow),
	     "nothrow");
	say("done");
	return 0;
}
