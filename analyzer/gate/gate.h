/* SPDX-License-Identifier: MIT */
/*
 * The gate: a verdict over the traces of a run, be they of one process or of a
 * tree of them. It decides, and prints nothing.
 *
 * Leaks of all processes are gathered by kind and fingerprint. Each rule (no
 * more leaks than..., no higher peak than...) is a case of its own, of one
 * process or of all together, that is passed, breached, or vacuous: there was
 * nothing to judge by, which is no pass. A process that is not judged, as
 * it was killed or its trace is damaged, has a vacuous case.
 *
 * A forked child answers only for what it allocated itself: its trace holds
 * nothing else. A process that became another program by exec is judged by
 * that one's trace, which has to be there.
 */
#ifndef ANALYZER_GATE_H
#define ANALYZER_GATE_H

#include "badfree.h"
#include "baseline.h"
#include "profile.h"
#include "repeats.h"
#include "strpool.h"
#include "suppress.h"

#define GATE_NO_LIMIT UINT64_MAX

/* Texts of the command line. */
struct gate_words {
	const char **at;
	size_t count, room;
};

/* What is asked for; limits are what may be at the most. */
struct gate_options {
	unsigned int kinds; /* of leaks: bits 1 << enum leak_kind */
	uint64_t leak_bytes, leak_blocks;
	uint64_t peak_bytes; /* of any one process */
	uint64_t allocations, temporary;
	uint64_t bad_frees;
	uint64_t processes;		/* at the least; 0: not said */
	struct gate_words only_from;	/* globs; none: all leaks are ours */
	struct gate_words unchecked;	/* globs: programs that need no scan */
	struct gate_words suppressions; /* files */
	const char *baseline;		/* file; NULL: none */
	bool renews;			/* the baseline is what is found */
	bool strict; /* what is gone may not be in the baseline */
};

/* Nothing may be lost. */
extern const struct gate_options gate_defaults;

enum gate_outcome {
	GATE_PASSED,
	GATE_VACUOUS,
	GATE_BREACHED,
};

/* What the gate makes of a leak; the first two count. */
enum gate_state {
	GATE_GROWN,   /* more than in the baseline */
	GATE_NEW,     /* not in the baseline */
	GATE_KNOWN,   /* in the baseline */
	GATE_FOREIGN, /* not ours, by only_from */
	GATE_SHOWN,   /* of a kind that does not count */
	GATE_STATES,
};

extern const char *const gate_state_names[GATE_STATES];

/* A traced process. */
struct gate_process {
	const char *path, *program;
	const char *label; /* the program, and which of several */
	uint32_t pid;
	uint64_t began; /* CLOCK_REALTIME, ns */
	uint64_t duration_ns;
	const char *host;	    /* or NULL */
	bool became_another;	    /* it ended by exec */
	bool excused;		    /* it need not be judged */
	const char *why_not;	    /* NULL: it was judged */
	struct leak_sum leaks;	    /* that count, with what hangs off them */
	struct leak_sum suppressed; /* the same, and possible ones */
	uint64_t peak_bytes, allocations, temporary;
	uint64_t bad_frees;
	bool damaged; /* so nothing was judged */
};

/* A stack, innermost frame first, with texts that the gate keeps. */
struct gate_stack {
	struct frame *at;
	size_t depth; /* 0: there is none */
	size_t site;  /* the place of the frame that it is charged to */
};

/* What of a leak is of one process. */
struct gate_part {
	size_t process;
	struct leak_sum sum;
};

/*
 * Leaks of a kind and a fingerprint. Of the kind LEAK_REACHABLE is what each
 * run of a test left, see repeats.h: it always counts.
 */
struct gate_leak {
	enum leak_kind kind;
	enum gate_state state;
	const char *frames; /* what the fingerprint is of */
	char fingerprint[FINGERPRINT_TEXT];
	unsigned int how; /* enum mt_kind: what allocated the first one */
	struct gate_stack stack; /* of that */
	struct leak_sum sum;	 /* over all processes, with what hangs off */
	struct leak_sum most;	 /* of any one process */
	struct gate_part *parts; /* by process */
	size_t part_count;
	const struct baseline_line *known; /* or NULL */
	struct gate_words tests; /* that left some, by the program's marks */
	uint32_t runs;		 /* reachable: of the first such test */

	/* The rest is gate.c's own. */
	size_t part_room;
};

/* How often a process did something. */
struct gate_times {
	size_t process;
	uint64_t times;
};

/* Bad frees of a kind and the fingerprint of the free's stack. */
struct gate_bad_free {
	enum bad_free_kind kind;
	const char *frames;
	char fingerprint[FINGERPRINT_TEXT];
	struct gate_stack free;	 /* of the first one */
	struct gate_stack alloc; /* of its block */
	struct gate_stack first; /* double: the free before */
	uint64_t times;
	struct gate_times *parts; /* by process */
	size_t part_count;

	/* The rest is gather.c's own. */
	size_t part_room;
};

/* A rule, of a process or of all together. */
struct gate_case {
	size_t process;	  /* place in `processes`, or GATE_ALL */
	const char *rule; /* "leaks", "peak"... */
	enum gate_outcome outcome;
	const char *text; /* what was found */
};

#define GATE_ALL SIZE_MAX

struct gate {
	const struct gate_options *options;
	struct gate_process *processes; /* in the order they were added */
	size_t process_count;
	struct gate_leak *leaks; /* decided: the worst first */
	size_t leak_count;
	struct gate_bad_free *bad_frees; /* decided: by kind, then name */
	size_t bad_free_count;
	uint64_t bad_free_times; /* of all */
	struct gate_case *cases;
	size_t case_count;
	struct leak_sum total;	  /* of the leaks that count */
	struct suppress suppress; /* of the files, and the programs' own */
	struct baseline baseline; /* as read; renewed: as it is to be written */
	enum gate_outcome verdict;

	/* The rest is gate.c's own. */
	size_t process_room, leak_room, bad_free_room, case_room;
	struct map leak_at, bad_free_at; /* by frames and kind */
	char today[16];
	struct strpool texts;
};

/*
 * Begin: read the suppressions and the baseline. `today` is YYYY-MM-DD. 0, or
 * -1 with `e` filled, and the file that it is about in `*path`.
 */
int gate_begin(struct gate *g, const struct gate_options *o, const char *today,
	       const char **path, struct error *e);

/*
 * gather.c: add a process: its trace is opened, looked at and closed. 0, or -1
 * with `e` filled: it can't be read at all.
 */
int gate_add(struct gate *g, const char *path, const struct sym_options *sym,
	     replay_progress *progress, struct error *e);

/* Return a copy of a text that lives as long as the gate; NULL stays NULL. */
const char *gate_keep(struct gate *g, const char *text);

/* Tell whether one of some globs matches a text, which may be NULL. */
bool gate_matches(const struct gate_words *globs, const char *text);

/* Tell whether a leak counts. */
static inline bool gate_counts(const struct gate_leak *leak)
{
	return leak->state <= GATE_NEW;
}

/* Come to a verdict. */
void gate_decide(struct gate *g);

void gate_free(struct gate *g);

#endif
