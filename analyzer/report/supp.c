/* SPDX-License-Identifier: MIT */
/*
 * Suppressions of the leaks that count, ready for --suppressions and for
 * valgrind. A rule has the frames that the fingerprint is of, with "..." where
 * others may stand, so that it holds as long as the fingerprint does.
 */
#include "report.h"

#include <stdlib.h>
#include <string.h>

/* Tell whether a frame is one of the fingerprint's, which has all if the
 * program has none. */
static bool is_said(const struct gate_leak *leak, size_t i)
{
	const struct frame *f = &leak->stack.at[i];
	bool any = false;

	for (size_t j = 0; j < leak->stack.depth; j++)
		any |= leak->stack.at[j].kind <= JUDGE_NAMELESS;
	if (any && f->kind > JUDGE_NAMELESS)
		return false;
	for (size_t j = 0; j < i; j++)
		if (leak->stack.at[j].name == f->name &&
		    leak->stack.at[j].module == f->module)
			return false;
	return true;
}

/* Write the line for a frame. */
static void put_frame(FILE *out, const struct frame *f)
{
	if (f->linkage || f->function)
		fprintf(out, "   fun:%s\n",
			f->linkage ? f->linkage : f->function);
	else if (f->module)
		fprintf(out, "   obj:*/%s\n", util_basename(f->module));
}

static void put_leak(FILE *out, const struct gate_leak *leak)
{
	char *text = report_leak_text(leak->kind, leak->sum);

	fprintf(out,
		"{\n   %s: %s, %s\n   Memcheck:Leak\n   match-leak-kinds: "
		"%s\n",
		report_site(leak)->name, text, leak->fingerprint,
		leak->kind == LEAK_POSSIBLE ? "possible" : "definite");
	free(text);
	for (size_t i = 0; i < leak->stack.depth; i++)
		if (is_said(leak, i)) {
			fputs("   ...\n", out);
			put_frame(out, &leak->stack.at[i]);
		}
	fputs("}\n", out);
}

void report_supp(FILE *out, const struct gate *g)
{
	for (size_t i = 0; i < g->leak_count; i++)
		if (gate_counts(&g->leaks[i]))
			put_leak(out, &g->leaks[i]);
}
