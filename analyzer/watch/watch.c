/* SPDX-License-Identifier: MIT */
/* The command live; see watch.h. */
#include "watch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "input.h"
#include "mailbox.h"

/* A look may take one part of this many of the time. */
#define SHARE 5

/* But no look is put off for more than so many intervals. */
#define RAREST 10

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

int watch_look(struct watch *w, bool names, struct error *e)
{
	uint64_t start = clock_ns(CLOCK_PROCESS_CPUTIME_ID), work;
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	if (w->figures.looks && follow_on(&w->follow, NULL, e))
		return -1;
	figures_look(&w->figures, &w->follow, names ? &w->sym : NULL);
	work = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - start;
	w->pause_ns = work * SHARE;
	/* What is put off is more by then: that must have an end. */
	if (w->pause_ns > w->interval_ns * RAREST)
		w->pause_ns = w->interval_ns * RAREST;
	/* The first look names everything, which need not be done again. */
	if (w->pause_ns < w->interval_ns || w->figures.looks == 1)
		w->pause_ns = w->interval_ns;
	w->next_ns = now + w->pause_ns;
	return 0;
}

uint64_t watch_left_ns(const struct watch *w)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	return w->next_ns > now ? w->next_ns - now : 0;
}

/* Return the trace in this directory that is being recorded, if it is one. */
static char *find_running(struct error *e)
{
	char dot[] = ".", *here = dot, *found = NULL;
	struct input_path *list;
	const char *path;
	size_t count = input_list(&here, 1, &list, &path, e);

	for (size_t i = 0; i < count; i++) {
		char *live = util_format("%s.live", list[i].path);

		if (access(live, F_OK) == 0 && !found) {
			found = util_copy(list[i].path, strlen(list[i].path));
		} else if (access(live, F_OK) == 0) {
			error_set(e, ERROR_NO_OFFSET,
				  "several are recorded here: name one");
		}
		free(live);
		free(list[i].path);
	}
	free(list);
	if (!count)
		*e = (struct error){0};
	if (error_is_set(e)) {
		free(found);
		return NULL;
	}
	if (!found)
		error_set(e, ERROR_NO_OFFSET,
			  "nothing is recorded here: name a process or a "
			  "trace");
	return found;
}

/* Return the path of what an argument means; NULL with `e` filled. */
static char *find_trace(const char *argument, struct error *e)
{
	size_t digits = argument ? strspn(argument, "0123456789") : 0;

	if (!argument)
		return find_running(e);
	if (digits && !argument[digits] && access(argument, F_OK) != 0)
		return mailbox_trace((uint32_t)strtoul(argument, NULL, 10), e);
	return util_copy(argument, strlen(argument));
}

/* Watch a trace; the exit status, or -1 with `e` filled. */
static int watch(struct watch *w, const char *path, struct error *e)
{
	const struct options *o = w->options;
	static const struct follow_options all;
	int status = follow_open(&w->follow, path, &all, term_bar, e);

	term_bar_clear();
	if (!status)
		status = o->plain ? plain_run(w, e) : tui_run(w, e);
	follow_close(&w->follow);
	figures_free(&w->figures);
	return status;
}

int watch_run(const struct options *o, int argc, char **argv)
{
	struct watch w = {
		.options = o,
		.sym = input_sym_options(o),
		.interval_ns = o->interval_ns,
	};
	const char *name = argc ? argv[0] : ".";
	struct error e = {0};
	int status = -1;
	char *path;

	if (argc > 1)
		options_usage("live takes one process or trace, not", argv[1],
			      NULL);
	if (!o->plain && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
		options_usage("live needs a terminal, or --plain: no", "tty",
			      NULL);
	path = find_trace(argc ? argv[0] : NULL, &e);
	if (path)
		status = watch(&w, path, &e);
	if (status < 0) {
		fprintf(stderr, "memtrace-report: ");
		term_put_text(stderr, path ? path : name);
		fputs(": ", stderr);
		term_put_text(stderr, e.text);
		if (e.offset != ERROR_NO_OFFSET)
			fprintf(stderr, " at byte %" PRIu64, e.offset);
		fputc('\n', stderr);
		status = 1;
	}
	free(path);
	return status;
}
