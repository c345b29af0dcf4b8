/* SPDX-License-Identifier: MIT */
/*
 * The functions, or the variables, of a module's symbol table, sorted by
 * address.
 */
#ifndef ANALYZER_SYMTAB_H
#define ANALYZER_SYMTAB_H

#include "symfile.h"

struct symbol {
	uint64_t start, end;
	const char *name; /* lives as long as the module's file is open */
	uint8_t rank;	  /* among those of one address; less is better */
};

/* Zeroed is empty. */
struct symtab {
	struct symbol *at;
	size_t count, room;
	bool read;
	bool variables; /* set before the first call: those */
};

void symtab_free(struct symtab *t);

/*
 * Return the symbol that an address is in, or NULL. The table is read from
 * the module's file at the first call.
 */
const struct symbol *symtab_find(struct symtab *t, const struct symfile *f,
				 uint64_t address);

/* Tell whether a function of a NULL-terminated list of names is there. */
bool symtab_has(struct symtab *t, const struct symfile *f,
		const char *const *names);

#endif
