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

/* The exit status of a verdict. */
int report_status(const struct gate *g);

/* What an outcome is called: "passed", "vacuous", "breached". */
const char *report_outcome(enum gate_outcome outcome);

/* Return whom a case is about: its process's label, or "all". */
const char *report_subject(const struct gate *g, const struct gate_case *c);

/* verdict.c: on one screen, or as one JSON object. */
void report_verdict(FILE *out, const struct gate *g,
		    const struct table_style *style);

/* lsan.c: as LeakSanitizer's text, the leaks that count. */
void report_lsan(FILE *out, const struct gate *g);

#endif
