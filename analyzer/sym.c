/* SPDX-License-Identifier: MIT */
/*
 * Names for code addresses, by elfutils' libdw.
 *
 * libdw finds files (debug links, build-id directories, debuginfod), tables
 * and compilation units. What it does by walking everything is done here by
 * index: a module's symbols are sorted once, and so are the functions of each
 * unit that is asked about; only the function that holds the address is
 * searched for inlined ones.
 */
#include "sym.h"

#include <libiberty/demangle.h>

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "map.h"
#include "strpool.h"
#include "util.h"

/* DIEs nest deeper only in damaged files. */
#define MAX_DEPTH 128

/* What a function whose symbol has no size is taken to have at most. */
#define GUESSED_BYTES 4096

struct symbol {
	uint64_t start, end;
	const char *name;
	uint8_t rank; /* among those of one address; less is better */
};

/* A function's addresses [start, end) and its DIE. */
struct function {
	uint64_t start, end;
	Dwarf_Die die;
};

/* A compilation unit that was asked about. */
struct unit {
	Dwarf_Die die;
	struct function *functions;
	size_t count, room;
};

/* The addresses of a unit, for modules without .debug_aranges. */
struct unit_range {
	uint64_t start, end;
	Dwarf_Off die_off;
};

struct module {
	char *path;
	uint8_t *build_id;
	size_t build_id_bytes;
	bool opened;
	enum sym_state state;
	Dwfl *dwfl;
	Dwfl_Module *mod;
	Dwarf *dwarf;
	uint64_t dwarf_bias; /* our address = DWARF's + bias */
	struct symbol *symbols;
	size_t symbol_count, symbol_room;
	struct unit **units;
	size_t unit_count, unit_room;
	struct map unit_at; /* offset of its DIE -> place in units */
	struct unit_range *ranges;
	size_t range_count, range_room;
	bool ranges_read;
};

struct sym {
	struct module *modules;
	size_t count, room;
	struct strpool strings;
	struct map demangled; /* linkage name -> function name */
};

struct sym *sym_new(const struct sym_options *o)
{
	(void)o;
	return util_alloc(1, sizeof(struct sym));
}

void sym_free(struct sym *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct module *m = &s->modules[i];

		for (size_t j = 0; j < m->unit_count; j++) {
			free(m->units[j]->functions);
			free(m->units[j]);
		}
		free(m->units);
		map_free(&m->unit_at);
		free(m->ranges);
		free(m->symbols);
		free(m->path);
		free(m->build_id);
		if (m->dwfl)
			dwfl_end(m->dwfl);
	}
	free(s->modules);
	strpool_free(&s->strings);
	map_free(&s->demangled);
	free(s);
}

size_t sym_add(struct sym *s, const char *path, const uint8_t *build_id,
	       size_t build_id_bytes)
{
	s->modules =
		util_grow(s->modules, s->count, &s->room, sizeof(*s->modules));
	s->modules[s->count] = (struct module){
		.path = util_copy(path, strlen(path)),
		.build_id = (uint8_t *)util_copy(build_id, build_id_bytes),
		.build_id_bytes = build_id_bytes,
		.state = SYM_MISSING,
	};
	return s->count++;
}

/* Have libdw take a module's file, at the addresses that the file has. */
static bool report_file(struct module *m)
{
	static char *debug_path;
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
		.section_address = dwfl_offline_section_address,
		.debuginfo_path = &debug_path,
	};
	int fd = open(m->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	m->dwfl = dwfl_begin(&callbacks);
	if (!m->dwfl) {
		close(fd);
		return false;
	}
	dwfl_report_begin(m->dwfl);
	m->mod = dwfl_report_elf(m->dwfl, util_basename(m->path), m->path, fd,
				 0, true);
	dwfl_report_end(m->dwfl, NULL, NULL);
	if (!m->mod)
		close(fd);
	return m->mod;
}

/* Tell whether the file has the build-id that the trace has. */
static bool same_build(const struct module *m)
{
	const unsigned char *bits;
	GElf_Addr address;
	int n = dwfl_module_build_id(m->mod, &bits, &address);

	if (n <= 0 || !m->build_id_bytes)
		return true;
	return (size_t)n == m->build_id_bytes &&
	       memcmp(bits, m->build_id, (size_t)n) == 0;
}

/* Order symbols by address, the better name first. */
static int compare_symbols(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->end != y->end)
		return x->end > y->end ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Enter a symbol if it is a function's. */
static void add_symbol(struct module *m, const GElf_Sym *sym, uint64_t start,
		       const char *name)
{
	unsigned int type = GELF_ST_TYPE(sym->st_info);
	unsigned int bind = GELF_ST_BIND(sym->st_info);

	if (sym->st_shndx == SHN_UNDEF || !name || !*name)
		return;
	if (type != STT_FUNC && type != STT_GNU_IFUNC &&
	    !(type == STT_NOTYPE && sym->st_size))
		return;
	m->symbols = util_grow(m->symbols, m->symbol_count, &m->symbol_room,
			       sizeof(*m->symbols));
	m->symbols[m->symbol_count++] = (struct symbol){
		.start = start,
		.end = start + sym->st_size,
		.name = name,
		.rank = bind == STB_GLOBAL ? 0
			: bind == STB_WEAK ? 1
					   : 2,
	};
}

/* Let functions of unknown size, asm's, reach to the next, not far. */
static void guess_ends(struct module *m)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = m->symbol_count; i-- > 0;) {
		struct symbol *s = &m->symbols[i];

		if (s->end == s->start) {
			s->end = s->start + GUESSED_BYTES;
			if (s->end > next)
				s->end = next;
		}
		if (!i || m->symbols[i - 1].start != s->start)
			next = s->start;
	}
}

/* Read and sort the functions of the symbol table. */
static void read_symbols(struct module *m)
{
	int n = dwfl_module_getsymtab(m->mod);

	for (int i = 1; i < n; i++) {
		GElf_Sym sym;
		GElf_Addr address;
		const char *name = dwfl_module_getsym_info(
			m->mod, i, &sym, &address, NULL, NULL, NULL);

		if (name)
			add_symbol(m, &sym, address, name);
	}
	if (m->symbol_count)
		qsort(m->symbols, m->symbol_count, sizeof(*m->symbols),
		      compare_symbols);
	guess_ends(m);
}

/* Tell whether a module has a full symbol table, not only its exports. */
static bool has_symtab(const struct module *m)
{
	GElf_Addr bias;
	Elf *elf = dwfl_module_getelf(m->mod, &bias);
	Elf_Scn *scn = NULL;

	while (elf && (scn = elf_nextscn(elf, scn))) {
		GElf_Shdr header;

		if (gelf_getshdr(scn, &header) &&
		    header.sh_type == SHT_SYMTAB && header.sh_size)
			return true;
	}
	return false;
}

/* Open a module at its first use. */
static void open_module(struct module *m)
{
	m->opened = true;
	if (!report_file(m))
		return;
	if (!same_build(m)) {
		m->state = SYM_MISMATCH;
		return;
	}
	m->dwarf = dwfl_module_getdwarf(m->mod, &m->dwarf_bias);
	read_symbols(m);
	if (m->dwarf)
		m->state = SYM_LINES;
	else
		m->state = has_symtab(m) ? SYM_NAMES : SYM_EXPORTS;
}

enum sym_state sym_module_state(struct sym *s, size_t module)
{
	struct module *m = &s->modules[module];

	if (!m->opened)
		open_module(m);
	return m->state;
}

/* Return the symbol that an address is in, or NULL. */
static const struct symbol *find_symbol(const struct module *m,
					uint64_t address)
{
	size_t low = 0, high = m->symbol_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (m->symbols[middle].start > address)
			high = middle;
		else
			low = middle + 1;
	}
	/* Several may start before it; a few steps find the one it is in. */
	for (size_t i = low; i > 0 && low - i < 16; i--) {
		const struct symbol *s = &m->symbols[i - 1];

		if (address < s->end) {
			while (i > 1 && s[-1].start == s->start &&
			       address < s[-1].end) {
				s--;
				i--;
			}
			return s;
		}
	}
	return NULL;
}

/* Return a copy of `text` that lives as long as `s`. */
static const char *keep(struct sym *s, const char *text)
{
	return strpool_text(&s->strings, strpool_add(&s->strings, text));
}

/* Return a name without what the compiler adds to a part or clone of it. */
static const char *without_clone(struct sym *s, const char *name)
{
	static const char *const suffixes[] = {
		".part.", ".isra.",	".constprop.",
		".cold",  ".lto_priv.", ".llvm.",
	};
	size_t end = strlen(name);
	const char *result;
	char *copy;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		const char *at = strstr(name, suffixes[i]);

		if (at && at > name && (size_t)(at - name) < end)
			end = (size_t)(at - name);
	}
	copy = util_copy(name, end);
	result = keep(s, copy);
	free(copy);
	return result;
}

/* Return the name that people know a linkage name by. */
static const char *demangle(struct sym *s, const char *linkage)
{
	uint32_t number = strpool_add(&s->strings, linkage);
	uint64_t *known = map_get(&s->demangled, number);
	const char *plain, *result;
	char *text;

	if (known)
		return strpool_text(&s->strings, (uint32_t)*known);
	plain = without_clone(s, linkage);
	text = cplus_demangle(plain, DMGL_AUTO | DMGL_ANSI | DMGL_RET_DROP);
	result = text ? keep(s, text) : plain;
	free(text);
	*map_put(&s->demangled, number, NULL) =
		strpool_add(&s->strings, result);
	return result;
}

/* Enter the addresses of a function that is not only declared. */
static void add_function(struct unit *u, Dwarf_Die *die)
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
static void add_functions(struct unit *u, Dwarf_Die *parent, bool types,
			  unsigned int depth)
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

/* Return what is known of the unit at a DIE, read at its first use. */
static struct unit *unit_of(struct module *m, Dwarf_Die *die)
{
	bool fresh;
	uint64_t *at = map_put(&m->unit_at, dwarf_dieoffset(die), &fresh);
	struct unit *u;

	if (!fresh)
		return m->units[*at];
	u = util_alloc(1, sizeof(*u));
	u->die = *die;
	/* Only rustc is known to define functions inside types. */
	add_functions(u, &u->die, dwarf_srclang(die) == DW_LANG_Rust, 0);
	if (u->count)
		qsort(u->functions, u->count, sizeof(*u->functions),
		      compare_functions);
	m->units = util_grow(m->units, m->unit_count, &m->unit_room,
			     sizeof(*m->units));
	m->units[m->unit_count] = u;
	*at = m->unit_count++;
	return u;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct unit_range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* List the addresses of all units of a module. */
static void read_ranges(struct module *m)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;

	m->ranges_read = true;
	while (dwarf_get_units(m->dwarf, cu, &cu, NULL, NULL, &die, NULL) ==
	       0) {
		Dwarf_Addr base, start, end;
		ptrdiff_t i = 0;

		while ((i = dwarf_ranges(&die, i, &base, &start, &end)) > 0) {
			m->ranges =
				util_grow(m->ranges, m->range_count,
					  &m->range_room, sizeof(*m->ranges));
			m->ranges[m->range_count++] = (struct unit_range){
				start, end, dwarf_dieoffset(&die)};
		}
	}
	if (m->range_count)
		qsort(m->ranges, m->range_count, sizeof(*m->ranges),
		      compare_ranges);
}

/* Find the unit of an address in the list of all. */
static bool find_in_ranges(struct module *m, uint64_t address, Dwarf_Die *die)
{
	size_t low = 0, high;

	if (!m->ranges_read)
		read_ranges(m);
	high = m->range_count;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (m->ranges[middle].start > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low && address < m->ranges[low - 1].end &&
	       dwarf_offdie(m->dwarf, m->ranges[low - 1].die_off, die);
}

/* Find the unit of an address; NULL: no debug info covers it. */
static struct unit *find_unit(struct module *m, uint64_t address)
{
	Dwarf_Die die;

	if (!m->dwarf)
		return NULL;
	if (dwarf_addrdie(m->dwarf, address, &die) ||
	    find_in_ranges(m, address, &die))
		return unit_of(m, &die);
	return NULL;
}

/* Find the function of an address in its unit; NULL: there is none. */
static Dwarf_Die *find_function(struct unit *u, uint64_t address)
{
	size_t low = 0, high = u->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (u->functions[middle].start > address)
			high = middle;
		else
			low = middle + 1;
	}
	if (low && address < u->functions[low - 1].end)
		return &u->functions[low - 1].die;
	return NULL;
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
static void name_frame(struct sym *s, Dwarf_Die *die, struct sym_frame *f)
{
	Dwarf_Attribute attr;
	const char *name = NULL;

	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attr) ||
	    dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attr))
		name = dwarf_formstring(&attr);
	if (name) {
		f->linkage = keep(s, name);
		f->function = demangle(s, name);
		return;
	}
	name = dwarf_diename(die);
	if (!name)
		return;
	f->linkage = f->function = keep(s, name);
	if (strcmp(name, "operator()") == 0 && (name = lambda_scope(die))) {
		char *text = util_format("%s::{lambda}", name);

		f->function = keep(s, text);
		free(text);
	}
}

/* Set where in the source an address is. */
static void set_line(struct sym *s, struct unit *u, uint64_t address,
		     struct sym_frame *f)
{
	Dwarf_Line *line = dwarf_getsrc_die(&u->die, address);
	const char *file;
	int number;

	if (!line || dwarf_lineno(line, &number))
		return;
	file = dwarf_linesrc(line, NULL, NULL);
	if (file && number > 0) {
		f->file = keep(s, file);
		f->line = (uint32_t)number;
	}
}

/* Set where in the source an inlined function was called. */
static void set_call(struct sym *s, struct unit *u, Dwarf_Die *inlined,
		     struct sym_frame *f)
{
	Dwarf_Attribute attr;
	Dwarf_Word file_number, line;
	Dwarf_Files *files;
	const char *file;
	size_t count;

	if (dwarf_getsrcfiles(&u->die, &files, &count) ||
	    !dwarf_attr(inlined, DW_AT_call_file, &attr) ||
	    dwarf_formudata(&attr, &file_number) ||
	    !dwarf_attr(inlined, DW_AT_call_line, &attr) ||
	    dwarf_formudata(&attr, &line))
		return;
	file = dwarf_filesrc(files, file_number, NULL, NULL);
	if (file && line && line <= UINT32_MAX) {
		f->file = keep(s, file);
		f->line = (uint32_t)line;
	}
}

/*
 * Expand the function at `die` into its inlined frames. They are found from
 * the outside in, and turned round at the end.
 */
static size_t expand(struct sym *s, struct unit *u, Dwarf_Die *die,
		     uint64_t address, struct sym_frame *frame)
{
	Dwarf_Die inner, at = *die;
	size_t n = 0;

	for (;; at = inner) {
		struct sym_frame *f = &frame[n++];

		*f = (struct sym_frame){0};
		name_frame(s, &at, f);
		if (n == SYM_MAX_FRAMES ||
		    !find_inlined(&at, address, &inner, 0)) {
			set_line(s, u, address, f);
			break;
		}
		set_call(s, u, &inner, f);
	}
	for (size_t i = 0; i < n / 2; i++) {
		struct sym_frame swap = frame[i];

		frame[i] = frame[n - 1 - i];
		frame[n - 1 - i] = swap;
	}
	return n;
}

size_t sym_lookup(struct sym *s, size_t module, uint64_t address,
		  struct sym_frame frame[SYM_MAX_FRAMES])
{
	struct module *m = &s->modules[module];
	const struct symbol *symbol;
	struct unit *u;
	Dwarf_Die *die;
	size_t n = 1;

	sym_module_state(s, module);
	if (m->state == SYM_MISSING || m->state == SYM_MISMATCH)
		return 0;
	frame[0] = (struct sym_frame){0};
	u = find_unit(m, address - m->dwarf_bias);
	die = u ? find_function(u, address - m->dwarf_bias) : NULL;
	if (die)
		n = expand(s, u, die, address - m->dwarf_bias, frame);
	else if (u)
		set_line(s, u, address - m->dwarf_bias, &frame[0]);
	if (frame[n - 1].function)
		return n;
	symbol = find_symbol(m, address);
	if (!symbol)
		return frame[0].file ? n : 0;
	frame[n - 1].linkage = keep(s, symbol->name);
	frame[n - 1].function = demangle(s, symbol->name);
	return n;
}
