/* SPDX-License-Identifier: MIT */
/* The tables of options and of commands: what each is called and takes. */
#ifndef ANALYZER_OPTIONTAB_H
#define ANALYZER_OPTIONTAB_H

#include <stdbool.h>

/* A command, and its options beyond those that all have. */
struct options_command {
	const char *name;      /* NULL: the summary */
	const char *arguments; /* as the help has them */
	const char *help;
	const char *options; /* long names, each with a blank around it */
};

/* An option; `words` are those it takes, where they can be listed. */
struct options_info {
	const char *name;
	char letter;		  /* 0: none */
	bool own;		  /* for the commands that name it only */
	const char *argument;	  /* "[" before it: may be left out; or NULL */
	const char *help, *words; /* a blank between two; may be NULL */
};

/* Ends with an all NULL one. */
extern const struct options_command options_commands[];

enum option_id {
	OPT_ROWS,
	OPT_AT,
	OPT_BY,
	OPT_SORT,
	OPT_CUMULATIVE,
	OPT_CALLEES,
	OPT_TOTAL,
	OPT_QUICK,
	OPT_NORMALIZE,
	OPT_NO_STACK,
	OPT_KIND,
	OPT_TREE,
	OPT_STACKS,
	OPT_LEAKS,
	OPT_MAX_LEAK_BYTES,
	OPT_MAX_LEAK_BLOCKS,
	OPT_MAX_PEAK,
	OPT_MAX_ALLOCS,
	OPT_MAX_TEMPORARY,
	OPT_MAX_BAD_FREES,
	OPT_EXPECT_PROCESSES,
	OPT_ALLOW_UNCHECKED,
	OPT_ONLY_FROM,
	OPT_SUPPRESSIONS,
	OPT_GEN_SUPPRESSIONS,
	OPT_BASELINE,
	OPT_UPDATE_BASELINE,
	OPT_STRICT_BASELINE,
	OPT_JUNIT,
	OPT_SARIF,
	OPT_GITHUB,
	OPT_TAP,
	OPT_LSAN,
	OPT_SCAN,
	OPT_NOW,
	OPT_TIMEOUT,
	OPT_PLAIN,
	OPT_COUNT,
	OPT_INTERVAL,
	OPT_LISTEN,
	OPT_URL,
	OPT_NAME,
	OPT_EVERY,
	OPT_FORMAT,
	OPT_OUTPUT,
	OPT_FROM,
	OPT_TO,
	OPT_THREAD,
	OPT_SIZE,
	OPT_LIFETIME,
	OPT_FOCUS,
	OPT_IGNORE,
	OPT_HIDE,
	OPT_WHERE,
	OPT_JSON,
	OPT_CSV,
	OPT_EXACT,
	OPT_COLOUR,
	OPT_SYSROOT,
	OPT_DEBUG_PATH,
	OPT_HELP,
	OPT_VERSION,
	OPTION_INFOS
};

extern const struct options_info option_infos[OPTION_INFOS];

#endif
