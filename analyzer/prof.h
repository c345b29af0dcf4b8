/* SPDX-License-Identifier: MIT */
/*
 * The replay: every event of a trace applied to the heap in the order of
 * time, and what came of it, in total and per stack.
 *
 * What was live at the peak is exact and costs O(1) per event: the peak has
 * a number that is raised at each new maximum; a stack's live bytes are set
 * aside the first time they change after that. At the end they are the peak's
 * if they carry its number, and else the stack has not changed since.
 */
#ifndef ANALYZER_PROF_H
#define ANALYZER_PROF_H

#include "heap.h"
#include "mappings.h"
#include "trace.h"

/* What one stack allocated; bytes are as requested. A cache line. */
struct prof_stack {
	uint64_t allocations;
	uint64_t allocated_bytes;
	uint64_t temporary;
	uint64_t live_bytes;
	uint64_t peak_bytes;  /* set aside; see prof_peak() */
	uint64_t peak_number; /* of the peak they were set aside after */
	uint32_t live_blocks;
	uint32_t peak_blocks;
	uint32_t node; /* innermost frame */
};

/* Stacks per chunk, so that their memory never moves. */
#define PROF_CHUNK 4096

/* Things in the trace that a whole recording does not have. */
struct prof_anomalies {
	uint64_t lost_frees;	/* allocations at a live address */
	uint64_t unknown_frees; /* frees where no block is */
	uint64_t unknown_kinds;
	uint64_t unknown_stacks;
};

struct prof {
	/* Of the heap, mmap kinds excepted. */
	uint64_t allocations, allocated_bytes, frees, temporary, failed;
	uint64_t peak_bytes, peak_blocks, peak_clock;
	uint64_t exit_bytes, exit_blocks;
	/* Of the mappings. */
	uint64_t mmaps, munmaps, mapped_bytes;
	struct mappings mappings;
	uint64_t events;
	struct prof_anomalies anomalies;

	struct prof_stack **chunk;
	uint32_t stack_count; /* number 0: those that were lost */

	/* The rest is prof.c's own. */
	struct heap heap;
	uint64_t live_bytes, peak_number;
	uint32_t *stack_of_node;
	size_t node_count, chunk_room;
	struct prof_thread *threads;
	uint64_t page_mask;
};

/* Told now and then how many of how many events are done. */
typedef void prof_progress(uint64_t done, uint64_t total);

/* Replay a trace. `progress` may be NULL. */
void prof_run(struct prof *p, struct trace *t, prof_progress *progress);

void prof_free(struct prof *p);

/* Return a stack by its number, below stack_count. */
static inline struct prof_stack *prof_stack(const struct prof *p, uint32_t i)
{
	return &p->chunk[i / PROF_CHUNK][i % PROF_CHUNK];
}

/* Say what of a stack was live at the peak. */
static inline void prof_peak(const struct prof *p, const struct prof_stack *s,
			     uint64_t *bytes, uint64_t *blocks)
{
	bool aside = s->peak_number == p->peak_number;

	*bytes = aside ? s->peak_bytes : s->live_bytes;
	*blocks = aside ? s->peak_blocks : s->live_blocks;
}

#endif
