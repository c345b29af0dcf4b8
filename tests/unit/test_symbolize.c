/* SPDX-License-Identifier: MIT */
/*
 * Shows that a trace can carry its names: they are those that the files had,
 * they stay when the files are gone, they are there once, all else is as it
 * was; and that a names log that makes no sense does no harm.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gen.h"
#include "self.h"
#include "suite.h"
#include "symbolize.h"

static char directory[] = "/tmp/memtrace-test-XXXXXX";
static char program[128]; /* a copy of this one */
static const char *const input = "in.zst", *const output = "out.zst";
static struct gen gen;
static const struct sym_options options; /* without a cache */

/* Two code addresses that have names. */
static volatile int sink;
__attribute__((noinline)) void grows(void);
__attribute__((noinline)) void shrinks(void);
void grows(void)
{
	sink++;
}
void shrinks(void)
{
	sink--;
}

enum { PC_GROWS, PC_SHRINKS, PC_NO_FILE, PC_JIT, PC_NOWHERE, PCS };

static void run(const char *command)
{
	ck_assert_int_eq(system(command), 0);
}

static void begin(void)
{
	char command[8192];

	self_find();
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
	snprintf(program, sizeof(program), "%s/program", directory);
	snprintf(command, sizeof(command), "cp '%s' program", exe);
	run(command);
}

static void end(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", directory);
	run(command);
}

/* Make a trace of this program up to its end. */
static void make(struct gen *g)
{
	struct mt_meta_module m = {
		.id = 0,
		.bias = self_bias,
		.start = self_bias,
		.end = self_bias + (1 << 20),
	};
	struct mt_event e = {.kind = MT_MALLOC, .size = 32};

	gen_begin(g, 4, 0);
	gen_meta(g, MT_META_MODULE, &m, sizeof(m), program, strlen(program));
	gen_module(g, 1, 0x10000, 0x20000, "/nonexistent/lib.so");
	for (unsigned int i = 0; i < MT_NODE_FIRST; i++)
		gen_node(g, 0, 0);
	gen_pc(g, (uint64_t)grows + 1, 0);
	gen_pc(g, (uint64_t)shrinks + 1, 0);
	gen_pc(g, 0x10100, 1);
	gen_pc(g, 0x5001, MT_NO_MODULE);
	gen_pc(g, 0x6001, MT_NO_MODULE);
	for (uint32_t i = 0; i < PCS; i++)
		e.stack = gen_node(g, 0, i);
	for (uint32_t i = 0; i < 10; i++) {
		e.time = 2000 + i;
		e.address = 0x700000 + i * 64;
		gen_event(g, 0, &e);
	}
}

/* Make the trace as a file that was ended. */
static void make_input(void)
{
	make(&gen);
	gen_end(&gen, MT_END_EXIT, 3000);
	gen_write(&gen.file, input);
	gen_free(&gen);
}

/* Write `to` with the names of `from`; return why not, "" when it was. */
static const char *symbolize(const char *from, const char *to)
{
	static struct error e;
	struct trace t;

	e = (struct error){0};
	ck_assert_int_eq(trace_open(&t, from, &e), 0);
	ck_assert_int_eq(symbolize_write(&t, &options, to, &e),
			 -error_is_set(&e));
	trace_close(&t);
	return e.text;
}

static void open_sound(struct trace *t, const char *path)
{
	struct error e = {0};

	ck_assert_int_eq(trace_open(t, path, &e), 0);
	ck_assert_str_eq(t->damage.text, "");
}

/* Return the function that a trace says a code address is in, or NULL. */
static const char *function_of(const struct trace *t, uint32_t pc)
{
	const struct sym_frame *frame;

	return trace_frames(t, pc, &frame) ? frame[0].function : NULL;
}

/* Check the names that a trace carries. */
static void check_names(const char *path, bool jit)
{
	const struct sym_frame *frame;
	struct trace t;

	open_sound(&t, path);
	ck_assert_pstr_eq(function_of(&t, PC_GROWS), "grows");
	ck_assert_pstr_eq(function_of(&t, PC_SHRINKS), "shrinks");
	ck_assert_pstr_eq(function_of(&t, PC_NO_FILE), NULL);
	ck_assert_pstr_eq(function_of(&t, PC_JIT), jit ? "jit f" : NULL);
	ck_assert_pstr_eq(function_of(&t, PC_NOWHERE), NULL);
	ck_assert_pstr_eq(function_of(&t, PCS), NULL);
	ck_assert_uint_eq(trace_frames(&t, PC_GROWS, &frame), 1);
	ck_assert_str_eq(util_basename(frame->file), "test_symbolize.c");
	ck_assert_uint_gt(frame->line, 0);
	ck_assert_str_eq(frame->linkage, "grows");
	ck_assert(t.modules[0].named && t.modules[1].named);
	ck_assert_int_eq(t.modules[0].names, SYM_LINES);
	ck_assert_int_eq(t.modules[1].names, SYM_MISSING);
	ck_assert_uint_eq(t.threads[0].segments.count, 3);
	trace_close(&t);
}

/* Read a file. */
static struct gen_buffer contents(const char *path)
{
	struct gen_buffer b = {0};
	FILE *f = fopen(path, "rb");
	char bytes[4096];
	size_t n;

	ck_assert_ptr_nonnull(f);
	while ((n = fread(bytes, 1, sizeof(bytes), f)))
		gen_put(&b, bytes, n);
	fclose(f);
	return b;
}

static bool same(const char *a, const char *b)
{
	struct gen_buffer x = contents(a), y = contents(b);
	bool equal = x.n == y.n && memcmp(x.at, y.at, x.n) == 0;

	free(x.at);
	free(y.at);
	return equal;
}

START_TEST(keeps_names)
{
	struct gen_buffer in, out;

	make_input();
	run("echo '5000 10 jit f' >perf-4711.map");
	ck_assert_str_eq(symbolize(input, output), "");
	check_names(output, true);
	in = contents(input);
	out = contents(output);
	ck_assert_uint_gt(out.n, in.n);
	ck_assert_mem_eq(in.at, out.at, in.n);
	free(in.at);
	free(out.at);
	/* Again: not doubled. Without the files: not lost. */
	ck_assert_str_eq(symbolize(output, "again.zst"), "");
	ck_assert(same(output, "again.zst"));
	run("rm program perf-4711.map");
	ck_assert_str_eq(symbolize(output, "gone.zst"), "");
	check_names("gone.zst", true);
	/* In its own place; with other names in front of it than it had. */
	ck_assert_str_eq(symbolize(output, output), "");
	check_names(output, true);
	run("zstd -tq *.zst");
}
END_TEST

/* Names that can be had by now are better than those of a stripped file. */
START_TEST(takes_better_names)
{
	struct trace t;

	make_input();
	run("cp program whole; strip program");
	ck_assert_str_eq(symbolize(input, output), "");
	open_sound(&t, output);
	ck_assert_pstr_eq(function_of(&t, PC_SHRINKS), NULL);
	ck_assert_int_eq(t.modules[0].names, SYM_EXPORTS);
	trace_close(&t);
	run("cp whole program");
	ck_assert_str_eq(symbolize(output, "better.zst"), "");
	check_names("better.zst", false);
	run("strip program");
	ck_assert_str_eq(symbolize("better.zst", "kept.zst"), "");
	check_names("kept.zst", false);
}
END_TEST

/* What a killed process left in the live file comes along. */
START_TEST(takes_the_live_file)
{
	struct gen_buffer live = {0};

	make(&gen);
	gen_write(&gen.file, input);
	gen_live(&gen, MT_END_NONE, &live);
	gen_put(&live, (char[10000]){0}, 10000);
	gen_write(&live, "in.zst.live");
	ck_assert_str_eq(symbolize(input, output), "");
	check_names(output, false);
	ck_assert(same("in.zst.live", "out.zst.live"));
	/* Its own place is where the recorder may still write. */
	ck_assert_str_ne(symbolize(input, input), "");
	gen_free(&gen);
	free(live.at);
}
END_TEST

/* A file that ends within a segment, as after a kill, is made whole. */
START_TEST(drops_what_is_cut)
{
	struct gen_buffer b;
	struct trace t;

	make_input();
	b = contents(input);
	b.n -= 8;
	gen_write(&b, input);
	free(b.at);
	ck_assert_str_eq(symbolize(input, output), "");
	open_sound(&t, output);
	ck_assert(!t.truncated);
	trace_close(&t);
	run("zstd -tq out.zst");
}
END_TEST

/* Nothing is written where it is not right to. */
START_TEST(refuses)
{
	struct gen_buffer b;
	int found = 0;

	make_input();
	ck_assert_str_ne(symbolize(input, "none/out.zst"), "");
	run("touch out.zst.live");
	ck_assert_str_ne(symbolize(input, output), "");
	run("rm out.zst.live; mkdir out.zst");
	ck_assert_str_ne(symbolize(input, output), "");
	run("rmdir out.zst");
	/* A trace with a damaged head, far from its end. */
	b = contents(input);
	for (size_t at = b.n - 8; !found; at -= 8)
		if (memcmp(b.at + at + 8, MT_SEGMENT_MAGIC, 4) == 0 && !found++)
			b.at[at + 20] ^= 1;
	gen_put(&b, (uint32_t[2000]){MT_SKIP_SPACE, 7992}, 8000);
	gen_write(&b, input);
	free(b.at);
	ck_assert_str_ne(symbolize(input, output), "");
	run("test \"$(ls | tr '\\n' ' ')\" = 'in.zst program '");
}
END_TEST

/* A byte, or -1 at the end. */
#define LOG_BYTES 24
static const struct {
	int log[LOG_BYTES];
	const char *function; /* of PC_GROWS */
	bool damaged;
} logs[] = {
	{{1, 2, 'f', 0, 2, 5, 0, 1, 0, 0, 9, -1}, "f", false},
	/* The later of two counts; an unknown entry does not. */
	{{1, 2, 'f', 0, 1, 2, 'g', 0, 2, 5, 0, 1,
	  0, 0, 9,   2, 5, 0, 2,   0, 0, 9, -1},
	 "g",
	 false},
	{{7, 2, 2, 5, 1, 2, 'f', 0, 2, 5, 0, 1, 0, 0, 9, -1}, "f", false},
	/* A code address, a module that there is not. */
	{{2, 5, 77, 0, 0, 0, 9, 3, 2, 77, 0, -1}, NULL, false},
	/* Text without a NUL, none at all, a string to come, half a frame. */
	{{1, 1, 'f', -1}, NULL, true},
	{{1, 0, -1}, NULL, true},
	{{2, 5, 0, 1, 0, 0, 9, 1, 2, 'f', 0, -1}, NULL, true},
	{{2, 4, 0, 0, 0, 0, -1}, NULL, true},
	/* Longer than the log; a state that is none; cut short. */
	{{1, 99, 'f', 0, -1}, NULL, true},
	{{3, 2, 0, 5, -1}, NULL, true},
	{{3, 1, 0, -1}, NULL, true},
	{{1, 2, 'f', 0, 2, 5, 0, 1, 0, 0, 9, 2, -1}, "f", true},
	{{1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, -1}, NULL, true},
};

/* Add a names log to a trace. */
static void add_log(const uint8_t *bytes, size_t n)
{
	struct gen_buffer column = {.at = (uint8_t *)bytes, .n = n};
	struct mt_segment head = {.stream = MT_STREAM_NAMES,
				  .count = (uint32_t)n};

	make(&gen);
	gen_end(&gen, MT_END_EXIT, 3000);
	gen_segment(&gen, head, &column, 1);
	gen_write(&gen.file, input);
	gen_free(&gen);
}

START_TEST(reads_logs)
{
	uint8_t bytes[LOG_BYTES];
	struct error e = {0};
	struct trace t;
	size_t n = 0;

	while (logs[_i].log[n] >= 0) {
		bytes[n] = (uint8_t)logs[_i].log[n];
		n++;
	}
	add_log(bytes, n);
	ck_assert_int_eq(trace_open(&t, input, &e), 0);
	ck_assert_int_eq(error_is_set(&t.damage), logs[_i].damaged);
	ck_assert_pstr_eq(function_of(&t, PC_GROWS), logs[_i].function);
	trace_close(&t);
}
END_TEST

/* Random logs of plausible bytes. */
START_TEST(survives_any_log)
{
	srand((unsigned int)_i);
	for (int i = 0; i < 200; i++) {
		size_t n = 1 + (size_t)rand() % 64;
		struct error e = {0};
		uint8_t bytes[64];
		struct trace t;

		for (size_t j = 0; j < n; j++)
			bytes[j] = (uint8_t)(rand() % 8 ? rand() % 7
							: rand() % 256);
		add_log(bytes, n);
		ck_assert_int_eq(trace_open(&t, input, &e), 0);
		for (uint32_t pc = 0; pc < PCS; pc++) {
			const struct sym_frame *f;
			size_t count = trace_frames(&t, pc, &f);

			for (size_t j = 0; j < count; j++)
				if (f[j].function)
					sink += (int)strlen(f[j].function);
		}
		trace_close(&t);
	}
}
END_TEST

static void add(TCase *c)
{
	tcase_add_checked_fixture(c, begin, end);
	tcase_add_test(c, keeps_names);
	tcase_add_test(c, takes_better_names);
	tcase_add_test(c, takes_the_live_file);
	tcase_add_test(c, drops_what_is_cut);
	tcase_add_test(c, refuses);
	tcase_add_loop_test(c, reads_logs, 0, COUNT(logs));
	tcase_add_loop_test(c, survives_any_log, 0, 10);
}

int main(void)
{
	return suite_main("symbolize", add);
}
