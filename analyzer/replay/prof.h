/* SPDX-License-Identifier: MIT */
/*
 * Sums of a replay: in total, and per stack (and thread, and size, where
 * asked for).
 *
 * What was live at the peak is exact and costs O(1) per event: the peak has
 * a number that is raised at each new maximum; a row's live bytes are set
 * aside the first time they change after that. At the end they are the peak's
 * if they carry its number, and else the row has not changed since.
 */
#ifndef ANALYZER_PROF_H
#define ANALYZER_PROF_H

#include "estimate.h"
#include "mappings.h"
#include "replay.h"

/* What else than the stack tells rows apart. */
#define PROF_BY_THREAD 1u
#define PROF_BY_SIZE 2u

/* What a row allocated; bytes are as requested. A cache line. */
struct prof_row {
	uint64_t allocations;
	uint64_t allocated_bytes;
	uint64_t temporary;
	uint64_t lifetimes; /* of its blocks that ended, clock units */
	uint64_t live_bytes;
	uint64_t peak_bytes; /* set aside; see prof_peak() */
	uint32_t live_blocks;
	uint32_t peak_blocks;
	uint32_t peak_number; /* of the peak they were set aside after */
	uint32_t frees;
};

/* What else there is to a row of a sampled trace, whose numbers are estimates:
 * their spreads, and sums that are large beyond the row's. */
struct prof_spread {
	struct spread allocated, live, peak;
	double lifetimes;
	uint64_t frees;
};

/* Which row it is. */
struct prof_key {
	uint64_t size;	 /* with PROF_BY_SIZE, else 0 */
	uint32_t node;	 /* innermost frame */
	uint32_t thread; /* with PROF_BY_THREAD: place in trace->threads */
};

/* Tell whether a block is to be counted. */
typedef bool prof_takes(void *context, const struct replay_event *e);

/*
 * What of a trace is summed up, and how finely. Zeroed but `until`: all. Where
 * blocks are chosen, mappings and failed calls, which are none, are left out.
 */
struct prof_options {
	unsigned int keys;
	uint64_t from, until; /* clock values: the window [from, until) */
	prof_takes *takes;    /* NULL: every block */
	void *takes_context;
	bool keep_live; /* in struct prof, if all blocks are taken */
	/* Hears of each block that is taken, in the same replay; all it can
	 * hear of blocks is to be there. The owners are not its. NULL: none. */
	const struct replay_listener *beside;
};

/* Rows per chunk, so that their memory never moves. */
#define PROF_CHUNK 4096

struct prof {
	/* Of the heap, mmap kinds excepted. What was counted is of the window;
	 * the peak is the highest moment in it, the exit is its end. */
	uint64_t allocations, allocated_bytes, frees, temporary, failed;
	uint64_t peak_bytes, peak_blocks, peak_clock;
	uint64_t exit_bytes, exit_blocks;
	struct spread allocated, peak, exit; /* if it is sampled */
	/* Of the mappings. */
	uint64_t mmaps, munmaps, mapped_bytes;
	struct mappings mappings;
	uint64_t events;
	struct replay_anomalies anomalies;
	uint64_t unknown_stacks;
	struct heap live;    /* kept at the end: sorted, owned by stacks */
	uint64_t last_clock; /* of the last event */

	struct prof_row **chunk;
	struct prof_spread *spread; /* by row; NULL: it is not sampled */
	struct prof_key *key;
	uint32_t row_count; /* number 0: stacks that were lost */

	uint64_t live_bytes, live_blocks; /* while it is being replayed */

	/* The rest is prof.c's own. */
	struct prof_options options;
	const struct trace *trace;
	struct spread live_spread;
	size_t spread_room;
	bool counting; /* the window has begun */
	bool whole;    /* the sums begin with those of the heap image */
	uint32_t peak_number;
	uint32_t *row_of_node; /* without keys */
	uint32_t *slot;	       /* with keys: rows + 1 by hash; 0: free */
	size_t slots, node_count, chunk_room, key_room;
	uint64_t page_mask;
};

/* Sum a trace up. `progress` may be NULL. */
void prof_run(struct prof *p, struct trace *t, const struct prof_options *o,
	      replay_progress *progress);

/*
 * For a replay in steps: begin, and return the listener; go on with a later
 * reading of the trace, which was `before`; end. What is live now is in
 * live_bytes and live_blocks.
 */
struct replay_listener prof_begin(struct prof *p, const struct trace *t,
				  const struct prof_options *o);
void prof_move(struct prof *p, const struct trace *before,
	       const struct trace *t);
void prof_end(struct prof *p, struct trace *t, const struct replay *r);

/* Make the rows of a stack one, as if they had not been told apart. */
void prof_merge_rows(struct prof *p);

/* Free the rows, and keep the sums. */
void prof_drop_rows(struct prof *p);

void prof_free(struct prof *p);

/* Return a row by its number, below row_count. */
static inline struct prof_row *prof_row(const struct prof *p, uint32_t i)
{
	return &p->chunk[i / PROF_CHUNK][i % PROF_CHUNK];
}

/* Say what of a row was live at the peak. */
static inline void prof_peak(const struct prof *p, const struct prof_row *s,
			     uint64_t *bytes, uint64_t *blocks)
{
	bool aside = s->peak_number == p->peak_number;

	*bytes = aside ? s->peak_bytes : s->live_bytes;
	*blocks = aside ? s->peak_blocks : s->live_blocks;
}

#endif
