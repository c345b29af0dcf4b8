/* SPDX-License-Identifier: MIT */
/*
 * Shows that what the streams of a trace hold, the heap image and scans above
 * all, makes no reader crash, hang or write where it must not. The input is
 * chunks (struct chunk), each of which is put into the trace as a sound segment
 * of its own, behind those of a sound trace: so it gets past compression and
 * check words.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit/gen.h"
#include "badfree.h"
#include "chunk.h"
#include "leaks.h"
#include "profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Take up to `n` bytes off the input as a column. */
static struct gen_buffer take(const uint8_t **at, const uint8_t *end, size_t n)
{
	struct gen_buffer column = {0};

	if (n > (size_t)(end - *at))
		n = (size_t)(end - *at);
	gen_put(&column, *at, n);
	*at += n;
	return column;
}

/* Append the chunks to a trace. */
static void put_chunks(struct gen *g, const uint8_t *at, const uint8_t *end)
{
	struct chunk c;

	while ((size_t)(end - at) >= sizeof(c)) {
		struct gen_buffer column[2];
		struct mt_segment head;

		memcpy(&c, at, sizeof(c));
		at += sizeof(c);
		column[0] = take(&at, end, c.bytes[0]);
		column[1] = take(&at, end, c.bytes[1]);
		head = (struct mt_segment){
			.stream = c.stream,
			.thread = c.thread,
			.first = c.first,
			.count = c.count ? c.count : (uint32_t)column[0].n,
		};
		gen_segment(g, head, column, c.bytes[1] ? 2 : 1);
		free(column[0].at);
		free(column[1].at);
	}
}

/* Look at a trace from all sides that take what is in its streams. */
static void read_all(struct trace *t)
{
	const struct prof_options all = {.until = UINT64_MAX};
	struct profile profile;
	struct bad_frees bad;
	struct leaks leaks;
	struct error e = {0};

	/* No fuzzed path may lead to a file of this machine. */
	for (size_t i = 0; i < t->module_count; i++)
		if (t->modules[i].path)
			t->modules[i].path[0] = '\0';
	profile_of_trace(&profile, t, &all, NULL, NULL);
	if (leaks_find(&leaks, t, &profile.stacks, NULL, NULL, &e) &&
	    !error_is_set(&e))
		abort();
	bad_frees_find(&bad, t, &profile.stacks, NULL);
	bad_frees_free(&bad);
	leaks_free(&leaks);
	profile_free(&profile);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sim_expected expected;
	const struct sim_options o = {.seed = 1,
				      .threads = 1,
				      .events = 60,
				      .segment_events = 64,
				      .max_live = 20,
				      .step = 100};
	struct gen gen = {0};
	struct error e = {0};
	struct trace t;
	char path[64];

	snprintf(path, sizeof(path), "/tmp/fuzz_streams.%d", (int)getpid());
	sim_run(&o, &gen, &expected, NULL, NULL);
	put_chunks(&gen, data, data + size);
	gen_write(&gen.file, path);
	gen_free(&gen);
	if (trace_open(&t, path, &e) == 0)
		read_all(&t);
	else if (!error_is_set(&e))
		abort();
	trace_close(&t);
	unlink(path);
	return 0;
}
