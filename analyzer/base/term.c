/* SPDX-License-Identifier: MIT */
/*
 * How things look on a terminal.
 */
#include "term.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

const char *term_count(char to[TERM_NUMBER], uint64_t n)
{
	char digits[TERM_NUMBER], *p = to;
	int count = snprintf(digits, sizeof(digits), "%" PRIu64, n);

	for (int i = 0; i < count; i++) {
		if (i && (count - i) % 3 == 0)
			*p++ = ',';
		*p++ = digits[i];
	}
	*p = '\0';
	return to;
}

const char *term_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

const char *term_bytes(char to[TERM_NUMBER], uint64_t n, bool exact)
{
	static const char *const unit[] = {"KiB", "MiB", "GiB",
					   "TiB", "PiB", "EiB"};
	double v = (double)n / 1024;
	unsigned int i = 0;

	if (exact)
		return term_count(to, n);
	if (n < 1024) {
		snprintf(to, TERM_NUMBER, "%" PRIu64 " B", n);
		return to;
	}
	/* 1023.95 and more would be rounded to 1024.0. */
	for (; v >= 1023.95 && i < 5; i++)
		v /= 1024;
	snprintf(to, TERM_NUMBER, "%.1f %s", v, unit[i]);
	return to;
}

const char *term_time(char to[TERM_NUMBER], uint64_t ns)
{
	if (ns < 1000000)
		snprintf(to, TERM_NUMBER, "%.1f us", (double)ns / 1e3);
	else if (ns < 1000000000)
		snprintf(to, TERM_NUMBER, "%.1f ms", (double)ns / 1e6);
	else
		snprintf(to, TERM_NUMBER, "%.1f s", (double)ns / 1e9);
	return to;
}

bool term_wants_colour(enum term_colour asked)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (asked != TERM_AUTO)
		return asked == TERM_ALWAYS;
	if ((no && *no) || (term && strcmp(term, "dumb") == 0))
		return false;
	return isatty(STDOUT_FILENO);
}

unsigned int term_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (columns && strtoul(columns, NULL, 10))
		return (unsigned int)strtoul(columns, NULL, 10);
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return 0;
	return size.ws_col;
}

struct term_style term_style(bool colour)
{
	if (!colour)
		return (struct term_style){"", "", ""};
	return (struct term_style){"\033[1m", "\033[2m", "\033[0m"};
}

/* When the bar was first asked for, and whether it is on the screen. */
static struct {
	struct timespec start;
	bool shown;
} bar;

/* Return the seconds since the bar was first asked for. */
static double bar_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!bar.start.tv_sec)
		bar.start = now;
	return (double)(now.tv_sec - bar.start.tv_sec) +
	       (double)(now.tv_nsec - bar.start.tv_nsec) / 1e9;
}

void term_bar(uint64_t done, uint64_t total)
{
	static const char full[] = "########################################";
	double seconds = bar_seconds(), part;
	int width = sizeof(full) - 1, filled;

	if (seconds < 1 || !total || !isatty(STDERR_FILENO))
		return;
	part = done < total ? (double)done / (double)total : 1;
	filled = (int)(part * width);
	fprintf(stderr, "\r[%.*s%*s] %3.0f %%  %.0f s left ", filled, full,
		width - filled, "", part * 100,
		part > 0 ? seconds / part - seconds : 0);
	bar.shown = true;
}

void term_bar_clear(void)
{
	if (bar.shown)
		fputs("\r\033[K", stderr);
	memset(&bar, 0, sizeof(bar));
}

unsigned int term_utf8(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	unsigned int n;
	uint32_t c;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		n = 2;
	else if ((p[0] & 0xf0) == 0xe0)
		n = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		n = 4;
	else
		return 0;
	c = p[0] & (0xff >> (n + 1));
	for (unsigned int i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if ((n == 3 && (c < 0x800 || (c >= 0xd800 && c < 0xe000))) ||
	    (n == 4 && (c < 0x10000 || c > 0x10ffff)))
		return 0;
	return n;
}

void term_put_text(FILE *out, const char *text)
{
	while (*text) {
		unsigned int n = term_utf8(text);
		unsigned char c = (unsigned char)*text;

		if (!n || c < 0x20 || c == 0x7f ||
		    (c == 0xc2 && (unsigned char)text[1] < 0xa0))
			fputc('?', out);
		else
			fwrite(text, 1, n, out);
		text += n ? n : 1;
	}
}
