/* SPDX-License-Identifier: MIT */
/*
 * The command line: one table of commands and one of options, from which come
 * the parser, the help, the nearest right word and the shells' completions.
 */
#ifndef ANALYZER_OPTIONS_H
#define ANALYZER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "gate.h"
#include "group.h"
#include "optiontab.h"
#include "term.h"

#define OPTIONS_VERSION "0.3.0"

/* What a moment or a sum is asked for by --at. */
enum options_at {
	OPTIONS_AT_ALL, /* not said */
	OPTIONS_AT_PEAK,
	OPTIONS_AT_EXIT,
	OPTIONS_AT_TOTAL,     /* all that was allocated */
	OPTIONS_AT_CHURN,     /* all that was allocated and freed again */
	OPTIONS_AT_TEMPORARY, /* freed by the thread before its next */
	OPTIONS_AT_TIME,      /* live at `at_ns`, or `at_moment` */
};

struct options {
	/* Output. */
	bool json, csv, exact, no_stack;
	unsigned int rows; /* 0: not said */
	enum term_colour colour;
	const char *output, *format;
	/* What is looked at. */
	enum options_at at;
	uint64_t at_ns, from_ns, to_ns;	 /* to_ns: UINT64_MAX, not said */
	const char *at_time, *from, *to; /* the same as texts; NULL: not said */
	const char *at_moment;		 /* of moments.h; NULL: not said */
	const char *thread, *size, *lifetime, *where;
	const char *focus, *ignore, *hide; /* regular expressions */
	const char *kind;		   /* of leaks */
	int64_t scan;			   /* its number; -1: the last */
	int64_t pid;	     /* that is to scan now; 0: not said */
	uint64_t timeout_ns; /* of what is asked of a process */
	/* Of a program that is watched. */
	bool plain;
	uint64_t count;	      /* of lines; 0: not said */
	uint64_t interval_ns; /* between looks */
	/* Of serve; of push. */
	const char *listen;
	const char *url, *name;
	uint64_t every_ns; /* 0: once */
	/* How. */
	enum group_by by;
	bool by_said, blocks, cumulative, callees, normalize, total, quick;
	bool tree, stacks;			 /* of leaks */
	struct gate_options gate;		 /* of check */
	const char *junit, *sarif, *lsan, *supp; /* files that it writes */
	bool github, tap;
	/* Where names come from. */
	const char *sysroot, *debug_path;
};

/* Return the option of a command (NULL: of all) after `i` (NULL: the first);
 * NULL when there are no more. */
const struct options_info *options_next(const struct options_command *c,
					const struct options_info *i);

/*
 * Read the command line. Returns the command; `*first` is the place of the
 * first other argument, 0 when all was done (--help). Ends the program, with
 * status 2 and the nearest right word, over what cannot be.
 */
const struct options_command *options_parse(int argc, char **argv,
					    struct options *o, int *first);

/* Free what options_parse() put together. */
void options_free(struct options *o);

/* End the program over a wrong command line; `nearest` may be NULL. */
_Noreturn void options_usage(const char *what, const char *word,
			     const char *nearest);

/* completion.c: write the completion for a shell: bash, zsh or fish. -1: no
 * such shell. */
int options_completion(FILE *out, const char *shell);

#endif
