/* SPDX-License-Identifier: MIT */
/*
 * Stacks that a remembered path leads astray unless all of it is compared:
 * one innermost frame at one address, after one and the same stack, below
 * callers that differ in one place only, near or far, in a return address, a
 * frame pointer or a frame's size.
 */
#include <alloca.h>

#include "host.h"

typedef void fn(unsigned int x);

/* How far a frame may move: what it leaves behind is not overwritten. */
#define FAR_BYTES (64 * 1024)

/* Of two places, lest the walk from one forgets how the other's went. */
static NOINLINE void innermost(unsigned int x)
{
	void *p = x & 1 ? malloc(17) : calloc(1, 18);

	free(keep(p));
	keep(&x);
}

/* The stack before. */
static NOINLINE void before(void)
{
	free(keep(malloc(16)));
	keep(NULL);
}

/* Call `next` from one of two places, below `room` bytes; `text` tells the
 * copies apart, lest the compiler makes one of them. */
#define CALLER(name, next, room, text)                    \
	static NOINLINE void name(unsigned int x)         \
	{                                                 \
		char bytes[room];                         \
                                                          \
		keep(bytes);                              \
		if (x & 1) {                              \
			next(x >> 1);                     \
			__asm__ volatile("# odd " text);  \
		} else {                                  \
			next(x >> 1);                     \
			__asm__ volatile("# even " text); \
		}                                         \
		keep(bytes);                              \
	}

CALLER(near, innermost, 16, "near")
CALLER(middle, near, 48, "middle")
CALLER(other_middle, near, 48, "other middle")

/* A frame that is found by its frame pointer, of a size that varies. */
static NOINLINE void framed(unsigned int x)
{
	keep(alloca((x & 1) * FAR_BYTES + 16));
	if (x & 2)
		middle(x >> 2);
	else
		other_middle(x >> 2);
	keep(&x);
}

CALLER(to_framed, framed, 16, "to framed")
CALLER(to_framed_too, framed, FAR_BYTES + 16, "to framed too")
CALLER(to_middle, middle, 32, "to middle")
CALLER(to_other, other_middle, 32, "to other")
CALLER(outer, to_middle, 64, "outer")
CALLER(like_outer, to_middle, 64, "like outer")
CALLER(outer_other, to_other, 64, "outer other")

int main(void)
{
	static fn *const way[] = {outer,    like_outer, outer_other,
				  to_other, to_middle,	middle,
				  framed,   to_framed,	to_framed_too};
	/* Some of the ways, and which of their turns to take. */
	static const struct {
		unsigned int first, count, turns;
	} part[] = {{0, 9, 63}, {0, 3, 17}, {7, 2, 35}, {7, 2, 43}};
	unsigned int x = 1;

	for (int i = 0; i < 4000; i++) {
		unsigned int k = (unsigned int)i / 1000;

		x = x * 1103515245 + 12345;
		before();
		way[part[k].first + (x >> 16) % part[k].count](x >> 24 &
							       part[k].turns);
	}
	say("done");
	return 0;
}
