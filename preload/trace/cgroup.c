/* SPDX-License-Identifier: MIT */
/* The control group that bounds the memory of this process; see cgroup.h. */
#include "cgroup.h"

#include <errno.h>
#include <string.h>

#include <memtrace/format.h>

#include "clock.h"
#include "meta.h"
#include "sys.h"

/* Room for a path; for mountinfo, of which no more is looked at. */
#define PATH_BYTES 1024
#define TEXT_BYTES (256ul * 1024)

/* v1 says "none" with the largest multiple of a page that fits. */
#define V1_NONE (INT64_MAX - 65536)

/* The bound is come near in so many steps, none of them smaller. */
#define STEPS 32
#define LEAST_STEP_BYTES (1 << 20)

/* What the files are called. */
static const struct names {
	const char *max, *current, *peak, *events;
} names[] = {
	[1] = {"memory.limit_in_bytes", "memory.usage_in_bytes",
	       "memory.max_usage_in_bytes", "memory.oom_control"},
	[2] = {"memory.max", "memory.current", "memory.peak", "memory.events"},
};

static struct {
	uint32_t version; /* 0: not bounded */
	uint64_t max_bytes;
	char directory[PATH_BYTES];
} group;

/* ---- The parsers. ---- */

/* Whether a word is among those of [from, to), a comma between two. */
static bool has_word(const char *from, const char *to, const char *word)
{
	size_t n = strlen(word);

	while (from < to) {
		const char *comma = memchr(from, ',', (size_t)(to - from));
		const char *end = comma ? comma : to;

		if ((size_t)(end - from) == n && memcmp(from, word, n) == 0)
			return true;
		from = end + 1;
	}
	return false;
}

/* Copy n bytes as a string; false: there is no room. */
static bool copy(char *to, size_t size, const char *from, size_t n)
{
	if (n >= size)
		return false;
	memcpy(to, from, n);
	to[n] = '\0';
	return true;
}

bool mt_cgroup_path(const char *text, uint32_t version, char *path, size_t size)
{
	while (*text) {
		const char *end = strchrnul(text, '\n');
		const char *colon = memchr(text, ':', (size_t)(end - text));
		const char *next = colon ? memchr(colon + 1, ':',
						  (size_t)(end - colon - 1))
					 : NULL;

		if (next &&
		    (version == 2 ? next == colon + 1
				  : has_word(colon + 1, next, "memory")))
			return copy(path, size, next + 1,
				    (size_t)(end - next - 1));
		text = end + (*end == '\n');
	}
	return false;
}

/* Step over `n` words of a line, a blank behind each; NULL: there are less. */
static const char *skip_words(const char *p, const char *end, int n)
{
	while (n-- && p) {
		p = memchr(p, ' ', (size_t)(end - p));
		p += p != NULL;
	}
	return p;
}

/* Whether the end of a line of mountinfo, "- type source options", is of the
 * hierarchy. */
static bool is_hierarchy(const char *p, const char *end, uint32_t version)
{
	const char *options = skip_words(p, end, 3);
	const char *type = skip_words(p, end, 1);

	if (!options)
		return false;
	if (version == 2)
		return strncmp(type, "cgroup2 ", 8) == 0;
	return strncmp(type, "cgroup ", 7) == 0 &&
	       has_word(options, end, "memory");
}

bool mt_cgroup_mount(const char *text, uint32_t version, char *mount,
		     char *root, size_t size)
{
	while (*text) {
		const char *end = strchrnul(text, '\n');
		const char *from = skip_words(text, end, 3);
		const char *on = skip_words(text, end, 4);
		const char *on_end = skip_words(text, end, 5);
		const char *dash = memmem(text, (size_t)(end - text), " - ", 3);

		if (on_end && dash && is_hierarchy(dash + 1, end, version))
			return copy(root, size, from,
				    (size_t)(on - from - 1)) &&
			       copy(mount, size, on, (size_t)(on_end - on - 1));
		text = end + (*end == '\n');
	}
	return false;
}

uint64_t mt_cgroup_number(const char *text)
{
	uint64_t n;

	if (*text < '0' || *text > '9')
		return UINT64_MAX;
	n = sys_parse_number(&text, 10);
	return n >= V1_NONE ? UINT64_MAX : n;
}

uint64_t mt_cgroup_field(const char *text, const char *word)
{
	size_t n = strlen(word);

	while (*text) {
		const char *end = strchrnul(text, '\n');

		if (strncmp(text, word, n) == 0 && text[n] == ' ') {
			text += n + 1;
			return sys_parse_number(&text, 10);
		}
		text = end + (*end == '\n');
	}
	return 0;
}

/* ---- The files. ---- */

/* Read one of a group's files; false: it is not to be had. */
static bool read_file(const char *directory, const char *name, char *text,
		      size_t size)
{
	char path[PATH_BYTES + 32] = "";

	sys_append(path, sizeof(path), directory);
	sys_append(path, sizeof(path), "/");
	sys_append(path, sizeof(path), name);
	return sys_read_file(path, text, size) > 0;
}

/* Return the number in one of a group's files; `none` without it. */
static uint64_t read_number(const char *directory, const char *name,
			    uint64_t none)
{
	char text[64];

	return read_file(directory, name, text, sizeof(text))
		       ? mt_cgroup_number(text)
		       : none;
}

/* Find the directory of our group, and the length of the path that its
 * hierarchy is mounted on; false: there is none. */
static bool find_directory(uint32_t version, char *text, size_t *mounted)
{
	static char path[PATH_BYTES], root[PATH_BYTES];
	size_t n;
	bool whole;

	if (sys_read_file("/proc/self/cgroup", text, TEXT_BYTES) <= 0 ||
	    !mt_cgroup_path(text, version, path, sizeof(path)) ||
	    sys_read_file("/proc/self/mountinfo", text, TEXT_BYTES) <= 0 ||
	    !mt_cgroup_mount(text, version, group.directory, root,
			     sizeof(group.directory)))
		return false;
	*mounted = strlen(group.directory);
	n = strlen(root);
	whole = n == 1;
	if (!whole && strncmp(path, root, n) != 0)
		return true; /* of another view: the mount is what there is */
	sys_append(group.directory, sizeof(group.directory),
		   whole ? path : path + n);
	n = strlen(group.directory);
	if (n > *mounted && group.directory[n - 1] == '/')
		group.directory[n - 1] = '\0';
	return true;
}

/* Of our group and those above it, keep the one with the least room. */
static void find_tightest(uint32_t version, size_t mounted)
{
	static char at[PATH_BYTES];
	const struct names *n = &names[version];
	uint64_t least = UINT64_MAX;
	size_t length;

	copy(at, sizeof(at), group.directory, strlen(group.directory));
	for (length = strlen(at); length >= mounted && length; length--) {
		uint64_t max, current;

		if (at[length] && at[length] != '/')
			continue;
		at[length] = '\0';
		max = read_number(at, n->max, UINT64_MAX);
		current = read_number(at, n->current, 0);
		if (max == UINT64_MAX ||
		    (current < max && max - current >= least))
			continue;
		least = current < max ? max - current : 0;
		group.version = version;
		group.max_bytes = max;
		copy(group.directory, sizeof(group.directory), at, strlen(at));
	}
}

/* Write down what the group has: `whole`, with what is read at both ends. */
static void note(bool whole, const char *directory)
{
	const struct names *n = &names[group.version];
	struct mt_meta_cgroup m = {
		.clock = mt_clock(),
		.max_bytes = group.max_bytes,
		.current_bytes = read_number(group.directory, n->current, 0),
		.version = group.version,
	};
	char text[512];

	if (whole) {
		m.peak_bytes = read_number(group.directory, n->peak, 0);
		if (read_file(group.directory, n->events, text, sizeof(text)))
			m.oom_kills = mt_cgroup_field(text, "oom_kill");
	}
	mt_meta_add(MT_META_CGROUP, &m, sizeof(m), directory,
		    strlen(directory));
}

void mt_cgroup_begin(void)
{
	char *text = sys_map_lazy(TEXT_BYTES);
	size_t mounted = 0;

	group.version = 0;
	for (uint32_t version = 2; text && version && !group.version; version--)
		if (find_directory(version, text, &mounted))
			find_tightest(version, mounted);
	if (text)
		sys_unmap(text, TEXT_BYTES);
	if (group.version)
		note(true, group.directory);
}

void mt_cgroup_note(void)
{
	if (group.version)
		note(false, "");
}

int64_t mt_cgroup_step(void)
{
	uint64_t step = group.max_bytes / STEPS;

	if (!group.version || step > INT64_MAX / 2)
		return INT64_MAX / 2;
	return step > LEAST_STEP_BYTES ? (int64_t)step : LEAST_STEP_BYTES;
}

void mt_cgroup_end(void)
{
	if (group.version)
		note(true, "");
}
