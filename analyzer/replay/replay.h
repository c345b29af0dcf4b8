/* SPDX-License-Identifier: MIT */
/*
 * The replay: every event of a trace applied to the heap in the order of
 * time. What is made of it is the listeners' business, who are told where each
 * block begins and ends.
 *
 * A realloc ends the old block and begins the new one; if it failed, the old
 * block resumes. "Temporary" is a block that its own thread freed before it
 * allocated another one.
 */
#ifndef ANALYZER_REPLAY_H
#define ANALYZER_REPLAY_H

#include "heap.h"
#include "trace.h"

/* An event as the listeners see it. */
struct replay_event {
	const struct mt_event *event;
	uint32_t thread; /* place in trace->threads */
	uint64_t number; /* of the blocks that began before */
	uint64_t ended;	 /* resumes(): when the block had ended; else 0 */
	uint64_t before; /* carries(): bytes allocated before it; else 0 */
};

enum replay_end {
	REPLAY_FREED,
	REPLAY_REALLOCATED, /* the first half of a realloc */
	REPLAY_LOST,	    /* its free was not seen: the address is new */
};

/* Who is told; each function may be NULL. */
struct replay_listener {
	void *context;
	/* A block begins; its owner is for the first listener to set. `from`
	 * is the block that a realloc gave up for it, or NULL. */
	void (*begins)(void *context, struct heap_block *b,
		       const struct replay_event *e,
		       const struct heap_block *from);
	void (*ends)(void *context, const struct heap_block *b,
		     const struct replay_event *e, enum replay_end why,
		     bool temporary);
	/* A realloc failed: the block that ended lives on. */
	void (*resumes)(void *context, const struct heap_block *b,
			const struct replay_event *e);
	/* Mappings, and allocations that failed (address 0). */
	void (*others)(void *context, const struct replay_event *e);
	/*
	 * A block of the heap image: it began before the history does, and
	 * ends in it or never. The event is its allocation. NULL: begins()
	 * is told.
	 */
	void (*carries)(void *context, struct heap_block *b,
			const struct replay_event *e);
	/* A free, or the first half of a realloc, where no block is. */
	void (*misses)(void *context, const struct replay_event *e);
	/* A block is live at the end of the replay; in no order. */
	void (*left)(void *context, const struct heap_block *b);
};

/* Things in the trace that a whole recording does not have. */
struct replay_anomalies {
	uint64_t lost_frees;	/* allocations at a live address */
	uint64_t unknown_frees; /* frees where no block is */
	uint64_t unknown_kinds;
	uint64_t odd; /* calls that badfree.h is to judge, and more */
};

struct replay {
	struct heap heap; /* what is live when it has ended */
	struct replay_anomalies anomalies;
	uint64_t events;
	uint64_t begun;	     /* blocks */
	uint64_t last_clock; /* of the last event */
	bool late;	     /* of a replay in steps: see replay_on() */

	/* The rest is replay.c's own. */
	uint64_t horizon; /* what is before it may belong before what was
			     applied */
	const struct replay_listener *listeners;
	size_t listener_count;
	struct replay_thread *threads;
};

/* Told now and then how many of how many events are done. */
typedef void replay_progress(uint64_t done, uint64_t total);

/*
 * Replay the events of `t` that are before the clock value `until`
 * (UINT64_MAX: all), from its heap image on if it has one. `progress` may be
 * NULL.
 */
void replay_run(struct replay *r, struct trace *t, uint64_t until,
		const struct replay_listener *listeners, size_t count,
		replay_progress *progress);

/*
 * The same in steps: what comes later of a trace that is being recorded is
 * replayed by calling replay_on() again. `late` says that an event came then
 * which was not there the last time, and may belong before others that were
 * applied: had all been there, the order might have been another one. It is
 * rare if `until` lies well before trace->cut.
 */
void replay_begin(struct replay *r, const struct trace *t,
		  const struct replay_listener *listeners, size_t count);
void replay_on(struct replay *r, struct trace *t, uint64_t until,
	       replay_progress *progress);
void replay_end(struct replay *r);

/* Go on with `t`, which is `before` as it was read later: threads may have
 * other places. */
void replay_move(struct replay *r, const struct trace *before, struct trace *t);

/* Put into `place` where the threads of `before` are in `t`, thread_count of
 * them; tell whether that is elsewhere. */
bool replay_places(const struct trace *before, const struct trace *t,
		   uint32_t *place);

void replay_free(struct replay *r);

#endif
