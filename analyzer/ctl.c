/* SPDX-License-Identifier: MIT */
/* Telling a running program what to do; see ctl.h. */
#include "ctl.h"

#include <stdlib.h>
#include <string.h>

#include "mailbox.h"

/* What can be told; the words are those of the command's arguments. */
static const struct verb {
	const char *name;
	enum mt_command command;
	bool has_text;
} verbs[] = {
	{"start", MT_COMMAND_START, false},
	{"stop", MT_COMMAND_STOP, false},
	{"mark", MT_COMMAND_MARK, true},
	{"leaks", MT_COMMAND_SCAN, false},
	{"snapshot", MT_COMMAND_SNAPSHOT, false},
};

#define VERBS (sizeof(verbs) / sizeof(*verbs))

/* Find what is meant; ends the program over what is not there. */
static const struct verb *find_verb(const char *word)
{
	const char *names[VERBS + 1] = {0};

	for (size_t i = 0; i < VERBS; i++) {
		if (strcmp(verbs[i].name, word) == 0)
			return &verbs[i];
		names[i] = verbs[i].name;
	}
	options_usage("ctl does start, stop, mark, leaks or snapshot, not",
		      word, util_nearest(word, names));
}

/* Read a process id; ends the program over what is none. */
static uint32_t read_pid(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end || *text == '-' || !n || n > INT32_MAX)
		options_usage("ctl takes a process id, not", text, NULL);
	return (uint32_t)n;
}

/* Say what is wrong with a process. */
static void complain(int64_t pid, const struct error *e)
{
	fprintf(stderr, "memtrace-report: process %lld: ", (long long)pid);
	term_put_text(stderr, e->text);
	fputc('\n', stderr);
}

int ctl_run(const struct options *o, int argc, char **argv)
{
	const struct verb *verb;
	struct error e = {0};
	char *trace = NULL;
	int32_t result;
	uint32_t pid;
	int status;

	if (argc < 2)
		options_usage("ctl takes PID and what to do, not",
			      argc ? argv[0] : "nothing", NULL);
	pid = read_pid(argv[0]);
	verb = find_verb(argv[1]);
	if (argc != 2 + verb->has_text)
		options_usage(verb->has_text ? "ctl mark takes one name, not"
					     : "nothing follows",
			      argc > 2 ? argv[2] : argv[1], NULL);
	status = verb->command == MT_COMMAND_SCAN
			 ? mailbox_scan(pid, o->timeout_ns, &result, &trace, &e)
			 : mailbox_ask(pid, verb->command,
				       verb->has_text ? argv[2] : "",
				       o->timeout_ns, &result, NULL, &e);
	if (status) {
		complain(pid, &e);
	} else if (trace) {
		printf("scan %d of ", result);
		term_put_text(stdout, trace);
		putchar('\n');
	}
	free(trace);
	return status != 0;
}

char *ctl_scan_now(struct options *o)
{
	struct error e = {0};
	char *trace = NULL;
	int32_t number;

	if (mailbox_scan((uint32_t)o->pid, o->timeout_ns, &number, &trace,
			 &e)) {
		complain(o->pid, &e);
		return NULL;
	}
	o->scan = number;
	return trace;
}
