/* SPDX-License-Identifier: MIT */
/*
 * Names for code addresses: what was looked up before, else debug info, else
 * the symbol table.
 */
#include "sym.h"

#include <stdlib.h>
#include <string.h>

#include "symcache.h"
#include "symdwarf.h"
#include "symfile.h"
#include "symname.h"
#include "symtab.h"
#include "util.h"

struct module {
	char *path;
	uint8_t *build_id;
	size_t build_id_bytes;
	bool asked;	      /* `state` is known */
	bool opened;	      /* `file` was tried */
	bool save;	      /* its answers are no worse than the cache's */
	enum sym_state state; /* of the file, or of the cache */
	struct symcache cache;
	struct symfile file;
	struct symdwarf dwarf;
	struct symtab symbols, variables;
};

struct sym {
	struct module *modules;
	size_t count, room;
	struct symfile_search search;
	char *cache; /* directory, or NULL */
	struct symname names;
	struct strpool keys;  /* of modules: build-id and path */
	struct map module_at; /* number of the key -> module */
};

struct sym *sym_new(const struct sym_options *o)
{
	struct sym *s = util_alloc(1, sizeof(*s));

	symfile_search_init(&s->search, o ? o->sysroot : NULL,
			    o ? o->debug_path : NULL);
	if (!o || o->cache)
		s->cache = symcache_directory();
	return s;
}

/* Close a module, its answers kept for the next run. */
static void free_module(struct sym *s, struct module *m)
{
	symdwarf_free(&m->dwarf);
	symtab_free(&m->symbols);
	symtab_free(&m->variables);
	symfile_close(&m->file);
	if (m->save)
		symcache_save(&m->cache, s->cache, m->build_id,
			      m->build_id_bytes, m->state);
	symcache_free(&m->cache);
	free(m->path);
	free(m->build_id);
}

void sym_free(struct sym *s)
{
	for (size_t i = 0; i < s->count; i++)
		free_module(s, &s->modules[i]);
	free(s->modules);
	free(s->cache);
	symfile_search_free(&s->search);
	symname_free(&s->names);
	strpool_free(&s->keys);
	map_free(&s->module_at);
	free(s);
}

/* Return the number of the key that a module is known by. */
static uint32_t key_of(struct sym *s, const char *path, const uint8_t *build_id,
		       size_t build_id_bytes)
{
	char *hex = util_hex(build_id, build_id_bytes);
	char *key = util_format("%s %s", hex, path);
	uint32_t number = strpool_add(&s->keys, key);

	free(hex);
	free(key);
	return number;
}

size_t sym_add(struct sym *s, const char *path, const uint8_t *build_id,
	       size_t build_id_bytes)
{
	bool fresh;
	uint64_t *at =
		map_put(&s->module_at,
			key_of(s, path, build_id, build_id_bytes), &fresh);

	if (!fresh)
		return *at;
	*at = s->count;
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

/* Tell whether a file was found that names can be had from. */
static bool has_file(const struct module *m)
{
	return m->file.mod;
}

/*
 * Open a module's file at its first use. What the cache has is right for the
 * build-id, whatever became of the file; but when more is to be found by now
 * than there was then, it counts for nothing.
 */
static void open_file(struct sym *s, struct module *m)
{
	enum sym_state found;

	if (m->opened)
		return;
	m->opened = true;
	found = symfile_open(&m->file, &s->search, m->path, m->build_id,
			     m->build_id_bytes);
	if (has_file(m) && found < m->state)
		symcache_unload(&m->cache);
	if (!m->cache.file)
		m->state = found;
	m->save = has_file(m) && found == m->state;
	if (m->file.dwarf)
		m->dwarf.file = &m->file;
}

/* Find out what is known about a module. */
static struct module *ask(struct sym *s, size_t module)
{
	struct module *m = &s->modules[module];

	if (m->asked)
		return m;
	m->asked = true;
	if (!symcache_load(&m->cache, s->cache, m->build_id, m->build_id_bytes,
			   &m->state) ||
	    m->state != SYM_LINES)
		open_file(s, m);
	return m;
}

enum sym_state sym_module_state(struct sym *s, size_t module)
{
	return ask(s, module)->state;
}

/*
 * Add the linkage names that debug info leaves out, as of static functions.
 * That of the function itself is its symbol's, which also says what namespace
 * it is in.
 */
static void complete(struct sym *s, struct module *m, uint64_t address,
		     struct sym_frame *frame, size_t n)
{
	struct sym_frame named;
	const struct symbol *symbol;

	if (!frame[n - 1].linkage &&
	    (symbol = symtab_find(&m->symbols, &m->file, address))) {
		symname_set(&s->names, symbol->name, &named);
		if (strstr(named.function, frame[n - 1].function)) {
			frame[n - 1].function = named.function;
			frame[n - 1].linkage = named.linkage;
		}
	}
	for (size_t i = 0; i < n; i++)
		if (!frame[i].linkage)
			frame[i].linkage = frame[i].function;
}

/* Look up an address in a module's file. */
static size_t look_up(struct sym *s, struct module *m, uint64_t address,
		      struct sym_frame frame[SYM_MAX_FRAMES])
{
	const struct symbol *symbol;
	size_t n = symdwarf_lookup(&m->dwarf, &s->names, address, frame);

	if (n && frame[n - 1].function) {
		complete(s, m, address, frame, n);
		return n;
	}
	symbol = symtab_find(&m->symbols, &m->file, address);
	if (!symbol)
		return n && frame[0].file ? n : 0;
	if (!n)
		frame[n++] = (struct sym_frame){0};
	symname_set(&s->names, symbol->name, &frame[n - 1]);
	return n;
}

size_t sym_lookup(struct sym *s, size_t module, uint64_t address,
		  struct sym_frame frame[SYM_MAX_FRAMES])
{
	struct module *m = ask(s, module);
	ssize_t n = symcache_find(&m->cache, address, frame);

	if (n >= 0)
		return (size_t)n;
	open_file(s, m);
	if (!has_file(m))
		return 0;
	n = (ssize_t)look_up(s, m, address, frame);
	symcache_add(&m->cache, address, frame, (size_t)n);
	return (size_t)n;
}

const char *sym_variable(struct sym *s, size_t module, uint64_t address,
			 uint64_t *offset)
{
	struct module *m = ask(s, module);
	const struct symbol *symbol = NULL;
	struct sym_frame named;

	open_file(s, m);
	m->variables.variables = true;
	if (has_file(m))
		symbol = symtab_find(&m->variables, &m->file, address);
	if (!symbol)
		return NULL;
	*offset = address - symbol->start;
	symname_set(&s->names, symbol->name, &named);
	return named.function;
}

/* An address that is to be looked up, and where it is in the debug info. */
struct wanted {
	uint32_t unit;
	uint64_t address;
};

/* Order addresses by unit. */
static int compare_wanted(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;

	if (x->unit != y->unit)
		return x->unit < y->unit ? -1 : 1;
	return (x->address > y->address) - (x->address < y->address);
}

void sym_prefetch(struct sym *s, size_t module, const uint64_t *addresses,
		  size_t n)
{
	struct wanted *wanted = util_alloc(n, sizeof(*wanted));
	struct module *m = ask(s, module);
	struct sym_frame frame[SYM_MAX_FRAMES];
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		if (symcache_find(&m->cache, addresses[i], frame) < 0)
			wanted[count++].address = addresses[i];
	if (count)
		open_file(s, m);
	for (size_t i = 0; i < count; i++)
		wanted[i].unit = symdwarf_unit(&m->dwarf, wanted[i].address);
	if (count)
		qsort(wanted, count, sizeof(*wanted), compare_wanted);
	for (size_t i = 0; i < count && has_file(m); i++)
		sym_lookup(s, module, wanted[i].address, frame);
	free(wanted);
}

bool sym_defines(struct sym *s, size_t module, const char *const *names)
{
	struct module *m = ask(s, module);

	open_file(s, m);
	return has_file(m) && symtab_has(&m->symbols, &m->file, names);
}
