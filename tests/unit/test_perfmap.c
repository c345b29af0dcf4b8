/* SPDX-License-Identifier: MIT */
/*
 * Shows that JIT maps are read as perf reads them, the later entry winning
 * at every address, from the right place, and never another process's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "perfmap.h"
#include "suite.h"

static char directory[] = "/tmp/memtrace-test-XXXXXX";
static char trace_path[64];
static struct trace t;

static void begin(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
	snprintf(trace_path, sizeof(trace_path), "%s/x.zst", directory);
	t = (struct trace){.path = trace_path};
	t.process.pid = (uint32_t)getpid();
}

static void end(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s /tmp/perf-%d.map",
		 directory, getpid());
	ck_assert_int_eq(system(command), 0);
}

/* Write the map of the process into a directory. */
static void write_map(const char *where, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/perf-%d.map", where, getpid());
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static const struct {
	const char *text;
	uint64_t address;
	const char *name; /* NULL: none */
} lines[] = {
	{"1000 10 f\n", 0x1000, "f"},
	{"1000 10 f\n", 0x100f, "f"},
	{"1000 10 f\n", 0x1010, NULL},
	{"1000 10 f\n", 0xfff, NULL},
	{"0x1000 0x10 f\n", 0x1005, "f"},
	{"ABcd 1 f", 0xabcd, "f"},
	{"1000 10 a b  c\n", 0x1000, "a b  c"},
	{"1000 10 f\r\n", 0x1000, "f"},
	{"1000 10 f\n1000 10 g\n", 0x1000, "g"},
	{"1000 10 f\n1008 2 g\n", 0x1007, "f"},
	{"1000 10 f\n1008 2 g\n", 0x1009, "g"},
	{"1000 10 f\n1008 2 g\n", 0x100a, "f"},
	{"1008 2 g\n1000 10 f\n", 0x1009, "f"},
	{"1000 10 f\n1008 10 g\n", 0x100f, "g"},
	{"1008 10 g\n1000 10 f\n", 0x100f, "f"},
	{"1008 10 g\n1000 10 f\n", 0x1010, "g"},
	{"1000 0 f\n", 0x1000, NULL},
	{"1000 10\n", 0x1000, NULL},
	{"1000 10 \n", 0x1000, NULL},
	{"1000\n", 0x1000, NULL},
	{"hello\n\n1000 10 f\n", 0x1000, "f"},
	{"-1000 10 f\n", 0x1000, NULL},
	{"1000 -1 f\n", 0x1000, NULL},
	{"1000 x f\n", 0x1000, NULL},
	{"fffffffffffffff0 20 f\n", 0xfffffffffffffff8, NULL},
	{"7f0000000000 1000 f\n", 0x7f0000000fff, "f"},
	{"", 0x1000, NULL},
};

START_TEST(reads_lines)
{
	struct perfmap *m;

	write_map(directory, lines[_i].text);
	m = perfmap_open(&t, NULL);
	ck_assert_ptr_nonnull(m);
	ck_assert_pstr_eq(perfmap_find(m, lines[_i].address), lines[_i].name);
	perfmap_free(m);
}
END_TEST

#define ENTRIES 300
#define SPACE 1000

/* Of any entries, the last that holds an address names it. */
START_TEST(lets_the_last_win)
{
	static char text[ENTRIES * 32];
	int owner[SPACE], n = 0;
	struct perfmap *m;

	srand((unsigned int)_i);
	memset(owner, -1, sizeof(owner));
	for (int i = 0; i < ENTRIES / (1 + _i % 7); i++) {
		int start = rand() % SPACE, size = 1 + rand() % (SPACE - start);

		if (_i % 2 && size > 20)
			size = 1 + size % 20;
		n += sprintf(text + n, "%x %x f%d\n", start, size, i);
		for (int j = start; j < start + size; j++)
			owner[j] = i;
	}
	write_map(directory, text);
	m = perfmap_open(&t, NULL);
	for (int j = 0; j < SPACE; j++) {
		char name[16];

		snprintf(name, sizeof(name), "f%d", owner[j]);
		ck_assert_pstr_eq(perfmap_find(m, (uint64_t)j),
				  owner[j] < 0 ? NULL : name);
	}
	perfmap_free(m);
}
END_TEST

/* Say what the map that is found calls address 0. */
static const char *who(const char *sysroot)
{
	static char name[64];
	struct perfmap *m = perfmap_open(&t, sysroot);
	const char *found = perfmap_find(m, 0);

	snprintf(name, sizeof(name), "%s", found ? found : "nobody");
	perfmap_free(m);
	return name;
}

START_TEST(looks_in_order)
{
	ck_assert_str_eq(who("root"), "nobody");
	write_map("/tmp", "0 1 tmp");
	ck_assert_str_eq(who(NULL), "tmp");
	ck_assert_str_eq(who("root"), "tmp");
	ck_assert_int_eq(mkdir("root", 0700) | mkdir("root/tmp", 0700), 0);
	write_map("root/tmp", "0 1 sysroot");
	ck_assert_str_eq(who("root"), "sysroot");
	ck_assert_str_eq(who(NULL), "tmp");
	write_map(directory, "0 1 beside");
	ck_assert_str_eq(who("root"), "beside");
	t.path = (char *)"x.zst";
	ck_assert_str_eq(who(NULL), "beside");
	t.process.pid++;
	ck_assert_str_eq(who(NULL), "nobody");
}
END_TEST

/* A map older than the process is one of an earlier process. */
START_TEST(refuses_old_maps)
{
	char path[128];
	struct stat st;

	write_map(directory, "0 1 f");
	snprintf(path, sizeof(path), "perf-%d.map", getpid());
	ck_assert_int_eq(stat(path, &st), 0);
	t.process.real_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000;
	ck_assert_str_eq(who(NULL), "f");
	t.process.real_ns += 5000000000;
	ck_assert_str_eq(who(NULL), "nobody");
}
END_TEST

/* Another user's map is not taken, unless the trace is that user's too. */
START_TEST(refuses_maps_of_others)
{
	char path[128];

	write_map(directory, "0 1 f");
	snprintf(path, sizeof(path), "perf-%d.map", getpid());
	if (chown(path, 12345, (gid_t)-1))
		return; /* only root can make such a file */
	ck_assert_str_eq(who(NULL), "nobody");
	fclose(fopen("x.zst", "w"));
	ck_assert_str_eq(who(NULL), "nobody");
	ck_assert_int_eq(chown("x.zst", 12345, (gid_t)-1), 0);
	ck_assert_str_eq(who(NULL), "f");
}
END_TEST

static void add(TCase *c)
{
	tcase_add_checked_fixture(c, begin, end);
	tcase_add_loop_test(c, reads_lines, 0, COUNT(lines));
	tcase_add_loop_test(c, lets_the_last_win, 0, 50);
	tcase_add_test(c, looks_in_order);
	tcase_add_test(c, refuses_old_maps);
	tcase_add_test(c, refuses_maps_of_others);
}

int main(void)
{
	return suite_main("perfmap", add);
}
