/* SPDX-License-Identifier: MIT */
/* Addresses that no allocator gives; see noblock.h. */
#include "noblock.h"

/* The kernel gives no page below; addresses of programs end there (x86-64;
 * format.h says what stands for those beyond). */
#define LOWEST 65536u
#define HIGHEST (1ull << 47)

/*
 * Above what was mapped first, which the loader and the libraries are, the
 * kernel leaves a gap of 128 MiB at least, and then comes the stack of the
 * first thread (mmap_base() in arch/x86/mm/mmap.c). With the layout of old
 * there is none, but there the libraries are in the lower third.
 */
#define STACK_GAP (64ull << 20)
#define MAPPED_FROM_ABOVE 0x7f0000000000u

/* Blocks begin at multiples of it. */
static unsigned int alignment(const struct trace *t)
{
	return t->allocator && util_starts(util_basename(t->allocator), "libc.")
		       ? 16
		       : 8;
}

/* Tell whether an address is on the stack of the first thread. */
static bool is_stack(const struct trace *t, uint64_t address)
{
	uint64_t top = 0;

	for (size_t i = 0; i < t->module_count; i++) {
		const struct trace_module *m = &t->modules[i];

		if (m->path && m->path[0] == '/' && m->end > top)
			top = m->end;
	}
	return top >= MAPPED_FROM_ABOVE && address > top + STACK_GAP;
}

const char *noblock_at(const struct trace *t, uint64_t address,
		       const char **module)
{
	*module = NULL;
	if (address >= HIGHEST)
		return "beyond the memory of programs";
	if (address < LOWEST)
		return "below the memory of programs";
	for (size_t i = 0; i < t->module_count; i++) {
		const struct trace_module *m = &t->modules[i];

		if (!m->path || m->unloaded || address < m->start ||
		    address >= m->end)
			continue;
		*module = m->path;
		return "data or code of a module";
	}
	if (is_stack(t, address))
		return "the stack";
	if (address % alignment(t))
		return "not aligned as blocks are";
	return NULL;
}
