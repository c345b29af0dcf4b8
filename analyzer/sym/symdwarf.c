/* SPDX-License-Identifier: MIT */
/*
 * A module's debug info, by elfutils' libdw.
 *
 * What libdw does by walking everything is done here by index: the addresses
 * of all units, and the functions of each unit that is asked about, are
 * sorted; only the function that holds the address is searched for inlined
 * ones.
 *
 * libdw keeps what it has decoded until its handle is ended, and the pages
 * of the file that it has seen stay as long. So the handle is dropped after
 * so many bytes of units. The index of units stays: it is small.
 */
#include "symdwarf.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

/* DIEs nest deeper only in damaged files. */
#define MAX_DEPTH 128

/* Bytes of units after which all that was decoded is dropped. */
#define MAX_READ_BYTES (16u << 20)

/* A function's addresses [start, end) and its DIE. */
struct function {
	uint64_t start, end;
	Dwarf_Die die;
};

/* A compilation unit; decoded when it was asked about. */
struct symdwarf_unit {
	Dwarf_Off die_off;
	uint64_t bytes;
	bool decoded, mangles;
	Dwarf_Die die;	 /* has the lines */
	Dwarf_Die split; /* has the rest: the same, or in a .dwo file */
	struct function *functions;
	size_t count, room;
};

/* Addresses of a unit. */
struct symdwarf_range {
	uint64_t start, end;
	uint32_t unit;
};

/* Drop all that was decoded, but not the index. */
static void drop(struct symdwarf *d)
{
	for (size_t i = 0; i < d->unit_count; i++) {
		struct symdwarf_unit *u = &d->units[i];

		free(u->functions);
		u->functions = NULL;
		u->count = u->room = 0;
		u->decoded = false;
	}
	if (d->dwarf)
		dwarf_end(d->dwarf);
	d->dwarf = NULL;
	d->read_bytes = 0;
	if (d->file)
		symfile_forget(d->file);
}

void symdwarf_free(struct symdwarf *d)
{
	drop(d);
	free(d->units);
	free(d->ranges);
}

/* Enter the addresses of a function that is not only declared. */
static void add_function(struct symdwarf_unit *u, Dwarf_Die *die)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t i = 0;

	while ((i = dwarf_ranges(die, i, &base, &start, &end)) > 0) {
		if (start >= end)
			continue;
		u->functions = util_grow(u->functions, u->count, &u->room,
					 sizeof(*u->functions));
		u->functions[u->count++] = (struct function){start, end, *die};
	}
}

/* Enter the functions among the children of a DIE, and of scopes in it. */
static void add_functions(struct symdwarf_unit *u, Dwarf_Die *parent,
			  bool types, unsigned int depth)
{
	Dwarf_Die die;

	if (depth > MAX_DEPTH || dwarf_child(parent, &die))
		return;
	do {
		switch (dwarf_tag(&die)) {
		case DW_TAG_subprogram:
			add_function(u, &die);
			break;
		case DW_TAG_namespace:
		case DW_TAG_module:
			add_functions(u, &die, types, depth + 1);
			break;
		case DW_TAG_structure_type:
		case DW_TAG_union_type:
		case DW_TAG_enumeration_type:
			if (types)
				add_functions(u, &die, types, depth + 1);
			break;
		}
	} while (dwarf_siblingof(&die, &die) == 0);
}

static int compare_functions(const void *a, const void *b)
{
	const struct function *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->end > y->end) - (x->end < y->end);
}

/* Order ranges by address; of those with the same, a longer one first. */
static int compare_ranges(const void *a, const void *b)
{
	const struct symdwarf_range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->end != y->end)
		return x->end > y->end ? -1 : 1;
	return (x->unit > y->unit) - (x->unit < y->unit);
}

/* Enter a unit into the index, with its addresses. */
static void index_unit(struct symdwarf *d, Dwarf_Die *die)
{
	uint32_t number = (uint32_t)d->unit_count;
	Dwarf_Addr base, start, end;
	ptrdiff_t i = 0;

	d->units = util_grow(d->units, d->unit_count, &d->unit_room,
			     sizeof(*d->units));
	d->units[d->unit_count++] = (struct symdwarf_unit){
		.die_off = dwarf_dieoffset(die),
	};
	if (number)
		d->units[number - 1].bytes =
			d->units[number].die_off - d->units[number - 1].die_off;
	while ((i = dwarf_ranges(die, i, &base, &start, &end)) > 0) {
		if (start >= end)
			continue;
		d->ranges = util_grow(d->ranges, d->range_count, &d->range_room,
				      sizeof(*d->ranges));
		d->ranges[d->range_count++] =
			(struct symdwarf_range){start, end, number};
	}
}

/* List the addresses of all units. */
static void index_units(struct symdwarf *d)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;

	d->indexed = true;
	while (dwarf_get_units(d->dwarf, cu, &cu, NULL, NULL, &die, NULL) == 0)
		if (dwarf_tag(&die) != DW_TAG_type_unit)
			index_unit(d, &die);
	if (d->range_count)
		qsort(d->ranges, d->range_count, sizeof(*d->ranges),
		      compare_ranges);
}

/* Have a handle, and the index; false when there is no debug info. */
static bool begin(struct symdwarf *d)
{
	if (!d->dwarf && d->file)
		d->dwarf = symfile_begin_dwarf(d->file);
	if (d->dwarf && !d->indexed)
		index_units(d);
	return d->dwarf;
}

/* Return the unit of an address as DWARF has it, UINT32_MAX: none. */
static uint32_t find_unit(const struct symdwarf *d, uint64_t address)
{
	size_t n = util_up_to(d->ranges, d->range_count, sizeof(*d->ranges),
			      address);

	return n && address < d->ranges[n - 1].end ? d->ranges[n - 1].unit
						   : UINT32_MAX;
}

uint32_t symdwarf_unit(struct symdwarf *d, uint64_t address)
{
	if (!begin(d))
		return UINT32_MAX;
	return find_unit(d, address - d->file->dwarf_bias);
}

/* Tell whether names of a language are mangled for the linker. */
static bool mangles(int language)
{
	switch (language) {
	case DW_LANG_C_plus_plus:
	case DW_LANG_C_plus_plus_03:
	case DW_LANG_C_plus_plus_11:
	case DW_LANG_C_plus_plus_14:
	case DW_LANG_D:
	case DW_LANG_Rust:
		return true;
	default:
		return false;
	}
}

/* Return the unit in a .dwo file that a skeleton stands for, else itself. */
static Dwarf_Die split_die(Dwarf_Die *die)
{
	Dwarf_Die split;
	uint8_t type;

	if (dwarf_cu_info(die->cu, NULL, &type, NULL, &split, NULL, NULL,
			  NULL) == 0 &&
	    type == DW_UT_skeleton && split.addr)
		return split;
	return *die;
}

/* Decode a unit at its first use; NULL when that can't be done. */
static struct symdwarf_unit *decode(struct symdwarf *d, uint32_t number)
{
	struct symdwarf_unit *u = &d->units[number];
	int language;

	if (u->decoded)
		return u;
	if (d->read_bytes > MAX_READ_BYTES)
		drop(d);
	if (!begin(d) || !dwarf_offdie(d->dwarf, u->die_off, &u->die))
		return NULL;
	u->decoded = true;
	d->read_bytes += u->bytes;
	u->split = split_die(&u->die);
	language = dwarf_srclang(&u->split);
	u->mangles = mangles(language);
	/* Only rustc is known to define functions inside types. */
	add_functions(u, &u->split, language == DW_LANG_Rust, 0);
	if (u->count)
		qsort(u->functions, u->count, sizeof(*u->functions),
		      compare_functions);
	return u;
}

/* Find the function of an address in its unit; NULL: there is none. */
static Dwarf_Die *find_function(struct symdwarf_unit *u, uint64_t address)
{
	size_t n = util_up_to(u->functions, u->count, sizeof(*u->functions),
			      address);

	return n && address < u->functions[n - 1].end ? &u->functions[n - 1].die
						      : NULL;
}

/* Find the child of `die` that holds an address, through blocks. */
static bool find_inlined(Dwarf_Die *die, uint64_t address, Dwarf_Die *found,
			 unsigned int depth)
{
	Dwarf_Die child;

	if (depth > MAX_DEPTH || dwarf_child(die, &child))
		return false;
	do {
		int tag = dwarf_tag(&child);

		if (tag != DW_TAG_inlined_subroutine &&
		    tag != DW_TAG_lexical_block && tag != DW_TAG_try_block &&
		    tag != DW_TAG_catch_block)
			continue;
		if (dwarf_haspc(&child, address) <= 0)
			continue;
		if (tag == DW_TAG_inlined_subroutine) {
			*found = child;
			return true;
		}
		if (find_inlined(&child, address, found, depth + 1))
			return true;
	} while (dwarf_siblingof(&child, &child) == 0);
	return false;
}

/* Return the name of the function around a lambda's operator(), or NULL. */
static const char *lambda_scope(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	Dwarf_Die origin = *die, *scopes;
	const char *name = NULL;

	int n;

	/* An inlined one refers to an abstract one, that to a declaration. */
	for (int steps = 0; steps < 4; steps++)
		if (dwarf_attr(&origin, DW_AT_abstract_origin, &attr) ||
		    dwarf_attr(&origin, DW_AT_specification, &attr))
			if (!dwarf_formref_die(&attr, &origin))
				return NULL;
	n = dwarf_getscopes_die(&origin, &scopes);
	for (int i = 1; i < n && !name; i++)
		if (dwarf_tag(&scopes[i]) == DW_TAG_subprogram)
			name = dwarf_diename(&scopes[i]);
	if (n > 0)
		free(scopes);
	return name;
}

/* Name a frame's function from its DIE. */
static void name_frame(struct symname *names, const struct symdwarf_unit *u,
		       Dwarf_Die *die, struct sym_frame *f)
{
	Dwarf_Attribute attr;
	const char *name = NULL;

	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attr) ||
	    dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attr))
		name = dwarf_formstring(&attr);
	if (name) {
		symname_set(names, name, f);
		return;
	}
	name = dwarf_diename(die);
	if (!name)
		return;
	f->function = symname_keep(names, name);
	f->linkage = u->mangles ? NULL : f->function;
	if (strcmp(name, "operator()") == 0 && (name = lambda_scope(die))) {
		char *text = util_format("%s::{lambda}", name);

		f->function = symname_keep(names, text);
		free(text);
	}
}

/* Set where in the source an address is. */
static void set_line(struct symname *names, struct symdwarf_unit *u,
		     uint64_t address, struct sym_frame *f)
{
	Dwarf_Line *line = dwarf_getsrc_die(&u->die, address);
	const char *file;
	int number;

	if (!line || dwarf_lineno(line, &number))
		return;
	file = dwarf_linesrc(line, NULL, NULL);
	if (file && number > 0) {
		f->file = symname_keep(names, file);
		f->line = (uint32_t)number;
	}
}

/* Set where in the source an inlined function was called. */
static void set_call(struct symname *names, struct symdwarf_unit *u,
		     Dwarf_Die *inlined, struct sym_frame *f)
{
	Dwarf_Attribute attr;
	Dwarf_Word file_number, line;
	Dwarf_Files *files;
	const char *file;
	size_t count;

	if (dwarf_getsrcfiles(&u->split, &files, &count) ||
	    !dwarf_attr(inlined, DW_AT_call_file, &attr) ||
	    dwarf_formudata(&attr, &file_number) ||
	    !dwarf_attr(inlined, DW_AT_call_line, &attr) ||
	    dwarf_formudata(&attr, &line))
		return;
	file = dwarf_filesrc(files, file_number, NULL, NULL);
	if (file && line && line <= UINT32_MAX) {
		f->file = symname_keep(names, file);
		f->line = (uint32_t)line;
	}
}

/*
 * Expand the function at `die` into its inlined frames. They are found from
 * the outside in, and turned round at the end.
 */
static size_t expand(struct symname *names, struct symdwarf_unit *u,
		     Dwarf_Die *die, uint64_t address, struct sym_frame *frame)
{
	Dwarf_Die inner, at = *die;
	size_t n = 0;

	for (;; at = inner) {
		struct sym_frame *f = &frame[n++];

		*f = (struct sym_frame){0};
		name_frame(names, u, &at, f);
		if (n == SYM_MAX_FRAMES ||
		    !find_inlined(&at, address, &inner, 0)) {
			set_line(names, u, address, f);
			break;
		}
		set_call(names, u, &inner, f);
	}
	for (size_t i = 0; i < n / 2; i++) {
		struct sym_frame swap = frame[i];

		frame[i] = frame[n - 1 - i];
		frame[n - 1 - i] = swap;
	}
	return n;
}

size_t symdwarf_lookup(struct symdwarf *d, struct symname *names,
		       uint64_t address, struct sym_frame frame[SYM_MAX_FRAMES])
{
	uint32_t number = symdwarf_unit(d, address);
	struct symdwarf_unit *u;
	Dwarf_Die *die;

	u = number == UINT32_MAX ? NULL : decode(d, number);
	if (!u)
		return 0;
	address -= d->file->dwarf_bias;
	die = find_function(u, address);
	if (die)
		return expand(names, u, die, address, frame);
	frame[0] = (struct sym_frame){0};
	set_line(names, u, address, &frame[0]);
	return frame[0].file ? 1 : 0;
}
