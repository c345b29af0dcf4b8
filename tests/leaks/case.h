/* SPDX-License-Identifier: MIT */
/*
 * What the cases of the truth suite share. A case is a function; run, beside
 * this, reads what its verdict must be from the comment above it:
 *
 *   Expect: none
 *   Expect: KIND N blocks M bytes [in FUNCTION]; ...
 *
 * KIND is definite, indirect, possible, or held_at_exit, and `KIND any` states
 * nothing of it; a kind that is not named must have nothing. `N processes` is
 * how many traces there are, whose verdicts add up, and `N unchecked` how many
 * of them have none. What dead frames hold is not wiped: where a case stops,
 * the stack is left as the compiler left it.
 */
#ifndef TESTS_LEAKS_CASE_H
#define TESTS_LEAKS_CASE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define OUTLINE __attribute__((noinline, unused))

struct leak_case {
	const char *name;
	void (*run)(void);
};

/* Begin a case. */
#define CASE(name)                                                          \
	static OUTLINE void name(void);                                     \
	__attribute__((                                                     \
		used, section("cases"),                                     \
		aligned(16))) static const struct leak_case case_##name = { \
		#name, &name};                                              \
	static OUTLINE void name(void)

extern const struct leak_case __start_cases[], __stop_cases[];

/* What the program can reach, and what it could before. */
static void *volatile kept;

/* What main() calls after a case, if the case says so. */
static void (*volatile leave)(void);

/* Allocate a block that the compiler cannot do without. */
static OUTLINE void *make(size_t size)
{
	void *volatile block = malloc(size);

	if (block)
		memset(block, 0, size);
	return block;
}

/* Chain blocks by their first word. */
static OUTLINE void *list(int blocks, size_t size)
{
	void **head = NULL;

	while (blocks--) {
		void **node = (void **)make(size);

		*node = head;
		head = node;
	}
	return head;
}

/* Build a full binary tree. */
static OUTLINE void *tree(int levels, size_t size)
{
	void **node;

	if (!levels)
		return NULL;
	node = (void **)make(size);
	node[0] = tree(levels - 1, size);
	node[1] = tree(levels - 1, size);
	return node;
}

/* Close a list into a ring. */
static OUTLINE void *ring(int blocks, size_t size)
{
	void **head = (void **)list(blocks, size), **last = head;

	while (*last)
		last = (void **)*last;
	*last = head;
	return head;
}

/* Map pages outside of the heap. */
static OUTLINE void **map_pages(size_t pages)
{
	return (void **)mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Make a value that is not an address of it. */
static OUTLINE void *turned(void *block)
{
	return (void *)~(uintptr_t)block;
}

int main(int argc, char **argv)
{
	for (const struct leak_case *c = __start_cases; c < __stop_cases; c++)
		if (argc == 2 && strcmp(c->name, argv[1]) == 0) {
			c->run();
			if (leave)
				leave();
			return 0;
		}
	return 2;
}

#endif
