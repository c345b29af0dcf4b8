/* SPDX-License-Identifier: MIT */
/*
 * A verdict's leaks as LeakSanitizer prints them, for what reads that: CTest
 * counts the lines "Direct leak of", others take the stacks. Addresses are
 * those in the module's file, which do not change from run to run.
 */
#include <inttypes.h>

#include "report.h"

/* Print a frame of a stack. */
static void put_frame(FILE *out, size_t number, const struct frame *f)
{
	fprintf(out, "    #%zu 0x%" PRIx64, number, f->offset);
	if (f->function)
		fprintf(out, " in %s", f->function);
	if (f->file && f->line)
		fprintf(out, " %s:%" PRIu32, f->file, f->line);
	else if (f->module)
		fprintf(out, " (%s+0x%" PRIx64 ")", f->module, f->offset);
	fputc('\n', out);
}

void report_lsan(FILE *out, const struct gate *g)
{
	uint64_t bytes = 0, blocks = 0;

	for (size_t i = 0; i < g->leak_count; i++) {
		const struct gate_leak *leak = &g->leaks[i];

		if (!gate_counts(leak))
			continue;
		fprintf(out,
			"Direct leak of %" PRIu64 " byte(s) in %" PRIu64
			" object(s) allocated from:\n",
			leak->sum.bytes, leak->sum.blocks);
		for (size_t n = 0; n < leak->stack.depth; n++)
			put_frame(out, n, &leak->stack.at[n]);
		fputc('\n', out);
		bytes += leak->sum.bytes;
		blocks += leak->sum.blocks;
	}
	fprintf(out,
		"SUMMARY: LeakSanitizer: %" PRIu64 " byte(s) leaked in %" PRIu64
		" allocation(s).\n",
		bytes, blocks);
}
