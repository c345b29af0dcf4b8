/* SPDX-License-Identifier: MIT */
/*
 * The files about control groups, as kernels and container runtimes have them:
 * where the group of a process is, and what its memory is bounded to.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "cgroups.h"
#include "suite.h"

static char path[256], mount[256], root[256];

static const char v2_mounts[] =
	"21 26 0:20 / /proc rw,nosuid - proc proc rw\n"
	"30 25 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 "
	"rw,nsdelegate,memory_recursiveprot\n";
static const char v1_mounts[] =
	"33 24 0:28 /docker/ab /sys/fs/cgroup/cpu,cpuacct ro master:11 - "
	"cgroup cgroup rw,cpu,cpuacct\n"
	"40 24 0:35 /docker/ab /sys/fs/cgroup/memory ro,nosuid master:16 - "
	"cgroup cgroup rw,memory\n";

START_TEST(finds_the_group_of_v2)
{
	ck_assert(
		mt_cgroup_path("0::/user.slice/app\n", 2, path, sizeof(path)));
	ck_assert_str_eq(path, "/user.slice/app");
	ck_assert(mt_cgroup_path("4:memory:/a\n0::/", 2, path, sizeof(path)));
	ck_assert_str_eq(path, "/");
	ck_assert(!mt_cgroup_path("4:memory:/a\n", 2, path, sizeof(path)));
}
END_TEST

START_TEST(finds_the_group_of_v1)
{
	ck_assert(mt_cgroup_path("5:cpu,memory_x:/no\n4:hugetlb,memory:/a:b\n",
				 1, path, sizeof(path)));
	ck_assert_str_eq(path, "/a:b");
	ck_assert(!mt_cgroup_path("0::/x\n5:cpu:/no\n", 1, path, sizeof(path)));
}
END_TEST

START_TEST(finds_where_it_is_mounted)
{
	ck_assert(mt_cgroup_mount(v2_mounts, 2, mount, root, sizeof(root)));
	ck_assert_str_eq(mount, "/sys/fs/cgroup");
	ck_assert_str_eq(root, "/");
	ck_assert(mt_cgroup_mount(v1_mounts, 1, mount, root, sizeof(root)));
	ck_assert_str_eq(mount, "/sys/fs/cgroup/memory");
	ck_assert_str_eq(root, "/docker/ab");
	ck_assert(!mt_cgroup_mount(v1_mounts, 2, mount, root, sizeof(root)));
	ck_assert(!mt_cgroup_mount(v2_mounts, 1, mount, root, sizeof(root)));
}
END_TEST

/* Cut anywhere, nothing is read beyond the end, and no half a path is taken
 * for one but at the end of the line. */
START_TEST(takes_what_is_cut_short)
{
	char text[sizeof(v1_mounts)];

	for (size_t n = 0; n < sizeof(v1_mounts); n++) {
		char *exact = malloc(n + 1);

		memcpy(text, v1_mounts, n);
		text[n] = '\0';
		memcpy(exact, text, n + 1);
		if (mt_cgroup_mount(exact, 1, mount, root, sizeof(root)))
			ck_assert_str_eq(root, "/docker/ab");
		mt_cgroup_path(exact, 1, path, sizeof(path));
		mt_cgroup_mount(exact, 2, mount, root, sizeof(root));
		free(exact);
	}
	ck_assert(!mt_cgroup_path("0::/long\n", 2, path, 5));
	ck_assert(!mt_cgroup_mount(v2_mounts, 2, mount, root, 5));
}
END_TEST

START_TEST(reads_numbers)
{
	ck_assert_uint_eq(mt_cgroup_number("max\n"), UINT64_MAX);
	ck_assert_uint_eq(mt_cgroup_number("9223372036854771712\n"),
			  UINT64_MAX);
	ck_assert_uint_eq(mt_cgroup_number("104857600\n"), 104857600);
	ck_assert_uint_eq(mt_cgroup_number(""), UINT64_MAX);
	ck_assert_uint_eq(
		mt_cgroup_field("low 0\noom 4\noom_kill 3\n", "oom_kill"), 3);
	ck_assert_uint_eq(mt_cgroup_field("oom_kill_disable 1\n", "oom_kill"),
			  0);
}
END_TEST

START_TEST(counts_kills)
{
	ck_assert_uint_eq(cgroups_kills("low 0\noom 4\noom_kill 3\n"
					"oom_group_kill 9\n"),
			  3);
	ck_assert_uint_eq(cgroups_kills("oom_kill_disable 1\nunder_oom 0\n"
					"oom_kill 2\n"),
			  2);
	ck_assert_uint_eq(cgroups_kills(""), 0);
}
END_TEST

/* A trace of a process that was killed, of a host that is not this one. */
static struct trace killed(struct mt_meta_cgroup *notes, size_t n)
{
	return (struct trace){
		.state = TRACE_KILLED,
		.cgroups = notes,
		.cgroup_count = n,
	};
}

START_TEST(judges_by_the_notes)
{
	struct mt_meta_cgroup notes[] = {
		{.max_bytes = 1000, .current_bytes = 100, .peak_bytes = 990},
		{.max_bytes = 1000, .current_bytes = 600},
		{.max_bytes = 1000, .current_bytes = 500, .peak_bytes = 990},
	};
	struct trace t = killed(notes, 3);
	struct cgroups g = cgroups_judge(&t);

	/* The maximum is of before. */
	ck_assert_uint_eq(g.max_bytes, 1000);
	ck_assert_uint_eq(g.most_bytes, 600);
	ck_assert_int_eq(g.kill, CGROUPS_NOT_KILLED);
	notes[2].peak_bytes = 995;
	g = cgroups_judge(&t);
	ck_assert_uint_eq(g.most_bytes, 995);
	ck_assert_int_eq(g.kill, CGROUPS_MAYBE_KILLED);
	t.state = TRACE_ENDED;
	t.end = MT_END_EXIT;
	ck_assert_int_eq(cgroups_judge(&t).kill, CGROUPS_NOT_KILLED);
	notes[0].max_bytes = UINT64_MAX;
	ck_assert_uint_eq(cgroups_judge(&t).max_bytes, 0);
}
END_TEST

static void add(TCase *c)
{
	tcase_add_test(c, finds_the_group_of_v2);
	tcase_add_test(c, finds_the_group_of_v1);
	tcase_add_test(c, finds_where_it_is_mounted);
	tcase_add_test(c, takes_what_is_cut_short);
	tcase_add_test(c, reads_numbers);
	tcase_add_test(c, counts_kills);
	tcase_add_test(c, judges_by_the_notes);
}

int main(void)
{
	return suite_main("cgroup", add);
}
