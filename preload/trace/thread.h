/* SPDX-License-Identifier: MIT */
/*
 * A thread's buffer of events, and its way into the trace.
 */
#ifndef PRELOAD_THREAD_H
#define PRELOAD_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include <memtrace/format.h>
#include <memtrace/model.h>

#include "sys.h"
#include "unwind.h"

/* What a hook saw. */
struct mt_deal {
	uint64_t address; /* of the block; 0: the allocation failed */
	uint64_t size;	  /* bytes, as format.h says per kind */
	uint64_t align;	  /* bytes; 0: not asked for */
	enum mt_kind kind;
	uint32_t stack; /* a node to use again, or 0: unwind */
};

/* Events between two looks at the columns' ends, and at what else is to do. */
#define MT_STEP_EVENTS 64

/* Events of signal handlers that interrupted a hook, until it is done. */
#define MT_PENDING 1024

struct mt_pending {
	struct mt_deal deal;
	uint64_t time;
};

/* What a segment did to the heap, for its index entry. */
struct mt_tally {
	uint64_t allocations, frees;
	uint64_t allocated_bytes;
	uint64_t allocated_usable_bytes;
	uint64_t freed_usable_bytes;
	uint32_t requested[MT_SIZE_CLASSES]; /* allocations by size */
	uint32_t usable[MT_SIZE_CLASSES];    /* and by usable size */
	uint32_t freed[MT_SIZE_CLASSES];     /* frees by usable size */
};

/*
 * A thread starts at the one of no thread, whose limit is 0: so "has it a
 * buffer", "is the buffer full" and "is this a forked child" (whose memory
 * of the first page is zeros) are one comparison.
 */
struct mt_thread {
	char wiped[MT_PAGE_BYTES - sizeof(uint32_t)];
	/* How far `count` may go before mt_thread_room() is to be asked. */
	uint32_t limit;

	/* Not where a page begins, as the slot's count is: the two would
	 * compete for one set of the cache. */
	char unused[MT_PAGE_BYTES / 8];
	uint32_t count; /* events in the buffer */
	uint32_t epoch; /* of the run, when this thread last looked */
	uint8_t *column[MT_COLUMNS]; /* where the next bytes go */
	uint8_t *column_end[MT_COLUMNS];
	uint32_t tick_shift;
	uint32_t pending_count; /* beyond MT_PENDING: lost */
	struct mt_slot *slot;
	size_t slot_bytes;
	struct mt_unwinder *unwinder;
	bool torn;     /* a hook was left by longjmp: seal before the next */
	bool ending;   /* its thread is on its way out */
	uint32_t run;  /* it belongs to */
	char name[16]; /* as last written to the meta log */
	bool busy;     /* it is adding an event */
	struct mt_thread *next; /* of all threads */
	int64_t sealed_bytes;	/* usable ones, allocated less freed, before */
	int64_t told_bytes;	/* of these and the tally's, to limit.c */
	uint64_t tcb;		/* of the thread; 0: it has ended */
	struct mt_tally tally;
	struct mt_pending pending[MT_PENDING];
	struct mt_model model;
	uint8_t packed[MT_SIZE_CLASSES * 20 + 1]; /* the tally, for sealing */
} __attribute__((aligned(64))); /* as the unwinder, which is behind it */

/* This thread's, and the address of the mark of the hook it is in (0: none);
 * see record.c. */
extern MT_OURS __thread struct mt_thread *mt_self
	__attribute__((tls_model("initial-exec")));
extern __thread uint64_t mt_busy __attribute__((tls_model("initial-exec")));

/* The one of no thread. */
extern MT_OURS struct mt_thread mt_thread_none;

/*
 * What threads must look at again when it changes: the tick, the modules,
 * the state of the run. Read by every hook, written rarely.
 */
extern MT_OURS uint32_t mt_epoch;

/* Clock ticks are `clock >> mt_tick_shift`; fine once threads are several and
 * the order between them depends on it. */
#define MT_FINE_TICK_SHIFT 4
extern MT_OURS uint32_t mt_tick_shift;

/* Give this thread a buffer; NULL: there is none to be had. Context: hook. */
struct mt_thread *mt_thread_get(void);

/* Whether a thread's buffer is one of this run. Context: hook. */
bool mt_thread_is_current(const struct mt_thread *t);

/* The threads that have buffers, for fold.c: the list only grows, at its
 * front; a buffer is another thread's once its own has ended. Context: any. */
struct mt_thread *mt_thread_first(void);

/* How many threads there ever were in this run. */
uint32_t mt_thread_count(void);

/* Make room for an event: move the limit on, or seal. Context: hook. */
void mt_thread_room(struct mt_thread *t);

/* Seal what the buffer holds, or count it as lost, and start it anew.
 * Context: seal. */
void mt_thread_seal(struct mt_thread *t);

/* Ask to be told of threads' ends. Context: init, once an image. */
void mt_thread_init(void);

/*
 * Seal all buffers, other threads' too, which must not be adding to them
 * (they are waited for a while). False: some could not be, and are as they
 * were. Context: seal.
 */
bool mt_thread_seal_all(void);

/*
 * Forget all threads, for a new run. Their memory is given back in a forked
 * child only: elsewhere other threads may be looking at it. Context: init.
 */
void mt_thread_reset(bool forked);

/* Put private memory where this thread's slot was; in a forked child. */
void mt_thread_detach(struct mt_thread *t);

#endif
