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

_Alignas(64) struct mt_real mt_real;
MT_HOT bool mt_real_foreign;
MT_HOT enum mt_sizes mt_real_sizes;
MT_HOT bool mt_real_cxx_plain;

_Alignas(16) char mt_real_early[MT_EARLY_BYTES];
static size_t early_used;

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

/* C++ where nobody has its operators: they are malloc and free. */
static void *plain_new(size_t size)
{
	return mt_real.malloc(size ? size : 1);
}

static void *plain_new_aligned(size_t size, size_t align)
{
	void *p;

	if (align < sizeof(p))
		align = sizeof(p);
	return mt_real.posix_memalign(&p, align, size ? size : 1) ? NULL : p;
}

static void plain_delete(void *p)
{
	mt_real.free(p);
}

/* Return the plain operator of a name; it ignores the arguments behind. */
static void *find_plain(const char *symbol)
{
	if (strncmp(symbol, "_Zd", 3) == 0)
		return (void *)plain_delete;
	return strstr(symbol, "align_val") ? (void *)plain_new_aligned
					   : (void *)plain_new;
}

void mt_real_find_cxx(void *slot, const char *symbol)
{
	static const char *const libraries[] = {"libstdc++.so.6",
						"libc++.so.1"};
	void *f = dlsym(RTLD_NEXT, symbol);

	/* It has to stay: libraries that come later will be sent there. */
	for (size_t i = 0; i < 2 && !f; i++) {
		void *library = dlopen(libraries[i],
				       RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);

		if (library)
			f = dlsym(library, symbol);
	}
	if (!f)
		f = find_plain(symbol);
	memcpy(slot, &f, sizeof(f));
}

void mt_real_learn(const void *p, size_t usable)
{
	mt_real_sizes = mt_real_chunk_usable(p) == usable ? MT_SIZES_IN_CHUNKS
							  : MT_SIZES_ASKED;
}

/* Whether a name that the program's libraries look up is found in `file`. */
static bool is_from(const char *symbol, void *file)
{
	Dl_info info;
	void *f = dlsym(RTLD_DEFAULT, symbol);

	return f && dladdr(f, &info) && info.dli_fbase == file;
}

/* Whether a function is libstdc++'s. */
static bool is_libstdcxx(void *f)
{
	Dl_info info;

	return f && dladdr(f, &info) && strstr(info.dli_fname, "/libstdc++.so");
}

/*
 * Whether mt_real_cxx_plain holds. A program that replaces any of the four
 * comes before us; libstdc++'s other operators are its own's callers then.
 */
static bool is_cxx_plain(void)
{
	static const char *const symbols[] = {"malloc", "free", "_Znwm",
					      "_ZdlPv"};
	Dl_info us;

	if (mt_real_foreign || !is_libstdcxx((void *)mt_real.new) ||
	    !is_libstdcxx((void *)mt_real.delete) || !dladdr(&mt_real, &us))
		return false;
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
		if (!is_from(symbols[i], us.dli_fbase))
			return false;
	return true;
}

void mt_real_init(void)
{
	void *libc;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		mt_real_find((char *)&mt_real + names[i].at, names[i].symbol);
	libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
	mt_real_foreign =
		!libc || (void *)mt_real.malloc != dlsym(libc, "malloc");
	if (libc)
		dlclose(libc);
	if (mt_real_foreign)
		mt_real_sizes = MT_SIZES_ASKED;
	mt_real_cxx_plain = is_cxx_plain();
	/* Some (tcmalloc) set themselves up at the first question: now, not
	 * inside a hook. */
	if (mt_real.usable)
		mt_real.usable(NULL);
}

void *mt_real_early_alloc(size_t size)
{
	size_t need = MT_ALIGN_UP(size, 16ul);

	if (need < size || need > MT_EARLY_BYTES - early_used)
		return NULL;
	early_used += need;
	return mt_real_early + early_used - need;
}
