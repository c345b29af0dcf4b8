/* SPDX-License-Identifier: MIT */
/*
 * What is mapped at an address, read from /proc/self/maps: no lock of the
 * loader's is taken, so it may be asked from inside an allocation.
 */
#ifndef PRELOAD_MAPS_H
#define PRELOAD_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mt_mapping {
	uint64_t start, end; /* addresses */
	uint64_t file_start; /* where its file's first mapping starts */
	uint64_t inode;
	bool readable, writable, executable, shared;
	bool stack, heap;	    /* of the first thread; of brk */
	bool file_readable;	    /* of the mapping at file_start */
	uint64_t resident, swapped; /* bytes; by mt_maps_each_sized() only */
};

/*
 * Find the mapping that holds `address`. Its path, "[vdso]" or "" goes to
 * path[size] when path is given. False: nothing is mapped there, or /proc is
 * not to be had. Context: hook; a page of stack, tens of microseconds.
 */
bool mt_maps_find(uint64_t address, struct mt_mapping *mapping, char *path,
		  size_t size);

/*
 * Call for every mapping in the order of addresses, with its path ("" when it
 * is of no file), until `each` returns false. False: /proc is not to be had.
 * Context: hook.
 */
bool mt_maps_each(bool (*each)(void *context, const struct mt_mapping *mapping,
			       const char *path),
		  void *context);

/*
 * Do the same, with what of each is resident, from smaps: it takes as long as
 * there is memory to walk, a millisecond for 100 MB. `path` is room for paths.
 * Context: hook, locked; 2 KiB of stack.
 */
bool mt_maps_each_sized(bool (*each)(void *context,
				     const struct mt_mapping *mapping,
				     const char *path),
			void *context, char *path, size_t size);

#endif
