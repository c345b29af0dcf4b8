/* SPDX-License-Identifier: MIT */
/*
 * What every module of the analyzer needs: memory that is there or ends the
 * program, arrays that grow, and errors that carry a byte offset.
 *
 * Modules return 0 or -1 and leave the text in a struct error; only main.c
 * prints it.
 */
#ifndef ANALYZER_UTIL_H
#define ANALYZER_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What went wrong, and at which byte of the input (ERROR_NO_OFFSET: none). */
struct error {
	uint64_t offset;
	char text[232];
};

#define ERROR_NO_OFFSET UINT64_MAX

/* Fill `e` unless it is NULL or already says something; return -1. */
int error_set(struct error *e, uint64_t offset, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Tell whether something was said. */
static inline bool error_is_set(const struct error *e)
{
	return e->text[0] != '\0';
}

/*
 * Memory. Each ends the program with exit status 1 and a line on stderr when
 * there is none, or when count * size overflows. Free with free().
 */
void *util_alloc(size_t count, size_t size); /* zeroed */
void *util_resize(void *p, size_t count, size_t size);
char *util_copy(const void *bytes, size_t n); /* NUL added */
char *util_quote(const char *text); /* as a shell takes it for one word */
char *util_format(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* Return a hash of some bytes, which depends on the machine's byte order. */
uint64_t util_hash(const void *bytes, size_t n);

/* Return bytes as lower-case hex digits. */
char *util_hex(const uint8_t *bytes, size_t n);

/*
 * Make room for one more element at the end of an array of `n` elements with
 * room for `*room`; return the array, perhaps moved.
 */
void *util_grow(void *p, size_t n, size_t *room, size_t size);

/*
 * Return how many elements of an array are not above `key`. Each begins with
 * a uint64_t, in ascending order of which they stand.
 */
size_t util_up_to(const void *array, size_t n, size_t size, uint64_t key);

/* Read exactly `n` bytes at an offset of a file. */
bool util_read_at(int fd, void *buf, size_t n, uint64_t off);

/* Return the part of a path after the last slash. */
const char *util_basename(const char *path);

/* Tell whether `s` begins with `prefix`. */
bool util_starts(const char *s, const char *prefix);

/*
 * Return the name in the NULL-terminated list that is nearest to `word` in
 * edits, or NULL when none is near enough to be meant.
 */
const char *util_nearest(const char *word, const char *const *names);

#endif
