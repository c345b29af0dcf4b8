/* SPDX-License-Identifier: MIT */
/*
 * A bounded trace that is being recorded, as it is at one moment.
 *
 * Folding changes the heap image, and gives segments up that are then written
 * over. So the image is copied, then the buffers, then the trace; if the
 * image has made a step meanwhile, all of it once more. What the three lack of
 * each other is then nothing: an event is in the image, or it was in a buffer
 * when that was copied, or it was sealed before that, and what is sealed stays
 * until it is folded. The recorder is asked to fold nothing meanwhile
 * (MT_MAX_HOLD_NS); it does so only if it has no space left at all.
 *
 * Segments that are sealed while the trace is copied may come out torn. They
 * are in the copies of the buffers, too.
 *
 * The buffers are copied one after the other. So that they too are of one
 * moment, events from before the first copy count only (`cut`). A thread that
 * has read the clock before that and enters its event after it holds a block
 * that nobody else knows of yet.
 */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* How long the recorder is held up at a time: it runs out by itself. */
#define HOLD_NS 200000000u

/* Of the trace, so much is copied before the time is extended. */
#define PART_BYTES (4u << 20)

#define TRIES 100

/* The live file's head, to be written to; NULL: we may not. */
struct hold {
	uint8_t *head;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Return the clock of a trace, now; UINT64_MAX: it cannot be read here. */
static uint64_t clock_of(const struct trace *t)
{
	if (t->process.clock_kind == MT_CLOCK_MONOTONIC)
		return now_ns();
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#else
	return UINT64_MAX;
#endif
}

static void hold_begin(struct hold *h, const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;
	void *p = MAP_FAILED;

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size >= MT_LIVE_HEAD_BYTES)
		p = mmap(NULL, MT_LIVE_HEAD_BYTES, PROT_READ | PROT_WRITE,
			 MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	h->head = p == MAP_FAILED ? NULL : p;
}

/* Extend the time; other readers may have extended it further. */
static void hold_extend(struct hold *h)
{
	struct mt_mailbox *m = (struct mt_mailbox *)(h->head + MT_MAILBOX_OFF);
	uint64_t then, until = now_ns() + HOLD_NS;

	if (!h->head)
		return;
	then = __atomic_load_n(&m->hold, __ATOMIC_RELAXED);
	/* One that is too far ahead is nobody's. */
	while ((then < until || then - until > MT_MAX_HOLD_NS) &&
	       !__atomic_compare_exchange_n(&m->hold, &then, until, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
}

static void hold_end(struct hold *h)
{
	if (h->head)
		munmap(h->head, MT_LIVE_HEAD_BYTES);
}

/* Open a file that nobody else sees, in $TMPDIR; -1 with errno. */
static int open_unnamed(void)
{
	const char *base = getenv("TMPDIR");
	char *name;
	int fd;

	if (!base || *base != '/')
		base = "/var/tmp";
	fd = open(base, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	name = util_format("%s/memtrace.XXXXXX", base);
	fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0)
		unlink(name);
	free(name);
	return fd;
}

/* Write all of a buffer; -1 with errno. */
static ssize_t write_all(int fd, const char *at, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t got = write(fd, at + done, n - done);

		if (got < 0 && errno != EINTR)
			return -1;
		done += got > 0 ? (size_t)got : 0;
	}
	return (ssize_t)n;
}

/* Copy a part of a file to another; how much it was, 0 at its end. */
static ssize_t copy_part(int to, int from)
{
	static char buffer[1 << 16];
	ssize_t n = copy_file_range(from, NULL, to, NULL, PART_BYTES, 0);

	if (n > 0)
		return n;
	/* Not between these two file systems; or the end. */
	n = read(from, buffer, sizeof(buffer));
	return n > 0 ? write_all(to, buffer, (size_t)n) : n;
}

/* Copy all of a file; its size, or -1 with errno. */
static off_t copy_file(int to, int from, struct hold *h)
{
	off_t bytes = 0;
	ssize_t n;

	while ((n = copy_part(to, from)) > 0) {
		bytes += n;
		hold_extend(h);
	}
	return n < 0 ? -1 : bytes;
}

/* Map a copy of the trace; -1 with errno. */
static int copy_trace(struct trace *t, struct hold *h)
{
	int from = open(t->path, O_RDONLY | O_CLOEXEC);
	int to = from < 0 ? -1 : open_unnamed();
	off_t bytes = to < 0 ? -1 : copy_file(to, from, h);
	void *p = bytes < 0 ? MAP_FAILED : NULL;
	int saved;

	if (bytes > 0)
		p = mmap(NULL, (size_t)bytes, PROT_READ, MAP_SHARED, to, 0);
	saved = errno;
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	errno = saved;
	if (p == MAP_FAILED)
		return -1;
	t->map = p;
	t->map_bytes = (uint64_t)bytes;
	t->torn = true;
	return 0;
}

/* Give up what was copied. */
static void drop(struct trace *t)
{
	if (t->map)
		munmap((void *)t->map, t->map_bytes);
	free((void *)t->live);
	free(t->live_path);
	t->map = t->live = NULL;
	t->live_path = NULL;
	t->live_is_copy = t->torn = false;
	t->cut = UINT64_MAX;
}

bool snapshot_buffers(struct trace *t, const struct trace *from)
{
	t->cut = clock_of(from);
	return live_copy(t, from->live_path, LIVE_REST);
}

enum outcome { DONE, CHANGED, ENDED, FAILED };

/* Copy what there is, once. */
static enum outcome attempt(struct trace *t, const struct trace *from,
			    struct hold *h)
{
	uint64_t before = 0, after = 0;
	bool image = live_image_state(from->live_path, &before);

	hold_extend(h);
	if (image) {
		if (!live_copy(t, from->live_path, LIVE_IMAGE))
			return ENDED;
		if (!live_image_state(from->live_path, &after))
			return ENDED;
		if (before != after)
			return CHANGED;
	}
	if (!snapshot_buffers(t, from))
		return ENDED;
	if (!image)
		return live_image_state(from->live_path, &after) ? CHANGED
								 : DONE;
	if (copy_trace(t, h))
		return FAILED;
	if (!live_image_state(from->live_path, &after))
		return ENDED;
	/* Of a step that has begun nothing is given up yet. */
	return before >> 32 == after >> 32 ? DONE : CHANGED;
}

int snapshot_take(struct trace *t, const struct trace *from, struct error *e)
{
	enum outcome o = CHANGED;
	struct hold h;

	hold_begin(&h, from->live_path);
	for (int i = 0; i < TRIES && o == CHANGED; i++) {
		if (i)
			usleep((useconds_t)(i * 100));
		o = attempt(t, from, &h);
		if (o == FAILED)
			error_set(e, ERROR_NO_OFFSET,
				  "no copy of it can be made in $TMPDIR while "
				  "it is recorded: %s",
				  strerror(errno));
		if (o != DONE)
			drop(t);
	}
	hold_end(&h);
	if (o == CHANGED)
		error_set(e, ERROR_NO_OFFSET,
			  "the program overwrites it faster than it can be "
			  "read; try again, or record with a larger size=");
	return o == DONE || o == ENDED ? 0 : -1;
}
