/* SPDX-License-Identifier: MIT */
/* A module's symbol table; see symtab.h. */
#include "symtab.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

/* What a function whose symbol has no size is taken to have at most. */
#define GUESSED_BYTES 4096

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

/* Tell whether a symbol is one of those that are wanted. */
static bool is_wanted(const struct symtab *t, const GElf_Sym *sym)
{
	unsigned int type = GELF_ST_TYPE(sym->st_info);

	if (t->variables)
		return type == STT_OBJECT || type == STT_COMMON;
	return type == STT_FUNC || type == STT_GNU_IFUNC ||
	       (type == STT_NOTYPE && sym->st_size);
}

/* Enter a symbol if it is wanted. */
static void add_symbol(struct symtab *t, const GElf_Sym *sym, uint64_t start,
		       const char *name)
{
	unsigned int bind = GELF_ST_BIND(sym->st_info);

	if (sym->st_shndx == SHN_UNDEF || !name || !*name)
		return;
	if (!is_wanted(t, sym))
		return;
	t->at = util_grow(t->at, t->count, &t->room, sizeof(*t->at));
	t->at[t->count++] = (struct symbol){
		.start = start,
		.end = start + sym->st_size,
		.name = name,
		.rank = bind == STB_GLOBAL ? 0
			: bind == STB_WEAK ? 1
					   : 2,
	};
}

/* Let functions of unknown size, asm's, reach to the next, not far. */
static void guess_ends(struct symtab *t)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = t->count; i-- > 0;) {
		struct symbol *s = &t->at[i];

		if (s->end == s->start) {
			s->end = s->start + GUESSED_BYTES;
			if (s->end > next)
				s->end = next;
		}
		if (!i || t->at[i - 1].start != s->start)
			next = s->start;
	}
}

/* Read and sort a module's symbol table. */
static void read_symbols(struct symtab *t, const struct symfile *f)
{
	int n = dwfl_module_getsymtab(f->mod);

	t->read = true;
	for (int i = 1; i < n; i++) {
		GElf_Sym sym;
		GElf_Addr address;
		const char *name = dwfl_module_getsym_info(
			f->mod, i, &sym, &address, NULL, NULL, NULL);

		if (name)
			add_symbol(t, &sym, address, name);
	}
	if (t->count)
		qsort(t->at, t->count, sizeof(*t->at), compare_symbols);
	if (!t->variables)
		guess_ends(t);
}

void symtab_free(struct symtab *t)
{
	free(t->at);
}

const struct symbol *symtab_find(struct symtab *t, const struct symfile *f,
				 uint64_t address)
{
	size_t low;

	if (!t->read)
		read_symbols(t, f);
	low = util_up_to(t->at, t->count, sizeof(*t->at), address);
	/* Several may start before it; a few steps find the one it is in. */
	for (size_t i = low; i > 0 && low - i < 16; i--) {
		const struct symbol *s = &t->at[i - 1];

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

bool symtab_has(struct symtab *t, const struct symfile *f,
		const char *const *names)
{
	if (!t->read)
		read_symbols(t, f);
	for (size_t i = 0; i < t->count; i++)
		for (const char *const *p = names; *p; p++)
			if (strcmp(t->at[i].name, *p) == 0)
				return true;
	return false;
}
