/* SPDX-License-Identifier: MIT */
/*
 * A verdict as GitHub's workflow commands, which become annotations: an error
 * for each leak that counts, at its line, and for each other rule that was not
 * passed.
 *
 * Source: "Workflow commands for GitHub Actions"; the escapes are those of
 * actions/toolkit, command.ts.
 */
#include "report.h"

#include <stdlib.h>
#include <string.h>

/* Write text; a property has two characters more to be escaped. */
static void put_text(FILE *out, const char *text, bool property)
{
	for (; *text; text++)
		if (strchr("%\r\n", *text) || (property && strchr(":,", *text)))
			fprintf(out, "%%%02X", (unsigned int)*text);
		else
			putc(*text, out);
}

/* Write where a leak is from, as the command's properties. */
static void put_place(FILE *out, const struct frame *site)
{
	if (!site->file)
		return;
	fputs("file=", out);
	put_text(out, report_file(site->file), true);
	if (site->line)
		fprintf(out, ",line=%u", site->line);
	putc(',', out);
}

static void put_leak(FILE *out, const struct gate_leak *leak)
{
	char *text = report_leak_text(leak->kind, leak->sum);

	fputs("::error ", out);
	put_place(out, report_site(leak));
	fputs("title=memtrace%3A leak::", out);
	put_text(out, text, false);
	fputs(": ", out);
	put_text(out, leak->frames, false);
	putc('\n', out);
	free(text);
}

void report_github(FILE *out, const struct gate *g)
{
	bool leaks = false;

	for (size_t i = 0; i < g->case_count; i++)
		leaks |= g->cases[i].outcome == GATE_BREACHED &&
			 strcmp(g->cases[i].rule, "leaks") == 0;
	for (size_t i = 0; i < g->leak_count && leaks; i++)
		if (gate_counts(&g->leaks[i]))
			put_leak(out, &g->leaks[i]);
	for (size_t i = 0; i < g->case_count; i++) {
		const struct gate_case *c = &g->cases[i];

		if (c->outcome == GATE_PASSED ||
		    (c->outcome == GATE_BREACHED &&
		     strcmp(c->rule, "leaks") == 0))
			continue;
		fputs("::error title=memtrace%3A ", out);
		put_text(out, c->rule, true);
		fputs("::", out);
		put_text(out, report_subject(g, c), false);
		fputs(": ", out);
		put_text(out, c->text, false);
		putc('\n', out);
	}
}
