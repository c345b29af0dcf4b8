/* SPDX-License-Identifier: MIT */
/*
 * A verdict as JUnit XML, with all that Ant's reader wants (which wants most):
 * a test case a rule, its class being the process. What was breached is a
 * failure, what could not be judged an error, never skipped.
 *
 * Source: Apache Ant, XMLJUnitResultFormatter.
 */
#include "report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

/* Write text; what XML 1.0 has no characters for becomes '?'. */
static void put_text(FILE *out, const char *text)
{
	while (*text) {
		unsigned int n = term_utf8(text);

		if (*text == '&')
			fputs("&amp;", out);
		else if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '>')
			fputs("&gt;", out);
		else if (*text == '"')
			fputs("&quot;", out);
		else if (!n || ((unsigned char)*text < ' ' && *text != '\n') ||
			 *text == 0x7f)
			putc('?', out);
		else
			fwrite(text, 1, n, out);
		text += n ? n : 1;
	}
}

/* Write an attribute. */
static void put_attribute(FILE *out, const char *name, const char *text)
{
	fprintf(out, " %s=\"", name);
	put_text(out, text);
	putc('"', out);
}

/* Write a time as an attribute, in seconds. */
static void put_time(FILE *out, uint64_t ns)
{
	fprintf(out, " time=\"%" PRIu64 ".%06" PRIu64 "\"", ns / 1000000000,
		ns / 1000 % 1000000);
}

/* Return how long what a case is about took: it is told once. */
static uint64_t time_of(const struct gate *g, size_t i)
{
	const struct gate_case *c = &g->cases[i];
	bool first = !i || g->cases[i - 1].process != c->process;

	return c->process != GATE_ALL && first
		       ? g->processes[c->process].duration_ns
		       : 0;
}

/* Write a case. */
static void put_case(FILE *out, const struct gate *g, size_t i)
{
	const struct gate_case *c = &g->cases[i];
	const char *element = c->outcome == GATE_BREACHED ? "failure" : "error";
	char *details;

	fputs("    <testcase", out);
	put_attribute(out, "name", c->rule);
	put_attribute(out, "classname", report_subject(g, c));
	put_time(out, time_of(g, i));
	if (c->outcome == GATE_PASSED) {
		fputs("/>\n", out);
		return;
	}
	fprintf(out, ">\n      <%s", element);
	put_attribute(out, "message", c->text);
	put_attribute(out, "type", c->rule);
	putc('>', out);
	details = report_details(g, c);
	put_text(out, details);
	free(details);
	fprintf(out, "</%s>\n    </testcase>\n", element);
}

/* Write the attributes of the suite. */
static void put_suite(FILE *out, const struct gate *g)
{
	const struct gate_process *first = g->processes;
	size_t count[GATE_BREACHED + 1] = {0};
	uint64_t began = UINT64_MAX, took = 0;
	time_t seconds;
	char when[32];
	struct tm tm;

	for (size_t i = 0; i < g->case_count; i++) {
		count[g->cases[i].outcome]++;
		took += time_of(g, i);
	}
	for (size_t i = 0; i < g->process_count; i++)
		if (g->processes[i].began < began)
			began = g->processes[i].began;
	seconds = g->process_count ? (time_t)(began / 1000000000) : 0;
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S",
		 gmtime_r(&seconds, &tm));
	fputs("  <testsuite name=\"memtrace check\" package=\"memtrace\" "
	      "id=\"0\"",
	      out);
	put_attribute(out, "timestamp", when);
	put_attribute(out, "hostname",
		      g->process_count && first->host && *first->host
			      ? first->host
			      : "localhost");
	fprintf(out,
		" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" "
		"skipped=\"0\"",
		g->case_count, count[GATE_BREACHED], count[GATE_VACUOUS]);
	put_time(out, took);
	fputs(">\n", out);
}

void report_junit(FILE *out, const struct gate *g)
{
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n",
	      out);
	put_suite(out, g);
	fputs("    <properties>\n      <property name=\"verdict\"", out);
	put_attribute(out, "value", report_outcome(g->verdict));
	fputs("/>\n    </properties>\n", out);
	for (size_t i = 0; i < g->case_count; i++)
		put_case(out, g, i);
	fputs("    <system-out/>\n    <system-err/>\n  </testsuite>\n"
	      "</testsuites>\n",
	      out);
}
