/* SPDX-License-Identifier: MIT */
/*
 * The functions of a module's symbol table, sorted by address.
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
};

/* Read and sort the functions of a module's symbol table. */
void symtab_read(struct symtab *t, const struct symfile *f);

void symtab_free(struct symtab *t);

/* Return the symbol that an address is in, or NULL. */
const struct symbol *symtab_find(const struct symtab *t, uint64_t address);

#endif
