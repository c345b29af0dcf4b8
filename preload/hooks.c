/* SPDX-License-Identifier: MIT */
/*
 * The allocator's names, which we stand in for. hooks_os.c has the system's;
 * nothing else of the library is exported.
 *
 * A hook calls the real function with the arguments it got and returns what
 * that returned; an allocation is recorded after the real call, a free before
 * it, since from then on the address may be another thread's.
 *
 * Some real functions call another of our hooks: libstdc++'s operator new
 * calls malloc. The outer hook leaves word of what to expect in `inside`; the
 * inner one, seeing it, passes through. When the inner call fails, the outer
 * one may try again or throw: the word is withdrawn, so an exception leaves
 * nothing behind, and what a new_handler allocates is recorded for itself.
 *
 * Others cannot be foretold, such as an allocator whose calloc calls malloc
 * for more than it was asked. There the inner hook has recorded the block,
 * and the outer one, given the same address by its real call, does not: what
 * this thread's hooks recorded during that call is in `given`. It is cleared
 * before the call, for the same address may come twice in a row in all
 * honesty, when another thread freed the block in between.
 *
 * The hooks*.c are compiled with frame pointers: where a hook was called from
 * is read from its own frame.
 */
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <memtrace/format.h>

#include "export.h"
#include "meter.h"
#include "probe.h"
#include "real.h"
#include "record.h"
#include "run.h"
#include "sampled.h"
#include "seal.h"

/* Not in libc's headers: gone from them, or not there yet. */
void cfree(void *p);
void free_sized(void *p, size_t size);
void free_aligned_sized(void *p, size_t align, size_t size);

/*
 * The block that a hook called by the one at work has recorded, or 0. Kept
 * inverted: the scan for leaks is not to take it for the program's pointer.
 */
static __thread uint64_t given __attribute__((tls_model("initial-exec")));

/* How far below the outer hook's frame an inner one's can be. */
#define INSIDE_STACK_BYTES 4096

/* What the hook around this one expects of it. */
static __thread struct {
	uint64_t expected;  /* bytes, plus 1 */
	uint64_t more;	    /* bytes that may be asked for beyond it */
	uint64_t address;   /* to be freed, plus 1 */
	struct mt_place at; /* of the outer hook, and what it was asked for: */
	uint64_t size, align;
	enum mt_kind kind;
	bool done; /* the inner one came and got its block */
} inside __attribute__((tls_model("initial-exec")));

static bool is_near(uint64_t sp)
{
	return inside.at.sp - sp < INSIDE_STACK_BYTES;
}

/* The size that operator new asks malloc for. */
static inline uint64_t at_least_one(uint64_t size)
{
	return size ? size : 1;
}

/* Whether an allocation was foretold by an outer hook. */
static inline bool is_inner_alloc(uint64_t size, uint64_t sp)
{
	return unlikely(inside.expected) &&
	       at_least_one(size) + 1 - inside.expected <= inside.more &&
	       is_near(sp);
}

/* Whether a free was. */
static inline bool is_inner_free(const void *p, uint64_t sp)
{
	return unlikely(inside.address) &&
	       (uint64_t)(uintptr_t)p + 1 == inside.address && is_near(sp);
}

/* Look around, then whether an allocation is to pass. */
static __attribute__((noinline)) bool turn(uint64_t size)
{
	mt_run_look();
	return !mt_meter_take(size);
}

/* Whether an allocation is not to be recorded: decided before it is made. */
static inline bool passes(uint64_t size)
{
	return mt_gate.skims && (likely(mt_meter_passes(size)) || turn(size));
}

/* The same without doing anything, nor asking whether there are real functions
 * (which a gate that skims implies): what nearly all calls come to then, so it
 * stands before all else. A hook that another foretold is not to count. */
static inline bool skips(uint64_t size)
{
	return mt_gate.skims && likely(!inside.expected) &&
	       likely(mt_meter_passes(size));
}

static inline bool skips_free(const void *p)
{
	return mt_gate.skims && likely(!mt_sampled_may_have(p)) &&
	       likely(!mt_real_is_early(p));
}

/* Whether a free is not to be recorded: its allocation was not. */
static inline bool passes_free(const void *p)
{
	return mt_gate.skims &&
	       (likely(!mt_sampled_may_have(p)) || !mt_sampled_remove(p));
}

/* Note that a block's free is to be recorded; false: its allocation is not to
 * be, either. */
static inline bool keeps(const void *p)
{
	return !mt_gate.skims || !p || mt_sampled_add(p) ||
	       (mt_lost_events(1), false);
}

/*
 * Tell tracers of an event, if there are any: at the hook, whose caller is then
 * the next frame of who follows frame pointers. A free is told before the real
 * call, as it is recorded.
 */
static __attribute__((noinline)) void tell_alloc(uint64_t address,
						 uint64_t size)
{
	if (address && mt_run_records())
		mt_probe_alloc(address, size, mt_meter_weight(size));
}

static __attribute__((noinline)) void tell_free(uint64_t address)
{
	if (mt_run_records())
		mt_probe_free(address);
}

static inline void tell(enum mt_kind kind, uint64_t address, uint64_t size)
{
	if (mt_kind_is_free(kind)) {
		if (unlikely(otel_memory_free_semaphore))
			tell_free(address);
	} else if (unlikely(otel_memory_alloc_semaphore)) {
		tell_alloc(address, size);
	}
}

/* Record an event; `kind` is known when this is compiled: one way is left. */
static inline __attribute__((always_inline)) uint32_t record_by_kind(
	enum mt_kind kind, uint64_t address, uint64_t size, uint64_t align,
	const struct mt_place *at)
{
	if (kind == MT_MALLOC)
		return mt_record_malloc(address, size, at);
	if (kind == MT_FREE)
		return mt_record_free(address, size, at);
	if (kind == MT_NEW && !align)
		return mt_record_new(address, size, at);
	if (kind == MT_DELETE && !align)
		return mt_record_delete(address, size, at);

	struct mt_deal deal = {
		.address = address,
		.size = size,
		.align = align,
		.kind = kind,
	};

	return mt_record(&deal, at);
}

/* The same, and tell of it. */
static inline __attribute__((always_inline)) uint32_t record_kind(
	enum mt_kind kind, uint64_t address, uint64_t size, uint64_t align,
	const struct mt_place *at)
{
	uint32_t stack = record_by_kind(kind, address, size, align, at);

	tell(kind, address, size);
	return stack;
}

/* Record a free that is about to be. Returns its stack. */
static inline __attribute__((always_inline)) uint32_t record_free(
	enum mt_kind kind, const void *p, uint64_t size, uint64_t align,
	const struct mt_place *at)
{
	given = 0;
	return record_kind(kind, (uint64_t)(uintptr_t)p, size, align, at);
}

/* Whether an inner hook has recorded a block; this one is about to, if not. */
static inline bool is_given(const void *p)
{
	uint64_t last = given;

	given = ~(uint64_t)(uintptr_t)p;
	return unlikely(last == given) && p;
}

/* Record an allocation's outcome, unless an inner hook has. */
static inline __attribute__((always_inline)) void record_alloc(
	enum mt_kind kind, const void *p, uint64_t size, uint64_t align,
	const struct mt_place *at)
{
	if (!is_given(p) && keeps(p))
		record_kind(kind, (uint64_t)(uintptr_t)p, size, align, at);
}

/* Foretell an allocation, of up to `more` bytes beyond `size`. */
static inline void expect_alloc(enum mt_kind kind, uint64_t size,
				uint64_t align, uint64_t more,
				const struct mt_place *at)
{
	inside.at = *at;
	inside.kind = kind;
	inside.size = size;
	inside.align = align;
	inside.more = more;
	inside.done = false;
	inside.expected = at_least_one(size) + 1;
}

/*
 * Note how the foretold allocation went; hand its block on. A failure is
 * recorded here: the outer hook may be left by an exception.
 */
static inline void *inner_alloc(void *p)
{
	inside.expected = 0;
	inside.done = p != NULL;
	if (unlikely(!p) && inside.kind >= MT_NEW)
		record_by_kind(inside.kind, 0, inside.size, inside.align,
			       &inside.at);
	return p;
}

/* Whether the outer hook is to record: the inner one has not. */
static inline bool expected_alloc(void)
{
	bool unasked = inside.expected != 0; /* the real one is no wrapper */

	inside.expected = 0;
	return unasked || inside.done;
}

/* Multiply, or the largest size on overflow. */
static inline size_t times(size_t a, size_t b)
{
	size_t n;

	return __builtin_mul_overflow(a, b, &n) ? SIZE_MAX : n;
}

/* Find the real functions, should a hook come before our constructor. */
static __attribute__((noinline)) bool need_real(void)
{
	mt_run_start();
	return mt_real.malloc && mt_real.calloc && mt_real.realloc &&
	       mt_real.free;
}

static inline bool have_real(void)
{
	return likely(mt_real.usable != NULL) || need_real();
}

/*
 * malloc, calloc and free are each made twice: for a gate that lets nothing
 * pass, which is then asked once, and for one that skims.
 */
static inline __attribute__((always_inline)) void *malloc_by(size_t size,
							     bool skims)
{
	struct mt_place at = CALLER;
	void *p;

	if (!have_real())
		return mt_real_early_alloc(size);
	if (is_inner_alloc(size, at.sp))
		return inner_alloc(mt_real.malloc(size));
	if (skims && passes(size))
		return mt_real.malloc(size);
	given = 0;
	p = mt_real.malloc(size);
	if (!is_given(p) && (!skims || keeps(p)))
		record_kind(MT_MALLOC, (uint64_t)(uintptr_t)p, size, 0, &at);
	return p;
}

static __attribute__((noinline)) void *malloc_in_full(size_t size)
{
	return malloc_by(size, false);
}

static __attribute__((noinline)) void *malloc_skimming(size_t size)
{
	return malloc_by(size, true);
}

/* Where a hook ends with a call, that is a jump: the caller stays the same. */
EXPORT void *malloc(size_t size)
{
	if (likely(!mt_gate.skims))
		return malloc_in_full(size);
	return skips(size) ? mt_real.malloc(size) : malloc_skimming(size);
}

static inline __attribute__((always_inline)) void *calloc_by(size_t n,
							     size_t size,
							     bool skims)
{
	struct mt_place at = CALLER;
	void *p;

	if (!have_real())
		return mt_real_early_alloc(times(n, size));
	if (skims && passes(times(n, size)))
		return mt_real.calloc(n, size);
	given = 0;
	p = mt_real.calloc(n, size);
	if (!is_given(p) && (!skims || keeps(p)))
		record_kind(MT_CALLOC, (uint64_t)(uintptr_t)p, times(n, size),
			    0, &at);
	return p;
}

static __attribute__((noinline)) void *calloc_in_full(size_t n, size_t size)
{
	return calloc_by(n, size, false);
}

static __attribute__((noinline)) void *calloc_skimming(size_t n, size_t size)
{
	return calloc_by(n, size, true);
}

EXPORT void *calloc(size_t n, size_t size)
{
	if (likely(!mt_gate.skims))
		return calloc_in_full(n, size);
	return skips(times(n, size)) ? mt_real.calloc(n, size)
				     : calloc_skimming(n, size);
}

/* Free by an allocator that may free through our hooks again. */
static __attribute__((noinline)) void free_foreign(void *p,
						   const struct mt_place *at)
{
	inside.at = *at;
	inside.address = (uint64_t)(uintptr_t)p + 1;
	mt_real.free(p);
	inside.address = 0;
}

static inline __attribute__((always_inline)) void free_by(void *p, bool skims)
{
	struct mt_place at = CALLER;

	if (!p || !have_real() || unlikely(mt_real_is_early(p)))
		return;
	if (!(skims && passes_free(p)) && !is_inner_free(p, at.sp)) {
		record_free(MT_FREE, p, 0, 0, &at);
		if (unlikely(mt_real_foreign)) {
			free_foreign(p, &at);
			return;
		}
	}
	mt_real.free(p);
}

static __attribute__((noinline)) void free_in_full(void *p)
{
	free_by(p, false);
}

static __attribute__((noinline)) void free_skimming(void *p)
{
	free_by(p, true);
}

EXPORT void free(void *p)
{
	if (likely(!mt_gate.skims))
		free_in_full(p);
	else if (skips_free(p))
		mt_real.free(p);
	else
		free_skimming(p);
}

EXPORT void cfree(void *p)
{
	struct mt_place at = CALLER;

	if (!p || !have_real() || mt_real_is_early(p))
		return;
	if (!passes_free(p))
		record_free(MT_CFREE, p, 0, 0, &at);
	if (mt_real.cfree)
		mt_real.cfree(p);
	else
		mt_real.free(p);
}

EXPORT void free_sized(void *p, size_t size)
{
	struct mt_place at = CALLER;

	if (!p || !have_real() || mt_real_is_early(p))
		return;
	if (!passes_free(p))
		record_free(MT_FREE_SIZED, p, size, 0, &at);
	if (mt_real.free_sized)
		mt_real.free_sized(p, size);
	else
		mt_real.free(p);
}

EXPORT void free_aligned_sized(void *p, size_t align, size_t size)
{
	struct mt_place at = CALLER;

	if (!p || !have_real() || mt_real_is_early(p))
		return;
	if (!passes_free(p))
		record_free(MT_FREE_ALIGNED_SIZED, p, size, align, &at);
	if (mt_real.free_aligned_sized)
		mt_real.free_aligned_sized(p, align, size);
	else
		mt_real.free(p);
}

/* The first half of a realloc. */
struct taken {
	bool recorded;
	uint32_t stack;
};

/* Record that a realloc takes a block, if there is one; `ends`: it gives none
 * in return. */
static inline struct taken take_old(const void *old, bool ends,
				    const struct mt_place *at)
{
	struct taken t = {0};

	if (old && !passes_free(old)) {
		t.recorded = true;
		t.stack = record_free(MT_REALLOC_FREE, old, ends, 0, at);
	}
	return t;
}

/*
 * Record what became of a realloc. `size` 0 with no block is a free, in
 * glibc; any other NULL is a failure, and the old block lives on.
 */
static inline void reallocated(enum mt_kind kind, const void *old,
			       const void *p, size_t size, struct taken taken,
			       bool pass, const struct mt_place *at)
{
	struct mt_deal deal = {
		.address = (uint64_t)(uintptr_t)p,
		.size = size,
		.kind = kind,
		.stack = taken.stack,
	};

	if (!p && old && !size)
		return;
	if (!p && old) {
		if (!taken.recorded)
			return;
		deal.kind = MT_REALLOC_CANCEL;
		deal.address = (uint64_t)(uintptr_t)old;
		p = old;
	} else if (pass || is_given(p)) {
		return;
	}
	if (!keeps(p))
		return;
	mt_record(&deal, at);
	/* What has failed has told of the old block's end; its size is the
	 * allocator's to say. */
	if (deal.kind == MT_REALLOC_CANCEL)
		size = mt_real.usable ? mt_real.usable((void *)old) : 0;
	tell(kind, deal.address, size);
}

/* Give a block of the early memory a successor. */
static void *realloc_early(void *old, size_t size)
{
	void *p = malloc(size);

	if (p)
		memcpy(p, old, size); /* the early memory is readable so far */
	return p;
}

EXPORT void *realloc(void *old, size_t size)
{
	struct mt_place at = CALLER;
	struct taken taken;
	bool pass;
	void *p;

	if (!have_real())
		return mt_real_early_alloc(size);
	if (unlikely(mt_real_is_early(old)))
		return realloc_early(old, size);
	if (is_inner_alloc(size, at.sp))
		return inner_alloc(mt_real.realloc(old, size));
	pass = passes(size);
	taken = take_old(old, !size, &at);
	if (unlikely(mt_real_foreign)) {
		expect_alloc(MT_REALLOC, size, 0, 64, &at);
		inside.address = old ? (uint64_t)(uintptr_t)old + 1 : 0;
	}
	given = 0;
	p = mt_real.realloc(old, size);
	inside.expected = inside.address = 0;
	reallocated(MT_REALLOC, old, p, size, taken, pass, &at);
	return p;
}

EXPORT void *reallocarray(void *old, size_t n, size_t size)
{
	struct mt_place at = CALLER;
	struct taken taken;
	bool pass;
	void *p;

	if (!have_real())
		return mt_real_early_alloc(times(n, size));
	if (unlikely(mt_real_is_early(old)))
		return realloc_early(old, times(n, size));
	pass = passes(times(n, size));
	taken = take_old(old, !(n && size), &at);
	given = 0;
	if (mt_real.reallocarray) {
		expect_alloc(MT_REALLOCARRAY, times(n, size), 0, 0, &at);
		p = mt_real.reallocarray(old, n, size);
		inside.expected = 0;
	} else {
		p = times(n, size) == SIZE_MAX ? NULL
					       : mt_real.realloc(old, n * size);
		if (!p && times(n, size) == SIZE_MAX)
			errno = ENOMEM;
	}
	reallocated(MT_REALLOCARRAY, old, p, times(n, size), taken, pass, &at);
	return p;
}

EXPORT int posix_memalign(void **out, size_t align, size_t size)
{
	struct mt_place at = CALLER;
	int ret;

	if (!have_real())
		return ENOMEM;
	if (passes(size))
		return mt_real.posix_memalign(out, align, size);
	given = 0;
	ret = mt_real.posix_memalign(out, align, size);
	record_alloc(MT_POSIX_MEMALIGN, ret ? NULL : *out, size, align, &at);
	return ret;
}

/* The allocators that take an alignment and a size. */
#define HOOK_ALIGNED(name, kind)                                       \
	EXPORT void *name(size_t align, size_t size)                   \
	{                                                              \
		struct mt_place at = CALLER;                           \
		void *p;                                               \
                                                                       \
		if (!have_real() || !mt_real.name)                     \
			return NULL;                                   \
		if (is_inner_alloc(size, at.sp))                       \
			return inner_alloc(mt_real.name(align, size)); \
		if (passes(size))                                      \
			return mt_real.name(align, size);              \
		given = 0;                                             \
		p = mt_real.name(align, size);                         \
		record_alloc(kind, p, size, align, &at);               \
		return p;                                              \
	}

HOOK_ALIGNED(aligned_alloc, MT_ALIGNED_ALLOC)
HOOK_ALIGNED(memalign, MT_MEMALIGN)

/* The allocators that align to pages. */
#define HOOK_PAGES(name, kind)                                   \
	EXPORT void *name(size_t size)                           \
	{                                                        \
		struct mt_place at = CALLER;                     \
		void *p;                                         \
                                                                 \
		if (!have_real() || !mt_real.name)               \
			return NULL;                             \
		if (passes(size))                                \
			return mt_real.name(size);               \
		given = 0;                                       \
		p = mt_real.name(size);                          \
		record_alloc(kind, p, size, MT_PAGE_BYTES, &at); \
		return p;                                        \
	}

HOOK_PAGES(valloc, MT_VALLOC)
HOOK_PAGES(pvalloc, MT_PVALLOC)

/*
 * C++. The symbol names are the mangled forms of operator new and delete
 * (Itanium C++ ABI 5.1.4.1, with unsigned long for size_t and align_val_t).
 */
static __attribute__((noinline)) bool need_cxx(void *slot, const char *symbol)
{
	int saved = errno;

	if (!have_real())
		return false;
	mt_real_find_cxx(slot, symbol);
	errno = saved;
	return true;
}

/*
 * Call malloc for an operator new. NULL: the operator is to be asked, for it
 * may call a new_handler, and throw.
 */
static inline __attribute__((always_inline)) void *plain_new(
	enum mt_kind kind, size_t size, bool pass, const struct mt_place *at)
{
	void *p;

	if (!pass)
		given = 0;
	p = mt_real.malloc(at_least_one(size));
	if (likely(p) && !pass)
		record_alloc(kind, p, size, 0, at);
	return p;
}

/* Free for an operator delete. */
static inline __attribute__((always_inline)) void plain_delete(
	enum mt_kind kind, void *p, size_t size, const struct mt_place *at)
{
	if (!p || unlikely(mt_real_is_early(p)))
		return;
	if (!passes_free(p))
		record_free(kind, p, size, 0, at);
	mt_real.free(p);
}

/* Whether an operator, of an alignment that is written out if it is none, is
 * malloc or free. */
#define IS_PLAIN(align) \
	(__builtin_constant_p(align) && likely(mt_real_cxx_plain))

#define HAVE_CXX(member, symbol) \
	(likely(mt_real.member != NULL) || need_cxx(&mt_real.member, symbol))

#define HOOK_NEW(member, symbol, kind, align, parameters, arguments)    \
	static __attribute__((noinline)) void *full_##member parameters \
	{                                                               \
		struct mt_place at = CALLER;                            \
		bool pass;                                              \
		void *p;                                                \
                                                                        \
		if (!HAVE_CXX(member, symbol))                          \
			return NULL;                                    \
		if (is_inner_alloc(size, at.sp))                        \
			return mt_real.member arguments;                \
		pass = passes(size);                                    \
		if (IS_PLAIN(align)) {                                  \
			p = plain_new(kind, size, pass, &at);           \
			if (likely(p))                                  \
				return p;                               \
		}                                                       \
		expect_alloc(kind, size, align, 2 * (align) + 16, &at); \
		given = 0;                                              \
		p = mt_real.member arguments;                           \
		if (expected_alloc() && !pass)                          \
			record_alloc(kind, p, size, align, &at);        \
		return p;                                               \
	}                                                               \
                                                                        \
	EXPORT void *hook_##member parameters __asm__(symbol);          \
	void *hook_##member parameters                                  \
	{                                                               \
		if (IS_PLAIN(align) && skips(size)) {                   \
			void *p = mt_real.malloc(at_least_one(size));   \
                                                                        \
			if (likely(p))                                  \
				return p;                               \
		}                                                       \
		return full_##member arguments;                         \
	}

HOOK_NEW(new, "_Znwm", MT_NEW, 0, (size_t size), (size))
HOOK_NEW(new_nothrow, "_ZnwmRKSt9nothrow_t", MT_NEW, 0,
	 (size_t size, const struct mt_nothrow *nt), (size, nt))
HOOK_NEW(new_aligned, "_ZnwmSt11align_val_t", MT_NEW, to,
	 (size_t size, size_t to), (size, to))
HOOK_NEW(new_aligned_nothrow, "_ZnwmSt11align_val_tRKSt9nothrow_t", MT_NEW, to,
	 (size_t size, size_t to, const struct mt_nothrow *nt), (size, to, nt))
HOOK_NEW(new_array, "_Znam", MT_NEW_ARRAY, 0, (size_t size), (size))
HOOK_NEW(new_array_nothrow, "_ZnamRKSt9nothrow_t", MT_NEW_ARRAY, 0,
	 (size_t size, const struct mt_nothrow *nt), (size, nt))
HOOK_NEW(new_array_aligned, "_ZnamSt11align_val_t", MT_NEW_ARRAY, to,
	 (size_t size, size_t to), (size, to))
HOOK_NEW(new_array_aligned_nothrow, "_ZnamSt11align_val_tRKSt9nothrow_t",
	 MT_NEW_ARRAY, to,
	 (size_t size, size_t to, const struct mt_nothrow *nt), (size, to, nt))

#define HOOK_DELETE(member, symbol, kind, size, align, parameters, arguments) \
	static __attribute__((noinline)) void full_##member parameters        \
	{                                                                     \
		struct mt_place at = CALLER;                                  \
                                                                              \
		if (!HAVE_CXX(member, symbol))                                \
			return;                                               \
		if (IS_PLAIN(align)) {                                        \
			plain_delete(kind, p, size, &at);                     \
			return;                                               \
		}                                                             \
		if (p && !passes_free(p) && !is_inner_free(p, at.sp))         \
			record_free(kind, p, size, align, &at);               \
		inside.at = at;                                               \
		inside.address = p ? (uint64_t)(uintptr_t)p + 1 : 0;          \
		mt_real.member arguments;                                     \
		inside.address = 0;                                           \
	}                                                                     \
                                                                              \
	EXPORT void hook_##member parameters __asm__(symbol);                 \
	void hook_##member parameters                                         \
	{                                                                     \
		if (IS_PLAIN(align) && skips_free(p))                         \
			mt_real.free(p);                                      \
		else                                                          \
			full_##member arguments;                              \
	}

HOOK_DELETE(delete, "_ZdlPv", MT_DELETE, 0, 0, (void *p), (p))
HOOK_DELETE(delete_nothrow, "_ZdlPvRKSt9nothrow_t", MT_DELETE, 0, 0,
	    (void *p, const struct mt_nothrow *nt), (p, nt))
HOOK_DELETE(delete_sized, "_ZdlPvm", MT_DELETE, n, 0, (void *p, size_t n),
	    (p, n))
HOOK_DELETE(delete_aligned, "_ZdlPvSt11align_val_t", MT_DELETE, 0, to,
	    (void *p, size_t to), (p, to))
HOOK_DELETE(delete_aligned_nothrow, "_ZdlPvSt11align_val_tRKSt9nothrow_t",
	    MT_DELETE, 0, to, (void *p, size_t to, const struct mt_nothrow *nt),
	    (p, to, nt))
HOOK_DELETE(delete_sized_aligned, "_ZdlPvmSt11align_val_t", MT_DELETE, n, to,
	    (void *p, size_t n, size_t to), (p, n, to))
HOOK_DELETE(delete_array, "_ZdaPv", MT_DELETE_ARRAY, 0, 0, (void *p), (p))
HOOK_DELETE(delete_array_nothrow, "_ZdaPvRKSt9nothrow_t", MT_DELETE_ARRAY, 0, 0,
	    (void *p, const struct mt_nothrow *nt), (p, nt))
HOOK_DELETE(delete_array_sized, "_ZdaPvm", MT_DELETE_ARRAY, n, 0,
	    (void *p, size_t n), (p, n))
HOOK_DELETE(delete_array_aligned, "_ZdaPvSt11align_val_t", MT_DELETE_ARRAY, 0,
	    to, (void *p, size_t to), (p, to))
HOOK_DELETE(delete_array_aligned_nothrow, "_ZdaPvSt11align_val_tRKSt9nothrow_t",
	    MT_DELETE_ARRAY, 0, to,
	    (void *p, size_t to, const struct mt_nothrow *nt), (p, to, nt))
HOOK_DELETE(delete_array_sized_aligned, "_ZdaPvmSt11align_val_t",
	    MT_DELETE_ARRAY, n, to, (void *p, size_t n, size_t to), (p, n, to))
