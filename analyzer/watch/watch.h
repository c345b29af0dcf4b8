/* SPDX-License-Identifier: MIT */
/* The command live: a program watched while it runs. */
#ifndef ANALYZER_WATCH_WATCH_H
#define ANALYZER_WATCH_WATCH_H

#include "figures.h"
#include "options.h"

/* A program that is watched, and how. */
struct watch {
	const struct options *options;
	struct sym_options sym;
	struct follow follow;
	struct figures figures;
	uint64_t interval_ns; /* as asked for */
	uint64_t pause_ns;    /* until the next look: longer, if one is much
				 work, so that a fifth of a core is enough */
	uint64_t next_ns;     /* CLOCK_MONOTONIC of the next look */
};

/*
 * Run the command: its arguments are PID, TRACE or nothing, for the one trace
 * in this directory that is being recorded. Returns the exit status.
 */
int watch_run(const struct options *o, int argc, char **argv);

/* Look, and plan the next look; `names`: at sites, threads and sizes too. 0, or
 * -1 with `e` filled. */
int watch_look(struct watch *w, bool names, struct error *e);

/* Return the ns until the next look, 0 if it is due. */
uint64_t watch_left_ns(const struct watch *w);

/* plain.c: a line a look. tui.c: on the whole terminal. The exit status, or -1
 * with `e` filled. */
int plain_run(struct watch *w, struct error *e);
int tui_run(struct watch *w, struct error *e);

#endif
