/* SPDX-License-Identifier: MIT */
/*
 * Who owns the blocks of a scan, as a tree of sites: at its top the roots, and
 * of lost blocks the sites that lead them; below each what its blocks' pointers
 * lead to. A block stands once, where the shortest chain to it goes.
 *
 * Where a chain comes back to a site that it went through, as lists and trees
 * do, the block counts for that site: so there are few nodes however deep the
 * structure is. A way of more than OWNERS_DEPTH sites goes on below a root of
 * its own, "(further on)".
 */
#ifndef ANALYZER_OWNERS_H
#define ANALYZER_OWNERS_H

#include "group.h"
#include "leaks.h"

#define OWNERS_DEPTH 64

struct owners_node {
	uint32_t parent, child, next; /* nodes; 0: none */
	uint32_t depth;		      /* 0: all */
	const char *root;	      /* its name, of a root; else NULL */
	uint32_t site;		      /* place in `sites` */
	bool linked;		      /* chains come back to it */
	uint32_t block;		      /* of its own: one that leads, if any */
	struct leak_sum own, all;     /* all: with what is below */
};

struct owners {
	struct owners_node *at; /* parents first; 0: all */
	size_t count;
	uint32_t *of; /* by block: its node; 0: not in the tree */
	struct groups sites;

	/* The rest is owners.c's own. */
	size_t room;
	struct map node_at;    /* parent and site or root -> node */
	struct strpool *names; /* of roots */
	uint32_t *site_of;     /* by stack: place + 1 */
};

/* Build it of the blocks of the kinds in `kinds`, a bit for each. */
void owners_build(struct owners *o, struct profile *p, const struct leaks *l,
		  unsigned int kinds);

/* Return the site of a stack: its place in `sites`. */
uint32_t owners_site(struct owners *o, struct profile *p, uint32_t node);

/* Return the name of a node; free it. */
char *owners_text(const struct owners *o, const struct owners_node *n);

void owners_free(struct owners *o);

#endif
