/* SPDX-License-Identifier: MIT */
/*
 * A verdict for TAP's readers, version 13: a test a rule. What could not be
 * judged is not ok; a verdict over nothing is one test that is not ok, since a
 * plan of no tests would be read as skipped.
 */
#include "report.h"

#include <stdlib.h>
#include <string.h>

/* Write a line's text, in which '#' would begin a directive. */
static void put_line(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '#' || *text == '\\')
			putc('\\', out);
		putc((unsigned char)*text < ' ' ? '?' : *text, out);
	}
}

/* Write text as a block of YAML. */
static void put_block(FILE *out, const char *name, const char *text)
{
	fprintf(out, "  %s: |\n", name);
	while (*text) {
		size_t n = strcspn(text, "\n");
		char *line = util_copy(text, n);

		fputs("    ", out);
		term_put_text(out, line);
		putc('\n', out);
		free(line);
		text += n + (text[n] == '\n');
	}
}

void report_tap(FILE *out, const struct gate *g)
{
	fprintf(out, "TAP version 13\n1..%zu\n", g->case_count);
	for (size_t i = 0; i < g->case_count; i++) {
		const struct gate_case *c = &g->cases[i];
		char *details;

		fprintf(out, "%sok %zu - ",
			c->outcome == GATE_PASSED ? "" : "not ", i + 1);
		put_line(out, report_subject(g, c));
		fprintf(out, ": %s: ", c->rule);
		put_line(out, c->text);
		putc('\n', out);
		if (c->outcome == GATE_PASSED)
			continue;
		fprintf(out, "  ---\n  outcome: %s\n",
			report_outcome(c->outcome));
		details = report_details(g, c);
		if (*details)
			put_block(out, "details", details);
		free(details);
		fputs("  ...\n", out);
	}
}
