/* SPDX-License-Identifier: MIT */
/*
 * Shows that a trace is read whole from its file and its live file, and that
 * damage of any kind costs what it hit, is named with its byte, and never
 * more: what a trace lacks is counted to the event.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "gen.h"
#include "prof.h"
#include "suite.h"

#define EVENTS 5000

static char path[] = "/tmp/test_trace.XXXXXX", live_path[64];
static struct gen gen;
static struct sim_expected expected;
static struct trace trace;
static struct prof prof;
static struct error error;

static const struct sim_options whole = {
	.seed = 42,
	.threads = 3,
	.events = EVENTS,
	.segment_events = 300,
	.max_live = 400,
	.step = 100,
};

static void begin(void)
{
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
	snprintf(live_path, sizeof(live_path), "%s.live", path);
}

static void end(void)
{
	unlink(path);
	unlink(live_path);
}

/* Write, read and replay what `gen` has. */
static void replay(void)
{
	gen_write(&gen.file, path);
	ck_assert_msg(trace_open(&trace, path, &error) == 0, "%s", error.text);
	prof_run(&prof, &trace, &(struct prof_options){.until = UINT64_MAX},
		 NULL);
}

static void forget(void)
{
	prof_free(&prof);
	trace_close(&trace);
	gen_free(&gen);
}

/* Return where segment `n` (from 0) of a stream is in the file. */
static size_t segment_at(unsigned int stream, unsigned int n)
{
	struct mt_segment head;

	for (size_t at = 0; at < gen.file.n; at += 8) {
		memcpy(&head, gen.file.at + at, sizeof(head));
		if (head.skip_magic == MT_SKIP_SEGMENT &&
		    memcmp(head.magic, MT_SEGMENT_MAGIC, 4) == 0 &&
		    head.stream == stream && n-- == 0)
			return at;
	}
	ck_abort_msg("no such segment");
}

START_TEST(reads_what_was_written)
{
	sim_run(&whole, &gen, &expected, NULL, NULL);
	replay();
	ck_assert_str_eq(trace.damage.text, "");
	ck_assert_str_eq(trace.exe, "/usr/bin/example");
	ck_assert_uint_eq(trace.command_bytes, 11);
	ck_assert_int_eq(memcmp(trace.command, "example\0-x", 11), 0);
	ck_assert_uint_eq(trace.process.pid, 4711);
	ck_assert_uint_eq(trace.thread_count, 3);
	ck_assert_uint_eq(trace.module_count, 2);
	ck_assert_str_eq(trace.modules[1].path, "/nonexistent/libc.so.6");
	ck_assert_str_eq(trace_end_name(&trace), "exit");
	ck_assert(!trace.live_missing && !trace.truncated);
	/* The clock runs at 2 units per ns from 1000 on. */
	ck_assert_uint_eq(trace_ns(&trace, 999), 0);
	ck_assert_uint_eq(trace_ns(&trace, 3000), 1000);
	ck_assert_uint_eq(prof.events, expected.events);
	forget();
}
END_TEST

/* How the live file says the end was, and what the report then calls it. */
static const struct {
	enum mt_end end;
	const char *name;
} ends[] = {
	{MT_END_NONE, "killed"},
	{MT_END_SIGNAL, "signal"},
	{MT_END_UNDERSCORE_EXIT, "_exit"},
	{MT_END_EXEC, "exec"},
};

START_TEST(reads_the_live_file)
{
	struct sim_options o = whole;
	struct gen_buffer live = {0};

	o.unended = true;
	sim_run(&o, &gen, &expected, NULL, NULL);
	gen_live(&gen, ends[_i].end, &live);
	gen_write(&live, live_path);
	replay();
	ck_assert_str_eq(trace.damage.text, "");
	ck_assert_str_eq(trace_end_name(&trace), ends[_i].name);
	ck_assert(!trace.live_missing);
	ck_assert_uint_eq(trace.missing, 0);
	ck_assert_uint_eq(prof.events, expected.events);
	ck_assert_uint_eq(prof.exit_bytes, expected.total.live_bytes);
	ck_assert_uint_eq(prof.peak_bytes, expected.peak_bytes);
	free(live.at);
	forget();
}
END_TEST

/* Killed before anything was sealed, or just after a slot was. */
START_TEST(reads_what_is_there_once_or_twice)
{
	struct sim_options o = whole;
	struct gen_buffer live = {0};

	o.unended = true;
	o.segment_events = 10000;
	sim_run(&o, &gen, &expected, NULL, NULL);
	gen_live(&gen, MT_END_NONE, &live);
	gen_write(&live, live_path);
	if (_i == 0)
		gen.file.n = 0;
	else
		gen_end(&gen, MT_END_NONE, 100000);
	replay();
	ck_assert_str_eq(trace.damage.text, "");
	ck_assert_uint_eq(trace.missing, 0);
	ck_assert_uint_eq(prof.events, expected.events);
	ck_assert_uint_eq(prof.exit_bytes, expected.total.live_bytes);
	free(live.at);
	forget();
}
END_TEST

/* A slot that is being turned over holds nothing, as does a free one. */
START_TEST(reads_no_slot_in_turmoil)
{
	struct sim_options o = whole;
	struct gen_buffer live = {0};
	struct mt_live *head;
	struct mt_slot *slot;

	o.unended = true;
	o.threads = 1;
	sim_run(&o, &gen, &expected, NULL, NULL);
	gen_live(&gen, MT_END_NONE, &live);
	head = (struct mt_live *)live.at;
	slot = (struct mt_slot *)(live.at +
				  head->region[head->regions - 1].offset);
	ck_assert_uint_gt(slot->count, 0);
	if (_i == 0)
		slot->epoch = 3;
	else
		slot->thread = MT_NO_THREAD;
	gen_write(&live, live_path);
	replay();
	ck_assert_str_eq(trace.damage.text, "");
	ck_assert_uint_eq(prof.events, expected.events - slot->count);
	free(live.at);
	forget();
}
END_TEST

/* The clock was last read long before the program was killed. */
START_TEST(lasts_until_the_last_event)
{
	struct sim_options o = whole;
	struct gen_buffer live = {0};
	uint64_t last;

	o.unended = true;
	sim_run(&o, &gen, &expected, NULL, NULL);
	last = gen.clock;
	gen.clock = 1500;
	gen_live(&gen, MT_END_NONE, &live);
	gen_write(&live, live_path);
	replay();
	ck_assert_uint_eq(trace_duration_ns(&trace), (last - 1000) / 2);
	free(live.at);
	forget();
}
END_TEST

/* The slot has events 5 to 14, the file 0 to 9. */
START_TEST(reads_what_overlaps)
{
	static struct gen other;
	struct gen_buffer live = {0};
	struct mt_event e = {.kind = MT_MALLOC, .size = 1};

	gen_begin(&gen, 10, 0);
	gen_begin(&other, 5, 0);
	for (unsigned int i = 0; i < 15; i++) {
		e.time = 2000 + i;
		e.address = 0x5000 + i * 32;
		if (i < 10)
			gen_event(&gen, 0, &e);
		if (i == 5)
			other.segment_events = 100;
		gen_event(&other, 0, &e);
	}
	gen_end(&gen, MT_END_NONE, 0);
	gen_live(&other, MT_END_NONE, &live);
	gen_write(&live, live_path);
	replay();
	ck_assert_str_eq(trace.damage.text, "");
	ck_assert_uint_eq(prof.events, 15);
	ck_assert_uint_eq(prof.exit_blocks, 15);
	ck_assert_uint_eq(trace.missing, 0);
	free(live.at);
	gen_free(&other);
	forget();
}
END_TEST

START_TEST(reads_without_the_live_file)
{
	struct sim_options o = whole;
	uint64_t unsealed = 0;

	o.unended = true;
	sim_run(&o, &gen, &expected, NULL, NULL);
	for (unsigned int i = 0; i < 3; i++)
		unsealed += gen.thread[i].count;
	replay();
	ck_assert_str_eq(trace_end_name(&trace), "killed");
	ck_assert(trace.live_missing);
	ck_assert_uint_eq(prof.events, expected.events - unsealed);
	forget();
}
END_TEST

START_TEST(refuses_the_live_file_of_another)
{
	struct sim_options o = whole;
	struct gen_buffer live = {0};
	struct mt_live *head;

	o.unended = true;
	sim_run(&o, &gen, &expected, NULL, NULL);
	gen_live(&gen, MT_END_NONE, &live);
	head = (struct mt_live *)live.at;
	head->start_ticks = 1;
	gen_write(&live, live_path);
	replay();
	ck_assert_ptr_nonnull(strstr(trace.damage.text, "another process"));
	ck_assert(trace.live_missing);
	free(live.at);
	forget();
}
END_TEST

/* A byte that is changed in segment 4 of the events, and what is said. */
static const struct {
	size_t off;
	const char *text;
} damages[] = {
	{0, "bad segment head"},  /* the frame's magic */
	{8, "bad segment head"},  /* our magic */
	{20, "bad segment head"}, /* count: the check word tells */
	{120, "bad zstd frame"},  /* the first column's magic */
};

START_TEST(goes_on_behind_damage)
{
	size_t at;
	struct mt_segment head;

	sim_run(&whole, &gen, &expected, NULL, NULL);
	at = segment_at(MT_STREAM_EVENTS, 4);
	memcpy(&head, gen.file.at + at, sizeof(head));
	gen.file.at[at + damages[_i].off] ^= 0x55;
	replay();
	ck_assert_ptr_nonnull(strstr(trace.damage.text, damages[_i].text));
	ck_assert_uint_ge(trace.damage.offset, at);
	ck_assert_uint_le(trace.damage.offset, at + sizeof(head));
	ck_assert_uint_eq(trace.missing, head.count);
	ck_assert_uint_eq(prof.events, expected.events - head.count);
	forget();
}
END_TEST

/* Cut anywhere, a file is read up to there; nothing is called damaged. */
START_TEST(reads_a_file_cut_short)
{
	size_t first, step;

	sim_run(&whole, &gen, &expected, NULL, NULL);
	first = segment_at(MT_STREAM_EVENTS, 0);
	step = (gen.file.n - first) / 40;
	gen.file.n = first + step * (size_t)_i + (size_t)_i % 7;
	replay();
	ck_assert_str_eq(trace.damage.text, "");
	ck_assert(trace.live_missing);
	ck_assert_uint_lt(prof.events, expected.events);
	ck_assert_uint_ge(prof.events, _i > 4 ? 300 : 0);
	forget();
}
END_TEST

/* What is no trace at all, and what is said about it. */
static const struct {
	const char *bytes;
	size_t n;
	const char *text;
} strangers[] = {
	{"", 0, "empty"},
	{"\x28\xb5\x2f\xfd", 4, "not a memtrace trace"},
	{"#!/bin/sh\necho hello, hello, hello\n", 35, "not a memtrace trace"},
};

START_TEST(refuses_other_files)
{
	struct gen_buffer b = {(uint8_t *)strangers[_i].bytes, strangers[_i].n,
			       strangers[_i].n};

	gen_write(&b, path);
	ck_assert_int_eq(trace_open(&trace, path, &error), -1);
	ck_assert_msg(strstr(error.text, strangers[_i].text), "%s", error.text);
	trace_close(&trace);
}
END_TEST

START_TEST(refuses_another_version)
{
	struct mt_meta_format *f;

	sim_run(&whole, &gen, &expected, NULL, NULL);
	f = (struct mt_meta_format *)(gen.meta.at + sizeof(struct mt_meta));
	f->major = 2;
	gen.file.n = 0;
	gen.meta_sealed = 0;
	gen_seal_streams(&gen);
	gen_write(&gen.file, path);
	ck_assert_int_eq(trace_open(&trace, path, &error), -1);
	ck_assert_ptr_nonnull(strstr(error.text, "version 2."));
	trace_close(&trace);
	gen_free(&gen);
}
END_TEST

START_TEST(names_what_it_cant_open)
{
	static const char *const names[] = {"/nonexistent/x.zst", "/tmp",
					    "/dev/null"};
	static const char *const texts[] = {"No such file", "directory",
					    "not a regular file"};

	ck_assert_int_eq(trace_open(&trace, names[_i], &error), -1);
	ck_assert_ptr_nonnull(strstr(error.text, texts[_i]));
	ck_assert_uint_eq(error.offset, ERROR_NO_OFFSET);
	trace_close(&trace);
}
END_TEST

/* A record of a later minor version, and of a later stream. */
START_TEST(steps_over_what_it_does_not_know)
{
	struct mt_segment head = {.stream = 77};
	struct gen_buffer column = {(uint8_t *)"abc", 3, 3};

	gen_begin(&gen, 10, 0);
	gen_meta(&gen, 999, "xyz", 3, NULL, 0);
	gen_segment(&gen, head, &column, 1);
	gen_end(&gen, MT_END_EXIT, 5000);
	replay();
	ck_assert_str_eq(trace.damage.text, "");
	ck_assert_str_eq(trace_end_name(&trace), "exit");
	forget();
}
END_TEST

static void add(TCase *c)
{
	tcase_add_checked_fixture(c, begin, end);
	tcase_add_test(c, reads_what_was_written);
	tcase_add_loop_test(c, reads_the_live_file, 0, 4);
	tcase_add_loop_test(c, reads_what_is_there_once_or_twice, 0, 2);
	tcase_add_loop_test(c, reads_no_slot_in_turmoil, 0, 2);
	tcase_add_test(c, lasts_until_the_last_event);
	tcase_add_test(c, reads_what_overlaps);
	tcase_add_test(c, reads_without_the_live_file);
	tcase_add_test(c, refuses_the_live_file_of_another);
	tcase_add_loop_test(c, goes_on_behind_damage, 0, 4);
	tcase_add_loop_test(c, reads_a_file_cut_short, 0, 40);
	tcase_add_loop_test(c, refuses_other_files, 0, 3);
	tcase_add_test(c, refuses_another_version);
	tcase_add_loop_test(c, names_what_it_cant_open, 0, 3);
	tcase_add_test(c, steps_over_what_it_does_not_know);
}

int main(void)
{
	return suite_main("trace", add);
}
