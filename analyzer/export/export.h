/* SPDX-License-Identifier: MIT */
/*
 * Exports: a profile in another tool's format, one file each.
 *
 * An exporter writes to a stream, which becomes the file that was asked for
 * only when all of it was written.
 */
#ifndef ANALYZER_EXPORT_H
#define ANALYZER_EXPORT_H

#include <stdio.h>

#include "options.h"
#include "profile.h"

/* What is exported, and to where. */
struct export
{
	struct profile *profile;
	struct trace *trace; /* for further replays, which are to take what
				profile->prof->options say; NULL: an import */
	const struct options *options;
	const char *path; /* of the file being written; NULL: none */
	FILE *out;
};

/* Write it all; 0, or -1 with `e` filled. Whether `out` took it is checked
 * by the caller. */
typedef int export_function(struct export *x, struct error *e);

struct export_format {
	const char *name;
	unsigned int keys; /* of the profile: PROF_BY_... */
	bool needs_trace;  /* cannot be made of an import */
	bool needs_file;   /* cannot be written to a pipe */
	export_function *write;
	bool needs_each; /* cannot be made of a sample of the blocks */
};

/* Return a format by its name, or NULL. */
const struct export_format *export_find(const char *name);

/*
 * Write `p` in a format to `path` (NULL: stdout). 0, or -1 with `e` filled;
 * then there is no file, or the one that was there before.
 */
int export_write(const struct export_format *f, struct profile *p,
		 const struct options *o, struct error *e);

/* Return what is to be said of a sample's figures, in parentheses behind
 * something; "" when they are none. Free it. */
char *export_estimates(const struct profile *p);

/* One of a profile's sums. */
struct export_sum {
	const char *name, *unit; /* "bytes" or "none" */
	unsigned int has;	 /* PROFILE_HAS_..., all to be known */
	uint64_t (*of)(const struct profile_totals *t);
};

enum {
	EXPORT_PEAK,
	EXPORT_EXIT,
	EXPORT_ALLOCATED,
	EXPORT_CALLS,
	EXPORT_TEMPORARY,
	EXPORT_CHURN,
	EXPORT_SUMS
};

extern const struct export_sum export_sums[EXPORT_SUMS];

/* Tell whether a profile knows one of the sums. */
bool export_sum_known(const struct export_sum *sum, const struct profile *p);

/*
 * Return the sum that --at asks for; the first one that is known when it was
 * not said. NULL with `e` filled: the profile does not know it.
 */
const struct export_sum *export_sum_asked(const struct export *x,
					  struct error *e);

export_function export_callgrind, export_chrome, export_dhat, export_folded,
	export_heaptrack, export_massif, export_openmetrics, export_pprof,
	export_prometheus, export_speedscope, export_sqlite, export_svg;

#endif
