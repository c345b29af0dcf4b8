/* SPDX-License-Identifier: MIT */
/*
 * massif's file: snapshots of the live bytes over time, of which the peak's
 * and the last have a tree, from the innermost frames outward. Of an import
 * there are these two alone, as far as it knows them.
 * Source: the Valgrind manual, "Massif", and ms_print.
 */
#include "export.h"

#include <inttypes.h>
#include <stdlib.h>

#include "curve.h"
#include "oneline.h"
#include "stacktree.h"

/* Snapshots over time, the peak's not counted. */
#define SNAPSHOTS 100

/* What part of a snapshot a node needs to be named: 1 in so many. */
#define THRESHOLD 1000

#define NS_PER_MS 1000000u

/* Write the line of what is below the threshold. */
static void put_small(FILE *out, uint32_t depth, uint32_t n, uint64_t value)
{
	fprintf(out,
		"%*sn0: %" PRIu64 " in %u place%s below massif's threshold "
		"(%.2f%%)\n",
		(int)depth, "", value, n, n == 1 ? "," : "s, all",
		100.0 / THRESHOLD);
}

/* Write a node, then its children: the large ones, and the others as one. */
static void put_node(const struct stacktree *t, uint32_t node, FILE *out)
{
	const struct stacktree_node *n = &t->at[node];
	uint32_t large = 0, small;
	uint64_t rest = 0;

	for (uint32_t i = n->child; i; i = t->at[i].next) {
		if (t->at[i].value > t->at[0].value / THRESHOLD)
			large++;
		else
			rest += t->at[i].value;
	}
	small = n->children - large;
	fprintf(out, "%*sn%u: %" PRIu64, (int)n->depth, "", large + !!small,
		n->value);
	if (n->frame) {
		char *text = oneline_frame(n->frame);

		fprintf(out, " %s\n", text);
		free(text);
	} else {
		fputs(" (heap allocation functions) malloc/new/new[], "
		      "--alloc-fns, etc.\n",
		      out);
	}
	for (uint32_t i = n->child; i && large--; i = t->at[i].next)
		put_node(t, i, out);
	if (small)
		put_small(out, n->depth + 1, small, rest);
}

/* Write a tree of what was live at the peak, or at the end. */
static void put_tree(struct profile *p, bool peak, FILE *out)
{
	struct stacks_list list = {0};
	struct stacktree t;

	fprintf(out, "heap_tree=%s\n", peak ? "peak" : "detailed");
	stacktree_begin(&t);
	for (size_t i = 0; i < p->row_count; i++) {
		const struct profile_totals *n = &p->rows[i].totals;
		uint64_t bytes = peak ? n->peak_bytes : n->exit_bytes;

		if (!bytes)
			continue;
		stacks_expand(&p->stacks, p->rows[i].node, &list);
		stacktree_add(&t, &list, false, bytes);
	}
	stacktree_sort(&t);
	put_node(&t, 0, out);
	stacktree_free(&t);
	stacks_list_free(&list);
}

/* Write what the file is of. */
static void put_head(const struct profile *p, FILE *out)
{
	char *command = oneline_command(p), *sampled = export_estimates(p);

	fprintf(out, "desc: memtrace %s%s\ncmd: %s\ntime_unit: ms\n",
		OPTIONS_VERSION, sampled, command);
	free(command);
	free(sampled);
}

/* Write a snapshot but for its tree. */
static void put_snapshot(FILE *out, size_t number, uint64_t ns, uint64_t bytes)
{
	fprintf(out,
		"#-----------\nsnapshot=%zu\n#-----------\ntime=%" PRIu64
		"\nmem_heap_B=%" PRIu64
		"\nmem_heap_extra_B=0\nmem_stacks_B=0\n",
		number, ns / NS_PER_MS, bytes);
}

/* Write the snapshots of a trace. */
static void put_curve(struct export *x)
{
	struct curve c;

	curve_make(&c, x->profile, SNAPSHOTS);
	for (size_t i = 0; i < c.count; i++) {
		put_snapshot(x->out, i, c.at[i].ns, c.at[i].live_bytes);
		if (c.at[i].peak || i + 1 == c.count)
			put_tree(x->profile, c.at[i].peak, x->out);
		else
			fputs("heap_tree=empty\n", x->out);
	}
	curve_free(&c);
}

int export_massif(struct export *x, struct error *e)
{
	struct profile *p = x->profile;
	size_t n = 0;

	(void)e;
	put_head(p, x->out);
	if (x->trace) {
		put_curve(x);
		return 0;
	}
	if (p->has & PROFILE_HAS_PEAK) {
		put_snapshot(x->out, n++, p->peak_ns, p->totals.peak_bytes);
		put_tree(p, true, x->out);
	}
	if (p->has & PROFILE_HAS_EXIT) {
		put_snapshot(x->out, n++, p->duration_ns, p->totals.exit_bytes);
		put_tree(p, false, x->out);
	}
	return 0;
}
