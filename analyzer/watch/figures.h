/* SPDX-License-Identifier: MIT */
/*
 * What is shown of a program that is watched: its totals, and rows of sites,
 * threads or sizes, as they were at the last look and how fast they change.
 */
#ifndef ANALYZER_WATCH_FIGURES_H
#define ANALYZER_WATCH_FIGURES_H

#include "follow.h"
#include "strpool.h"
#include "sym.h"

enum figures_view {
	FIGURES_SITES,
	FIGURES_THREADS,
	FIGURES_SIZES,
	FIGURES_GROWTH, /* sites that grew since the watch began */
};
#define FIGURES_VIEWS 4

enum figures_sort {
	FIGURES_BY_LIVE,
	FIGURES_BY_BLOCKS,
	FIGURES_BY_GROWTH,
	FIGURES_BY_RATE,
	FIGURES_BY_TEMPORARY,
};
#define FIGURES_SORTS 5

/* Growth is that of so many looks together. */
#define FIGURES_SPAN 10

struct figures_row {
	const char *name;
	uint64_t live_bytes, live_blocks;
	double growth;		/* bytes per second, lately */
	double rate, temporary; /* blocks per second, since the last look */
	int64_t grown;		/* bytes, since the watch began */
};

/* The whole; rates are per second, since the last look. */
struct figures_totals {
	uint64_t live_bytes, live_blocks, peak_bytes;
	uint64_t allocations, temporary, allocated_bytes, ns;
	uint64_t before_bytes; /* live at the last look */
	double alloc_rate, temporary_rate, alloc_bytes_rate, free_bytes_rate;
	uint64_t rss_bytes; /* 0: not known */
	size_t threads;
};

struct figures_item;

struct figures_set {
	struct figures_item *item;
	size_t count, room;
	struct map place; /* key -> place in `item` */
};

/* Zeroed is before the first look. */
struct figures {
	struct figures_totals totals;

	/* The rest is figures.c's own. */
	struct figures_set set[3]; /* sites, threads, sizes */
	struct strpool names;
	uint32_t *name_of; /* node -> number in `names`; 0: not yet */
	size_t nodes;
	unsigned int looks;
	uint64_t look_ns;		/* CLOCK_MONOTONIC of the last look */
	uint64_t past_ns[FIGURES_SPAN]; /* of the last ones */
};

/* Take what there is now; `sym` NULL: the totals only. */
void figures_look(struct figures *f, const struct follow *from,
		  const struct sym_options *sym);

/*
 * Return the rows of a view whose names have `filter` in them (NULL: all), the
 * largest first, ties by name; how many in `*n`. Free the array.
 */
struct figures_row *figures_rows(const struct figures *f,
				 enum figures_view view, enum figures_sort sort,
				 const char *filter, size_t *n);

void figures_free(struct figures *f);

#endif
