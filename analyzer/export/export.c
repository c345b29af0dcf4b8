/* SPDX-License-Identifier: MIT */
/* Exports: the list of formats, and where one is written to. */
#include "export.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"
#include "outfile.h"

static const struct export_format formats[] = {
	{"callgrind", 0, false, false, export_callgrind, false},
	{"chrome", PROF_BY_THREAD, true, false, export_chrome, false},
	{"dhat", 0, false, false, export_dhat, false},
	{"folded", 0, false, false, export_folded, false},
	{"heaptrack", 0, true, false, export_heaptrack, true},
	{"massif", 0, false, false, export_massif, false},
	{"openmetrics", 0, false, false, export_openmetrics, false},
	{"pprof", PROF_BY_SIZE | PROF_BY_THREAD, false, false, export_pprof,
	 false},
	{"prometheus", 0, false, false, export_prometheus, false},
	{"speedscope", 0, false, false, export_speedscope, false},
	{"sqlite", PROF_BY_SIZE | PROF_BY_THREAD, false, true, export_sqlite,
	 false},
	{"svg", 0, false, false, export_svg, false},
};

#define SUM_OF(field)                                         \
	static uint64_t field(const struct profile_totals *t) \
	{                                                     \
		return t->field;                              \
	}

SUM_OF(peak_bytes)
SUM_OF(exit_bytes)
SUM_OF(allocated_bytes)
SUM_OF(allocations)
SUM_OF(temporary)

/* What a window allocated may be less than what it ends with. */
static uint64_t churned_bytes(const struct profile_totals *t)
{
	return t->allocated_bytes > t->exit_bytes
		       ? t->allocated_bytes - t->exit_bytes
		       : 0;
}

const struct export_sum export_sums[EXPORT_SUMS] = {
	[EXPORT_PEAK] = {"live at the peak", "bytes", PROFILE_HAS_PEAK,
			 peak_bytes},
	[EXPORT_EXIT] = {"live at the end", "bytes", PROFILE_HAS_EXIT,
			 exit_bytes},
	[EXPORT_ALLOCATED] = {"allocated bytes", "bytes", PROFILE_HAS_ALLOCATED,
			      allocated_bytes},
	[EXPORT_CALLS] = {"allocations", "none", PROFILE_HAS_ALLOCATED,
			  allocations},
	[EXPORT_TEMPORARY] = {"temporary allocations", "none",
			      PROFILE_HAS_TEMPORARY, temporary},
	[EXPORT_CHURN] = {"allocated and freed again", "bytes",
			  PROFILE_HAS_ALLOCATED | PROFILE_HAS_EXIT,
			  churned_bytes},
};

bool export_sum_known(const struct export_sum *sum, const struct profile *p)
{
	return (p->has & sum->has) == sum->has;
}

const struct export_sum *export_sum_asked(const struct export *x,
					  struct error *e)
{
	static const unsigned char asked[] = {
		[OPTIONS_AT_PEAK] = EXPORT_PEAK,
		[OPTIONS_AT_EXIT] = EXPORT_EXIT,
		[OPTIONS_AT_TOTAL] = EXPORT_ALLOCATED,
		[OPTIONS_AT_CHURN] = EXPORT_CHURN,
		[OPTIONS_AT_TEMPORARY] = EXPORT_TEMPORARY,
		[OPTIONS_AT_TIME] = EXPORT_EXIT,
	};
	const struct export_sum *sum = &export_sums[asked[x->options->at]];

	if (x->options->at == OPTIONS_AT_ALL)
		while (sum < &export_sums[EXPORT_CALLS] &&
		       !export_sum_known(sum, x->profile))
			sum++;
	if (export_sum_known(sum, x->profile))
		return sum;
	error_set(e, ERROR_NO_OFFSET, "a %s file does not know: %s",
		  x->profile->source, sum->name);
	return NULL;
}

char *export_estimates(const struct profile *p)
{
	if (!p->rate_bytes)
		return util_copy("", 0);
	return util_format(" (sampled: 1 in %" PRIu64
			   " bytes; values are estimates)",
			   p->rate_bytes);
}

const struct export_format *export_find(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

/* Tell whether a format can be written to what is no file. */
static bool may_stream(const struct export_format *f, const char *name,
		       struct error *e)
{
	if (f->needs_file)
		error_set(e, ERROR_NO_OFFSET,
			  "%s cannot be written to %s: say -o FILE", f->name,
			  name);
	return !f->needs_file;
}

/* Write to a file. */
static int write_file(const struct export_format *f, struct export *x,
		      const char *path, struct error *e)
{
	struct outfile o;

	if (outfile_open(&o, path, e))
		return -1;
	x->out = o.f;
	x->path = o.temporary;
	if ((x->path || may_stream(f, path, e)) && f->write(x, e) == 0)
		return outfile_commit(&o, e);
	outfile_abort(&o);
	return -1;
}

int export_write(const struct export_format *f, struct profile *p,
		 const struct options *o, struct error *e)
{
	struct export x = {
		.profile = p,
		.trace = p->trace,
		.options = o,
		.out = stdout,
	};

	if (f->needs_trace && !p->trace)
		return error_set(e, ERROR_NO_OFFSET,
				 "%s needs the events, which a %s file has not",
				 f->name, p->source);
	if (o->output && strcmp(o->output, "-") != 0)
		return write_file(f, &x, o->output, e);
	return may_stream(f, "stdout", e) ? f->write(&x, e) : -1;
}

/* Write the metrics of what is exported. */
static int export_metrics(struct export *x, bool open)
{
	struct metrics m;

	metrics_gather(&m, x->profile);
	metrics_put(x->out, open, &m, 1);
	return 0;
}

int export_prometheus(struct export *x, struct error *e)
{
	(void)e;
	return export_metrics(x, false);
}

int export_openmetrics(struct export *x, struct error *e)
{
	(void)e;
	return export_metrics(x, true);
}
