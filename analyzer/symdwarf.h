/* SPDX-License-Identifier: MIT */
/*
 * A module's debug info: function, file and line of an address, with the
 * frames of inlined functions.
 */
#ifndef ANALYZER_SYMDWARF_H
#define ANALYZER_SYMDWARF_H

#include "symframe.h"
#include "map.h"
#include "symfile.h"
#include "symname.h"

/* Zeroed has nothing in it. */
struct symdwarf {
	Dwarf *dwarf; /* the symfile's; NULL: there is no debug info */

	/* The rest is symdwarf.c's own. */
	struct unit **units;
	size_t unit_count, unit_room;
	struct map unit_at; /* offset of its DIE -> place in units */
	struct unit_range *ranges;
	size_t range_count, range_room;
	bool ranges_read;
};

void symdwarf_free(struct symdwarf *d);

/*
 * Look up an address as DWARF has it; fill `frame`, innermost first, strings
 * kept in `names`, and return their count. When only the line is known there
 * is one frame, without a function; 0: the address is in no unit.
 */
size_t symdwarf_lookup(struct symdwarf *d, struct symname *names,
		       uint64_t address,
		       struct sym_frame frame[SYM_MAX_FRAMES]);

#endif
