/* SPDX-License-Identifier: MIT */
/*
 * The verdict on what a program left; see checked.h.
 *
 * memtrace-report runs as a program of its own, which may fail: whatever it
 * does that is not a verdict counts as none, never as a clean one. What it
 * prints is held back until it is known to be worth the reader's time.
 */
#include "checked.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "child.h"
#include "lsanopts.h"
#include "program.h"
#include "util.h"

/* A command line. */
struct words {
	char **at;
	size_t count, room;
};

/* Append a word, which is freed with the others. */
static void add(struct words *w, char *word)
{
	w->at = util_grow(w->at, w->count, &w->room, sizeof(*w->at));
	w->at[w->count++] = word;
}

static void free_words(struct words *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->at[i]);
	free(w->at);
}

/* Append the options of --check=, which has commas between them. */
static void add_options(struct words *w, const char *options)
{
	while (*options) {
		size_t n = strcspn(options, ",");

		if (n)
			add(w, util_format("--%.*s", (int)n, options));
		options += n;
		options += *options == ',';
	}
}

/* Put the command line of `memtrace-report check` together. */
static void put_command(struct words *w, const struct checked_case *c,
			const struct lsanopts *lsan)
{
	add(w, util_copy(c->report, strlen(c->report)));
	add(w, util_copy("check", 5));
	add_options(w, c->options);
	if (lsan->suppressions)
		add(w, util_format("--suppressions=%s", lsan->suppressions));
	if (lsan->log_path)
		add(w,
		    util_format("--lsan=%s.%d", lsan->log_path, (int)c->pid));
	add(w, util_copy("--", 2));
	for (size_t i = 0; i < c->family->count; i++) {
		const char *path = c->family->at[i].path;

		add(w, util_copy(path, strlen(path)));
	}
	add(w, NULL);
}

/* Print what the report printed, and why it gave no verdict. */
static void explain(const struct checked_case *c, int fd, int status)
{
	int error = errno;

	child_show(fd);
	if (status < 0)
		fprintf(stderr, "memtrace: not judged: %s: %s\n", c->report,
			strerror(error));
	else if (status != CHECKED_BREACH && status != CHECKED_VACUOUS)
		fprintf(stderr, "memtrace: not judged: %s ended with %d\n",
			c->report, status);
}

/* Let the report judge; return 0 or what an exit status should be. */
static int judge(const struct checked_case *c, const struct lsanopts *lsan,
		 bool *said)
{
	struct words w = {0};
	int fd = memfd_create("check", MFD_CLOEXEC), status;

	put_command(&w, c, lsan);
	status = child_run((const char **)w.at, fd);
	/* A program that failed need not have come to what is judged. */
	*said = status == CHECKED_BREACH || (status && !c->status);
	if (*said)
		explain(c, fd, status);
	free_words(&w);
	close(fd);
	if (status == CHECKED_BREACH && lsan->exitcode >= 0)
		return lsan->exitcode;
	if (status == 2)
		return PROGRAM_REFUSED;
	return status && status != CHECKED_BREACH ? CHECKED_VACUOUS : status;
}

/* Tell whether the program itself is among what was recorded. */
static bool is_recorded(const struct checked_case *c)
{
	for (size_t i = 0; i < c->family->count; i++)
		if (c->family->at[i].pid == (uint32_t)c->pid)
			return true;
	return false;
}

int checked_judge(const struct checked_case *c, bool *said)
{
	struct lsanopts lsan;
	int verdict = CHECKED_VACUOUS;

	if (is_recorded(c)) {
		lsanopts_parse(&lsan, getenv("LSAN_OPTIONS"));
		verdict = judge(c, &lsan, said);
		lsanopts_free(&lsan);
	} else {
		*said = !c->status;
		if (*said)
			fprintf(stderr, "memtrace: not judged: the program "
					"left no trace\n");
	}
	return c->status ? c->status : verdict;
}
