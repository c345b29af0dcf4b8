/* SPDX-License-Identifier: MIT */
/* The command line; see options.h. */
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "moments.h"
#include "units.h"

#define EXIT_USAGE 2

/* How many names a list of words can have. */
#define MAX_WORDS 64

/* So long is waited for a running program. */
#define TIMEOUT_NS 5000000000u

/* Between two looks at one that is watched. */
#define INTERVAL_NS 1000000000u

/* More rows than any table has. */
#define ALL_ROWS 1000000000u

_Noreturn void options_usage(const char *what, const char *word,
			     const char *nearest)
{
	fprintf(stderr, "memtrace-report: %s '", what);
	term_put_text(stderr, word);
	fputc('\'', stderr);
	if (nearest)
		fprintf(stderr, ", did you mean '%s'?", nearest);
	fputs("\nmemtrace-report: see memtrace-report --help\n", stderr);
	exit(EXIT_USAGE);
}

/* Split words at blanks into a list that ends with NULL; free the text. */
static char *split(const char *text, const char *words[MAX_WORDS])
{
	char *copy = util_copy(text, strlen(text)), *save;
	size_t n = 0;

	for (char *w = strtok_r(copy, " ", &save); w && n < MAX_WORDS - 1;
	     w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	words[n] = NULL;
	return copy;
}

/* Return the place of a word among an option's; ends the program if none. */
static unsigned int choose(enum option_id id, const char *text)
{
	const char *words[MAX_WORDS];
	const char *nearest;
	char *what;
	char *copy = split(option_infos[id].words, words);

	for (unsigned int i = 0; words[i]; i++)
		if (strcmp(words[i], text) == 0) {
			free(copy);
			return i;
		}
	nearest = util_nearest(text, words);
	what = util_format("--%s takes %s, not", option_infos[id].name,
			   option_infos[id].help);
	options_usage(what, text, nearest);
}

/* Read a number of rows; 0 is all. */
static unsigned int read_rows(const char *text)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || n > ALL_ROWS)
		options_usage("-n takes a number, not", text, NULL);
	return n ? (unsigned int)n : ALL_ROWS;
}

/* Read a time. */
static uint64_t read_time(enum option_id id, const char *text)
{
	uint64_t ns;
	char *what;

	if (units_time(text, &ns))
		return ns;
	what = util_format("--%s takes a time like 12.3s or 200ms, not",
			   option_infos[id].name);
	options_usage(what, text, NULL);
}

/* Read the argument of --at. */
static void read_at(struct options *o, const char *text)
{
	o->at_time = o->at_moment = NULL;
	if (units_time(text, &o->at_ns)) {
		o->at = OPTIONS_AT_TIME;
		o->at_time = text;
	} else if (moments_is_name(text)) {
		o->at = OPTIONS_AT_TIME;
		o->at_time = o->at_moment = text;
	} else {
		o->at = OPTIONS_AT_PEAK + choose(OPT_AT, text);
	}
}

/* Read a number, or bytes. */
static uint64_t read_number(enum option_id id, const char *text, bool bytes)
{
	uint64_t n;
	char *end, *what;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (bytes ? units_bytes(text, &n)
		  : !errno && end != text && !*end && *text != '-')
		return n;
	what = util_format("--%s takes %s, not", option_infos[id].name,
			   bytes ? "a size like 512 or 64K" : "a number");
	options_usage(what, text, NULL);
}

/* Read a number that an int holds. */
static int64_t read_small(enum option_id id, const char *text)
{
	uint64_t n = read_number(id, text, false);

	return n < INT32_MAX ? (int64_t)n : INT32_MAX;
}

/* Append a text to those that an option was given. */
static void add_word(struct gate_words *words, const char *text)
{
	words->at = util_grow(words->at, words->count, &words->room,
			      sizeof(*words->at));
	words->at[words->count++] = text;
}

/* Take an option of the gate; tell whether it is one. */
static bool take_gate(struct gate_options *g, enum option_id id,
		      const char *text)
{
	/* In the order of the option's words; each with those before it. */
	static const unsigned int kinds[] = {
		1u << LEAK_DEFINITE,
		1u << LEAK_DEFINITE | 1u << LEAK_POSSIBLE,
		1u << LEAK_DEFINITE | 1u << LEAK_POSSIBLE | 1u << LEAK_HELD,
		0,
	};
	uint64_t *numbers[OPTION_INFOS] = {
		[OPT_MAX_LEAK_BYTES] = &g->leak_bytes,
		[OPT_MAX_LEAK_BLOCKS] = &g->leak_blocks,
		[OPT_MAX_PEAK] = &g->peak_bytes,
		[OPT_MAX_ALLOCS] = &g->allocations,
		[OPT_MAX_TEMPORARY] = &g->temporary,
		[OPT_MAX_BAD_FREES] = &g->bad_frees,
		[OPT_EXPECT_PROCESSES] = &g->processes,
	};
	struct gate_words *words[OPTION_INFOS] = {
		[OPT_ALLOW_UNCHECKED] = &g->unchecked,
		[OPT_ONLY_FROM] = &g->only_from,
		[OPT_SUPPRESSIONS] = &g->suppressions,
	};

	if (id == OPT_BASELINE || id == OPT_UPDATE_BASELINE) {
		if (g->baseline)
			options_usage("one baseline is enough, not", text,
				      NULL);
		g->baseline = text;
		g->renews = id == OPT_UPDATE_BASELINE;
	} else if (id == OPT_LEAKS)
		g->kinds = kinds[choose(id, text)];
	else if (numbers[id])
		*numbers[id] = read_number(id, text,
					   strcmp(option_infos[id].argument,
						  "SIZE") == 0);
	else if (words[id])
		add_word(words[id], text);
	else
		return false;
	return true;
}

/* Take an option whose argument is a text, or that has none. */
static void take_plain(struct options *o, enum option_id id, const char *text)
{
	const char **texts[OPTION_INFOS] = {
		[OPT_OUTPUT] = &o->output,   [OPT_THREAD] = &o->thread,
		[OPT_SIZE] = &o->size,	     [OPT_LIFETIME] = &o->lifetime,
		[OPT_FOCUS] = &o->focus,     [OPT_IGNORE] = &o->ignore,
		[OPT_HIDE] = &o->hide,	     [OPT_WHERE] = &o->where,
		[OPT_SYSROOT] = &o->sysroot, [OPT_DEBUG_PATH] = &o->debug_path,
		[OPT_FORMAT] = &o->format,   [OPT_JUNIT] = &o->junit,
		[OPT_SARIF] = &o->sarif,     [OPT_GEN_SUPPRESSIONS] = &o->supp,
		[OPT_LSAN] = &o->lsan,	     [OPT_LISTEN] = &o->listen,
		[OPT_URL] = &o->url,	     [OPT_NAME] = &o->name,
	};
	bool *flags[OPTION_INFOS] = {
		[OPT_CUMULATIVE] = &o->cumulative,
		[OPT_CALLEES] = &o->callees,
		[OPT_TOTAL] = &o->total,
		[OPT_QUICK] = &o->quick,
		[OPT_NORMALIZE] = &o->normalize,
		[OPT_NO_STACK] = &o->no_stack,
		[OPT_TREE] = &o->tree,
		[OPT_PLAIN] = &o->plain,
		[OPT_STACKS] = &o->stacks,
		[OPT_JSON] = &o->json,
		[OPT_CSV] = &o->csv,
		[OPT_EXACT] = &o->exact,
		[OPT_GITHUB] = &o->github,
		[OPT_TAP] = &o->tap,
		[OPT_STRICT_BASELINE] = &o->gate.strict,
	};

	if (texts[id])
		*texts[id] = text;
	else
		*flags[id] = true;
}

/* Take an option that was found on the command line. */
static void take(struct options *o, enum option_id id, const char *text)
{
	/* In the order of the option's words. */
	static const enum term_colour colours[] = {TERM_ALWAYS, TERM_NEVER,
						   TERM_AUTO};
	uint64_t min, max;

	switch (id) {
	case OPT_ROWS:
		o->rows = read_rows(text);
		break;
	case OPT_AT:
		read_at(o, text);
		break;
	case OPT_BY:
		o->by = (enum group_by)choose(id, text);
		o->by_said = true;
		break;
	case OPT_SORT:
		o->blocks = choose(id, text);
		break;
	case OPT_FROM:
		o->from_ns = read_time(id, text);
		o->from = text;
		break;
	case OPT_TO:
		o->to_ns = read_time(id, text);
		o->to = text;
		break;
	case OPT_COLOUR:
		o->colour = colours[text ? choose(id, text) : 0];
		break;
	case OPT_KIND:
		choose(id, text);
		o->kind = text;
		break;
	case OPT_SCAN:
		o->scan = read_small(id, text);
		break;
	case OPT_NOW:
		o->pid = read_small(id, text);
		break;
	case OPT_TIMEOUT:
		o->timeout_ns = read_time(id, text);
		break;
	case OPT_COUNT:
		o->count = (uint64_t)read_small(id, text);
		break;
	case OPT_INTERVAL:
		o->interval_ns = read_time(id, text);
		if (!o->interval_ns)
			options_usage("--interval takes some time, not", text,
				      NULL);
		break;
	case OPT_EVERY:
		o->every_ns = read_time(id, text);
		if (!o->every_ns)
			options_usage("--every takes a time like 10s, not",
				      text, NULL);
		break;
	case OPT_FORMAT:
		choose(id, text);
		o->format = text;
		break;
	case OPT_SIZE:
		if (!units_range(text, units_bytes, &min, &max))
			options_usage("--size takes MIN:MAX in bytes, not",
				      text, NULL);
		o->size = text;
		break;
	case OPT_LIFETIME:
		if (!units_range(text, units_time, &min, &max))
			options_usage("--lifetime takes MIN:MAX in time, not",
				      text, NULL);
		o->lifetime = text;
		break;
	default:
		if (!take_gate(&o->gate, id, text))
			take_plain(o, id, text);
		break;
	}
}

/* Tell whether a command has an option of its own. */
static bool has_own(const struct options_command *c, const char *name)
{
	char *word = util_format(" %s ", name);
	bool has = strstr(c->options, word);

	free(word);
	return has;
}

/* Tell whether an option is for a command. */
static bool is_for(const struct options_command *c, size_t id)
{
	return !option_infos[id].own || has_own(c, option_infos[id].name);
}

const struct options_info *options_next(const struct options_command *c,
					const struct options_info *i)
{
	size_t id = i ? (size_t)(i - option_infos) + 1 : 0;

	while (id < OPTION_INFOS && c && !is_for(c, id))
		id++;
	return id < OPTION_INFOS ? &option_infos[id] : NULL;
}

/* ---- Help. ---- */

static const char examples[] =
	"memtrace-report - where the memory of a recorded program went\n"
	"\n"
	"  memtrace-report memtrace.app.4711.zst          one screen\n"
	"  memtrace-report top --at peak -n 30 TRACE      live at the peak\n"
	"  memtrace-report --json TRACE | jq .peak.bytes  for scripts\n"
	"\n"
	"usage: memtrace-report [COMMAND] [OPTIONS] TRACE...\n"
	"\n";

/* Print a line of two columns. */
static void help_line(const char *left, const char *right)
{
	printf("  %-24s %s\n", left, right);
}

/* Print the help on all. */
static void help_all(void)
{
	fputs(examples, stdout);
	for (const struct options_command *c = options_commands; c->help; c++) {
		char *left = util_format("%s%s%s", c->name ? c->name : "",
					 c->name ? " " : "", c->arguments);

		help_line(left, c->help);
		free(left);
	}
	puts("\nmemtrace-report COMMAND --help has a command's options.\n"
	     "Exit status: 0 done, 1 unreadable input or failed output, "
	     "2 usage;\nof check: 3 breached, 4 nothing to judge by.");
}

/* Print the help on one option. */
static void help_option(const struct options_info *i)
{
	char *argument = !i->argument ? util_copy("", 0)
			 : *i->argument == '['
				 ? util_format("[=%s", i->argument + 1)
				 : util_format(" %s", i->argument);
	char *left = i->letter ? util_format("-%c, --%s%s", i->letter, i->name,
					     argument)
			       : util_format("    --%s%s", i->name, argument);

	help_line(left, i->help);
	free(left);
	free(argument);
}

/* Print the help on a command. */
static void help_command(const struct options_command *c)
{
	printf("memtrace-report %s - %s\n\nusage: memtrace-report %s "
	       "[OPTIONS] %s\n\n",
	       c->name, c->help, c->name, c->arguments);
	for (int own = 1; own >= 0; own--)
		for (size_t id = 0; id < OPTION_INFOS; id++)
			if (option_infos[id].own == own && is_for(c, id))
				help_option(&option_infos[id]);
}

/* ---- Parsing. ---- */

/* Return the option of a long name of `n` characters; OPTION_INFOS: none. */
static size_t find_long(const char *name, size_t n)
{
	for (size_t id = 0; id < OPTION_INFOS; id++)
		if (strlen(option_infos[id].name) == n &&
		    memcmp(option_infos[id].name, name, n) == 0)
			return id;
	if (n == 6 && memcmp(name, "colour", n) == 0)
		return OPT_COLOUR;
	return OPTION_INFOS;
}

/* End the program over an option that does not exist. */
static _Noreturn void unknown_option(const struct options_command *c,
				     const char *word)
{
	const char *names[OPTION_INFOS + 1];
	char *name = util_copy(word, strcspn(word, "="));
	size_t n = 0;

	for (size_t id = 0; id < OPTION_INFOS; id++)
		if (is_for(c, id))
			names[n++] = util_format("--%s", option_infos[id].name);
	names[n] = NULL;
	options_usage("unknown option", name, util_nearest(name, names));
}

/* Find which option a word is; `*text` is its argument if it has it in it. */
static size_t find_option(const struct options_command *c, char *word,
			  const char **text)
{
	char *equals = strchr(word, '=');
	size_t id;

	*text = NULL;
	if (word[1] == '-') {
		size_t n =
			equals ? (size_t)(equals - word) - 2 : strlen(word) - 2;

		id = find_long(word + 2, n);
		*text = equals ? equals + 1 : NULL;
	} else {
		for (id = 0;
		     id < OPTION_INFOS && option_infos[id].letter != word[1];
		     id++)
			;
		*text = word[2] ? word + 2 : NULL;
	}
	if (id == OPTION_INFOS)
		unknown_option(c, word);
	return id;
}

/* Take the option at argv[i]; returns the place after it. */
static int take_word(const struct options_command *c, struct options *o,
		     char **argv, int i, int argc)
{
	const char *text;
	size_t id = find_option(c, argv[i], &text);
	const struct options_info *info = &option_infos[id];

	if (!is_for(c, id)) {
		char *what = util_format("%s%s has no option",
					 c->name ? "" : "the summary",
					 c->name ? c->name : "");

		options_usage(what, argv[i], NULL);
	}
	if (!info->argument && text)
		options_usage("no value is taken by option", argv[i], NULL);
	if (info->argument && *info->argument != '[' && !text) {
		if (i + 1 == argc)
			options_usage("no value for option", argv[i], NULL);
		text = argv[++i];
	}
	take(o, (enum option_id)id, text);
	return i + 1;
}

/* Find a command by its name, or say that it is none. */
static const struct options_command *find_command(const char *word)
{
	const char *names[MAX_WORDS];
	const struct options_command *c = options_commands + 1;
	size_t n = 0;

	for (; c->help && n < MAX_WORDS - 1; c++) {
		if (strcmp(c->name, word) == 0)
			return c;
		names[n++] = c->name;
	}
	names[n] = NULL;
	/* A trace is a file; a mistyped command is near to one. */
	if (access(word, F_OK) && !strpbrk(word, "/.") && *word != '-' &&
	    util_nearest(word, names))
		options_usage("unknown command", word,
			      util_nearest(word, names));
	return options_commands;
}

/* Do what --help or --version ask for; tell whether one was there. */
static bool informed(const struct options_command *c, int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0) {
			if (c->name)
				help_command(c);
			else
				help_all();
			return true;
		}
		if (strcmp(argv[i], "--version") == 0) {
			puts("memtrace-report " OPTIONS_VERSION);
			return true;
		}
	}
	return false;
}

/* Move the options of argv before its other arguments, as getopt does; take
 * them, and return the place of the first other one. */
static int take_all(const struct options_command *c, struct options *o,
		    int argc, char **argv, int first)
{
	char **others = util_alloc((size_t)argc + 1, sizeof(*others));
	int count = 0, i = first;

	while (i < argc) {
		if (strcmp(argv[i], "--") == 0) {
			for (i++; i < argc; i++)
				others[count++] = argv[i];
		} else if (argv[i][0] == '-' && argv[i][1]) {
			i = take_word(c, o, argv, i, argc);
		} else {
			others[count++] = argv[i++];
		}
	}
	memcpy(argv + argc - count, others, (size_t)count * sizeof(*others));
	free(others);
	return argc - count;
}

const struct options_command *options_parse(int argc, char **argv,
					    struct options *o, int *first)
{
	const struct options_command *c =
		argc > 1 ? find_command(argv[1]) : options_commands;

	*o = (struct options){
		.to_ns = UINT64_MAX,
		.scan = -1,
		.timeout_ns = TIMEOUT_NS,
		.interval_ns = INTERVAL_NS,
		.gate = gate_defaults,
	};
	*first = 0;
	if (informed(c, argc, argv))
		return c;
	*first = take_all(c, o, argc, argv, c->name ? 2 : 1);
	if (o->json && o->csv)
		options_usage("--json does not go with", "--csv", NULL);
	if (o->tap && (o->json || o->github))
		options_usage("--tap does not go with",
			      o->json ? "--json" : "--github", NULL);
	if (o->json && o->github)
		options_usage("--json does not go with", "--github", NULL);
	if (o->gate.strict && (!o->gate.baseline || o->gate.renews))
		options_usage("there is no --baseline for", "--strict-baseline",
			      NULL);
	if (o->to_ns < o->from_ns)
		options_usage("nothing is before --to and after", "--from",
			      NULL);
	return c;
}

void options_free(struct options *o)
{
	free(o->gate.only_from.at);
	free(o->gate.unchecked.at);
	free(o->gate.suppressions.at);
}
