/* SPDX-License-Identifier: MIT */
/*
 * A heap profile: who was recorded, its stacks, and what each of them
 * allocated. A trace becomes one by replay, another tool's file by import;
 * the views and exporters of stacks see nothing else.
 */
#ifndef ANALYZER_PROFILE_H
#define ANALYZER_PROFILE_H

#include "prof.h"
#include "stacks.h"

/* Bytes are as requested. */
struct profile_totals {
	uint64_t allocations, allocated_bytes;
	uint64_t temporary; /* freed by the thread before it allocated again */
	uint64_t frees;
	uint64_t lifetime_ns; /* of the blocks that were freed, together */
	uint64_t peak_bytes, peak_blocks;    /* live at the peak of all */
	uint64_t exit_bytes, exit_blocks;    /* live at the end */
	struct spread allocated, peak, exit; /* of estimates */
};

/* What a stack allocated; in threads or sizes apart where asked for. */
struct profile_row {
	uint32_t node;	 /* of stacks */
	uint32_t thread; /* place in `threads`, with PROF_BY_THREAD */
	uint64_t size;	 /* bytes, with PROF_BY_SIZE */
	struct profile_totals totals;
};

struct profile_thread {
	uint32_t index, tid;
	const char *name; /* may be NULL */
};

/* Which totals the source knows; the others are 0 and are not to be shown. */
#define PROFILE_HAS_ALLOCATED 1u /* allocations and allocated_bytes */
#define PROFILE_HAS_PEAK 2u
#define PROFILE_HAS_EXIT 4u
#define PROFILE_HAS_TEMPORARY 8u
#define PROFILE_HAS_FREES 16u  /* frees and lifetime_ns */
#define PROFILE_HAS_TIME 32u   /* duration and the time of the peak */
#define PROFILE_HAS_BLOCKS 64u /* live ones were counted, too */
#define PROFILE_HAS_ALL 127u

struct profile {
	const char *path;   /* of the file */
	const char *source; /* its format: "memtrace", "heaptrack"... */
	unsigned int has;
	unsigned int keys; /* PROF_BY_... */

	const char *program; /* its name, never NULL */
	const char *command; /* arguments, a NUL behind each; may be NULL */
	size_t command_bytes;
	const char *host; /* may be NULL */
	uint32_t pid;
	uint64_t real_ns; /* CLOCK_REALTIME at the start, or 0 */
	uint64_t duration_ns, peak_ns;

	struct stacks stacks;
	struct profile_row *rows;
	size_t row_count;
	struct profile_totals totals;
	struct profile_thread *threads;
	size_t thread_count;

	/* Of a memtrace trace; else NULL. */
	struct trace *trace;
	struct prof *prof;

	uint64_t rate_bytes; /* it is sampled, one in so many; 0: it is not */

	/* What an import could not know, for people; a line each. */
	char **notes;
	size_t note_count;

	/* The rest is profile.c's own. */
	struct strpool *texts;
	size_t row_room, thread_room, note_room;
};

/*
 * Profile a trace, which must outlive it. `progress` may be NULL. In one step;
 * or in two, between which frames can be hidden and stacks looked at.
 */
void profile_of_trace(struct profile *p, struct trace *t,
		      const struct prof_options *o,
		      const struct sym_options *sym, replay_progress *progress);
void profile_open_trace(struct profile *p, struct trace *t,
			const struct sym_options *sym);
void profile_replay(struct profile *p, const struct prof_options *o,
		    replay_progress *progress);

/* The second step for sums that were made elsewhere, and ended. */
void profile_take(struct profile *p, struct prof *prof);

void profile_free(struct profile *p);

/* Add `b` to `a`. */
void profile_add_totals(struct profile_totals *a,
			const struct profile_totals *b);

/*
 * For importers: begin an empty profile of a format, add to its stacks, rows
 * and threads, and note what it lacks.
 */
void profile_begin(struct profile *p, const char *path, const char *source,
		   unsigned int has);
void profile_add_row(struct profile *p, const struct profile_row *row);
void profile_add_thread(struct profile *p, const struct profile_thread *t);
void profile_add_note(struct profile *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Take a command line as one argument; its first word names the program. */
void profile_set_command(struct profile *p, const char *line);

/* Return a copy of a text that lives as long as the profile. */
const char *profile_keep(struct profile *p, const char *text);

#endif
