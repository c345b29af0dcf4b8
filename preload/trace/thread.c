/* SPDX-License-Identifier: MIT */
/*
 * A thread's buffer of events; see thread.h.
 *
 * The buffer is the slot in the live file: columns that grow with each
 * event, and a count that is raised last. Killed at any instruction, the
 * first `count` events are whole. The thread that fills its buffer seals it:
 * the columns as they are become the zstd frames of a segment. Only then is
 * the count set to 0, so a reader sees events twice rather than not at all,
 * and tells by their numbers.
 *
 * A slot outlives its thread, since a thread has no last instruction: blocks
 * are freed after every destructor. When its end has begun it is marked; a
 * later thread that needs a slot asks the kernel whether it is gone.
 */
#include "thread.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "cgroup.h"
#include "clock.h"
#include "live.h"
#include "meta.h"
#include "seal.h"

/* A slot: one page of head, then the columns. */
static const uint32_t column_bytes[MT_COLUMNS] = {
	[MT_COL_CONTROL] = 16 * 1024, [MT_COL_STACK] = 32 * 1024,
	[MT_COL_SIZE] = 32 * 1024,    [MT_COL_ADDRESS] = 48 * 1024,
	[MT_COL_TIME] = 24 * 1024,
};

/* The columns begin in different sets of the cache, as they grow alike. */
#define COLUMN_GAP_BYTES 704

/* What they add to a column at the most. */
#define STEP_BYTES (MT_STEP_EVENTS * MT_EVENT_COLUMN_BYTES)

/* Ticks: coarse while there is one thread (0.4 us at 2.6 GHz), which leaves
 * little to code; thread.h has those for several. */
#define COARSE_TICK_SHIFT 10

/*
 * The resident set is noted so often at the most: each time that so many
 * records were made half as often as before, or weeks of them would fill the
 * disk.
 */
#define RESIDENT_NS 10000000u
#define RESIDENT_RECORDS 8192u

__thread struct mt_thread *mt_self = &mt_thread_none;
__thread uint64_t mt_busy;
struct mt_thread mt_thread_none;
MT_HOT uint32_t mt_epoch = 1;
uint32_t mt_tick_shift;

static struct {
	struct sys_lock lock;
	struct mt_thread *all;
	uint32_t count;	 /* threads that ever were */
	uint32_t ending; /* slots whose thread's end has begun */
	uint32_t run;	 /* counts runs of this process image */
	pthread_key_t key;
	bool has_key;
	uint64_t resident_ns; /* when that was noted; without the lock */
	uint32_t residents;   /* so often in this run */
} threads;

/* Start the columns and the model anew, at the time of the last event. */
static void restart(struct mt_thread *t, uint64_t clock)
{
	struct mt_slot *slot = t->slot;

	t->tick_shift = mt_tick_shift;
	slot->base_time = clock;
	slot->tick_shift = t->tick_shift;
	for (int i = 0; i < MT_COLUMNS; i++)
		t->column[i] = (uint8_t *)slot + slot->column_off[i];
	t->sealed_bytes += (int64_t)(t->tally.allocated_usable_bytes -
				     t->tally.freed_usable_bytes);
	memset(&t->tally, 0, sizeof(t->tally));
	mt_model_reset(&t->model, clock >> t->tick_shift);
	t->torn = false;
}

/* Pack the histogram behind `p`; returns its end. */
static uint8_t *pack_tally(uint8_t *p, const struct mt_tally *tally)
{
	for (unsigned int c = 0; c < MT_SIZE_CLASSES; c++) {
		if (!tally->requested[c] && !tally->usable[c] &&
		    !tally->freed[c])
			continue;
		p = mt_varint_put(p, c + 1);
		p = mt_varint_put(p, tally->requested[c]);
		p = mt_varint_put(p, tally->usable[c]);
		p = mt_varint_put(p, tally->freed[c]);
	}
	*p++ = 0;
	return p;
}

/* Append the buffer as a segment; 0 or -errno. */
static int append_events(struct mt_thread *t)
{
	const struct mt_slot *slot = t->slot;
	const struct mt_tally *tally = &t->tally;
	struct mt_bytes columns[MT_COLUMNS], packed = {t->packed, 0};
	struct mt_segment head = {
		.stream = MT_STREAM_EVENTS,
		.count = t->count,
		.first = slot->first,
		.thread = slot->thread,
		.tick_shift = (uint8_t)t->tick_shift,
		.base_time = slot->base_time,
		.last_time = t->model.time << t->tick_shift,
		.allocations = tally->allocations,
		.frees = tally->frees,
		.allocated_bytes = tally->allocated_bytes,
		.allocated_usable_bytes = tally->allocated_usable_bytes,
		.freed_usable_bytes = tally->freed_usable_bytes,
	};

	for (int i = 0; i < MT_COLUMNS; i++) {
		const uint8_t *start =
			(const uint8_t *)slot + slot->column_off[i];

		columns[i] = (struct mt_bytes){start,
					       (size_t)(t->column[i] - start)};
	}
	packed.bytes = (size_t)(pack_tally(t->packed, tally) - t->packed);
	return mt_seal_segment(&head, &packed, columns, MT_COLUMNS);
}

/* Start the buffer anew: what it held is in the trace, or counted as lost. */
static void turn_over(struct mt_thread *t)
{
	struct mt_slot *slot = t->slot;

	__atomic_store_n(&slot->epoch, slot->epoch + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->count, 0, __ATOMIC_RELEASE);
	slot->first += t->count;
	t->count = 0;
	restart(t, t->model.time << t->tick_shift);
	__atomic_store_n(&slot->epoch, slot->epoch + 1, __ATOMIC_RELEASE);
	t->limit = MT_STEP_EVENTS / 4;
}

void mt_thread_seal(struct mt_thread *t)
{
	int error;

	mt_seal_definitions(false);
	error = t->count ? append_events(t) : 0;
	if (error) {
		mt_problem(MT_PROBLEM_WRITE, -error,
			   "the trace cannot grow, events are lost");
		mt_lost_events(t->count);
	}
	turn_over(t);
}

/* Note the resident set, but not too often. */
static void note_resident(uint64_t now_ns)
{
	struct mt_meta_resident m = {.clock = mt_clock()};
	char text[128];
	const char *p = text;

	uint64_t every = (uint64_t)RESIDENT_NS
			 << threads.residents / RESIDENT_RECORDS;

	if (now_ns - __atomic_load_n(&threads.resident_ns, __ATOMIC_RELAXED) <
		    every ||
	    sys_read_file("/proc/self/statm", text, sizeof(text)) <= 0)
		return;
	__atomic_store_n(&threads.resident_ns, now_ns, __ATOMIC_RELAXED);
	threads.residents++;
	sys_parse_number(&p, 10); /* the size of the address space */
	if (*p++ != ' ')
		return;
	m.bytes = sys_parse_number(&p, 10) * MT_PAGE_BYTES;
	mt_meta_add(MT_META_RESIDENT, &m, sizeof(m), NULL, 0);
	mt_cgroup_note();
}

/*
 * Add a record of a thread. Of the first threads only: where they come and go
 * for weeks, the records of all would fill the meta log.
 */
static void note(enum mt_meta_type type, const struct mt_meta_thread *m,
		 const char *name)
{
	if (m->thread < MT_MAX_NAMED_THREADS)
		mt_meta_add(type, m, sizeof(*m), name, strnlen(name, 16));
}

/* Note the thread's name if it has changed, and a pair of the clocks. */
static void look_around(struct mt_thread *t)
{
	struct mt_meta_thread m = {t->slot->thread, t->slot->tid, mt_clock()};
	char name[16];

	mt_live->clock = m.clock;
	mt_live->clock_ns = sys_monotonic_ns();
	note_resident(mt_live->clock_ns);
	if (mt_live_is_partial())
		mt_problem(MT_PROBLEM_NO_LIVE, ENOSPC,
			   "no room to stay readable when killed");
	sys_thread_name(name);
	if (memcmp(name, t->name, sizeof(name)) == 0)
		return;
	memcpy(t->name, name, sizeof(name));
	note(MT_META_THREAD_NAME, &m, name);
}

void mt_thread_room(struct mt_thread *t)
{
	bool full =
		t->count + MT_STEP_EVENTS > MT_MAX_SEGMENT_EVENTS || t->torn;

	for (int i = 0; i < MT_COLUMNS; i++)
		if (t->column_end[i] - t->column[i] < (long)STEP_BYTES)
			full = true;
	if (full || t->count == MT_STEP_EVENTS / 4 ||
	    t->count == 4 * MT_STEP_EVENTS)
		look_around(t);
	if (full)
		mt_thread_seal(t);
	else
		t->limit = t->count + MT_STEP_EVENTS -
			   (t->count & (MT_STEP_EVENTS - 1));
}

/* Enter a thread into the trace as the owner of a slot. */
static void begin(struct mt_thread *t)
{
	struct mt_slot *slot = t->slot;
	struct mt_meta_thread m = {threads.count, sys_tid(), mt_clock()};

	/* From the second thread on, ticks are fine, and the first is told. */
	if (m.thread > 0 && mt_tick_shift != MT_FINE_TICK_SHIFT) {
		__atomic_store_n(&mt_tick_shift, MT_FINE_TICK_SHIFT,
				 __ATOMIC_RELEASE);
		__atomic_fetch_add(&mt_epoch, 1, __ATOMIC_RELEASE);
	}
	slot->epoch |= 1;
	slot->thread = m.thread;
	slot->tid = m.tid;
	slot->first = 0;
	t->count = slot->count = 0;
	t->ending = false;
	t->tcb = mt_thread_pointer();
	t->pending_count = 0;
	memset(t->name, 0, sizeof(t->name));
	mt_unwind_forget(t->unwinder);
	restart(t, m.clock);
	t->epoch = mt_epoch;
	t->limit = MT_STEP_EVENTS / 4;
	note(MT_META_THREAD, &m, "");
	__atomic_store_n(&slot->epoch, slot->epoch + 1, __ATOMIC_RELEASE);
	/* Last: who sees the count finds the slot to be this thread's. */
	__atomic_store_n(&threads.count, m.thread + 1, __ATOMIC_RELEASE);
	look_around(t);
}

/* Find a slot whose thread is gone, and seal what it left; NULL: none. */
static struct mt_thread *reclaim(void)
{
	unsigned int pid = sys_pid();

	if (!threads.ending)
		return NULL;
	for (struct mt_thread *t = threads.all; t; t = t->next) {
		if (!t->ending || sys_thread_alive(pid, t->slot->tid))
			continue;
		threads.ending--;
		mt_thread_seal(t);
		return t;
	}
	return NULL;
}

/* Make a slot in the live file; NULL: no space. */
static struct mt_slot *new_slot(void)
{
	uint32_t bytes = MT_PAGE_BYTES;
	struct mt_slot *slot;

	for (int i = 0; i < MT_COLUMNS; i++)
		bytes += column_bytes[i] + COLUMN_GAP_BYTES;
	bytes = MT_ALIGN_UP(bytes, MT_PAGE_BYTES);
	slot = mt_live_region(MT_REGION_SLOT, NULL, bytes);
	if (!slot)
		return NULL;
	bytes = MT_PAGE_BYTES;
	for (int i = 0; i < MT_COLUMNS; i++) {
		bytes += COLUMN_GAP_BYTES;
		slot->column_off[i] = bytes;
		slot->column_bytes[i] = column_bytes[i];
		bytes += column_bytes[i];
	}
	slot->thread = MT_NO_THREAD;
	return slot;
}

/* Make a thread with a slot; NULL: no memory. */
static struct mt_thread *create(void)
{
	size_t bytes = sizeof(struct mt_thread) + mt_unwinder_bytes;
	struct mt_thread *t = sys_map(bytes, SYS_FORK_COPY);
	struct mt_slot *slot = t ? new_slot() : NULL;

	if (!slot || !sys_zero_on_fork(t, MT_PAGE_BYTES)) {
		if (t)
			sys_unmap(t, bytes);
		return NULL;
	}
	t->slot = slot;
	t->run = threads.run;
	t->unwinder = (struct mt_unwinder *)(t + 1);
	for (int i = 0; i < MT_COLUMNS; i++)
		t->column_end[i] = (uint8_t *)slot + slot->column_off[i] +
				   slot->column_bytes[i];
	t->slot_bytes =
		(size_t)(t->column_end[MT_COLUMNS - 1] - (uint8_t *)slot);
	t->next = threads.all;
	__atomic_store_n(&threads.all, t, __ATOMIC_RELEASE);
	return t;
}

struct mt_thread *mt_thread_first(void)
{
	return __atomic_load_n(&threads.all, __ATOMIC_ACQUIRE);
}

uint32_t mt_thread_count(void)
{
	return __atomic_load_n(&threads.count, __ATOMIC_ACQUIRE);
}

struct mt_thread *mt_thread_get(void)
{
	struct sys_signals old = sys_lock(&threads.lock);
	struct mt_thread *t = reclaim();

	if (!t)
		t = create();
	if (t) {
		begin(t);
		mt_self = t;
	}
	sys_unlock(&threads.lock, old);
	if (t && threads.has_key)
		pthread_setspecific(threads.key, t);
	if (!t)
		mt_problem(MT_PROBLEM_THREADS, 0,
			   "no room for another thread, its events are lost");
	return t;
}

/* The destructor of the key: the first of a thread's last acts. */
static void at_thread_exit(void *arg)
{
	struct mt_thread *t = arg;
	struct mt_meta_thread m;

	if (t != mt_self || t->ending || !t->limit)
		return;
	m = (struct mt_meta_thread){t->slot->thread, t->slot->tid, mt_clock()};
	note(MT_META_THREAD_END, &m, "");

	struct sys_signals old = sys_lock(&threads.lock);

	t->ending = true;
	t->tcb = 0;
	threads.ending++;
	sys_unlock(&threads.lock, old);
}

/* Wait up to 10 ms for a thread to leave the hook that it is in. */
static void wait_idle(const struct mt_thread *t)
{
	for (int i = 0; i < 100; i++) {
		if (t == mt_self ||
		    !__atomic_load_n(&t->busy, __ATOMIC_ACQUIRE))
			return;
		sys_sleep_us(100);
	}
}

bool mt_thread_seal_all(void)
{
	struct sys_signals old = sys_lock(&threads.lock);
	bool done = true;

	for (struct mt_thread *t = threads.all; t; t = t->next) {
		wait_idle(t);
		if (t->count && append_events(t))
			done = false;
		else
			turn_over(t);
	}
	sys_unlock(&threads.lock, old);
	return done;
}

void mt_thread_init(void)
{
	threads.has_key = pthread_key_create(&threads.key, at_thread_exit) == 0;
}

bool mt_thread_is_current(const struct mt_thread *t)
{
	return t != &mt_thread_none && t->run == threads.run;
}

void mt_thread_reset(bool forked)
{
	while (forked && threads.all) {
		struct mt_thread *t = threads.all;

		threads.all = t->next;
		sys_unmap(t, sizeof(*t) + mt_unwinder_bytes);
	}
	threads.all = NULL;
	threads.run++;
	threads.lock.word = 0;
	threads.count = threads.ending = threads.residents = 0;
	mt_tick_shift = COARSE_TICK_SHIFT;
	mt_self = &mt_thread_none;
}

void mt_thread_detach(struct mt_thread *t)
{
	if (t != &mt_thread_none)
		sys_map_over(t->slot, t->slot_bytes);
}
