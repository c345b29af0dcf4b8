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
	return &leak->stack.at[leak->stack.site];
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

char *report_bad_free_text(const struct gate_bad_free *b, uint64_t times)
{
	static const char *const says[BAD_FREE_KINDS] = {
		[BAD_FREE_DOUBLE] = "double free",
		[BAD_FREE_INVALID] = "free of what is no block",
		[BAD_FREE_INTERIOR] = "free of an address inside a block",
		[BAD_FREE_MISMATCH] = "free by the wrong function",
		[BAD_FREE_SIZE] = "free with another size or alignment",
	};
	char n[TERM_NUMBER];

	return util_format("%s, %s time%s", says[b->kind], term_count(n, times),
			   term_plural(times));
}

bool report_is_listed(const struct gate_case *c)
{
	return strcmp(c->rule, "leaks") == 0 ||
	       strcmp(c->rule, "bad-frees") == 0;
}

/* Write a stack below a line on what it is of; nothing if there is none. */
static void put_stack(FILE *out, const char *what, const struct gate_stack *s)
{
	static const struct term_style plain = {"", "", ""};

	if (s->depth && what)
		fprintf(out, "  %s\n", what);
	for (size_t i = 0; i < s->depth; i++) {
		fputs("    ", out);
		table_put_site(out, &s->at[i], &plain, 0);
		putc('\n', out);
	}
}

/* Write the leaks of a process that count. */
static void put_leaks(FILE *out, const struct gate *g, size_t process)
{
	for (size_t i = 0; i < g->leak_count; i++) {
		const struct gate_leak *leak = &g->leaks[i];

		for (size_t j = 0; gate_counts(leak) && j < leak->part_count;
		     j++) {
			char *text;

			if (leak->parts[j].process != process)
				continue;
			text = report_leak_text(leak->kind, leak->parts[j].sum);
			fprintf(out, "%s, %s\n", text, leak->fingerprint);
			free(text);
			text = report_tests(leak);
			if (text)
				fprintf(out, "    in %s\n", text);
			free(text);
			put_stack(out, NULL, &leak->stack);
		}
	}
}

/* Write the bad frees of a process. */
static void put_bad_frees(FILE *out, const struct gate *g, size_t process)
{
	for (size_t i = 0; i < g->bad_free_count; i++) {
		const struct gate_bad_free *b = &g->bad_frees[i];

		for (size_t j = 0; j < b->part_count; j++) {
			char *text;

			if (b->parts[j].process != process)
				continue;
			text = report_bad_free_text(b, b->parts[j].times);
			fprintf(out, "%s, %s\n", text, b->fingerprint);
			free(text);
			put_stack(out, NULL, &b->free);
			put_stack(out, "freed before by", &b->first);
			put_stack(out, "allocated by", &b->alloc);
		}
	}
}

char *report_details(const struct gate *g, const struct gate_case *c)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return util_copy("", 0);
	if (strcmp(c->rule, "leaks") == 0)
		put_leaks(out, g, c->process);
	if (strcmp(c->rule, "bad-frees") == 0)
		put_bad_frees(out, g, c->process);
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
