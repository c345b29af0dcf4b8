/* SPDX-License-Identifier: MIT */
/*
 * list FUNCTION: the source of a function, with what each line allocated: of
 * its own, where the stacks are charged to it, and with what it called.
 */
#include "view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "map.h"

/* Lines shown around those with figures, and the longest gap that is. */
#define CONTEXT 3

/* A line of a file that a matching frame is at. */
struct line {
	const char *file; /* equal text is one pointer */
	uint32_t number;
	struct profile_totals own, inclusive;
};

struct list {
	struct view *view;
	const struct view_measure *measure;
	struct view_names names;
	struct line *at;
	size_t count, room;
	struct map place; /* frame -> place + 1 */
};

/* Return the line that a frame is at. */
static size_t line_of(struct list *l, const struct frame *f)
{
	uint64_t *place = map_put(&l->place, (uintptr_t)f, NULL);

	for (size_t i = 0; !*place && i < l->count; i++)
		if (l->at[i].file == f->file && l->at[i].number == f->line)
			*place = i + 1;
	if (!*place) {
		l->at = util_grow(l->at, l->count, &l->room, sizeof(*l->at));
		l->at[l->count++] =
			(struct line){.file = f->file, .number = f->line};
		*place = l->count;
	}
	return *place - 1;
}

/* Count a stack at each line it goes through, once. */
static void take_row(struct list *l, const struct stacks_list *list,
		     const struct profile_row *row, size_t site)
{
	for (size_t i = site; i < list->count; i++) {
		const struct frame *f = list->at[i];
		bool before = false;
		size_t line;

		if (!view_names_match(&l->names, f->name) || !f->file)
			continue;
		line = line_of(l, f);
		for (size_t j = site; j < i && !before; j++)
			before = list->at[j]->file == f->file &&
				 list->at[j]->line == f->line &&
				 view_names_match(&l->names, list->at[j]->name);
		if (i == site)
			profile_add_totals(&l->at[line].own, &row->totals);
		if (!before)
			profile_add_totals(&l->at[line].inclusive,
					   &row->totals);
	}
}

/* Count all stacks that have something of the measure. */
static void take_rows(struct list *l, struct profile *p)
{
	struct stacks_list list = {0};

	for (size_t i = 0; i < p->row_count; i++) {
		const struct profile_row *row = &p->rows[i];

		if (l->measure->bytes(&row->totals))
			take_row(l, &list, row,
				 stacks_site_in(&p->stacks, row->node, &list));
	}
	stacks_list_free(&list);
}

static int compare(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int d = x->file == y->file ? 0 : strcmp(x->file, y->file);

	return d ? d : (x->number > y->number) - (x->number < y->number);
}

/* Open a file, but nothing that has no end or that waits: the path is whatever
 * the debug information says. NULL: `why` not. */
static FILE *open_regular(const char *path, const char **why)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	FILE *f = NULL;

	*why = strerror(errno);
	if (fd < 0)
		return NULL;
	*why = "no regular file";
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		f = fdopen(fd, "r");
	if (!f)
		close(fd);
	return f;
}

/* Open a source file, below --sysroot first. A relative path is left alone:
 * the file of that name here, or there, is another one. */
static FILE *open_source(const struct options *o, const char *path,
			 const char **why)
{
	char *below;
	FILE *f;

	*why = "a relative path, to no known directory";
	if (*path != '/')
		return NULL;
	below = o->sysroot ? util_format("%s/%s", o->sysroot, path) : NULL;
	f = below ? open_regular(below, why) : NULL;
	free(below);
	return f ? f : open_regular(path, why);
}

/* The columns of the table. */
enum {
	OWN,
	BYTES = OWN + VIEW_FIGURE,
	BLOCKS = BYTES + VIEW_FIGURE,
	LINE = BLOCKS + VIEW_FIGURE,
	TEXT,
	FILE_NAME,
	COLUMNS,
};

/* Add the row of a line: a file's text, or what there is instead. */
static void add_row(struct list *l, struct table *t, const struct line *line,
		    uint32_t number, const char *text)
{
	static const struct line none;
	const struct line *from = line->number == number ? line : &none;
	const struct view_measure *m = l->measure;
	union table_cell *row = table_add(t);

	view_fill_figure(l->view, t, &row[OWN], m->bytes, &from->own);
	view_fill_figure(l->view, t, &row[BYTES], m->bytes, &from->inclusive);
	view_fill_figure(l->view, t, &row[BLOCKS], m->blocks, &from->inclusive);
	row[LINE].n = number;
	row[TEXT].text = text ? table_keep(t, text) : NULL;
	row[FILE_NAME].text = line->file;
}

/* Turn the tabs of a line into blanks, and take its end off. */
static char *clean(const char *raw)
{
	char *text = util_alloc(8 * strlen(raw) + 1, 1), *to = text;

	for (; *raw && *raw != '\n' && *raw != '\r'; raw++) {
		if (*raw != '\t')
			*to++ = *raw;
		else
			do
				*to++ = ' ';
			while ((to - text) % 8);
	}
	return text;
}

/* Add rows of a file from its text, for lines [0, n) and around them. */
static void add_source(struct list *l, struct table *t, FILE *f,
		       const struct line *line, size_t n)
{
	char *raw = NULL;
	size_t size = 0, next = 0;
	uint32_t number = 0, last = 0;

	while (next < n + (last != 0) && getline(&raw, &size, f) > 0) {
		uint32_t wanted = next < n ? line[next].number : UINT32_MAX;
		char *text;

		number++;
		if (next >= n && number > last + CONTEXT)
			break;
		if (number + CONTEXT < wanted && number > last + CONTEXT)
			continue;
		if (!last && number + CONTEXT < wanted)
			continue;
		text = clean(raw);
		add_row(l, t, &line[next < n ? next : n - 1], number, text);
		free(text);
		if (number == wanted) {
			last = number;
			next++;
		}
	}
	/* What the file is too short for. */
	for (; next < n; next++)
		add_row(l, t, &line[next], line[next].number, NULL);
	free(raw);
}

/* Add the lines [0, n), which are of one file, and title the table. */
static void add_file(struct list *l, struct table *t, const struct line *line,
		     size_t n)
{
	const char *why;
	FILE *f = open_source(l->view->options, line->file, &why);
	char *title = f ? util_format("%s", line->file)
			: util_format("%s (%s)", line->file, why);

	t->title = table_keep(t, title);
	free(title);
	if (f) {
		add_source(l, t, f, line, n);
		fclose(f);
	} else {
		for (size_t i = 0; i < n; i++)
			add_row(l, t, &line[i], line[i].number, NULL);
	}
}

/* Begin a table. */
static void begin(struct list *l, struct table *t,
		  struct table_column column[COLUMNS])
{
	table_begin(t, "lines", NULL, column, COLUMNS);
	view_figure_columns(l->view, t, &column[OWN]);
	view_figure_columns(l->view, t, &column[BYTES]);
	view_figure_columns(l->view, t, &column[BLOCKS]);
	t->blank_zeros = true;
}

/* Print all: as text a table for each file, else one. */
static void put(struct list *l)
{
	struct table_column column[COLUMNS] = {
		[OWN] = {"own_bytes", "own", TABLE_BYTES},
		[BYTES] = {"bytes", "with callees", TABLE_BYTES},
		[BLOCKS] = {"blocks", l->measure->blocks_name, TABLE_COUNT},
		[LINE] = {"line", "line", TABLE_ID},
		[TEXT] = {"text", "", TABLE_TEXT},
		[FILE_NAME] = {"file", NULL, TABLE_TEXT},
	};
	bool is_text = l->view->style.form == TABLE_AS_TEXT;
	struct table t;
	size_t n;

	qsort(l->at, l->count, sizeof(*l->at), compare);
	view_begin(l->view, "list");
	for (size_t i = 0; i < l->count; i += n) {
		if (!i || is_text)
			begin(l, &t, column);
		for (n = 1;
		     i + n < l->count && l->at[i + n].file == l->at[i].file;)
			n++;
		add_file(l, &t, &l->at[i], n);
		if (is_text || i + n == l->count)
			view_table(l->view, &t);
	}
	view_end(l->view);
}

int view_list(struct view *v, struct error *e)
{
	struct list l = {.view = v, .measure = view_measure(v, e)};
	int status = 0;

	if (!l.measure)
		return -1;
	view_names_begin(&l.names, v->argument);
	take_rows(&l, v->profile);
	if (l.count)
		put(&l);
	else if (l.names.found)
		status = error_set(e, ERROR_NO_OFFSET,
				   "no line is known of '%.100s'", v->argument);
	else
		status = view_names_none(&l.names, e);
	view_names_end(&l.names);
	map_free(&l.place);
	free(l.at);
	return status;
}
