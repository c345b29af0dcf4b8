/* SPDX-License-Identifier: MIT */
/*
 * timeline: the heap over time, drawn: what was live at the most in each
 * column, and the allocations a second. JSON and CSV have the buckets. With
 * --quick nothing is replayed: the buckets are made from the trace's index.
 */
#include "series.h"

#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "view.h"

/* Buckets of the drawing at the most, and of JSON and CSV. */
#define COLUMNS 100
#define BUCKETS 1000

/* Rows of the two drawings. */
#define ROWS_LIVE 12
#define ROWS_RATE 4
#define ROWS_RESIDENT 6

/* More buckets than anyone looks at. */
#define MOST_BUCKETS 100000

/* Marks that are listed below it. */
#define MARK_ROWS 10

/* What stands left of a drawing. */
#define LABEL_COLUMNS 11

/* Return the ns that one bucket lasts. */
static double bucket_ns(const struct view *v, const struct series *t)
{
	return (double)trace_span_ns(v->trace, t->to - t->from) /
	       (double)t->count;
}

/* Return the ns at which a bucket begins. */
static uint64_t bucket_time(const struct view *v, const struct series *t,
			    size_t i)
{
	return trace_ns(v->trace, t->from) +
	       (uint64_t)(bucket_ns(v, t) * (double)i);
}

/* Tell whether the terminal shows block characters. */
static bool has_blocks(void)
{
	const char *names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < 3; i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strcasestr(value, "utf-8") ||
			       strcasestr(value, "utf8");
	}
	return false;
}

/* Return the character for a column that reaches `eighths` into its row. */
static const char *cell(double eighths, bool blocks)
{
	static const char *const parts[] = {
		" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█",
	};
	int n = eighths < 0 ? 0 : eighths > 8 ? 8 : (int)(eighths + 0.5);

	if (!blocks)
		return n >= 4 ? "#" : " ";
	return parts[n];
}

/*
 * Draw values as columns, `rows` high. `label` writes a value as text; the
 * topmost row is that of the greatest.
 */
static void draw(struct view *v, const double *value, size_t count,
		 unsigned int rows, void (*label)(char *to, double value))
{
	bool blocks = has_blocks();
	char text[TERM_NUMBER];
	double most = 0;

	for (size_t i = 0; i < count; i++)
		most = value[i] > most ? value[i] : most;
	for (unsigned int row = rows; row-- > 0;) {
		size_t last = count;

		text[0] = '\0';
		if (row == rows - 1)
			label(text, most);
		printf("%*s %s|%s", LABEL_COLUMNS, text, v->style.term.dim,
		       v->style.term.plain);
		while (last && value[last - 1] * rows <= most * row)
			last--;
		for (size_t i = 0; i < last && most > 0; i++)
			fputs(cell((value[i] * rows / most - row) * 8, blocks),
			      stdout);
		putchar('\n');
	}
}

static void bytes_label(char *to, double value)
{
	term_bytes(to, (uint64_t)value, false);
}

static void rate_label(char *to, double value)
{
	char n[TERM_NUMBER];

	snprintf(to, TERM_NUMBER, "%s/s", term_count(n, (uint64_t)value));
}

/* Return the bucket that an instant lies in. */
static size_t bucket_of(const struct series *t, uint64_t clock)
{
	return (size_t)((unsigned __int128)(clock - t->from) * t->count /
			(t->to - t->from));
}

/* Return the next mark inside the window from `*i` on, or NULL. */
static const struct trace_mark *next_mark(const struct view *v,
					  const struct series *t, size_t *i)
{
	while (*i < v->trace->mark_count) {
		const struct trace_mark *m = &v->trace->marks[(*i)++];

		if (m->clock >= t->from && m->clock < t->to)
			return m;
	}
	return NULL;
}

/* Draw the line of time, with the places of the marks and of the peak. */
static void put_line(const struct view *v, const struct series *t)
{
	char *line = util_alloc(t->count + 1, 1);
	const struct trace_mark *m;

	memset(line, '-', t->count);
	for (size_t i = 0; (m = next_mark(v, t, &i));)
		line[bucket_of(t, m->clock)] = '|';
	if (t->peak_bytes)
		line[bucket_of(t, t->peak_clock)] = '^';
	puts(line);
	free(line);
}

/* Print the line about the peak. */
static void put_peak(const struct view *v, const struct series *t)
{
	char at[TERM_NUMBER], bytes[TERM_NUMBER], blocks[TERM_NUMBER];

	printf("peak  %s", term_bytes(bytes, t->peak_bytes, v->style.exact));
	view_put_doubt(v, t->peak_bytes, t->peak_spread.bytes);
	printf(" in %s", term_count(blocks, t->peak_blocks));
	view_put_doubt(v, t->peak_blocks, t->peak_spread.blocks);
	printf(" block%s at %s (^)\n", term_plural(t->peak_blocks),
	       term_time(at, trace_ns(v->trace, t->peak_clock)));
}

/* Draw the line of time below, with the peak's place. */
static void put_axis(struct view *v, const struct series *t)
{
	char from[TERM_NUMBER], to[TERM_NUMBER];
	uint64_t start = trace_ns(v->trace, t->from);
	uint64_t end = trace_ns(v->trace, t->to);

	printf("%*s %s+", LABEL_COLUMNS, "", v->style.term.dim);
	put_line(v, t);
	printf("%s%*s  %-*s%s\n", v->style.term.plain, LABEL_COLUMNS, "",
	       (int)t->count - 8, term_time(from, start), term_time(to, end));
	if (t->peak_bytes)
		put_peak(v, t);
}

/*
 * Return the resident set of each bucket: the most that was noted in it, else
 * what was noted before. NULL: nothing was.
 */
static uint64_t *residents(const struct view *v, const struct series *t)
{
	const struct trace *trace = v->trace;
	uint64_t *bytes, last = 0;

	if (!trace->resident_count)
		return NULL;
	bytes = util_alloc(t->count, sizeof(*bytes));
	for (size_t i = 0; i < trace->resident_count; i++) {
		const struct mt_meta_resident *r = &trace->residents[i];
		size_t at;

		if (r->clock < t->from || r->clock >= t->to)
			continue;
		at = bucket_of(t, r->clock);
		if (r->bytes > bytes[at])
			bytes[at] = r->bytes;
	}
	for (size_t i = 0; i < t->count; i++)
		last = bytes[i] = bytes[i] ? bytes[i] : last;
	return bytes;
}

/* Draw the resident set, which is more than the heap. */
static void draw_resident(struct view *v, const struct series *t, double *value)
{
	uint64_t *bytes = residents(v, t);

	if (!bytes)
		return;
	printf("\n%sResident set of the process%s\n", v->style.term.bold,
	       v->style.term.plain);
	for (size_t i = 0; i < t->count; i++)
		value[i] = (double)bytes[i];
	draw(v, value, t->count, ROWS_RESIDENT, bytes_label);
	free(bytes);
}

/* Draw it all. */
static void put_drawings(struct view *v, const struct series *t)
{
	double *value = util_alloc(t->count, sizeof(*value));
	double seconds = bucket_ns(v, t) / 1e9;
	bool quick = v->options->quick;

	printf("\n%s%s%s\n", v->style.term.bold,
	       quick ? "Live usable bytes, by the index"
		     : "Live bytes, at the most",
	       v->style.term.plain);
	for (size_t i = 0; i < t->count; i++)
		value[i] = (double)(quick ? t->at[i].last_bytes
					  : t->at[i].max_bytes);
	draw(v, value, t->count, ROWS_LIVE, bytes_label);
	put_axis(v, t);
	printf("\n%sAllocations a second%s\n", v->style.term.bold,
	       v->style.term.plain);
	for (size_t i = 0; i < t->count; i++)
		value[i] = seconds > 0 ? (double)t->at[i].allocations / seconds
				       : 0;
	draw(v, value, t->count, ROWS_RATE, rate_label);
	draw_resident(v, t, value);
	free(value);
}

/* The columns of the table of the buckets. */
enum {
	TIME,
	MAX_BYTES,
	LAST_BYTES = MAX_BYTES + VIEW_FIGURE,
	MAX_BLOCKS = LAST_BYTES + VIEW_FIGURE,
	LAST_BLOCKS = MAX_BLOCKS + VIEW_FIGURE,
	ALLOCATIONS = LAST_BLOCKS + VIEW_FIGURE,
	ALLOCATED = ALLOCATIONS + VIEW_FIGURE,
	FREES = ALLOCATED + VIEW_FIGURE,
	RESIDENT = FREES + VIEW_FIGURE,
	BUCKET_COLUMNS,
};

/* Fill in the figures of a bucket. */
static void fill_bucket(const struct view *v, struct table *t,
			union table_cell *row, const struct series_bucket *b)
{
	view_fill_estimate(v, t, &row[MAX_BYTES], b->max_bytes, b->most.bytes);
	view_fill_estimate(v, t, &row[LAST_BYTES], b->last_bytes,
			   b->last.bytes);
	view_fill_estimate(v, t, &row[MAX_BLOCKS], b->max_blocks,
			   b->most.blocks);
	view_fill_estimate(v, t, &row[LAST_BLOCKS], b->last_blocks,
			   b->last.blocks);
	view_fill_estimate(v, t, &row[ALLOCATIONS], b->allocations,
			   b->allocated.blocks);
	view_fill_estimate(v, t, &row[ALLOCATED], b->allocated_bytes,
			   b->allocated.bytes);
	view_fill_estimate(v, t, &row[FREES], b->frees, b->freed);
}

/* Add the table of the buckets. */
static void put_buckets(struct view *v, const struct series *t)
{
	struct table_column column[BUCKET_COLUMNS] = {
		[TIME] = {"time_ns", "time", TABLE_TIME},
		[MAX_BYTES] = {"max_bytes", "max", TABLE_BYTES},
		[LAST_BYTES] = {"last_bytes", "last", TABLE_BYTES},
		[MAX_BLOCKS] = {"max_blocks", "blocks", TABLE_COUNT},
		[LAST_BLOCKS] = {"last_blocks", NULL, TABLE_COUNT},
		[ALLOCATIONS] = {"allocations", "allocations", TABLE_COUNT},
		[ALLOCATED] = {"allocated_bytes", "allocated", TABLE_BYTES},
		[FREES] = {"frees", "frees", TABLE_COUNT},
		[RESIDENT] = {"resident_bytes", "resident", TABLE_BYTES},
	};
	uint64_t *resident = residents(v, t);
	struct table table;

	table_begin(&table, "buckets", NULL, column, BUCKET_COLUMNS);
	for (unsigned int i = MAX_BYTES; i < RESIDENT; i += VIEW_FIGURE)
		view_figure_columns(v, &table, &column[i]);
	for (size_t i = 0; i < t->count; i++) {
		union table_cell *row = table_add(&table);

		row[TIME].n = bucket_time(v, t, i);
		fill_bucket(v, &table, row, &t->at[i]);
		row[RESIDENT].n = resident ? resident[i] : 0;
	}
	free(resident);
	view_table(v, &table);
}

/* Return what kind of a mark it is. */
static const char *mark_name(const struct trace_mark *m)
{
	static const char *const names[] = {
		[MT_MARK_MOMENT] = "moment",
		[MT_MARK_TEST_BEGIN] = "test",
		[MT_MARK_TEST_END] = "test end",
	};

	return names[m->mark <= MT_MARK_TEST_END ? m->mark : MT_MARK_MOMENT];
}

/* Add the table of the marks; CSV and text have none when there are none. */
static void put_marks(struct view *v, const struct series *t)
{
	static const struct table_column column[] = {
		{"time_ns", "time", TABLE_TIME},
		{"tid", "thread", TABLE_ID},
		{"mark", "mark (|)", TABLE_TEXT},
		{"name", "name", TABLE_TEXT},
	};
	bool text = v->style.form == TABLE_AS_TEXT;
	const struct trace_mark *m;
	char n[TERM_NUMBER];
	size_t others = 0;
	struct table table;

	table_begin(&table, "marks", "Marks of the program", column, 4);
	for (size_t i = 0; (m = next_mark(v, t, &i));) {
		union table_cell *row;

		if (text && table.rows == MARK_ROWS) {
			others++;
			continue;
		}
		row = table_add(&table);
		row[0].n = trace_ns(v->trace, m->clock);
		row[1].n = m->tid;
		row[2].text = mark_name(m);
		row[3].text = table_keep(&table, m->name);
	}
	if (table.rows || v->style.form == TABLE_AS_JSON)
		view_table(v, &table);
	else
		table_free(&table);
	if (others)
		view_line(v, "(%s later marks; --json has them)",
			  term_count(n, others));
}

/* Add the table of the buckets that the index fills. */
static void put_quick_buckets(struct view *v, const struct series *t)
{
	static const struct table_column column[] = {
		{"time_ns", "time", TABLE_TIME},
		{"last_usable_bytes", "usable", TABLE_BYTES},
		{"last_blocks", "blocks", TABLE_COUNT},
		{"allocations", "allocations", TABLE_COUNT},
		{"allocated_bytes", "allocated", TABLE_BYTES},
		{"frees", "frees", TABLE_COUNT},
		{"resident_bytes", "resident", TABLE_BYTES},
	};
	uint64_t *resident = residents(v, t);
	struct table table;

	table_begin(&table, "buckets", NULL, column, 7);
	for (size_t i = 0; i < t->count; i++) {
		const struct series_bucket *b = &t->at[i];
		union table_cell *row = table_add(&table);

		row[0].n = bucket_time(v, t, i);
		row[1].n = b->last_bytes;
		row[2].n = b->last_blocks;
		row[3].n = b->allocations;
		row[4].n = b->allocated_bytes;
		row[5].n = b->frees;
		row[6].n = resident ? resident[i] : 0;
	}
	free(resident);
	view_table(v, &table);
}

/* Say what the index is made of, and so how coarse the answer is. */
static void put_index(struct view *v, const struct series_index *index)
{
	static const struct table_column column[] = {
		{"segments", NULL, TABLE_COUNT},
		{"longest_segment_ns", NULL, TABLE_TIME},
		{"unsealed_events", NULL, TABLE_COUNT},
	};
	uint64_t longest = trace_span_ns(v->trace, index->longest);
	char segments[TERM_NUMBER], ns[TERM_NUMBER];
	union table_cell *row;
	struct table table;

	if (v->style.form == TABLE_AS_TEXT) {
		if (index->segments)
			view_line(v,
				  "%s segments, the longest of %s: a peak "
				  "within one is not seen",
				  term_count(segments, index->segments),
				  term_time(ns, longest));
		view_put_unsealed(v, index->unsealed);
		return;
	}
	table_begin(&table, "index", NULL, column, 3);
	row = table_add(&table);
	row[0].n = index->segments;
	row[1].n = longest;
	row[2].n = index->unsealed;
	view_table(v, &table);
}

/* Return how many buckets there are to be. */
static size_t bucket_count(const struct view *v)
{
	unsigned int width = v->style.width;

	if (v->options->rows)
		return v->options->rows < MOST_BUCKETS ? v->options->rows
						       : MOST_BUCKETS;
	if (v->style.form != TABLE_AS_TEXT)
		return BUCKETS;
	if (!width || width > COLUMNS + LABEL_COLUMNS + 2)
		return COLUMNS;
	return width > LABEL_COLUMNS + 22 ? width - LABEL_COLUMNS - 2 : 20;
}

/* Fill the buckets, and show them. */
static void show(struct view *v, struct series *t)
{
	bool drawn = v->style.form == TABLE_AS_TEXT && !v->options->rows;
	bool quick = v->options->quick;
	struct replay_listener l = series_listener(t);
	struct series_index index;

	if (quick) {
		series_read_index(t, v->trace, &index);
	} else {
		view_replay(v, &l);
		series_end(t);
	}
	v->history_only = true;
	view_begin(v, "timeline");
	if (drawn)
		put_drawings(v, t);
	else if (quick)
		put_quick_buckets(v, t);
	else
		put_buckets(v, t);
	put_marks(v, t);
	if (quick)
		put_index(v, &index);
	view_end(v);
}

int view_timeline(struct view *v, struct error *e)
{
	char lasted[TERM_NUMBER];
	uint64_t from, until;
	struct series t;

	if (v->options->quick && view_check_index_only(v, "--quick", e))
		return -1;
	select_window(v->options, v->trace, &from, &until);
	if (from < v->trace->process.clock)
		from = v->trace->process.clock;
	if (from < image_clock(v->trace))
		from = image_clock(v->trace);
	if (until > v->trace->end_clock + 1)
		until = v->trace->end_clock + 1;
	if (from >= until)
		return error_set(e, ERROR_NO_OFFSET,
				 "there is nothing in that window: it lasted "
				 "%s",
				 term_time(lasted,
					   trace_duration_ns(v->trace)));
	series_begin(&t, v->trace, from, until, bucket_count(v));
	show(v, &t);
	series_free(&t);
	return 0;
}
