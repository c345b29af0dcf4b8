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

static void put_bad_free(FILE *out, const struct gate_bad_free *b)
{
	char *text = report_bad_free_text(b, b->times);

	fputs("::error ", out);
	put_place(out, &b->free.at[b->free.site]);
	fputs("title=memtrace%3A bad free::", out);
	put_text(out, text, false);
	fputs(": ", out);
	put_text(out, b->frames, false);
	putc('\n', out);
	free(text);
}

/* Write a case that has no place in the source. */
static void put_case(FILE *out, const struct gate *g, const struct gate_case *c)
{
	fputs("::error title=memtrace%3A ", out);
	put_text(out, c->rule, true);
	fputs("::", out);
	put_text(out, report_subject(g, c), false);
	fputs(": ", out);
	put_text(out, c->text, false);
	putc('\n', out);
}

/* Tell whether some process breached a rule. */
static bool is_breached(const struct gate *g, const char *rule)
{
	for (size_t i = 0; i < g->case_count; i++)
		if (g->cases[i].outcome == GATE_BREACHED &&
		    strcmp(g->cases[i].rule, rule) == 0)
			return true;
	return false;
}

void report_github(FILE *out, const struct gate *g)
{
	bool leaks = is_breached(g, "leaks"),
	     frees = is_breached(g, "bad-frees");

	for (size_t i = 0; i < g->bad_free_count && frees; i++)
		put_bad_free(out, &g->bad_frees[i]);
	for (size_t i = 0; i < g->leak_count && leaks; i++)
		if (gate_counts(&g->leaks[i]))
			put_leak(out, &g->leaks[i]);
	for (size_t i = 0; i < g->case_count; i++) {
		const struct gate_case *c = &g->cases[i];

		if (c->outcome == GATE_VACUOUS ||
		    (c->outcome == GATE_BREACHED && !report_is_listed(c)))
			put_case(out, g, c);
	}
}
