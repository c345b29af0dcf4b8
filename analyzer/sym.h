/* SPDX-License-Identifier: MIT */
/*
 * Names for code addresses: function, file and line, with the frames of
 * inlined functions, from the ELF and DWARF data of the modules.
 */
#ifndef ANALYZER_SYM_H
#define ANALYZER_SYM_H

#include "symframe.h"

#include <stddef.h>
#include <stdint.h>

struct sym;

struct sym_options;

/* `o` says where to look for files; NULL: where they were recorded. */
struct sym *sym_new(const struct sym_options *o);
void sym_free(struct sym *s);

/*
 * Make a module known and return its number, counted from 0. Its file is
 * opened at the first lookup. `path` is copied, and so is the build-id,
 * which must be the file's unless it has 0 bytes.
 */
size_t sym_add(struct sym *s, const char *path, const uint8_t *build_id,
	       size_t build_id_bytes);

/* Say what is known about a module; opens it. */
enum sym_state sym_module_state(struct sym *s, size_t module);

/*
 * Look up an address as the module's file has it. Fills `frame`, innermost
 * first, and returns their count: 0 when nothing is known. Strings live as
 * long as `s`.
 */
size_t sym_lookup(struct sym *s, size_t module, uint64_t address,
		  struct sym_frame frame[SYM_MAX_FRAMES]);

#endif
