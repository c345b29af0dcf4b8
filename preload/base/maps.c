/* SPDX-License-Identifier: MIT */
/* What is mapped at an address; see maps.h. */
#include "maps.h"

#include <fcntl.h>
#include <string.h>

#include "config.h"
#include "sys.h"

/* A reader of bytes with one page of buffer. */
struct reader {
	int fd;
	int at, have;
	char buf[2048];
};

/* The next byte, or -1 at the end. */
static int next(struct reader *r)
{
	if (r->at == r->have) {
		r->have = (int)sys_read(r->fd, r->buf, sizeof(r->buf));
		r->at = 0;
		if (r->have <= 0) {
			r->have = 0;
			return -1;
		}
	}
	return (unsigned char)r->buf[r->at++];
}

/* Have the byte that next() returned come again. */
static void put_back(struct reader *r, int c)
{
	r->at -= c >= 0;
}

/* Read a number up to the first byte that is no digit of its base. */
static uint64_t number(struct reader *r, unsigned int base, int *stop)
{
	uint64_t n = 0;

	for (;;) {
		int c = *stop = next(r);
		unsigned int digit = c >= '0' && c <= '9'   ? (unsigned)c - '0'
				     : c >= 'a' && c <= 'f' ? (unsigned)c - 'W'
							    : 99;

		if (digit >= base)
			return n;
		n = n * base + digit;
	}
}

/* Read the rest of a line into path[size]; false at the end of the file. */
static bool rest(struct reader *r, int c, char *path, size_t size)
{
	size_t n = 0;

	while (c == ' ')
		c = next(r);
	for (; c != '\n' && c >= 0; c = next(r))
		if (n + 1 < size)
			path[n++] = (char)c;
	if (size)
		path[n] = '\0';
	return c >= 0;
}

/* Read a line: "start-end rwxp offset dev:dev inode path". */
static bool line(struct reader *r, struct mt_mapping *m, char *path,
		 size_t size)
{
	struct mt_mapping last = *m;
	char name[16] = "";
	int c;

	m->start = number(r, 16, &c);
	if (c != '-')
		return false;
	m->end = number(r, 16, &c);
	m->readable = next(r) == 'r';
	m->writable = next(r) == 'w';
	m->executable = next(r) == 'x';
	m->shared = next(r) == 's';
	next(r);
	number(r, 16, &c); /* offset */
	number(r, 16, &c);
	number(r, 16, &c);
	m->inode = number(r, 10, &c);
	if (!size) {
		path = name;
		size = sizeof(name);
	}
	if (!rest(r, c, path, size))
		return false;
	m->stack = strncmp(path, "[stack]", 7) == 0;
	m->heap = strncmp(path, "[heap]", 6) == 0;
	if (!m->inode || m->inode != last.inode) {
		m->file_start = m->start;
		m->file_readable = m->readable;
	}
	return true;
}

bool mt_maps_find(uint64_t address, struct mt_mapping *mapping, char *path,
		  size_t size)
{
	/* Not /proc/self: that is empty once the first thread has ended. */
	struct reader r = {
		.fd = sys_open("/proc/thread-self/maps", O_RDONLY, 0),
	};
	bool found = false;

	if (r.fd < 0)
		return false;
	*mapping = (struct mt_mapping){0};
	while (!found && line(&r, mapping, path, size))
		found = address < mapping->end;
	sys_close(r.fd);
	return found && address >= mapping->start;
}

bool mt_maps_each(bool (*each)(void *context, const struct mt_mapping *mapping,
			       const char *path),
		  void *context)
{
	struct reader r = {
		.fd = sys_open("/proc/thread-self/maps", O_RDONLY, 0),
	};
	struct mt_mapping m = {0};
	char path[MT_PATH_BYTES];

	if (r.fd < 0)
		return false;
	while (line(&r, &m, path, sizeof(path)) && each(context, &m, path))
		;
	sys_close(r.fd);
	return true;
}

/* Read the lines about a mapping, which begin with capital letters. */
static void sizes(struct reader *r, struct mt_mapping *m)
{
	m->resident = m->swapped = 0;
	for (;;) {
		char name[8] = "";
		uint64_t kib;
		int c = next(r);

		if (c < 'A' || c > 'Z') {
			put_back(r, c);
			return;
		}
		for (size_t n = 0; c > ' '; c = next(r))
			if (n + 1 < sizeof(name))
				name[n++] = (char)c;
		while (c == ' ')
			c = next(r);
		put_back(r, c);
		kib = number(r, 10, &c);
		while (c != '\n' && c >= 0)
			c = next(r);
		if (strcmp(name, "Rss:") == 0)
			m->resident = kib * 1024;
		else if (strcmp(name, "Swap:") == 0)
			m->swapped = kib * 1024;
	}
}

bool mt_maps_each_sized(bool (*each)(void *context,
				     const struct mt_mapping *mapping,
				     const char *path),
			void *context, char *path, size_t size)
{
	struct reader r = {
		.fd = sys_open("/proc/thread-self/smaps", O_RDONLY, 0),
	};
	struct mt_mapping m = {0};

	if (r.fd < 0)
		return false;
	while (line(&r, &m, path, size)) {
		sizes(&r, &m);
		if (!each(context, &m, path))
			break;
	}
	sys_close(r.fd);
	return true;
}
