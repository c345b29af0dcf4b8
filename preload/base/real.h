/* SPDX-License-Identifier: MIT */
/*
 * The functions behind our hooks: the next definition of each name in the
 * loader's search order, be it libc's or another allocator's.
 */
#ifndef PRELOAD_REAL_H
#define PRELOAD_REAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sys.h"

struct mt_nothrow;

/* X(member, result, symbol, parameters); the most used fill a cache line. */
#define MT_REAL(X)                                                             \
	X(malloc, void *, "malloc", (size_t))                                  \
	X(calloc, void *, "calloc", (size_t, size_t))                          \
	X(free, void, "free", (void *))                                        \
	X(realloc, void *, "realloc", (void *, size_t))                        \
	X(usable, size_t, "malloc_usable_size", (void *))                      \
	X(new, void *, "_Znwm", (size_t))                                      \
	X(delete, void, "_ZdlPv", (void *))                                    \
	X(delete_sized, void, "_ZdlPvm", (void *, size_t))                     \
	X(reallocarray, void *, "reallocarray", (void *, size_t, size_t))      \
	X(cfree, void, "cfree", (void *))                                      \
	X(posix_memalign, int, "posix_memalign", (void **, size_t, size_t))    \
	X(aligned_alloc, void *, "aligned_alloc", (size_t, size_t))            \
	X(memalign, void *, "memalign", (size_t, size_t))                      \
	X(valloc, void *, "valloc", (size_t))                                  \
	X(pvalloc, void *, "pvalloc", (size_t))                                \
	X(free_sized, void, "free_sized", (void *, size_t))                    \
	X(free_aligned_sized, void, "free_aligned_sized",                      \
	  (void *, size_t, size_t))                                            \
	X(mmap, void *, "mmap", (void *, size_t, int, int, int, off_t))        \
	X(munmap, int, "munmap", (void *, size_t))                             \
	X(mremap, void *, "mremap", (void *, size_t, size_t, int, ...))        \
	X(exit_now, void, "_exit", (int))                                      \
	X(execve, int, "execve", (const char *, char *const *, char *const *)) \
	X(execvpe, int, "execvpe",                                             \
	  (const char *, char *const *, char *const *))                        \
	X(fexecve, int, "fexecve", (int, char *const *, char *const *))        \
	X(execveat, int, "execveat",                                           \
	  (int, const char *, char *const *, char *const *, int))              \
	X(new_nothrow, void *, "_ZnwmRKSt9nothrow_t",                          \
	  (size_t, const struct mt_nothrow *))                                 \
	X(new_aligned, void *, "_ZnwmSt11align_val_t", (size_t, size_t))       \
	X(new_aligned_nothrow, void *, "_ZnwmSt11align_val_tRKSt9nothrow_t",   \
	  (size_t, size_t, const struct mt_nothrow *))                         \
	X(new_array, void *, "_Znam", (size_t))                                \
	X(new_array_nothrow, void *, "_ZnamRKSt9nothrow_t",                    \
	  (size_t, const struct mt_nothrow *))                                 \
	X(new_array_aligned, void *, "_ZnamSt11align_val_t", (size_t, size_t)) \
	X(new_array_aligned_nothrow, void *,                                   \
	  "_ZnamSt11align_val_tRKSt9nothrow_t",                                \
	  (size_t, size_t, const struct mt_nothrow *))                         \
	X(delete_nothrow, void, "_ZdlPvRKSt9nothrow_t",                        \
	  (void *, const struct mt_nothrow *))                                 \
	X(delete_aligned, void, "_ZdlPvSt11align_val_t", (void *, size_t))     \
	X(delete_aligned_nothrow, void, "_ZdlPvSt11align_val_tRKSt9nothrow_t", \
	  (void *, size_t, const struct mt_nothrow *))                         \
	X(delete_sized_aligned, void, "_ZdlPvmSt11align_val_t",                \
	  (void *, size_t, size_t))                                            \
	X(delete_array, void, "_ZdaPv", (void *))                              \
	X(delete_array_nothrow, void, "_ZdaPvRKSt9nothrow_t",                  \
	  (void *, const struct mt_nothrow *))                                 \
	X(delete_array_sized, void, "_ZdaPvm", (void *, size_t))               \
	X(delete_array_aligned, void, "_ZdaPvSt11align_val_t",                 \
	  (void *, size_t))                                                    \
	X(delete_array_aligned_nothrow, void,                                  \
	  "_ZdaPvSt11align_val_tRKSt9nothrow_t",                               \
	  (void *, size_t, const struct mt_nothrow *))                         \
	X(delete_array_sized_aligned, void, "_ZdaPvmSt11align_val_t",          \
	  (void *, size_t, size_t))

struct mt_real {
#define MEMBER(name, result, symbol, parameters) result(*name) parameters;
	MT_REAL(MEMBER)
#undef MEMBER
};

/*
 * NULL members have no definition (yet: C++'s appear with libstdc++). The
 * first four are there once mt_real_init() has run.
 */
extern MT_OURS struct mt_real mt_real;

/*
 * Whether the real malloc is another library's than libc's: then its
 * functions may call each other through our hooks.
 */
extern MT_OURS bool mt_real_foreign;

/* How the usable size of a block is known. */
enum mt_sizes {
	MT_SIZES_UNKNOWN,   /* so far: no block was seen */
	MT_SIZES_IN_CHUNKS, /* as in glibc, in the word before it */
	MT_SIZES_ASKED,	    /* by malloc_usable_size() only */
};

extern MT_OURS enum mt_sizes mt_real_sizes;

/* Learn from the first block how it is. Context: hook. */
void mt_real_learn(const void *p, size_t usable);

/* Return what the word before a block of glibc's says of its size. */
static inline size_t mt_real_chunk_usable(const void *p)
{
	size_t head = ((const size_t *)p)[-1];

	return (head & ~(size_t)7) - (head & 2 ? 16 : 8); /* 2: by mmap */
}

/*
 * Return the usable size of what is about to be freed. It need be no block: of
 * glibc's only the word is read that its free() reads first itself, while
 * malloc_usable_size() goes on to where it says that the next one is.
 * Context: hook.
 */
static inline size_t mt_real_freed_usable(void *p)
{
	if (__builtin_expect(mt_real_sizes == MT_SIZES_IN_CHUNKS, 1))
		return mt_real_chunk_usable(p);
	if (mt_real_sizes == MT_SIZES_ASKED && mt_real.usable)
		return mt_real.usable(p);
	return 0;
}

/*
 * Whether C++'s operators that take no alignment are libstdc++'s, which are
 * malloc and free but for what is done when there is no memory, and nobody
 * stands between them and libc's: then a hook may call these at once.
 */
extern MT_OURS bool mt_real_cxx_plain;

/* Resolve what can be. Allocations inside are served. Context: init. */
void mt_real_init(void);

/*
 * Resolve one more name into `*slot`, for a library that came later. False
 * when there is none. Context: any hook, before the real call.
 */
bool mt_real_find(void *slot, const char *symbol);

/*
 * Resolve an operator new or delete into `*slot` when C++ code first calls
 * it. The library that has it may be out of RTLD_NEXT's sight: a C program's
 * plugin brought it, by dlopen(RTLD_LOCAL). Where there is none, it is malloc
 * or free, and a failure is NULL, since we have nothing to throw. Context:
 * any hook, before the real call, after mt_real_init().
 */
void mt_real_find_cxx(void *slot, const char *symbol);

/* Memory for allocations made while mt_real_init() looks for malloc. */
void *mt_real_early_alloc(size_t size);
#define MT_EARLY_BYTES 8192
extern MT_OURS char mt_real_early[MT_EARLY_BYTES];
static inline bool mt_real_is_early(const void *p)
{
	return (uintptr_t)p - (uintptr_t)mt_real_early < MT_EARLY_BYTES;
}

#endif
