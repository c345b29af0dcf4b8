/* SPDX-License-Identifier: MIT */
/* The leaks that a project has already; see baseline.h. */
#include "baseline.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char head[] = "# memtrace baseline ";

#define VERSION 1

struct baseline_line *baseline_add(struct baseline *b, const char *fingerprint,
				   enum leak_kind kind, struct leak_sum most,
				   const char *frames)
{
	struct baseline_line *line;

	b->lines = util_grow(b->lines, b->count, &b->room, sizeof(*b->lines));
	line = &b->lines[b->count++];
	*line = (struct baseline_line){
		.kind = kind,
		.most = most,
		.frames = util_copy(frames, strlen(frames)),
	};
	snprintf(line->fingerprint, sizeof(line->fingerprint), "%s",
		 fingerprint);
	return line;
}

static int compare(const void *a, const void *b)
{
	const struct baseline_line *x = a, *y = b;
	int d = strcmp(x->fingerprint, y->fingerprint);

	return d ? d : (x->kind > y->kind) - (x->kind < y->kind);
}

void baseline_sort(struct baseline *b)
{
	if (b->count)
		qsort(b->lines, b->count, sizeof(*b->lines), compare);
}

struct baseline_line *baseline_find(const struct baseline *b,
				    const char *fingerprint,
				    enum leak_kind kind)
{
	struct baseline_line key = {.kind = kind};

	snprintf(key.fingerprint, sizeof(key.fingerprint), "%s", fingerprint);
	return b->count ? bsearch(&key, b->lines, b->count, sizeof(*b->lines),
				  compare)
			: NULL;
}

/* Return the kind of a name; LEAK_KINDS: it is none. */
static enum leak_kind kind_of(const char *name)
{
	int kind = 0;

	while (kind < LEAK_KINDS && strcmp(leak_kind_names[kind], name) != 0)
		kind++;
	return (enum leak_kind)kind;
}

/* Read a line; NULL, or what is wrong. */
static const char *read_line(struct baseline *b, const char *text,
			     uint64_t number)
{
	char fingerprint[FINGERPRINT_TEXT], name[16];
	struct leak_sum most;
	enum leak_kind kind;
	int frames = 0;

	if (util_starts(text, head))
		return strtoul(text + strlen(head), NULL, 10) == VERSION
			       ? NULL
			       : "a baseline of another version";
	if (*text == '#' || !*text)
		return NULL;
	if (sscanf(text, "%16[0-9a-f] %15s %" SCNu64 " %" SCNu64 " %n",
		   fingerprint, name, &most.blocks, &most.bytes,
		   &frames) != 4 ||
	    !frames || strlen(fingerprint) != FINGERPRINT_TEXT - 1)
		return "FINGERPRINT KIND BLOCKS BYTES FRAMES is wanted";
	kind = kind_of(name);
	if (kind == LEAK_KINDS)
		return "this kind of leaks is none";
	baseline_add(b, fingerprint, kind, most, text + frames)->number =
		number;
	return NULL;
}

/* Sort, and refuse two lines about the same. */
static int settle(struct baseline *b, struct error *e)
{
	baseline_sort(b);
	for (size_t i = 1; i < b->count; i++)
		if (compare(&b->lines[i - 1], &b->lines[i]) == 0)
			return error_set(e, ERROR_NO_OFFSET,
					 "lines %" PRIu64 " and %" PRIu64
					 " have the same fingerprint and kind",
					 b->lines[i - 1].number,
					 b->lines[i].number);
	return 0;
}

int baseline_read(struct baseline *b, const char *path, struct error *e)
{
	FILE *f = fopen(path, "re");
	const char *wrong = NULL;
	uint64_t number = 0;
	char *text = NULL;
	size_t size = 0;

	if (!f)
		return error_set(e, ERROR_NO_OFFSET, "%s", strerror(errno));
	errno = 0;
	while (!wrong && getline(&text, &size, f) > 0) {
		text[strcspn(text, "\r\n")] = '\0';
		wrong = read_line(b, text, ++number);
	}
	if (!wrong && ferror(f))
		wrong = strerror(errno);
	free(text);
	fclose(f);
	if (!wrong)
		return settle(b, e);
	return error_set(e, ERROR_NO_OFFSET, "line %" PRIu64 ": %s", number,
			 wrong);
}

void baseline_write(const struct baseline *b, FILE *out)
{
	fprintf(out, "%s%d\n", head, VERSION);
	for (size_t i = 0; i < b->count; i++) {
		const struct baseline_line *line = &b->lines[i];

		fprintf(out, "%s %s %" PRIu64 " %" PRIu64 " %s\n",
			line->fingerprint, leak_kind_names[line->kind],
			line->most.blocks, line->most.bytes, line->frames);
	}
}

void baseline_free(struct baseline *b)
{
	for (size_t i = 0; i < b->count; i++)
		free(b->lines[i].frames);
	free(b->lines);
	*b = (struct baseline){0};
}
