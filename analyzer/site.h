/* SPDX-License-Identifier: MIT */
/*
 * Sites: the places in the program that stacks are charged to.
 *
 * A stack's site is its innermost frame of the program. Frames of the
 * allocator, of the C and C++ runtimes and of the languages' own libraries
 * (std::, alloc::...) are passed over, and so are the usual wrappers (xmalloc).
 * Of the others the innermost with a symbol is taken; without any, the
 * innermost outside the runtimes; without that, the innermost.
 */
#ifndef ANALYZER_SITE_H
#define ANALYZER_SITE_H

#include "prof.h"
#include "sym.h"

/* What a site allocated; bytes as requested. */
struct site_totals {
	uint64_t allocations, allocated_bytes, temporary;
	uint64_t peak_bytes, peak_blocks;
	uint64_t exit_bytes, exit_blocks;
};

struct site {
	/* Strings of the struct sym or the trace. */
	const char *function; /* NULL: no symbol; then `offset` tells */
	const char *file;     /* NULL: no line info */
	const char *module;   /* path; NULL: in no module */
	uint32_t line;
	uint32_t module_id; /* of the trace, or MT_NO_MODULE */
	uint64_t offset;    /* in the module's file (no module: the pc) */
	struct site_totals totals;
};

struct sites {
	struct site *at;
	size_t count;
	struct site_totals totals; /* of all */

	/* The rest is site.c's own. */
	size_t room;
	struct sym *sym;
	size_t *sym_of;	      /* trace module -> sym's number */
	struct strpool *keys; /* number = place in `at` + 1 */
	struct pc_sites *pcs;
};

/* Charge every stack of a replay to its site. */
void sites_build(struct sites *s, const struct trace *t, const struct prof *p);

void sites_free(struct sites *s);

/* What is known about the names in a module of the trace. */
enum sym_state sites_module_state(const struct sites *s, uint32_t module_id);

/* Order two sites by name; for ties. */
int site_compare_names(const struct site *a, const struct site *b);

#endif
