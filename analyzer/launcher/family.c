/* SPDX-License-Identifier: MIT */
/* The traces a process and its descendants left; see family.h. */
#include "family.h"

#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <memtrace/pattern.h>

#include "trace.h"

/* How far a file system's clock may be behind ours. */
#define MTIME_SLACK_SECONDS 60

/* Append `n` bytes as glob(7) text that matches them alone. */
static void put_literal(struct mt_text *t, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strchr("*?[\\", s[i]))
			mt_text_put(t, "\\", 1);
		mt_text_put(t, s + i, 1);
	}
}

/* Turn a pattern of names into one for glob(7). To be freed. */
static char *glob_pattern(const char *pattern, const char *host)
{
	size_t size = 2 * strlen(pattern) * (strlen(host) + 1) + 1;
	struct mt_text t = {.buf = util_alloc(size, 1), .size = size};

	for (const char *p = pattern; *p; p++) {
		if (*p != '%') {
			put_literal(&t, p, 1);
			continue;
		}
		p++;
		if (*p == '%')
			mt_text_put(&t, "%", 1);
		else if (*p == 'h')
			put_literal(&t, host, strlen(host));
		else if (*p)
			mt_text_put(&t, "*", 1);
		else
			break;
	}
	return t.buf;
}

/* Extend a pattern to the names taken when the first exists. To be freed. */
static char *retry_pattern(const char *pattern)
{
	size_t n = strlen(pattern);
	bool zst = n >= 4 && !strcmp(pattern + n - 4, ".zst");

	return util_format("%.*s.*%s", (int)(zst ? n - 4 : n), pattern,
			   zst ? ".zst" : "");
}

/* Count the events a trace holds, sealed or not. */
static uint64_t count_events(const struct trace *t)
{
	uint64_t events = 0;

	for (size_t i = 0; i < t->thread_count; i++) {
		const struct trace_segments *s = &t->threads[i].segments;

		for (size_t j = 0; j < s->count; j++)
			events += s->at[j].count;
	}
	return events;
}

/* Tell whether a file was written to at `since_ns` of the clock or later. */
static bool written_since(const struct stat *st, uint64_t since_ns)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return st->st_mtime + MTIME_SLACK_SECONDS + now.tv_sec >=
	       time(NULL) + (time_t)(since_ns / 1000000000);
}

/* Append an opened trace. */
static void append(struct family *f, const struct trace *t, uint64_t bytes)
{
	struct family_trace new = {
		.path = util_copy(t->path, strlen(t->path)),
		.pid = t->process.pid,
		.parent_pid = t->process.parent_pid,
		.start_ns = t->process.clock_ns,
		.bytes = bytes,
		.events = count_events(t),
		.lost = t->lost.events,
	};

	if (t->live_path)
		new.live_path = util_copy(t->live_path, strlen(t->live_path));
	f->at = util_grow(f->at, f->count, &f->room, sizeof(*f->at));
	f->at[f->count++] = new;
}

/* Append the file at `path` if it is a trace that started late enough. */
static void consider(struct family *f, const char *path, uint64_t since_ns)
{
	struct error e = {0};
	struct trace t;
	struct stat st;

	for (size_t i = 0; i < f->count; i++)
		if (!strcmp(f->at[i].path, path))
			return;
	if (stat(path, &st) || !S_ISREG(st.st_mode) ||
	    !written_since(&st, since_ns))
		return;
	if (!trace_open(&t, path, &e) && t.process.clock_ns >= since_ns)
		append(f, &t, (uint64_t)st.st_size);
	trace_close(&t);
}

/* Append all traces that a pattern for glob(7) matches. */
static void consider_all(struct family *f, const char *pattern,
			 uint64_t since_ns)
{
	glob_t found;

	if (!glob(pattern, GLOB_NOSORT, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			consider(f, found.gl_pathv[i], since_ns);
		globfree(&found);
	}
}

/* Tell whether `pid` is the root or a process with a trace in [0, n). */
static bool is_kin(const struct family *f, size_t n, pid_t root, uint32_t pid)
{
	if (pid == (uint32_t)root)
		return true;
	for (size_t i = 0; i < n; i++)
		if (f->at[i].pid == pid)
			return true;
	return false;
}

static void free_trace(struct family_trace *t)
{
	free(t->path);
	free(t->live_path);
}

/* Keep the descendants of `root`. Parents start first, so one pass does. */
static void keep_kin(struct family *f, pid_t root)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->count; i++) {
		if (is_kin(f, kept, root, f->at[i].pid) ||
		    is_kin(f, kept, root, f->at[i].parent_pid))
			f->at[kept++] = f->at[i];
		else
			free_trace(&f->at[i]);
	}
	f->count = kept;
}

/* Order by start, then by name. */
static int by_start(const void *a, const void *b)
{
	const struct family_trace *x = a, *y = b;

	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return strcmp(x->path, y->path);
}

void family_find(struct family *f, const char *pattern, const char *host,
		 pid_t pid, uint64_t since_ns)
{
	char *first = glob_pattern(pattern, host);
	char *retry = retry_pattern(first);

	consider_all(f, first, since_ns);
	consider_all(f, retry, since_ns);
	free(first);
	free(retry);
	if (f->count)
		qsort(f->at, f->count, sizeof(*f->at), by_start);
	keep_kin(f, pid);
}

struct family_trace *family_last(struct family *f, pid_t pid)
{
	for (size_t i = f->count; i-- > 0;)
		if (f->at[i].pid == (uint32_t)pid)
			return &f->at[i];
	return NULL;
}

int family_mark_signal(const struct family_trace *t, int signal)
{
	uint32_t mark[2] = {MT_END_SIGNAL, (uint32_t)signal};
	struct mt_live live;
	int fd, done = -1;

	_Static_assert(offsetof(struct mt_live, signal) ==
			       offsetof(struct mt_live, end) + sizeof(uint32_t),
		       "written together");
	fd = t->live_path ? open(t->live_path, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		return -1;
	if (pread(fd, &live, sizeof(live), 0) == (ssize_t)sizeof(live) &&
	    !memcmp(live.magic, MT_LIVE_MAGIC, sizeof(live.magic)) &&
	    live.pid == t->pid && live.end == MT_END_NONE &&
	    pwrite(fd, mark, sizeof(mark), offsetof(struct mt_live, end)) ==
		    (ssize_t)sizeof(mark))
		done = 0;
	close(fd);
	return done;
}

void family_free(struct family *f)
{
	for (size_t i = 0; i < f->count; i++)
		free_trace(&f->at[i]);
	free(f->at);
	memset(f, 0, sizeof(*f));
}
