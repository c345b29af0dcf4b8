/* SPDX-License-Identifier: MIT */
/*
 * The functions behind our hooks; see real.h.
 *
 * dlsym() may itself allocate (the text of an error), and its allocation
 * comes back to our hooks. So the four names that serve it are resolved
 * first: from then on a hook without state simply passes through. What is
 * asked for before even those are known comes from a small static block
 * that is never given back.
 */
#include "real.h"

#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

#include "sys.h"

struct mt_real mt_real;

static struct {
	_Alignas(16) char memory[8192];
	size_t used;
} early;

static const struct {
	const char *symbol;
	size_t at;
} names[] = {
#define NAME(name, result, symbol, parameters) \
	{symbol, offsetof(struct mt_real, name)},
	MT_REAL(NAME)
#undef NAME
};

bool mt_real_find(void *slot, const char *symbol)
{
	void *f = dlsym(RTLD_NEXT, symbol);

	if (f)
		memcpy(slot, &f, sizeof(f));
	return f != NULL;
}

void mt_real_init(void)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		mt_real_find((char *)&mt_real + names[i].at, names[i].symbol);
}

void *mt_real_early_alloc(size_t size)
{
	size_t need = MT_ALIGN_UP(size, 16ul);

	if (need < size || need > sizeof(early.memory) - early.used)
		return NULL;
	early.used += need;
	return early.memory + early.used - need;
}

bool mt_real_is_early(const void *p)
{
	return (uintptr_t)p - (uintptr_t)early.memory < sizeof(early.memory);
}
