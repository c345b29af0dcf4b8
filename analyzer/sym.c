/* SPDX-License-Identifier: MIT */
/*
 * Names for code addresses: debug info first, then the symbol table.
 */
#include "sym.h"

#include <stdlib.h>
#include <string.h>

#include "symdwarf.h"
#include "symfile.h"
#include "symname.h"
#include "symtab.h"
#include "util.h"

struct module {
	char *path;
	uint8_t *build_id;
	size_t build_id_bytes;
	bool opened;
	enum sym_state state;
	struct symfile file;
	struct symdwarf dwarf;
	struct symtab symbols;
};

struct sym {
	struct module *modules;
	size_t count, room;
	struct symname names;
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

		symdwarf_free(&m->dwarf);
		symtab_free(&m->symbols);
		symfile_close(&m->file);
		free(m->path);
		free(m->build_id);
	}
	free(s->modules);
	symname_free(&s->names);
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

/* Open a module at its first use. */
static void open_module(struct module *m)
{
	m->opened = true;
	m->state =
		symfile_open(&m->file, m->path, m->build_id, m->build_id_bytes);
	if (m->state == SYM_MISSING || m->state == SYM_MISMATCH)
		return;
	m->dwarf.dwarf = m->file.dwarf;
	symtab_read(&m->symbols, &m->file);
}

enum sym_state sym_module_state(struct sym *s, size_t module)
{
	struct module *m = &s->modules[module];

	if (!m->opened)
		open_module(m);
	return m->state;
}

size_t sym_lookup(struct sym *s, size_t module, uint64_t address,
		  struct sym_frame frame[SYM_MAX_FRAMES])
{
	struct module *m = &s->modules[module];
	const struct symbol *symbol;
	size_t n;

	sym_module_state(s, module);
	if (m->state == SYM_MISSING || m->state == SYM_MISMATCH)
		return 0;
	n = symdwarf_lookup(&m->dwarf, &s->names, address - m->file.dwarf_bias,
			    frame);
	if (n && frame[n - 1].function)
		return n;
	symbol = symtab_find(&m->symbols, address);
	if (!symbol)
		return n && frame[0].file ? n : 0;
	if (!n)
		frame[n++] = (struct sym_frame){0};
	frame[n - 1].linkage = symname_keep(&s->names, symbol->name);
	frame[n - 1].function = symname_demangle(&s->names, symbol->name);
	return n;
}
