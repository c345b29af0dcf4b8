/* SPDX-License-Identifier: MIT */
/*
 * Memory that is there or ends the program; errors; small string helpers.
 */
#include "util.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <memtrace/nearest.h>

/* Say that memory is out and end the program. */
static _Noreturn void no_memory(void)
{
	fputs("memtrace-report: out of memory\n", stderr);
	exit(1);
}

int error_set(struct error *e, uint64_t offset, const char *format, ...)
{
	va_list args;

	if (!e || error_is_set(e))
		return -1;
	va_start(args, format);
	vsnprintf(e->text, sizeof(e->text), format, args);
	va_end(args);
	e->offset = offset;
	return -1;
}

void *util_alloc(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);

	if (!p)
		no_memory();
	return p;
}

void *util_resize(void *p, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		no_memory();
	p = realloc(p, bytes ? bytes : 1);
	if (!p)
		no_memory();
	return p;
}

char *util_copy(const void *bytes, size_t n)
{
	char *s = util_resize(NULL, n + 1, 1);

	if (n)
		memcpy(s, bytes, n);
	s[n] = '\0';
	return s;
}

char *util_quote(const char *text)
{
	bool plain = *text;
	char *word = util_alloc(4 * strlen(text) + 3, 1), *to = word;

	for (const char *p = text; *p; p++)
		plain &= isalnum((unsigned char)*p) || strchr("_.:/%+-", *p);
	if (plain)
		return strcpy(word, text);
	*to++ = '\'';
	for (; *text; text++)
		if (*text == '\'')
			to = stpcpy(to, "'\\''");
		else
			*to++ = *text;
	strcpy(to, "'");
	return word;
}

char *util_format(const char *format, ...)
{
	va_list args;
	char *s;

	va_start(args, format);
	if (vasprintf(&s, format, args) < 0)
		no_memory();
	va_end(args);
	return s;
}

uint64_t util_hash(const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	uint64_t h = n, word;

	for (; n >= sizeof(word); p += sizeof(word), n -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = (h ^ word) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 32;
	}
	word = 0;
	if (n)
		memcpy(&word, p, n);
	h = (h ^ word) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 32;
}

char *util_hex(const uint8_t *bytes, size_t n)
{
	char *text = util_alloc(2 * n + 1, 1);

	for (size_t i = 0; i < n; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
	return text;
}

void *util_grow(void *p, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return p;
	*room = *room ? *room + *room / 2 + 1 : 16;
	return util_resize(p, *room, size);
}

size_t util_up_to(const void *array, size_t n, size_t size, uint64_t key)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint64_t at;

		memcpy(&at, (const char *)array + middle * size, sizeof(at));
		if (at > key)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

bool util_read_at(int fd, void *buf, size_t n, uint64_t off)
{
	return off <= INT64_MAX && pread(fd, buf, n, (off_t)off) == (ssize_t)n;
}

const char *util_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

bool util_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

const char *util_nearest(const char *word, const char *const *names)
{
	size_t best = strlen(word) / 2;
	const char *nearest = NULL;

	for (; *names; names++) {
		size_t d = mt_edit_distance(word, *names, strlen(*names));

		if (d < best) {
			best = d;
			nearest = *names;
		}
	}
	return nearest;
}
