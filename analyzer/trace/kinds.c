/* SPDX-License-Identifier: MIT */
/* What the kinds of events are called; see kinds.h. */
#include "kinds.h"

#include <stddef.h>

#include <memtrace/format.h>

static const char *const names[MT_KINDS] = {
	[MT_MALLOC] = "malloc",
	[MT_CALLOC] = "calloc",
	[MT_REALLOC] = "realloc",
	[MT_REALLOCARRAY] = "reallocarray",
	[MT_POSIX_MEMALIGN] = "posix_memalign",
	[MT_ALIGNED_ALLOC] = "aligned_alloc",
	[MT_MEMALIGN] = "memalign",
	[MT_VALLOC] = "valloc",
	[MT_PVALLOC] = "pvalloc",
	[MT_NEW] = "new",
	[MT_NEW_ARRAY] = "new[]",
	[MT_MMAP] = "mmap",
	[MT_MREMAP] = "mremap",
	[MT_FREE] = "free",
	[MT_CFREE] = "cfree",
	[MT_FREE_SIZED] = "free_sized",
	[MT_FREE_ALIGNED_SIZED] = "free_aligned_sized",
	[MT_DELETE] = "delete",
	[MT_DELETE_ARRAY] = "delete[]",
	[MT_REALLOC_FREE] = "realloc_free",
	[MT_MUNMAP] = "munmap",
	[MT_MREMAP_FREE] = "mremap_free",
	[MT_REALLOC_CANCEL] = "realloc_cancel",
};

const char *kinds_name(unsigned int kind)
{
	return kind < MT_KINDS ? names[kind] : NULL;
}

enum kinds_family kinds_family(unsigned int kind)
{
	switch (kind) {
	case MT_NEW:
	case MT_DELETE:
		return FAMILY_NEW;
	case MT_NEW_ARRAY:
	case MT_DELETE_ARRAY:
		return FAMILY_NEW_ARRAY;
	case MT_MALLOC ... MT_PVALLOC:
	case MT_FREE ... MT_FREE_ALIGNED_SIZED:
	case MT_REALLOC_FREE:
	case MT_REALLOC_CANCEL:
		return FAMILY_MALLOC;
	default:
		return FAMILY_NONE;
	}
}
