/* SPDX-License-Identifier: MIT */
/* What the reports of a verdict share; see report.h. */
#include "report.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int report_status(const struct gate *g)
{
	static const int status[] = {
		[GATE_PASSED] = 0,
		[GATE_BREACHED] = 3,
		[GATE_VACUOUS] = 4,
	};

	return status[g->verdict];
}

const char *report_outcome(enum gate_outcome outcome)
{
	static const char *const names[] = {
		[GATE_PASSED] = "passed",
		[GATE_BREACHED] = "breached",
		[GATE_VACUOUS] = "vacuous",
	};

	return names[outcome];
}

const char *report_subject(const struct gate *g, const struct gate_case *c)
{
	return c->process == GATE_ALL ? "all" : g->processes[c->process].label;
}

const struct frame *report_site(const struct gate_leak *leak)
{
	return &leak->stack[leak->site];
}

char *report_leak_text(enum leak_kind kind, struct leak_sum sum)
{
	static const char *const says[LEAK_KINDS] = {
		[LEAK_DEFINITE] = "definite leak",
		[LEAK_POSSIBLE] = "possible leak",
		[LEAK_HELD] = "leak, if not held at exit(),",
		[LEAK_REACHABLE] = "growth with each run of a test",
	};
	char bytes[TERM_NUMBER], blocks[TERM_NUMBER];

	return util_format("%s of %s in %s block%s", says[kind],
			   term_bytes(bytes, sum.bytes, false),
			   term_count(blocks, sum.blocks),
			   term_plural(sum.blocks));
}

char *report_tests(const struct gate_leak *leak)
{
	char *text = NULL, *before;

	for (size_t i = 0; i < leak->tests.count; i++) {
		before = text;
		text = util_format("%s%s%s", before ? before : "",
				   before ? ", " : "", leak->tests.at[i]);
		free(before);
	}
	return text;
}

/* Write a leak and its stack. */
static void put_leak(FILE *out, const struct gate_leak *leak,
		     struct leak_sum sum)
{
	static const struct term_style plain = {"", "", ""};
	char *text = report_leak_text(leak->kind, sum);

	fprintf(out, "%s, %s\n", text, leak->fingerprint);
	free(text);
	text = report_tests(leak);
	if (text)
		fprintf(out, "    in %s\n", text);
	free(text);
	for (size_t i = 0; i < leak->depth; i++) {
		fputs("    ", out);
		table_put_site(out, &leak->stack[i], &plain, 0);
		putc('\n', out);
	}
}

char *report_details(const struct gate *g, const struct gate_case *c)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return util_copy("", 0);
	for (size_t i = 0; i < g->leak_count; i++) {
		const struct gate_leak *leak = &g->leaks[i];

		if (strcmp(c->rule, "leaks") != 0 || !gate_counts(leak))
			continue;
		for (size_t j = 0; j < leak->part_count; j++)
			if (leak->parts[j].process == c->process)
				put_leak(out, leak, leak->parts[j].sum);
	}
	fclose(out);
	return text;
}

const char *report_file(const char *file)
{
	char here[PATH_MAX];
	size_t n;

	if (!getcwd(here, sizeof(here)))
		return file;
	n = strlen(here);
	return util_starts(file, here) && file[n] == '/' ? file + n + 1 : file;
}
