/* SPDX-License-Identifier: MIT */
/* How far a profile is to be trusted; see trust.h. */
#include "trust.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "term.h"

struct trust {
	const struct profile *profile;
	trust_hear *line;
	void *context;
};

static void say(struct trust *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Say a line. */
static void say(struct trust *s, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) >= 0) {
		s->line(s->context, text);
		free(text);
	}
	va_end(args);
}

/* Say how it ended, when not of itself. */
static void say_end(struct trust *s)
{
	const struct trace *t = s->profile->trace;

	if (t->state == TRACE_RUNNING)
		say(s, "the program is still running");
	else if (t->state == TRACE_KILLED)
		say(s, "the program was killed: what was live then "
		       "counts as live at the end");
	else if (t->end == MT_END_SIGNAL)
		say(s, "the program died of signal %u (%s)", t->signal,
		    t->signal && t->signal < NSIG ? strsignal((int)t->signal)
						  : "unknown");
	else if (t->end == MT_END_EXEC)
		say(s, "the process became another program by exec");
	else if (t->end == MT_END_UNDERSCORE_EXIT)
		say(s, "the program ended by _exit: what it still "
		       "would have freed counts as live at the end");
	if (t->live_missing)
		say(s,
		    "%s.live is not there: the last events of each "
		    "thread are missing",
		    util_basename(t->path));
	if (t->truncated)
		say(s, "the file is cut short");
}

/* Say how many of something there are, unless none. */
static void say_count(struct trust *s, uint64_t n, const char *one,
		      const char *several)
{
	char text[TERM_NUMBER];

	if (n)
		say(s, "%s %s", term_count(text, n), n == 1 ? one : several);
}

/* Say what of the recording was given up or is damaged. */
static void say_losses(struct trust *s)
{
	const struct trace *t = s->profile->trace;

	say_count(s, t->lost.events, "event was lost while recording",
		  "events were lost while recording");
	say_count(s, t->lost.stacks, "event has no stack",
		  "events have no stack");
	say_count(s, t->lost.cut, "stack was cut at its outer end",
		  "stacks were cut at their outer end");
	say_count(s, t->missing, "event can't be read", "events can't be read");
	if (error_is_set(&t->damage))
		say(s, "the trace is damaged: %s", t->damage.text);
	for (size_t i = 0; i < t->problem_count; i++)
		say(s, "%s", t->problems[i].text);
}

/* Say what in the events does not fit together. */
static void say_anomalies(struct trust *s)
{
	const struct prof *p = s->profile->prof;
	const struct replay_anomalies *a = &p->anomalies;

	say_count(s, a->lost_frees,
		  "free was not seen: its block's address was given again",
		  "frees were not seen: their blocks' addresses were given "
		  "again");
	say_count(s, a->unknown_frees,
		  "free was of a block that was not seen allocated",
		  "frees were of blocks that were not seen allocated");
	say_count(s, a->unknown_kinds, "event is of unknown kind",
		  "events are of unknown kind");
	say_count(s, p->unknown_stacks, "event is of unknown stack",
		  "events are of unknown stack");
}

void trust_tell(const struct profile *p, trust_hear *line, void *context)
{
	struct trust s = {p, line, context};

	if (p->trace) {
		say_end(&s);
		say_losses(&s);
		say_anomalies(&s);
	}
	for (size_t i = 0; i < p->note_count; i++)
		say(&s, "%s", p->notes[i]);
}
