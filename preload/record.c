/* SPDX-License-Identifier: MIT */
/*
 * The recorder proper; see record.h.
 *
 * The guard. A signal may interrupt a hook at any instruction, and its
 * handler may allocate. `mt_busy` says that this thread is in a hook; what a
 * handler does meanwhile is put aside in `pending`, without a stack, and
 * recorded when the hook is done. Nothing else is needed: the thread's state
 * is touched by no other thread, and locks are taken with signals blocked.
 *
 * A handler may also leave the hook for good, by longjmp, and mt_busy stays
 * set. But it is the address of a mark in that hook's frame: once something
 * else is there, that hook is no more. What it left half done is behind the
 * committed count and ends there: the buffer is sealed before the next event.
 */
#include "record.h"

#include "clock.h"
#include "limit.h"
#include "live.h"
#include "real.h"
#include "run.h"
#include "seal.h"

/* Count a block for the segment's index entry. */
static inline void tally(struct mt_tally *sum, const struct mt_deal *deal)
{
	uint64_t usable;

	if (!deal->address)
		return;
	if (mt_kind_is_free(deal->kind)) {
		usable = mt_real_freed_usable((void *)deal->address);
		sum->frees++;
		sum->freed_usable_bytes += usable;
		sum->freed[mt_size_class(usable)]++;
		return;
	}
	usable = mt_real.usable ? mt_real.usable((void *)deal->address)
				: deal->size;
	if (unlikely(mt_real_sizes == MT_SIZES_UNKNOWN) && mt_real.usable)
		mt_real_learn((void *)deal->address, usable);
	if (deal->kind < MT_MMAP) {
		sum->allocations++;
		sum->allocated_bytes += deal->size;
		sum->requested[mt_size_class(deal->size)]++;
	} else {
		sum->allocations++; /* a cancelled realloc gives it back */
	}
	sum->allocated_usable_bytes += usable;
	sum->usable[mt_size_class(usable)]++;
}

/* Whether an event is of the heap, not of mappings. */
static inline bool is_heap(enum mt_kind kind)
{
	return kind != MT_MMAP && kind != MT_MREMAP && kind != MT_MUNMAP &&
	       kind != MT_MREMAP_FREE;
}

/* Whether an event is of an allocation that failed. */
static inline bool is_failure(const struct mt_deal *deal)
{
	return deal->kind == MT_REALLOC_CANCEL ||
	       (!deal->address && !mt_kind_is_free(deal->kind));
}

/* Append an event to the thread's buffer, which has room. */
static inline __attribute__((always_inline)) void append(
	struct mt_thread *t, const struct mt_deal *deal, uint32_t stack,
	uint64_t time)
{
	struct mt_event e = {
		.address = deal->address,
		.size = deal->size,
		.stack = stack,
		.kind = (uint8_t)deal->kind,
		.align_log2 =
			deal->align ? (uint8_t)__builtin_ctzll(deal->align) : 0,
	};

	mt_encode(&t->model, t->column, &e, time >> t->tick_shift);
	barrier();
	t->slot->count = ++t->count;
	barrier();
	if (likely(is_heap(deal->kind)))
		tally(&t->tally, deal);
}

/* Append what signal handlers did while this thread was in a hook. */
static __attribute__((noinline)) void drain(struct mt_thread *t)
{
	uint32_t done = 0, n = t->pending_count;

	while (done < n) {
		for (; done < n && done < MT_PENDING; done++) {
			const struct mt_pending *p = &t->pending[done];

			if (t->count >= t->limit)
				mt_thread_room(t);
			append(t, &p->deal, MT_NODE_LOST, p->time);
			__atomic_fetch_add(&mt_live->lost.stacks, 1,
					   __ATOMIC_RELAXED);
		}
		if (n > done)
			mt_lost_events(n - done);
		done = n;
		/* More may have come: only then is the count another. */
		if (__atomic_compare_exchange_n(&t->pending_count, &n, 0, false,
						__ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return;
	}
}

/* What a hook's mark is, at its address. */
static inline uint64_t mark_of(uint64_t address)
{
	return address ^ 0x6d656d7472616365u;
}

/*
 * Whether the hook whose mark `busy` is the address of is no more: something
 * else is at the place. If the stack is above it now, that is this function.
 */
static __attribute__((noinline)) bool is_left(uint64_t busy)
{
	volatile uint64_t over[256];

	for (size_t i = 0; i < sizeof(over) / sizeof(over[0]); i++)
		over[i] = 0;
	return *(const volatile uint64_t *)(uintptr_t)busy != mark_of(busy);
}

/* Put an event aside that came while this thread is in a hook. */
static __attribute__((noinline)) uint32_t nested(const struct mt_deal *deal,
						 const struct mt_place *at)
{
	struct mt_thread *t = mt_self;
	uint32_t i;

	if (is_left(mt_busy)) {
		t->torn = true;
		t->limit = 0;
		t->busy = false;
		mt_busy = 0;
		return mt_record(deal, at);
	}
	if (t == &mt_thread_none) {
		if (mt_live) /* else it is our own, while the run starts */
			mt_lost_events(1);
		return MT_NODE_LOST;
	}
	i = __atomic_fetch_add(&t->pending_count, 1, __ATOMIC_RELAXED);
	if (i < MT_PENDING)
		t->pending[i] = (struct mt_pending){*deal, mt_clock()};
	return MT_NODE_LOST;
}

/* The stack of an event; what could not be had is counted. */
static inline uint32_t stack_of(struct mt_thread *t, const struct mt_deal *deal,
				const struct mt_place *at)
{
	bool cut = false, loader = false;
	uint32_t stack;

	if (deal->stack > MT_NODE_LOST)
		return deal->stack;
	if (!mt_run_frees && mt_kind_is_free(deal->kind))
		return 0;
	stack = mt_unwind(t->unwinder, at, &cut, &loader);
	if (unlikely(cut))
		__atomic_fetch_add(&mt_live->lost.cut, 1, __ATOMIC_RELAXED);
	if (unlikely(stack == MT_NODE_LOST))
		__atomic_fetch_add(&mt_live->lost.stacks, 1, __ATOMIC_RELAXED);
	if (unlikely(loader) && mt_kind_is_free(deal->kind))
		mt_run_check_modules();
	return stack;
}

/*
 * mt_record(), for a kind that may be known when this is compiled: the deal
 * is never in memory, where barrier() would make it anyone's.
 */
static inline __attribute__((always_inline)) uint32_t record(
	struct mt_deal deal, const struct mt_place *at)
{
	struct mt_thread *t = mt_self;
	volatile uint64_t mark;
	uint64_t time, busy = (uint64_t)(uintptr_t)&mark;
	uint32_t stack;

	if (unlikely(mt_busy)) {
		struct mt_deal copy = deal;

		return nested(&copy, at);
	}
	mark = mark_of(busy);
	barrier();
	mt_busy = busy;
	barrier();
	if (unlikely(t->count >= t->limit || t->epoch != mt_epoch)) {
		t = mt_run_enter();
		if (!t) {
			mt_busy = 0;
			return MT_NODE_LOST;
		}
	}
	t->busy = true;
	barrier(); /* fold.c: what is not busy comes later than now */
	/* A CPU reads its clock ahead of a load that waits, such as that of a
	 * pointer which another thread allocated just now. */
	if (mt_kind_is_free(deal.kind) && t->tick_shift == MT_FINE_TICK_SHIFT &&
	    !mt_model_is_own(&t->model, deal.address))
		mt_loads_done();
	time = mt_clock(); /* so early, as it takes long, and beside others */
	stack = stack_of(t, &deal, at);
	if (unlikely(t->pending_count)) {
		drain(t);
		if (t->count >= t->limit)
			mt_thread_room(t);
		time = mt_clock();
	}
	append(t, &deal, stack, time);
	barrier();
	t->busy = false;
	if (unlikely(is_failure(&deal)))
		mt_limit_failed(deal.size, stack);
	mt_busy = 0;
	barrier();
	while (unlikely(t->pending_count)) {
		mt_busy = busy;
		barrier();
		drain(t);
		barrier();
		mt_busy = 0;
		barrier();
	}
	mark = 0;
	return stack;
}

__attribute__((flatten)) uint32_t mt_record(const struct mt_deal *deal,
					    const struct mt_place *at)
{
	return record(*deal, at);
}

/* The kind is a constant to all that is inlined into one of these. */
#define RECORD(name, known_kind)                                            \
	__attribute__((flatten)) uint32_t name(                             \
		uint64_t address, uint64_t size, const struct mt_place *at) \
	{                                                                   \
		struct mt_deal deal = {                                     \
			.address = address,                                 \
			.size = size,                                       \
			.kind = (known_kind),                               \
		};                                                          \
                                                                            \
		return record(deal, at);                                    \
	}

RECORD(mt_record_malloc, MT_MALLOC)
RECORD(mt_record_free, MT_FREE)
RECORD(mt_record_new, MT_NEW)
RECORD(mt_record_delete, MT_DELETE)
