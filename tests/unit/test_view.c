/* SPDX-License-Identifier: MIT */
/*
 * Shows what is printed: numbers with their units, columns that add up, JSON
 * that is JSON whatever the names in the trace are, the same bytes each time.
 */
#include <ctype.h>
#include <signal.h>
#include <unistd.h>

#include "gen.h"
#include "open.h"
#include "suite.h"
#include "view/view.h"

/* ---- Numbers. ---- */

static const struct {
	uint64_t n;
	const char *count, *bytes;
} numbers[] = {
	{0, "0", "0 B"},
	{999, "999", "999 B"},
	{1023, "1,023", "1023 B"},
	{1024, "1,024", "1.0 KiB"},
	{1048524, "1,048,524", "1023.9 KiB"},
	{1048575, "1,048,575", "1.0 MiB"},
	{7549747, "7,549,747", "7.2 MiB"},
	{1ull << 40, "1,099,511,627,776", "1.0 TiB"},
	{UINT64_MAX, "18,446,744,073,709,551,615", "16.0 EiB"},
};

START_TEST(numbers_have_units)
{
	char to[TERM_NUMBER];

	ck_assert_str_eq(term_count(to, numbers[_i].n), numbers[_i].count);
	ck_assert_str_eq(term_bytes(to, numbers[_i].n, false),
			 numbers[_i].bytes);
	ck_assert_str_eq(term_bytes(to, numbers[_i].n, true),
			 numbers[_i].count);
}
END_TEST

static const struct {
	uint64_t ns;
	const char *text;
} times[] = {
	{0, "0.0 us"},
	{1500, "1.5 us"},
	{2000000, "2.0 ms"},
	{2100000000, "2.1 s"},
	{99999999999999, "100000.0 s"},
};

START_TEST(times_have_units)
{
	char to[TERM_NUMBER];

	ck_assert_str_eq(term_time(to, times[_i].ns), times[_i].text);
}
END_TEST

static const struct {
	const char *bytes;
	unsigned int n;
} characters[] = {
	{"a", 1},
	{"\xc3\xa4", 2},
	{"\xe2\x82\xac", 3},
	{"\xf0\x9f\x98\x80", 4},
	{"\xff", 0},
	{"\xc3", 0},
	{"\xc0\x80", 0},
	{"\xed\xa0\x80", 0},
	{"\xf5\x80\x80\x80", 0},
	{"\xe0\x80\x80", 0},
	{"\x80", 0},
};

START_TEST(characters_are_checked)
{
	ck_assert_uint_eq(term_utf8(characters[_i].bytes), characters[_i].n);
}
END_TEST

/* ---- Reports. ---- */

static struct gen gen;
static struct sim_expected expected;

/* Return what `print` writes to stdout. */
static char *capture(view_function *print, struct view *v)
{
	FILE *f = tmpfile();
	int saved = dup(STDOUT_FILENO);
	char *text;
	long n;

	ck_assert_ptr_nonnull(f);
	fflush(stdout);
	dup2(fileno(f), STDOUT_FILENO);
	ck_assert_int_eq(print(v, &(struct error){0}), 0);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	fseek(f, 0, SEEK_END);
	n = ftell(f);
	rewind(f);
	text = util_alloc((size_t)n + 1, 1);
	ck_assert_uint_eq(fread(text, 1, (size_t)n, f), (size_t)n);
	fclose(f);
	return text;
}

/* Report on what `gen` has. */
static char *report(view_function *print, const struct options *o)
{
	char *text;
	struct profile profile;
	struct trace trace;
	struct view v = {
		.trace = &trace,
		.profile = &profile,
		.options = o,
		.style = {.exact = o->exact, .term = term_style(false)},
	};

	open_generated(&trace, &gen.file);
	/* The only thing that differs from run to run. */
	free(trace.path);
	trace.path = util_copy("x.zst", 5);
	profile_of_trace(&profile, &trace,
			 &(struct prof_options){.until = UINT64_MAX}, NULL,
			 NULL);
	text = capture(print, &v);
	profile_free(&profile);
	trace_close(&trace);
	return text;
}

static const struct sim_options program = {
	.seed = 3,
	.threads = 2,
	.events = 3000,
	.segment_events = 512,
	.max_live = 100,
	.step = 1000,
};

/* The first number of a row, its separators left out. */
static uint64_t row_number(const char *row)
{
	uint64_t n = 0;

	for (; *row && (*row == ' ' || *row == ',' || isdigit(*row)); row++) {
		if (isdigit(*row))
			n = n * 10 + (uint64_t)(*row - '0');
		else if (*row == ' ' && n)
			break;
	}
	return n;
}

/* Add up the rows of a table, and check that its last sum% is 100. */
static uint64_t add_up(const char *text, const char *title, size_t *rows)
{
	const char *row = strstr(text, title), *last = NULL;
	uint64_t sum = 0;

	*rows = 0;
	ck_assert_ptr_nonnull(row);
	row = strchr(strchr(row, '\n') + 1, '\n') + 1;
	for (; *row == ' '; row = strchr(row, '\n') + 1) {
		sum += row_number(row);
		last = row;
		(*rows)++;
	}
	ck_assert_ptr_nonnull(last);
	ck_assert_ptr_nonnull(strstr(last, " 100.0 "));
	return sum;
}

START_TEST(columns_add_up)
{
	struct options o = {.rows = (unsigned int)_i, .exact = true};
	char *text, *again;
	size_t rows;

	sim_run(&program, &gen, &expected, NULL, NULL);
	text = report(view_summary, &o);
	ck_assert_uint_eq(add_up(text, "Live at peak\n", &rows),
			  expected.peak_bytes);
	ck_assert_uint_le(rows, (size_t)_i + 1);
	ck_assert_uint_eq(add_up(text, "Most allocated, by bytes\n", &rows),
			  expected.total.allocated_bytes);
	ck_assert_uint_eq(add_up(text, "Most allocated, by calls\n", &rows),
			  expected.total.allocations);
	ck_assert_uint_eq(add_up(text, "Temporary", &rows),
			  expected.total.temporary);
	ck_assert_uint_eq(add_up(text, "Live at the end\n", &rows),
			  expected.total.live_bytes);
	again = report(view_summary, &o);
	ck_assert_str_eq(text, again);
	free(text);
	free(again);
	gen_free(&gen);
}
END_TEST

/* What ran, how it ended, and a line that the report then has. */
static const struct {
	enum options_at at;
	enum mt_end end;
	const char *has, *has_not;
} reports[] = {
	{OPTIONS_AT_ALL, MT_END_EXIT, "example, pid 4711: ", "was killed"},
	{OPTIONS_AT_ALL, MT_END_NONE, "the program was killed", "signal"},
	{OPTIONS_AT_ALL, MT_END_SIGNAL, "died of signal 11 (", "killed"},
	{OPTIONS_AT_ALL, MT_END_EXEC, "another program by exec", "killed"},
	{OPTIONS_AT_PEAK, MT_END_EXIT, "Live at peak", "Live at the end"},
	{OPTIONS_AT_PEAK, MT_END_EXIT, "blocks still live", "Most allocated"},
	{OPTIONS_AT_EXIT, MT_END_EXIT, "Live at the end", "Live at peak"},
};

START_TEST(says_what_matters)
{
	struct options shown = {.rows = 5, .at = reports[_i].at};
	struct mt_meta_end end = {.end = reports[_i].end,
				  .signal = SIGSEGV,
				  .clock = 100000,
				  .clock_ns = 60000};
	struct sim_options o = program;
	char *text;

	o.unended = true;
	sim_run(&o, &gen, &expected, NULL, NULL);
	if (end.end != MT_END_NONE)
		gen_meta(&gen, MT_META_END, &end, sizeof(end), NULL, 0);
	gen_end(&gen, MT_END_NONE, 0);
	text = report(view_summary, &shown);
	ck_assert_msg(strstr(text, reports[_i].has) != NULL, "%s", text);
	ck_assert_msg(!strstr(text, reports[_i].has_not), "%s", text);
	free(text);
	gen_free(&gen);
}
END_TEST

/* Sites of equal weight stand in the order of their names. */
START_TEST(ties_break_by_name)
{
	static const uint64_t pcs[] = {0x401020, 0x401000, 0x401010};
	struct mt_event e = {.time = 2000, .size = 10, .kind = MT_MALLOC};
	struct options o = {.rows = 5};
	const char *first, *second, *third;
	char *text;

	gen_begin(&gen, 100, 0);
	gen_module(&gen, 0, 0x400000, 0x500000, "/nonexistent/example");
	for (uint32_t i = 0; i < MT_NODE_FIRST; i++)
		gen_node(&gen, 0, 0);
	for (unsigned int i = 0; i < 3; i++) {
		e.stack = gen_node(&gen, 0, gen_pc(&gen, pcs[i], 0));
		e.address = 0x5000 + i * 64;
		gen_event(&gen, 0, &e);
	}
	gen_end(&gen, MT_END_EXIT, 5000);
	text = report(view_summary, &o);
	first = strstr(text, "example+0x1000");
	second = strstr(text, "example+0x1010");
	third = strstr(text, "example+0x1020");
	ck_assert(first && first < second && second < third);
	free(text);
	gen_free(&gen);
}
END_TEST

/* ---- JSON. ---- */

static const char *json_value(const char *p);

static const char *json_space(const char *p)
{
	return p + strspn(p, " \n");
}

static const char *json_string(const char *p)
{
	ck_assert_msg(*p == '"', "no string at %.20s", p);
	for (p++; *p != '"'; p++) {
		ck_assert_msg((unsigned char)*p >= 0x20, "control character");
		if (*p != '\\') {
			unsigned int n = term_utf8(p);

			ck_assert_uint_gt(n, 0);
			p += n - 1;
		} else if (*++p == 'u') {
			for (int i = 0; i < 4; i++)
				ck_assert(isxdigit(*++p));
		} else {
			ck_assert_ptr_nonnull(strchr("\"\\/bfnrt", *p));
		}
	}
	return p + 1;
}

/* Step over the members of an object or array, whose opening is at `p`. */
static const char *json_members(const char *p)
{
	bool object = *p == '{';
	char closing = object ? '}' : ']';

	p = json_space(p + 1);
	while (*p != closing) {
		if (object) {
			p = json_space(json_string(p));
			ck_assert_int_eq(*p, ':');
			p++;
		}
		p = json_space(json_value(p));
		ck_assert_msg(*p == ',' || *p == closing, "at %.20s", p);
		if (*p == ',') {
			p = json_space(p + 1);
			ck_assert_int_ne(*p, closing);
		}
	}
	return p + 1;
}

static const char *json_value(const char *p)
{
	static const char *const words[] = {"null", "true", "false"};

	p = json_space(p);
	if (*p == '{' || *p == '[')
		return json_members(p);
	if (*p == '"')
		return json_string(p);
	for (size_t i = 0; i < 3; i++)
		if (strncmp(p, words[i], strlen(words[i])) == 0)
			return p + strlen(words[i]);
	ck_assert_msg(isdigit(*p), "no value at %.20s", p);
	return p + strspn(p, "0123456789");
}

START_TEST(json_is_json)
{
	static const char nasty[] = "a \"b\\\n\x01\xff\xc3\xa4\0\xe2\x82\0\0x";
	static const char *const fields[] = {
		"\"version\": 1,",
		"\"pid\": 4711",
		"\"end\": \"exit\"",
		"\"a \\\"b\\\\\\u000a\\u0001\\ufffd\xc3\xa4\"",
		"\"\\ufffd\\ufffd\", \"\", \"x\"",
	};
	struct options o = {.rows = 5};
	char *text, number[64];

	sim_run(&program, &gen, &expected, NULL, NULL);
	/* The last record of a type counts. */
	gen_meta(&gen, MT_META_COMMAND, NULL, 0, nasty, sizeof(nasty));
	gen_end(&gen, MT_END_NONE, 0);
	text = report(view_summary_json, &o);
	ck_assert_int_eq(*json_space(json_value(text)), '\0');
	for (int i = 0; i < COUNT(fields); i++)
		ck_assert_msg(strstr(text, fields[i]) != NULL, "%s\n%s",
			      fields[i], text);
	snprintf(number, sizeof(number), "\"peak\": {\"bytes\": %llu,",
		 (unsigned long long)expected.peak_bytes);
	ck_assert_ptr_nonnull(strstr(text, number));
	snprintf(number, sizeof(number),
		 "\"allocations\": %llu, \"frees\": %llu",
		 (unsigned long long)expected.total.allocations,
		 (unsigned long long)expected.frees);
	ck_assert_ptr_nonnull(strstr(text, number));
	free(text);
	gen_free(&gen);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_loop_test(c, numbers_have_units, 0, COUNT(numbers));
	tcase_add_loop_test(c, times_have_units, 0, COUNT(times));
	tcase_add_loop_test(c, characters_are_checked, 0, COUNT(characters));
	tcase_add_loop_test(c, columns_add_up, 1, 30);
	tcase_add_loop_test(c, says_what_matters, 0, COUNT(reports));
	tcase_add_test(c, ties_break_by_name);
	tcase_add_test(c, json_is_json);
}

int main(void)
{
	return suite_main("view", add);
}
