/* SPDX-License-Identifier: MIT */
/*
 * A program watched on the whole terminal (ncurses enters through here).
 *
 * All that is seen is drawn anew at each look and each key; ncurses writes
 * what of it is different.
 */
#include <locale.h>
#include <ncurses.h>
#include <stdlib.h>
#include <string.h>

#include "watch.h"

/* How long a key may wait for a look, in ms; looks are planned to that. */
#define TICK_MS 50

/* Where the rows begin. */
#define FIRST_ROW 6

#define MOST_FILTER 63

static const char *const view_names[FIGURES_VIEWS] = {"sites", "threads",
						      "sizes", "growth"};
static const char *const sort_names[FIGURES_SORTS] = {
	"live", "blocks", "growth", "rate", "temporary"};
static const char sort_keys[FIGURES_SORTS + 1] = "lbgrt";

static const char *const help[] = {
	"1 2 3 4, Tab   sites, threads, sizes, growth; the next of them",
	"l b g r t, s   sort by live bytes, blocks, growth, rate, temporary;",
	"               the next of them",
	"/              show what has a text in its name; Enter, Esc: all",
	"Up Down, PgUp PgDn, Home",
	"               move the list",
	"space          pause, and go on",
	"?              this page",
	"q              quit",
	"",
	"growth is per second over ten looks; rate is blocks allocated per",
	"second, temporary those of them that were freed before the next.",
};

struct tui {
	struct watch *watch;
	enum figures_view view;
	enum figures_sort sort;
	size_t top; /* the first row that is shown */
	bool paused, helps, typing, quits;
	char filter[MOST_FILTER + 1];
};

/* Write text at a place, cut to the terminal; what is no text becomes '?'. */
static void put(int y, int x, const char *text)
{
	int room = COLS - x, used = 0;
	char line[1024];
	size_t n = 0;

	for (const char *p = text; *p && used < room && n + 4 < sizeof(line);
	     used++) {
		unsigned int bytes = term_utf8(p);

		if (!bytes || (unsigned char)*p < ' ' || *p == 127) {
			line[n++] = '?';
			p++;
			continue;
		}
		memcpy(line + n, p, bytes);
		n += bytes;
		p += bytes;
	}
	line[n] = '\0';
	if (room > 0 && y < LINES)
		mvaddstr(y, x, line);
}

static void put_format(int y, int x, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void put_format(int y, int x, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put(y, x, text);
}

/* Write bytes, which may be less than none. */
static const char *signed_bytes(char to[TERM_NUMBER + 1], double bytes)
{
	char number[TERM_NUMBER];
	double size = bytes < 0 ? -bytes : bytes;

	snprintf(to, TERM_NUMBER + 1, "%s%s",
		 bytes <= -0.5	? "-"
		 : bytes >= 0.5 ? "+"
				: "",
		 term_bytes(number, (uint64_t)(size + 0.5), false));
	return to;
}

/* Say who runs, and whether this is now. */
static void put_state(const struct tui *t)
{
	const struct watch *w = t->watch;
	const struct trace *trace = &w->follow.trace;
	char time[TERM_NUMBER];
	char lag[64] = "";

	if (w->pause_ns > w->interval_ns && !w->follow.ended)
		snprintf(lag, sizeof(lag), "  lags: a look in %.1f s",
			 (double)w->pause_ns / 1e9);
	put_format(0, 0, "%s, pid %u: %s, %s%s%s",
		   trace->exe ? util_basename(trace->exe) : "?",
		   trace->process.pid, term_time(time, w->figures.totals.ns),
		   w->follow.ended ? "ended: " : "", trace_end_name(trace),
		   t->paused ? "  PAUSED" : lag);
}

static void put_totals(const struct tui *t)
{
	const struct figures_totals *f = &t->watch->figures.totals;
	char a[TERM_NUMBER + 1], b[TERM_NUMBER], c[TERM_NUMBER];

	put_format(1, 0, "live %s in %s blocks   peak %s",
		   term_bytes(a, f->live_bytes, false),
		   term_count(b, f->live_blocks),
		   term_bytes(c, f->peak_bytes, false));
	if (f->rss_bytes)
		printw("   rss %s", term_bytes(a, f->rss_bytes, false));
	put_format(2, 0, "allocated %s/s, freed %s/s",
		   signed_bytes(a, f->alloc_bytes_rate),
		   term_bytes(b, (uint64_t)f->free_bytes_rate, false));
	printw("; %s blocks/s,", term_count(b, (uint64_t)f->alloc_rate));
	printw(" %s temporary", term_count(b, (uint64_t)f->temporary_rate));
}

static void put_tabs(const struct tui *t)
{
	move(3, 0);
	for (int i = 0; i < FIGURES_VIEWS; i++) {
		if (i == (int)t->view)
			attron(A_REVERSE);
		printw("%d %s", i + 1, view_names[i]);
		attroff(A_REVERSE);
		addstr("  ");
	}
	printw("by %s", sort_names[t->sort]);
	if (*t->filter || t->typing)
		put_format(4, 0, "/%s%s", t->filter, t->typing ? "_" : "");
	attron(A_BOLD);
	put_format(5, 0, "%12s %10s %12s %10s %10s  %s",
		   t->view == FIGURES_GROWTH ? "grown" : "live", "blocks",
		   "growth/s", "rate/s", "temp/s",
		   view_names[t->view == FIGURES_GROWTH ? 0 : t->view]);
	attroff(A_BOLD);
}

static void put_row(int y, const struct tui *t, const struct figures_row *r)
{
	char live[TERM_NUMBER + 1], blocks[TERM_NUMBER];
	char growth[TERM_NUMBER + 1], rate[TERM_NUMBER], temp[TERM_NUMBER];

	if (t->view == FIGURES_GROWTH)
		signed_bytes(live, (double)r->grown);
	else
		term_bytes(live, r->live_bytes, false);
	put_format(y, 0, "%12s %10s %12s %10s %10s  %s", live,
		   term_count(blocks, r->live_blocks),
		   signed_bytes(growth, r->growth),
		   term_count(rate, (uint64_t)(r->rate + 0.5)),
		   term_count(temp, (uint64_t)(r->temporary + 0.5)), r->name);
}

/* Show the rows, from `top` on as far as there is room. */
static void put_rows(struct tui *t)
{
	size_t n, room = LINES > FIRST_ROW + 1 ? (size_t)LINES - FIRST_ROW - 1
					       : 0;
	struct figures_row *rows =
		figures_rows(&t->watch->figures, t->view, t->sort,
			     *t->filter ? t->filter : NULL, &n);

	if (t->top + room > n)
		t->top = n > room ? n - room : 0;
	for (size_t i = 0; i < room && t->top + i < n; i++)
		put_row(FIRST_ROW + (int)i, t, &rows[t->top + i]);
	if (LINES > FIRST_ROW)
		put_format(LINES - 1, 0, "%zu to %zu of %zu   %s",
			   n ? t->top + 1 : 0,
			   t->top + room < n ? t->top + room : n, n,
			   t->watch->follow.ended ? "it has ended; q: quit"
						  : "?: help  q: quit");
	free(rows);
}

static void draw(struct tui *t)
{
	erase();
	put_state(t);
	if (t->helps) {
		for (size_t i = 0; i < sizeof(help) / sizeof(*help); i++)
			put(2 + (int)i, 0, help[i]);
	} else {
		put_totals(t);
		put_tabs(t);
		put_rows(t);
	}
	refresh();
}

/* Take a key of the filter that is being typed. */
static void type(struct tui *t, int key)
{
	size_t n = strlen(t->filter);

	if (key == '\n' || key == KEY_ENTER || key == 27) {
		t->typing = false;
		if (key == 27)
			*t->filter = '\0';
	} else if (key == KEY_BACKSPACE || key == 127 || key == '\b') {
		if (n)
			t->filter[n - 1] = '\0';
	} else if (key >= ' ' && key < 256 && n < MOST_FILTER) {
		t->filter[n] = (char)key;
		t->filter[n + 1] = '\0';
	}
	t->top = 0;
}

/* Move the list by rows. */
static void scroll_by(struct tui *t, int rows)
{
	if (rows < 0 && t->top < (size_t)-rows)
		t->top = 0;
	else
		t->top += (size_t)rows;
}

static void sort_by(struct tui *t, unsigned int sort)
{
	t->sort = (enum figures_sort)(sort % FIGURES_SORTS);
	t->top = 0;
}

static void show_view(struct tui *t, unsigned int view)
{
	t->view = (enum figures_view)(view % FIGURES_VIEWS);
	t->top = 0;
}

static void move_list(struct tui *t, int key)
{
	int page = LINES > FIRST_ROW + 1 ? LINES - FIRST_ROW - 1 : 1;

	if (key == KEY_UP || key == KEY_DOWN)
		scroll_by(t, key == KEY_UP ? -1 : 1);
	else if (key == KEY_PPAGE || key == KEY_NPAGE)
		scroll_by(t, key == KEY_PPAGE ? -page : page);
	else if (key == KEY_HOME)
		t->top = 0;
}

static void press(struct tui *t, int key)
{
	const char *sort = key > 0 && key < 128 ? strchr(sort_keys, key) : NULL;

	if (t->typing)
		type(t, key);
	else if (key == 'q')
		t->quits = true;
	else if (key == '?' || t->helps)
		t->helps = !t->helps;
	else if (key == ' ')
		t->paused = !t->paused;
	else if (key == '/')
		t->typing = true;
	else if (key == 27)
		*t->filter = '\0';
	else if (key == '\t')
		show_view(t, t->view + 1);
	else if (key >= '1' && key < '1' + FIGURES_VIEWS)
		show_view(t, (unsigned int)(key - '1'));
	else if (key == 's')
		sort_by(t, t->sort + 1);
	else if (sort)
		sort_by(t, (unsigned int)(sort - sort_keys));
	else
		move_list(t, key);
}

/* Look and take keys until the user has enough. */
static int loop(struct tui *t, struct error *e)
{
	struct watch *w = t->watch;

	while (!t->quits) {
		bool due =
			!w->figures.looks ||
			(!t->paused && !w->follow.ended && !watch_left_ns(w));
		int key;

		if (due && watch_look(w, true, e))
			return -1;
		if (due)
			draw(t);
		key = getch();
		if (key == ERR)
			continue;
		press(t, key);
		draw(t);
	}
	return 0;
}

int tui_run(struct watch *w, struct error *e)
{
	struct tui t = {.watch = w};
	SCREEN *screen;
	int status;

	setlocale(LC_CTYPE, "");
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return error_set(e, ERROR_NO_OFFSET,
				 "this terminal cannot be used: try --plain, "
				 "or another $TERM");
	cbreak();
	noecho();
	keypad(stdscr, true);
	set_escdelay(50);
	curs_set(0);
	timeout(TICK_MS);
	status = loop(&t, e);
	endwin();
	delscreen(screen);
	return status;
}
