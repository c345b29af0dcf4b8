/* SPDX-License-Identifier: MIT */
/*
 * A verdict as text, as JSON, and as what CI systems read: one file a format.
 * The same verdict gives the same bytes; whether `out` took them, the caller
 * checks.
 */
#ifndef ANALYZER_REPORT_REPORT_H
#define ANALYZER_REPORT_REPORT_H

#include <stdio.h>

#include "gate.h"
#include "table.h"

/* A format without a style. */
typedef void report_writer(FILE *out, const struct gate *g);

report_writer report_junit;  /* JUnit XML, as Ant writes it */
report_writer report_sarif;  /* SARIF 2.1.0 */
report_writer report_lsan;   /* LeakSanitizer's text: the leaks that count */
report_writer report_github; /* GitHub's workflow commands */
report_writer report_tap;    /* the Test Anything Protocol, 13 */
report_writer report_supp;   /* suppressions of the leaks that count */

/* verdict.c: on one screen, or as one JSON object. */
void report_verdict(FILE *out, const struct gate *g,
		    const struct table_style *style);

/* What they share. */

/* The exit status of a verdict. */
int report_status(const struct gate *g);

/* What an outcome is called: "passed", "vacuous", "breached". */
const char *report_outcome(enum gate_outcome outcome);

/* Return whom a case is about: its process's label, or "all". */
const char *report_subject(const struct gate *g, const struct gate_case *c);

/* Return the frame that a leak is charged to. */
const struct frame *report_site(const struct gate_leak *leak);

/* Return what is to be said of a leak in a line: "definite leak of 320 B in 10
 * blocks". Free it. */
char *report_leak_text(enum leak_kind kind, struct leak_sum sum);

/* The same of a bad free: "double free, 3 times". */
char *report_bad_free_text(const struct gate_bad_free *b, uint64_t times);

/* Tell whether a case is of leaks or bad frees, which have reports of their
 * own. */
bool report_is_listed(const struct gate_case *c);

/* Return what makes a case, each leak and bad free with its stacks, as lines
 * of text. Free it. */
char *report_details(const struct gate *g, const struct gate_case *c);

/* Return a source file's path as it is below the current directory, if it is
 * there; else as it is. */
const char *report_file(const char *file);

/* Return the tests that a leak is of, with commas between, or NULL. To be
 * freed. */
char *report_tests(const struct gate_leak *leak);

#endif
