/* SPDX-License-Identifier: MIT */
/*
 * Shows that no input makes the reader and the replay crash, hang or write
 * where they must not. The input is a trace; from a live file's magic on (at
 * a multiple of 8) it is the live file beside it.
 *
 * libFuzzer and AFL++ call LLVMFuzzerTestOneInput(); replay.c calls it for
 * the files of the corpus.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "group.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Make a file of these bytes. */
static void write_file(const char *path, const uint8_t *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd))
		abort();
}

/* Return where the live file begins, or `size`. */
static size_t live_begins(const uint8_t *data, size_t size)
{
	for (size_t at = 0; at + 8 <= size; at += 8)
		if (memcmp(data + at, MT_LIVE_MAGIC, 8) == 0)
			return at;
	return size;
}

/*
 * Make the check words of segment heads right, or no change to a head would
 * get past them.
 */
static void repair_heads(uint8_t *data, size_t size)
{
	struct mt_segment head;

	for (size_t at = 0; at + sizeof(head) <= size; at += 8) {
		uint8_t *extra = data + at + sizeof(head);

		memcpy(&head, data + at, sizeof(head));
		if (head.skip_magic != MT_SKIP_SEGMENT ||
		    head.extra_bytes > size - at - sizeof(head))
			continue;
		head.check = 0;
		head.check = mt_check(MT_CHECK_INIT, &head, sizeof(head));
		head.check = mt_check(head.check, extra, head.extra_bytes);
		memcpy(data + at, &head, sizeof(head));
	}
}

/* What the sites charge must add up to what the replay counted. */
static void check_sums(const struct prof *p, const struct groups *s)
{
	if (s->totals.allocations != p->allocations ||
	    s->totals.exit_bytes != p->exit_bytes ||
	    s->totals.peak_bytes != p->peak_bytes)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);
	size_t split = live_begins(data, size);
	char path[64], live_path[80];
	struct error e = {0};
	struct trace t;

	snprintf(path, sizeof(path), "/tmp/fuzz_trace.%d", (int)getpid());
	snprintf(live_path, sizeof(live_path), "%s.live", path);
	if (!copy)
		abort();
	memcpy(copy, data, size);
	repair_heads(copy, split);
	write_file(path, copy, split);
	if (split < size)
		write_file(live_path, copy + split, size - split);
	free(copy);
	if (trace_open(&t, path, &e) == 0) {
		const struct prof_options all = {.until = UINT64_MAX};
		struct profile profile;
		struct groups sites;

		/* No fuzzed path may lead to a file of this machine. */
		for (size_t i = 0; i < t.module_count; i++)
			if (t.modules[i].path)
				t.modules[i].path[0] = '\0';
		profile_of_trace(&profile, &t, &all, NULL, NULL);
		groups_build(&sites, &profile, GROUP_SITE, true);
		check_sums(profile.prof, &sites);
		groups_free(&sites);
		profile_free(&profile);
	} else if (!error_is_set(&e)) {
		abort();
	}
	trace_close(&t);
	unlink(path);
	unlink(live_path);
	return 0;
}
