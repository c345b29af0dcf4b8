/* SPDX-License-Identifier: MIT */
/* A line a look, in the manner of Go's gctrace. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "watch.h"

/* Write bytes as MiB, or exactly. */
static void put_mib(double bytes, bool exact)
{
	if (exact)
		printf("%.0f", bytes);
	else
		printf("%.1f", bytes / (1 << 20));
}

/* heap # @#s: +#/s alloc, -#/s free, #->#-># live, peak, now... */
static void put_line(const struct watch *w, uint64_t number)
{
	const struct figures_totals *t = &w->figures.totals;
	bool exact = w->options->exact;
	const char *unit = exact ? "B" : "MiB";

	printf("heap %llu @%.3fs: +", (unsigned long long)number,
	       (double)t->ns / 1e9);
	put_mib(t->alloc_bytes_rate, exact);
	printf(" %s/s alloc, -", unit);
	put_mib(t->free_bytes_rate, exact);
	printf(" %s/s free, ", unit);
	put_mib((double)t->before_bytes, exact);
	fputs("->", stdout);
	put_mib((double)t->peak_bytes, exact);
	fputs("->", stdout);
	put_mib((double)t->live_bytes, exact);
	printf(" %s, ", unit);
	if (t->rss_bytes) {
		put_mib((double)t->rss_bytes, exact);
		printf(" %s rss, ", unit);
	}
	if (exact)
		printf("%llu allocs, %llu temp",
		       (unsigned long long)t->allocations,
		       (unsigned long long)t->temporary);
	else
		printf("%.1f K allocs, %.1f K temp",
		       (double)t->allocations / 1e3,
		       (double)t->temporary / 1e3);
	printf(", %zu thr", t->threads);
	if (w->pause_ns > w->interval_ns)
		printf(", lags: a look in %.1f s", (double)w->pause_ns / 1e9);
	if (w->follow.ended)
		printf(", ended: %s", trace_end_name(&w->follow.trace));
	putchar('\n');
	fflush(stdout);
}

/* Wait until the next look is due. */
static void wait_for(const struct watch *w)
{
	uint64_t ns;

	while ((ns = watch_left_ns(w))) {
		struct timespec ts = {(time_t)(ns / 1000000000u),
				      (long)(ns % 1000000000u)};

		nanosleep(&ts, NULL);
	}
}

int plain_run(struct watch *w, struct error *e)
{
	uint64_t count = w->options->count;

	for (uint64_t i = 1;; i++) {
		if (watch_look(w, false, e))
			return -1;
		put_line(w, i);
		if (w->follow.ended || i == count || ferror(stdout))
			return 0;
		wait_for(w);
	}
}
