/* SPDX-License-Identifier: MIT */
/* The bytes that are live, watched; see limit.h. */
#include "limit.h"

#include "cgroup.h"
#include "clock.h"
#include "memory.h"
#include "meta.h"
#include "sys.h"

/* Failures that are noted of a run; the others are events only. */
#define MOST_FAILURES 1024u

static struct {
	int64_t live;  /* usable bytes */
	int64_t next;  /* to be crossed */
	int64_t group; /* where the control group is looked at again */
	int64_t least; /* of the two: what is to be asked about */
	uint32_t failures;
} limit;

void mt_limit_begin(uint64_t bytes)
{
	limit.next = bytes && bytes < INT64_MAX ? (int64_t)bytes : INT64_MAX;
	limit.group = 0; /* at once */
	limit.least = 0;
	limit.failures = 0;
}

/* Note a moment. */
static void note(enum mt_why why, uint64_t bytes, uint32_t stack)
{
	struct mt_meta_snapshot m = {
		.clock = mt_clock(),
		.live_bytes = __atomic_load_n(&limit.live, __ATOMIC_RELAXED),
		.bytes = bytes,
		.stack = stack,
		.tid = sys_tid(),
		.why = why,
	};

	mt_meta_add(MT_META_SNAPSHOT, &m, sizeof(m), NULL, 0);
	mt_cgroup_note();
	mt_memory_note(why);
}

/* Take one of the two forward, if this thread is the one to; false: it need
 * not, or another does. */
static bool passes(int64_t *at, int64_t live, int64_t to)
{
	int64_t was = __atomic_load_n(at, __ATOMIC_RELAXED);

	return live >= was &&
	       __atomic_compare_exchange_n(at, &was, to, false,
					   __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* Do what is due at so many live bytes. */
static __attribute__((noinline)) void act(int64_t live)
{
	int64_t next = __atomic_load_n(&limit.next, __ATOMIC_RELAXED);
	int64_t least;

	if (passes(&limit.group, live, live + mt_cgroup_step()))
		mt_cgroup_note();
	if (passes(&limit.next, live, live + live / 10 + 1))
		note(MT_WHY_LIMIT, (uint64_t)next, 0);
	least = __atomic_load_n(&limit.group, __ATOMIC_RELAXED);
	next = __atomic_load_n(&limit.next, __ATOMIC_RELAXED);
	__atomic_store_n(&limit.least, next < least ? next : least,
			 __ATOMIC_RELAXED);
}

void mt_limit_look(struct mt_thread *t)
{
	int64_t bytes =
		t->sealed_bytes + (int64_t)(t->tally.allocated_usable_bytes -
					    t->tally.freed_usable_bytes);
	int64_t live = __atomic_add_fetch(&limit.live, bytes - t->told_bytes,
					  __ATOMIC_RELAXED);

	t->told_bytes = bytes;
	if (unlikely(live >= __atomic_load_n(&limit.least, __ATOMIC_RELAXED)))
		act(live);
}

void mt_limit_failed(uint64_t bytes, uint32_t stack)
{
	if (__atomic_fetch_add(&limit.failures, 1, __ATOMIC_RELAXED) <
	    MOST_FAILURES)
		note(MT_WHY_FAILED, bytes, stack);
}

void mt_limit_snapshot(void)
{
	note(MT_WHY_SNAPSHOT, 0, 0);
}
