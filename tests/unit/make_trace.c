/* SPDX-License-Identifier: MIT */
/*
 * Write a big synthetic trace, to measure the analyzer with:
 *
 *   make_trace FILE [EVENTS [THREADS [MAX_LIVE]]]
 */
#include "gen.h"

static unsigned long number(int argc, char **argv, int i, unsigned long other)
{
	return argc > i ? strtoul(argv[i], NULL, 0) : other;
}

int main(int argc, char **argv)
{
	static struct gen g;
	static struct sim_expected x;
	struct sim_options o = {
		.seed = 1,
		.segment_events = 4096,
		.tick_shift = 4,
		.step = 100,
		.plain = true,
	};

	if (argc < 2)
		return 2;
	o.events = (uint32_t)number(argc, argv, 2, 20000000);
	o.threads = (uint32_t)number(argc, argv, 3, 1);
	o.max_live = (uint32_t)number(argc, argv, 4, 100000);
	if (!o.threads || o.threads > GEN_MAX_THREADS)
		return 2;
	sim_run(&o, &g, &x, NULL, NULL);
	gen_write(&g.file, argv[1]);
	gen_free(&g);
	return 0;
}
