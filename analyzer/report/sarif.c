/* SPDX-License-Identifier: MIT */
/*
 * A verdict as SARIF 2.1.0 (OASIS): a result for each leak, with its
 * fingerprint, its stack, and the path from main to it; and one for each other
 * rule that was breached. What could not be judged is a notification of the
 * run, which did not succeed then.
 */
#include "report.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "options.h"

/* The rules, by what they are of. */
static const struct sarif_rule {
	const char *id, *name, *text;
	const char *rule; /* of a case; NULL: of a kind of leaks */
	enum leak_kind kind;
} rules[] = {
	{"definite-leak", "DefiniteLeak",
	 "Memory was lost: nothing points to it.", NULL, LEAK_DEFINITE},
	{"possible-leak", "PossibleLeak",
	 "Memory was perhaps lost: only pointers into it are left.", NULL,
	 LEAK_POSSIBLE},
	{"held-leak", "HeldLeak",
	 "Memory was lost, unless a function that was running at exit() holds "
	 "it.",
	 NULL, LEAK_HELD},
	{"peak", "Peak", "A process had more memory live than it may.", "peak",
	 LEAK_KINDS},
	{"allocations", "Allocations",
	 "There were more allocations than there may be.", "allocations",
	 LEAK_KINDS},
	{"temporary", "Temporary",
	 "There were more temporary allocations than there may be.",
	 "temporary", LEAK_KINDS},
	{"baseline", "Baseline", "The baseline has leaks that are gone.",
	 "baseline", LEAK_KINDS},
	{"bad-free", "BadFree", "A free that no allocator has to take.",
	 "bad-frees", LEAK_KINDS},
};

#define RULES (sizeof(rules) / sizeof(*rules))

/* Return the place of a leak's or a case's rule. */
static size_t rule_of(const char *rule, enum leak_kind kind)
{
	size_t i = 0;

	while (i + 1 < RULES &&
	       (rule ? !rules[i].rule || strcmp(rules[i].rule, rule) != 0
		     : rules[i].kind != kind))
		i++;
	return i;
}

/* Write a message. */
static void put_message(FILE *out, const char *text)
{
	fputs("\"message\": {\"text\": ", out);
	json_put_text(out, text);
	putc('}', out);
}

/* Write a path as a URI, RFC 3986: as it is below the current directory, or
 * by itself. */
static void put_uri(FILE *out, const char *file)
{
	const char *path = report_file(file);

	fputs("\"artifactLocation\": {\"uri\": \"", out);
	if (*path == '/')
		fputs("file://", out);
	for (const char *p = path; *p; p++)
		if (isalnum((unsigned char)*p) || strchr("/._-~", *p))
			putc(*p, out);
		else
			fprintf(out, "%%%02X", (unsigned char)*p);
	fputs(*path == '/' ? "\"}" : "\", \"uriBaseId\": \"SRCROOT\"}", out);
}

/* Write a frame as a location, and what is there. */
static void put_location(FILE *out, const struct frame *f, const char *what)
{
	putc('{', out);
	if (f->file) {
		fputs("\"physicalLocation\": {", out);
		put_uri(out, f->file);
		if (f->line)
			fprintf(out, ", \"region\": {\"startLine\": %u}",
				f->line);
		fputs("}, ", out);
	}
	fputs("\"logicalLocations\": [{\"name\": ", out);
	json_put_text(out, f->name);
	fputs(", \"kind\": \"function\"}], ", out);
	put_message(out, what);
	putc('}', out);
}

/* Write a stack, innermost frame first. */
static void put_stack(FILE *out, const char *what, const struct gate_stack *s)
{
	fputs("{\"message\": {\"text\": ", out);
	json_put_text(out, what);
	fputs("}, \"frames\": [", out);
	for (size_t i = 0; i < s->depth; i++) {
		const struct frame *f = &s->at[i];

		fputs(i ? ",\n            {" : "\n            {", out);
		if (f->module) {
			fputs("\"module\": ", out);
			json_put_text(out, util_basename(f->module));
			fputs(", ", out);
		}
		fputs("\"location\": ", out);
		put_location(out, f, f->name);
		putc('}', out);
	}
	fputs("\n          ]}", out);
}

/* Write the path from the outermost function with a source to the site, which
 * is what viewers walk through; nothing when no source is known. */
static void put_flow(FILE *out, const struct gate_leak *leak)
{
	const char *between = "\n            ";

	if (!report_site(leak)->file)
		return;
	fputs(",\n          \"codeFlows\": [{\"threadFlows\": [{\"locations\": "
	      "[",
	      out);
	for (size_t i = leak->stack.depth; i-- > leak->stack.site;) {
		if (!leak->stack.at[i].file ||
		    leak->stack.at[i].kind > JUDGE_NAMELESS)
			continue;
		fprintf(out, "%s{\"location\": ", between);
		put_location(out, &leak->stack.at[i], leak->stack.at[i].name);
		putc('}', out);
		between = ",\n            ";
	}
	fputs("\n          ]}]}]", out);
}

/* Write what the baseline says of a leak, if there is one. */
static void put_baseline(FILE *out, const struct gate *g,
			 const struct gate_leak *leak)
{
	static const char *const states[GATE_STATES] = {
		[GATE_GROWN] = "updated",
		[GATE_NEW] = "new",
		[GATE_KNOWN] = "unchanged",
	};

	if (g->options->baseline && states[leak->state])
		fprintf(out, ",\n          \"baselineState\": \"%s\"",
			states[leak->state]);
	if (leak->state == GATE_KNOWN)
		fputs(",\n          \"suppressions\": [{\"kind\": "
		      "\"external\", \"justification\": \"in the "
		      "baseline\"}]",
		      out);
}

/* Begin a result. */
static void begin_result(FILE *out, size_t rule, const char *level,
			 const char *text)
{
	fprintf(out,
		"        {\n          \"ruleId\": \"%s\",\n          "
		"\"ruleIndex\": %zu,\n          \"level\": \"%s\",\n"
		"          ",
		rules[rule].id, rule, level);
	put_message(out, text);
}

/* Write a leak as a result. */
static void put_leak(FILE *out, const struct gate *g,
		     const struct gate_leak *leak)
{
	char *line = report_leak_text(leak->kind, leak->sum);
	char *text = util_format("%s: %s", line, leak->frames);

	begin_result(out, rule_of(NULL, leak->kind),
		     gate_counts(leak) ? "error" : "note", text);
	free(line);
	free(text);
	fputs(",\n          \"locations\": [", out);
	put_location(out, report_site(leak), "allocated here");
	fprintf(out,
		"],\n          \"partialFingerprints\": "
		"{\"memtraceStack/v1\": \"%s\"}",
		leak->fingerprint);
	put_baseline(out, g, leak);
	put_flow(out, leak);
	fputs(",\n          \"stacks\": [", out);
	put_stack(out, "allocated by", &leak->stack);
	putc(']', out);
	fprintf(out,
		",\n          \"properties\": {\"state\": \"%s\", \"bytes\": "
		"%" PRIu64 ", \"blocks\": %" PRIu64 ", \"processes\": %zu}\n"
		"        }",
		gate_state_names[leak->state], leak->sum.bytes,
		leak->sum.blocks, leak->part_count);
}

/* Write where the block of a bad free is from, unless that is not known. */
static void put_related(FILE *out, const struct gate_bad_free *b)
{
	const struct gate_stack *first = &b->first, *alloc = &b->alloc;

	if (!first->depth && !alloc->depth)
		return;
	fputs(",\n          \"relatedLocations\": [", out);
	if (first->depth)
		put_location(out, &first->at[first->site], "freed before here");
	if (first->depth && alloc->depth)
		fputs(", ", out);
	if (alloc->depth)
		put_location(out, &alloc->at[alloc->site], "allocated here");
	putc(']', out);
}

/* Write a bad free as a result. */
static void put_bad_free(FILE *out, const struct gate *g,
			 const struct gate_bad_free *b)
{
	bool counts = g->bad_free_times > g->options->bad_frees;
	char *line = report_bad_free_text(b, b->times);
	char *text = util_format("%s: %s", line, b->frames);

	begin_result(out, rule_of("bad-frees", LEAK_KINDS),
		     counts ? "error" : "note", text);
	free(line);
	free(text);
	fputs(",\n          \"locations\": [", out);
	put_location(out, &b->free.at[b->free.site], "freed here");
	fprintf(out,
		"],\n          \"partialFingerprints\": "
		"{\"memtraceStack/v1\": \"%s\"}",
		b->fingerprint);
	put_related(out, b);
	fputs(",\n          \"stacks\": [", out);
	put_stack(out, "freed by", &b->free);
	if (b->first.depth) {
		fputs(", ", out);
		put_stack(out, "freed before by", &b->first);
	}
	if (b->alloc.depth) {
		fputs(", ", out);
		put_stack(out, "allocated by", &b->alloc);
	}
	fprintf(out,
		"],\n          \"properties\": {\"kind\": \"%s\", "
		"\"times\": %" PRIu64 ", \"processes\": %zu}\n        }",
		bad_free_kind_names[b->kind], b->times, b->part_count);
}

/* Write a rule that was breached, other than by leaks, as a result. */
static void put_case(FILE *out, const struct gate *g, const struct gate_case *c)
{
	char *text = util_format("%s: %s", report_subject(g, c), c->text);

	begin_result(out, rule_of(c->rule, LEAK_KINDS), "error", text);
	fputs("\n        }", out);
	free(text);
}

/* Tell whether a case is a result that is not listed by itself. */
static bool is_result(const struct gate_case *c)
{
	return c->outcome == GATE_BREACHED && !report_is_listed(c);
}

static void put_results(FILE *out, const struct gate *g)
{
	const char *between = "\n";

	fputs("      \"results\": [", out);
	for (size_t i = 0; i < g->leak_count; i++) {
		fputs(between, out);
		put_leak(out, g, &g->leaks[i]);
		between = ",\n";
	}
	for (size_t i = 0; i < g->bad_free_count; i++) {
		fputs(between, out);
		put_bad_free(out, g, &g->bad_frees[i]);
		between = ",\n";
	}
	for (size_t i = 0; i < g->case_count; i++) {
		if (!is_result(&g->cases[i]))
			continue;
		fputs(between, out);
		put_case(out, g, &g->cases[i]);
		between = ",\n";
	}
	fputs("\n      ]\n", out);
}

/* Write who says it. */
static void put_tool(FILE *out)
{
	fputs("      \"tool\": {\"driver\": {\n"
	      "        \"name\": \"memtrace\",\n"
	      "        \"version\": \"" OPTIONS_VERSION "\",\n"
	      "        \"rules\": [\n",
	      out);
	for (size_t i = 0; i < RULES; i++)
		fprintf(out,
			"          {\"id\": \"%s\", \"name\": \"%s\", "
			"\"shortDescription\": {\"text\": \"%s\"}}%s\n",
			rules[i].id, rules[i].name, rules[i].text,
			i + 1 < RULES ? "," : "");
	fputs("        ]\n      }},\n", out);
}

/* Write whether it could be judged, and what could not. */
static void put_invocation(FILE *out, const struct gate *g)
{
	const char *between = "\n";
	bool whole = true;

	for (size_t i = 0; i < g->case_count; i++)
		whole &= g->cases[i].outcome != GATE_VACUOUS;
	fprintf(out,
		"      \"invocations\": [{\n        \"executionSuccessful\": "
		"%s,\n        \"exitCode\": %d,\n"
		"        \"toolExecutionNotifications\": [",
		whole ? "true" : "false", report_status(g));
	for (size_t i = 0; i < g->case_count; i++) {
		const struct gate_case *c = &g->cases[i];
		char *text;

		if (c->outcome != GATE_VACUOUS)
			continue;
		text = util_format("%s: %s: %s", report_subject(g, c), c->rule,
				   c->text);
		fprintf(out, "%s          {\"level\": \"error\", ", between);
		put_message(out, text);
		putc('}', out);
		between = ",\n";
		free(text);
	}
	fputs("\n        ]\n      }],\n", out);
}

void report_sarif(FILE *out, const struct gate *g)
{
	fputs("{\n  \"$schema\": "
	      "\"https://json.schemastore.org/sarif-2.1.0.json\",\n"
	      "  \"version\": \"2.1.0\",\n  \"runs\": [\n    {\n",
	      out);
	put_tool(out);
	put_invocation(out, g);
	fputs("      \"originalUriBaseIds\": {\"SRCROOT\": {\"description\": "
	      "{\"text\": \"where the check ran\"}}},\n",
	      out);
	put_results(out, g);
	fputs("    }\n  ]\n}\n", out);
}
