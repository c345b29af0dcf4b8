/* SPDX-License-Identifier: MIT */
/*
 * The frames of a module's addresses that were looked up before: in this run,
 * and in earlier ones, from a file that is named after the build-id.
 *
 * Such a file is in $XDG_CACHE_HOME/memtrace, else in ~/.cache/memtrace. It
 * may go at any time, and does when nobody asked for it in a month; one that is
 * damaged is as good as none.
 */
#ifndef ANALYZER_SYMCACHE_H
#define ANALYZER_SYMCACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "map.h"
#include "symframe.h"

struct symcache_entry {
	uint64_t address;
	uint32_t first, count; /* frames */
};

/* Zeroed is empty. */
struct symcache {
	/* The rest is symcache.c's own. */
	uint8_t *file; /* the earlier runs'; NULL: nothing */
	struct symcache_entry *entries;
	struct sym_frame *frames;
	size_t entry_count, entry_room, frame_count, frame_room;
	struct map at; /* address -> place in `entries` */
};

/* Return the directory of the files, NULL: there is to be none. Free it. */
char *symcache_directory(void);

/*
 * Load the file of a build-id and tell in `state` what was known about the
 * module then. False: there is none.
 */
bool symcache_load(struct symcache *c, const char *directory,
		   const uint8_t *build_id, size_t build_id_bytes,
		   enum sym_state *state);

/* Forget what was loaded. */
void symcache_unload(struct symcache *c);

/* Fill `frame` and return the count; -1: the address was never looked up. */
ssize_t symcache_find(const struct symcache *c, uint64_t address,
		      struct sym_frame frame[SYM_MAX_FRAMES]);

/* Add an address that symcache_find() did not know; strings stay yours. */
void symcache_add(struct symcache *c, uint64_t address,
		  const struct sym_frame *frame, size_t count);

/*
 * Write all that is known, if something was added, in place of the file.
 * Where that can't be done nothing happens.
 */
void symcache_save(const struct symcache *c, const char *directory,
		   const uint8_t *build_id, size_t build_id_bytes,
		   enum sym_state state);

void symcache_free(struct symcache *c);

#endif
