/* SPDX-License-Identifier: MIT */
/*
 * Scanning text line by line, for the importers: nothing is read past the end
 * of a line, and what does not fit says so.
 */
#ifndef ANALYZER_SCAN_H
#define ANALYZER_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A line, and how far it was scanned. */
struct scan {
	const char *at, *end; /* of the line, its newline excluded */
	const char *next;     /* the line behind it */
	const char *limit;    /* of the text */
};

/* Start before the first line of a text. */
static inline void scan_begin(struct scan *s, const char *text, size_t bytes)
{
	s->next = s->at = s->end = text;
	s->limit = text + bytes;
}

/* Go to the next line; false: that was all. */
static inline bool scan_line(struct scan *s)
{
	if (s->next == s->limit)
		return false;
	s->at = s->next;
	s->end = memchr(s->at, '\n', (size_t)(s->limit - s->at));
	s->next = s->end ? s->end + 1 : s->limit;
	if (!s->end)
		s->end = s->limit;
	return true;
}

/* Step over blanks. */
static inline void scan_blanks(struct scan *s)
{
	while (s->at < s->end && (*s->at == ' ' || *s->at == '\t'))
		s->at++;
}

/* Step over a text if it stands here. */
static inline bool scan_text(struct scan *s, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(s->end - s->at) < n || memcmp(s->at, text, n) != 0)
		return false;
	s->at += n;
	return true;
}

/* Return the value of a digit, or 16. */
static inline unsigned int scan_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	return c >= 'A' && c <= 'F' ? (unsigned int)(c - 'A') + 10 : 16;
}

/* Read a number after blanks; false: there is none, or it is too large. */
static inline bool scan_number(struct scan *s, unsigned int base, uint64_t *n)
{
	const char *start;

	scan_blanks(s);
	if (base == 16)
		scan_text(s, "0x");
	start = s->at;
	for (*n = 0; s->at < s->end && scan_digit(*s->at) < base; s->at++)
		if (__builtin_mul_overflow(*n, (uint64_t)base, n) ||
		    __builtin_add_overflow(*n, (uint64_t)scan_digit(*s->at), n))
			return false;
	return s->at > start;
}

#endif
