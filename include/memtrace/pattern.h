/* SPDX-License-Identifier: MIT */
/*
 * Names of traces: from the pattern that out= gives to a file's name.
 *
 * The recorder names its files with this, and the launcher afterwards finds
 * them with it. Nothing here allocates, formats or calls out. Context: any.
 */
#ifndef MEMTRACE_PATTERN_H
#define MEMTRACE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* What the letters after % stand for. */
struct mt_names {
	const char *exe;     /* %e: the program's file name, no directory */
	const char *host;    /* %h: the node's name */
	unsigned int pid;    /* %p */
	unsigned int number; /* %n: this process's traces count from 0 */
};

/* A string that grows within the caller's buffer, or has overflowed. */
struct mt_text {
	char *buf;
	size_t size;   /* of buf, the final NUL included */
	size_t length; /* `size` or more: it did not fit */
};

/* Append `n` bytes. */
static inline void mt_text_put(struct mt_text *t, const char *s, size_t n)
{
	if (t->length < t->size && n < t->size - t->length) {
		memcpy(t->buf + t->length, s, n);
		t->length += n;
		t->buf[t->length] = '\0';
	} else {
		t->length = t->size;
	}
}

/* Append a number in decimal. */
static inline void mt_text_put_number(struct mt_text *t, unsigned int v)
{
	char digits[3 * sizeof(v)];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	mt_text_put(t, digits + at, sizeof(digits) - at);
}

/* Append what %`letter` stands for; false: nothing has that letter. */
static inline bool mt_text_put_letter(struct mt_text *t, char letter,
				      const struct mt_names *names)
{
	switch (letter) {
	case '%':
		mt_text_put(t, "%", 1);
		return true;
	case 'e':
		mt_text_put(t, names->exe, strlen(names->exe));
		return true;
	case 'h':
		mt_text_put(t, names->host, strlen(names->host));
		return true;
	case 'p':
		mt_text_put_number(t, names->pid);
		return true;
	case 'n':
		mt_text_put_number(t, names->number);
		return true;
	default:
		return false;
	}
}

/*
 * Expand `pattern` into `buf` of `size` bytes, NUL-terminated; relative names
 * stay relative. Return the length; 0 when it does not fit, when a % is
 * followed by no letter of struct mt_names, or when nothing comes out.
 */
static inline size_t mt_pattern_expand(char *buf, size_t size,
				       const char *pattern,
				       const struct mt_names *names)
{
	struct mt_text t = {.buf = buf, .size = size};

	for (const char *p = pattern; *p; p++) {
		if (*p != '%')
			mt_text_put(&t, p, 1);
		else if (!mt_text_put_letter(&t, *++p, names))
			return 0;
	}
	return t.length < size ? t.length : 0;
}

/*
 * Make the `nth` name (from 1) to try when `name` exists already: ".1" goes
 * before a final ".zst", else to the end. Return the length, or 0 when it
 * does not fit in `size` bytes.
 */
static inline size_t mt_pattern_retry(char *buf, size_t size, const char *name,
				      unsigned int nth)
{
	struct mt_text t = {.buf = buf, .size = size};
	size_t n = strlen(name);
	size_t end = n >= 4 && !memcmp(name + n - 4, ".zst", 4) ? n - 4 : n;

	mt_text_put(&t, name, end);
	mt_text_put(&t, ".", 1);
	mt_text_put_number(&t, nth);
	mt_text_put(&t, name + end, n - end);
	return t.length < size ? t.length : 0;
}

#endif
