/* SPDX-License-Identifier: MIT */
/* A table and its three forms; see table.h. */
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "strpool.h"

/* The longest function name that is shown whole. */
#define NAME_COLUMNS 56

/* Below so many columns of a terminal, tables are as narrow as can be. */
#define NARROW_COLUMNS 80

/* A terminal leaves the last column this much, or it is not cut at all. */
#define LAST_COLUMNS 12

void table_begin(struct table *t, const char *key, const char *title,
		 const struct table_column *column, unsigned int columns)
{
	*t = (struct table){
		.key = key,
		.title = title,
		.column = column,
		.columns = columns,
		.texts = util_alloc(1, sizeof(*t->texts)),
	};
}

union table_cell *table_add(struct table *t)
{
	union table_cell *row;

	while (t->room < (t->rows + 1) * t->columns)
		t->cell =
			util_grow(t->cell, t->room, &t->room, sizeof(*t->cell));
	row = &t->cell[t->rows++ * t->columns];
	memset(row, 0, t->columns * sizeof(*row));
	return row;
}

const char *table_keep(struct table *t, const char *text)
{
	return strpool_text(t->texts, strpool_add(t->texts, text));
}

void table_free(struct table *t)
{
	free(t->cell);
	strpool_free(t->texts);
	free(t->texts);
	*t = (struct table){0};
}

double table_percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* ---- Text. ---- */

/* Room for a cell's number. */
#define CELL_ROOM (TERM_NUMBER + 2)

/* Write a signed number as text. */
static void change_text(char to[CELL_ROOM], int64_t n, bool bytes, bool exact)
{
	char digits[TERM_NUMBER];
	uint64_t size = n < 0 ? -(uint64_t)n : (uint64_t)n;

	if (bytes)
		term_bytes(digits, size, exact);
	else
		term_count(digits, size);
	snprintf(to, CELL_ROOM, "%s%s", n < 0 ? "-" : n > 0 ? "+" : "", digits);
}

/* Return a cell of a column as text, which may be written into `to`. */
static const char *cell_text(char to[CELL_ROOM], enum table_type type,
			     const union table_cell *c, bool exact)
{
	switch (type) {
	case TABLE_COUNT:
		return term_count(to, c->n);
	case TABLE_BYTES:
		return term_bytes(to, c->n, exact);
	case TABLE_COUNT_CHANGE:
	case TABLE_BYTES_CHANGE:
		change_text(to, c->change, type == TABLE_BYTES_CHANGE, exact);
		return to;
	case TABLE_ID:
		snprintf(to, CELL_ROOM, "%" PRIu64, c->n);
		return to;
	case TABLE_TIME:
		return term_time(to, c->n);
	case TABLE_PERCENT:
		snprintf(to, CELL_ROOM, "%.1f", c->real);
		return to;
	case TABLE_NUMBER:
		snprintf(to, CELL_ROOM, "%.2f", c->real);
		return to;
	default:
		return c->text ? c->text : "";
	}
}

/* Return how wide a column is that holds nothing wider. */
static unsigned int least_width(enum table_type type)
{
	switch (type) {
	case TABLE_COUNT:
	case TABLE_BYTES:
		return 11;
	case TABLE_PERCENT:
		return 6;
	default:
		return 0;
	}
}

/* Return the columns that a text takes. */
static unsigned int text_width(const char *text)
{
	unsigned int n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* Return the last column that text shows. */
static unsigned int last_shown(const struct table *t)
{
	unsigned int last = t->columns - 1;

	while (last && !t->column[last].title)
		last--;
	return last;
}

/* Measure the columns. */
static void measure(const struct table *t, const struct table_style *s,
		    unsigned int width[TABLE_MAX_COLUMNS])
{
	char to[CELL_ROOM];

	for (unsigned int i = 0; i < t->columns; i++) {
		const struct table_column *c = &t->column[i];

		/* A narrow terminal has no room to spare. */
		width[i] = s->width && s->width < NARROW_COLUMNS
				   ? 0
				   : least_width(c->type);
		if (!c->title || c->type == TABLE_SITE)
			continue;
		if (text_width(c->title) > width[i])
			width[i] = text_width(c->title);
		for (size_t r = 0; r < t->rows; r++) {
			unsigned int n = text_width(cell_text(
				to, c->type, &t->cell[r * t->columns + i],
				s->exact));

			if (n > width[i])
				width[i] = n;
		}
	}
}

/* Write `n` blanks. */
static void pad(FILE *out, unsigned int n)
{
	fprintf(out, "%*s", (int)n, "");
}

static bool is_left(enum table_type type)
{
	return type == TABLE_TEXT || type == TABLE_SITE;
}

/* Write a text in a column; the last one is not padded. */
static void put_padded(FILE *out, const char *text, unsigned int width,
		       bool left, bool last)
{
	unsigned int n = text_width(text);

	if (last && !*text)
		return;
	if (!left && n < width)
		pad(out, width - n);
	term_put_text(out, text);
	if (left && !last && n < width)
		pad(out, width - n);
}

/* What stands for "<..>" while a name is shortened. */
#define LEFT_OUT_OPEN 2
#define LEFT_OUT_CLOSE 1

/* Put the marks that shorten() left into words. */
static char *spell_out(const char *marked)
{
	char *text = util_alloc(2 * strlen(marked) + 1, 1), *to = text;

	for (; *marked; marked++) {
		if (*marked == LEFT_OUT_OPEN)
			to = stpcpy(to, "<.");
		else if (*marked == LEFT_OUT_CLOSE)
			to = stpcpy(to, ".>");
		else
			*to++ = *marked;
	}
	return text;
}

/*
 * Leave out the arguments of templates of a long name, from the innermost on,
 * each as "<..>".
 */
static char *shorten(const char *name)
{
	char *copy = util_copy(name, strlen(name)), *open, *close, *text;

	for (char *p = copy; *p; p++)
		if ((unsigned char)*p <= LEFT_OUT_OPEN)
			*p = '?';
	while (text_width(copy) > NAME_COLUMNS) {
		close = copy;
		/* The first '>' ends the first innermost pair; not "->". */
		do {
			close = strchr(close + 1, '>');
		} while (close && (close[-1] == '-' || close[-1] == '<'));
		if (!close)
			break;
		for (open = close; open > copy && *open != '<'; open--)
			;
		if (open == copy)
			break;
		open[0] = LEFT_OUT_OPEN;
		open[1] = LEFT_OUT_CLOSE;
		memmove(open + 2, close + 1, strlen(close + 1) + 1);
	}
	text = spell_out(copy);
	free(copy);
	return text;
}

/* Write a text cut to a width, and return what is left of that. */
static unsigned int put_cut(FILE *out, const char *text, unsigned int width)
{
	unsigned int n = text_width(text);
	char *copy;
	size_t bytes = 0;

	if (!width || n <= width) {
		term_put_text(out, text);
		return width ? width - n : 0;
	}
	for (n = 0; n < width - 2; n++)
		for (bytes++; ((unsigned char)text[bytes] & 0xc0) == 0x80;)
			bytes++;
	copy = util_copy(text, bytes);
	term_put_text(out, copy);
	fputs("..", out);
	free(copy);
	return 0;
}

void table_put_site(FILE *out, const struct frame *f,
		    const struct term_style *style, unsigned int width)
{
	char *name, *place = NULL;
	unsigned int left;

	if (!f->function) {
		put_cut(out, f->name, width);
		return;
	}
	name = shorten(f->function);
	left = put_cut(out, name, width);
	free(name);
	if (f->file)
		place = util_format("%s:%u", util_basename(f->file), f->line);
	else if (f->module)
		place = util_format("%s", util_basename(f->module));
	if (!place || (width && left < text_width(place) + 2)) {
		free(place);
		return;
	}
	fprintf(out, "  %s", style->dim);
	term_put_text(out, place);
	fputs(style->plain, out);
	free(place);
}

/* Write the headings. */
static void put_headings(const struct table *t, const struct table_style *s,
			 const unsigned int *width, FILE *out)
{
	unsigned int last = last_shown(t);
	bool any = false;

	for (unsigned int i = 0; i <= last; i++)
		any |= t->column[i].title && *t->column[i].title;
	if (!any)
		return;
	fputs(s->term.dim, out);
	for (unsigned int i = 0; i <= last; i++) {
		const struct table_column *c = &t->column[i];

		if (!c->title)
			continue;
		if (i)
			pad(out, is_left(c->type) ? 2 : 1);
		put_padded(out, c->title, width[i], is_left(c->type),
			   i == last);
	}
	fprintf(out, "%s\n", s->term.plain);
}

static bool is_amount(enum table_type type)
{
	return type == TABLE_BYTES || type == TABLE_COUNT;
}

/* Write a row. `used`: the columns before the last one. */
static void put_row(const struct table *t, const struct table_style *s,
		    const unsigned int *width, size_t row, unsigned int used,
		    FILE *out)
{
	unsigned int last = last_shown(t);
	bool rest = t->rest && row == t->rows - 1;
	unsigned int room =
		s->width >= used + LAST_COLUMNS ? s->width - used : 0;
	char to[CELL_ROOM];

	for (unsigned int i = 0; i <= last; i++) {
		const struct table_column *c = &t->column[i];
		const union table_cell *cell = &t->cell[row * t->columns + i];

		if (!c->title)
			continue;
		if (i)
			pad(out, is_left(c->type) ? 2 : 1);
		if (rest && i == last)
			fprintf(out, "%s(%s)%s", s->term.dim, t->rest,
				s->term.plain);
		else if (c->type == TABLE_SITE)
			table_put_site(out, cell->frame, &s->term, room);
		else if (c->type == TABLE_TEXT && i == last)
			put_cut(out, cell->text ? cell->text : "", room);
		else
			put_padded(out,
				   t->blank_zeros && is_amount(c->type) &&
						   !cell->n
					   ? ""
					   : cell_text(to, c->type, cell,
						       s->exact),
				   width[i], is_left(c->type), i == last);
	}
	putc('\n', out);
}

/* Write a table as text. */
static void put_text(const struct table *t, const struct table_style *s,
		     FILE *out)
{
	unsigned int width[TABLE_MAX_COLUMNS] = {0}, used = 0;

	measure(t, s, width);
	for (unsigned int i = 0; i < last_shown(t); i++)
		if (t->column[i].title)
			used += width[i] + 1;
	if (t->title)
		fprintf(out, "\n%s%s%s\n", s->term.bold, t->title,
			s->term.plain);
	put_headings(t, s, width, out);
	for (size_t r = 0; r < t->rows; r++)
		put_row(t, s, width, r, used + 1, out);
}

/* ---- JSON. ---- */

void table_put_json_site(const struct frame *f, FILE *out)
{
	fputs("\"function\": ", out);
	json_put_text(out, f->function);
	fputs(", \"file\": ", out);
	json_put_text(out, f->file);
	if (f->file)
		fprintf(out, ", \"line\": %u", f->line);
	else
		fputs(", \"line\": null", out);
	fputs(", \"module\": ", out);
	json_put_text(out, f->module);
	if (f->function)
		fputs(", \"offset\": null", out);
	else
		fprintf(out, ", \"offset\": %" PRIu64, f->offset);
}

/* Write a cell's key and value. */
static void put_json_cell(const struct table_column *c,
			  const union table_cell *cell, FILE *out)
{
	if (c->type == TABLE_SITE) {
		table_put_json_site(cell->frame, out);
		return;
	}
	fprintf(out, "\"%s\": ", c->key);
	switch (c->type) {
	case TABLE_COUNT:
	case TABLE_BYTES:
	case TABLE_ID:
	case TABLE_TIME:
		fprintf(out, "%" PRIu64, cell->n);
		break;
	case TABLE_COUNT_CHANGE:
	case TABLE_BYTES_CHANGE:
		fprintf(out, "%" PRId64, cell->change);
		break;
	case TABLE_PERCENT:
	case TABLE_NUMBER:
		fprintf(out, "%.6g", cell->real);
		break;
	default:
		json_put_text(out, cell->text);
		break;
	}
}

/* Write a row as an object; of a row that sums up, its numbers. */
static void put_json_row(const struct table *t, size_t row, FILE *out)
{
	bool rest = t->rest && row == t->rows - 1;
	const char *between = "";

	putc('{', out);
	for (unsigned int i = 0; i < t->columns; i++) {
		const struct table_column *c = &t->column[i];

		if (!c->key || (rest && c->type >= TABLE_TEXT))
			continue;
		fputs(between, out);
		put_json_cell(c, &t->cell[row * t->columns + i], out);
		between = ", ";
	}
	putc('}', out);
}

/* Write a table as a JSON array, and what is not shown as "KEY_rest". */
static void put_json(const struct table *t, FILE *out)
{
	size_t rows = t->rows - (t->rest != NULL);

	fprintf(out, "\"%s\": [", t->key);
	for (size_t r = 0; r < rows; r++) {
		fputs(r ? ",\n    " : "\n    ", out);
		put_json_row(t, r, out);
	}
	fputs(rows ? "\n  ]" : "]", out);
	if (t->rest) {
		fprintf(out, ",\n  \"%s_rest\": ", t->key);
		put_json_row(t, rows, out);
	}
}

/* ---- CSV (RFC 4180, but for lines that end in LF only). ---- */

/* Write a field; texts are quoted. */
static void put_csv_text(const char *text, FILE *out)
{
	putc('"', out);
	for (; text && *text; text++) {
		if (*text == '"')
			putc('"', out);
		putc((unsigned char)*text < 0x20 ? ' ' : *text, out);
	}
	putc('"', out);
}

/* Write the four fields of a frame. */
static void put_csv_site(const struct frame *f, FILE *out)
{
	put_csv_text(f->name, out);
	putc(',', out);
	put_csv_text(f->file, out);
	if (f->file)
		fprintf(out, ",%u,", f->line);
	else
		fputs(",,", out);
	put_csv_text(f->module, out);
}

static void put_csv_cell(const struct table_column *c,
			 const union table_cell *cell, FILE *out)
{
	if (c->type == TABLE_SITE)
		put_csv_site(cell->frame, out);
	else if (c->type >= TABLE_TEXT)
		put_csv_text(cell->text, out);
	else if (c->type == TABLE_PERCENT || c->type == TABLE_NUMBER)
		fprintf(out, "%.6g", cell->real);
	else if (c->type == TABLE_COUNT_CHANGE || c->type == TABLE_BYTES_CHANGE)
		fprintf(out, "%" PRId64, cell->change);
	else
		fprintf(out, "%" PRIu64, cell->n);
}

/* Write a table as CSV, with a line of keys; not what sums up. */
static void put_csv(const struct table *t, FILE *out)
{
	const char *between = "";

	for (unsigned int i = 0; i < t->columns; i++) {
		const struct table_column *c = &t->column[i];

		if (!c->key)
			continue;
		fprintf(out, "%s%s", between,
			c->type == TABLE_SITE ? "function,file,line,module"
					      : c->key);
		between = ",";
	}
	putc('\n', out);
	for (size_t r = 0; r < t->rows - (t->rest != NULL); r++) {
		between = "";
		for (unsigned int i = 0; i < t->columns; i++) {
			if (!t->column[i].key)
				continue;
			fputs(between, out);
			put_csv_cell(&t->column[i],
				     &t->cell[r * t->columns + i], out);
			between = ",";
		}
		putc('\n', out);
	}
}

void table_print(const struct table *t, const struct table_style *s, FILE *out)
{
	if (s->form == TABLE_AS_JSON)
		put_json(t, out);
	else if (s->form == TABLE_AS_CSV)
		put_csv(t, out);
	else
		put_text(t, s, out);
}
