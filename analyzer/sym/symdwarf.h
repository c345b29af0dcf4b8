/* SPDX-License-Identifier: MIT */
/*
 * A module's debug info: function, file and line of an address, with the
 * frames of inlined functions.
 */
#ifndef ANALYZER_SYMDWARF_H
#define ANALYZER_SYMDWARF_H

#include "symfile.h"
#include "symframe.h"
#include "symname.h"

/* Zeroed there is no debug info. */
struct symdwarf {
	const struct symfile *file; /* NULL: there is no debug info */

	/* The rest is symdwarf.c's own. */
	Dwarf *dwarf;
	struct symdwarf_unit *units; /* by offset */
	struct symdwarf_range *ranges;
	size_t unit_count, unit_room, range_count, range_room;
	uint64_t read_bytes; /* of units, since the handle was begun */
	bool indexed;
};

void symdwarf_free(struct symdwarf *d);

/*
 * Return the number of the unit that an address is in, its place in the file;
 * UINT32_MAX: it is in none. Whoever asks for many addresses does so unit by
 * unit, each of which is decoded at its first use and dropped when there are
 * too many.
 */
uint32_t symdwarf_unit(struct symdwarf *d, uint64_t address);

/*
 * Look up an address of the file; fill `frame`, innermost first, strings
 * kept in `names`, and return their count. When only the line is known there
 * is one frame, without a function; 0: nothing is known. A linkage name of
 * NULL is one that debug info leaves out, of a language that mangles them.
 */
size_t symdwarf_lookup(struct symdwarf *d, struct symname *names,
		       uint64_t address,
		       struct sym_frame frame[SYM_MAX_FRAMES]);

#endif
