/* SPDX-License-Identifier: MIT */
/*
 * Folded stacks, for flame graphs: a line per stack, its frames from the
 * outermost to the innermost joined by ';', a blank, a number. Bytes live at
 * the peak, unless --at says otherwise. Inlined frames end in "_[i]".
 */
#include "export.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A line before it is written. */
struct line {
	char *text;
	uint64_t n;
};

/* Make a line's text: names without what would end a frame or the line. */
static char *fold(const struct stacks_list *list)
{
	char *text;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		abort();
	for (size_t i = list->count; i-- > 0;) {
		for (const char *p = list->at[i]->name; *p; p++)
			putc(*p == ';'			? ':'
			     : (unsigned char)*p < 0x20 ? '?'
							: *p,
			     out);
		if (list->at[i]->inlined)
			fputs("_[i]", out);
		if (i)
			putc(';', out);
	}
	fclose(out);
	return text;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->text,
		      ((const struct line *)b)->text);
}

/* Write the lines in order, equal stacks as one. */
static void write_lines(struct line *line, size_t n, FILE *out)
{
	if (n)
		qsort(line, n, sizeof(*line), compare);
	for (size_t i = 0; i < n; i++) {
		if (i + 1 < n && strcmp(line[i].text, line[i + 1].text) == 0)
			line[i + 1].n += line[i].n;
		else
			fprintf(out, "%s %" PRIu64 "\n", line[i].text,
				line[i].n);
		free(line[i].text);
	}
}

int export_folded(struct export *x, struct error *e)
{
	struct profile *p = x->profile;
	const struct export_sum *sum = export_sum_asked(x, e);
	struct stacks_list list = {0};
	struct line *line;
	size_t n = 0;

	if (!sum)
		return -1;
	line = util_alloc(p->row_count, sizeof(*line));
	for (size_t i = 0; i < p->row_count; i++) {
		uint64_t value = sum->of(&p->rows[i].totals);

		if (!value)
			continue;
		stacks_expand(&p->stacks, p->rows[i].node, &list);
		if (list.count)
			line[n++] = (struct line){fold(&list), value};
	}
	write_lines(line, n, x->out);
	stacks_list_free(&list);
	free(line);
	return 0;
}
