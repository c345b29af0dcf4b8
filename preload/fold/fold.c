/* SPDX-License-Identifier: MIT */
/*
 * Folding, and why it is exact.
 *
 * The image must be what a replay of all events so far would have led to, and
 * the peak and the lives of blocks depend on the order of all threads' events.
 * So events are taken in the order of time, by the same merge as in the
 * analyzer (memtrace/merge.h), from each thread's oldest segments on. An event
 * may be taken once no thread can come with an earlier one:
 *
 *  - a thread has sealed segments: its next event is known;
 *  - else what is in its buffer, if anything is: the events that are
 *    committed there never change until the buffer is turned over, so a copy
 *    of them is as good as a segment; what is taken of it counts by number,
 *    and is passed over when the segment comes;
 *  - else, if it is in no hook now, what it will record is later than now: a
 *    hook says that it is busy before it takes the time. (The processor may
 *    delay the word's way to us, by far less than SETTLE_NS.)
 *  - else (it is just adding an event) no earlier than its last one: to be
 *    asked again.
 *
 * New threads are looked for after `now` was taken; what they record is later.
 *
 * The work is done by whoever records, in small pieces: each time a buffer has
 * taken some events, twice as many are owed, until a reserve of space is there
 * again; once a piece is owed, it is folded. (Less at once costs more: other
 * memory is worked on than while recording.) One thread folds at a time, the
 * others go on, and what they add to the debt is next. Only when no space is
 * left at all must a thread fold before it can seal. Who reads the
 * live file may ask for some time without (the word `hold` of the mailbox); the
 * reserve is then what the recording lives on.
 *
 * Order of locks: this one, then the journal's.
 */
#include "fold.h"

#include <string.h>

#include <memtrace/merge.h>

#include "apply.h"
#include "clock.h"
#include "control.h"
#include "image.h"
#include "journal.h"
#include "live.h"
#include "seal.h"
#include "sys.h"
#include "thread.h"

/* Events decoded at once. */
#define BATCH 128

/* Events folded in one step of the image, about: a stack's row is kept once
 * a step, and costs less the longer that is. */
#define STEP_EVENTS 2048

/* Events folded in one piece, at least and at most. */
#define PIECE 1024
#define BIG_PIECE 2048

/* Segments noted in one piece. */
#define PIECE_SEGMENTS 64

/* The reserve of space: a part of the bound, but no less than some bytes; and
 * what the image will take at the end. Events have a quarter, come what may. */
#define RESERVE_PART 16
#define RESERVE_BYTES (1ull << 20)

/* The least bytes of a trace that may go round before its bound: half of the
 * least bound. While it does, its place is looked at once in so many steps. */
#define LEAST_BYTES (1ull << 19)
#define LOOK_STEPS 16

/* How long a store of another thread may take until it is seen. */
#define SETTLE_NS 1000000

#define STACK_BYTES (64 * 1024)
#define THREADS_LOG2 10

/* What a segment that is being read needs. */
struct work {
	struct mt_model model;
	struct mt_event event[BATCH];
	struct work *next; /* free ones */
	uint8_t buffer[MT_JOURNAL_READ_BYTES];
};

/* A thread some of whose events are to be folded. */
struct folding {
	struct mt_source source;
	struct folding *next;	 /* of its hash, or of the free ones */
	struct mt_thread *owner; /* its buffer, or NULL: its end was seen */
	uint32_t place;		 /* in the image */
	uint64_t done;		 /* as in the image */
	uint64_t head, tail;	 /* segments that wait; 0: none */
	uint64_t open;		 /* the one being read; 0: none, or a buffer */
	uint64_t number;	 /* of the next event to decode */
	uint32_t left;		 /* events not decoded of what is open */
	unsigned int shift;
	struct mt_columns columns;
	struct work *work;
};

static struct {
	struct sys_lock lock;
	bool failed; /* out of memory: no more is folded */
	uint64_t bound;
	bool roomy;	/* it was tried to get the image a place on the disk */
	uint32_t looks; /* at that, since the trace could not grow */
	uint32_t owed;	/* events to be folded: twice what was recorded */
	uint64_t image; /* bytes that it will take in the trace, about */
	uint64_t now;	/* what no thread in no hook will be earlier than */
	uint64_t known; /* nor any thread that is not known yet */
	uint64_t settle;
	uint64_t seen;	  /* number of the next segment to be noted */
	uint32_t threads; /* of the run, that are known */
	struct mt_merge merge;
	size_t merge_room;
	struct folding *by_hash[1 << THREADS_LOG2];
	struct folding *spare;
	struct work *work;
	/* Segments that are folded once the step is committed. */
	uint64_t retired[BATCH];
	uint32_t retired_count;
	uint8_t *stack;
	bool in_step;	      /* the image is in a step, */
	uint32_t step_events; /* which holds so many events */
	bool did;	      /* the last piece folded something */
	uint32_t piece;
} fold;

/* ---- Threads. ---- */

static struct folding **hash_of(uint32_t thread)
{
	return &fold.by_hash[thread & ((1u << THREADS_LOG2) - 1)];
}

static struct folding *find_thread(uint32_t thread)
{
	struct folding *f = *hash_of(thread);

	while (f && f->source.thread != thread)
		f = f->next;
	return f;
}

/* Have room in the merge for one thread more. */
static bool grow_merge(void)
{
	size_t room = fold.merge_room ? 2 * fold.merge_room : 256;
	struct mt_merge_entry *entry;

	if (fold.merge.count < fold.merge_room)
		return true;
	entry = sys_map(room * sizeof(*entry), SYS_FORK_COPY);
	if (!entry)
		return false;
	for (size_t i = 0; i < fold.merge.count; i++)
		entry[i] = fold.merge.entry[i];
	if (fold.merge_room)
		sys_unmap(fold.merge.entry, fold.merge_room * sizeof(*entry));
	fold.merge.entry = entry;
	fold.merge_room = room;
	return true;
}

/* Take a structure for a thread; NULL: no memory. */
static struct folding *take_spare(void)
{
	struct folding *f = fold.spare;

	if (!f) {
		f = sys_map(MT_PAGE_BYTES, SYS_FORK_COPY);
		for (size_t i = 0; f && i < MT_PAGE_BYTES / sizeof(*f); i++) {
			f[i].next = fold.spare;
			fold.spare = &f[i];
		}
		f = fold.spare;
	}
	if (f)
		fold.spare = f->next;
	return f;
}

/* Return the thread of a number, entered when it is new; NULL: no memory. */
static struct folding *thread_of(uint32_t thread, uint64_t time)
{
	struct folding *f = find_thread(thread);
	uint32_t place;

	if (f)
		return f;
	if (!grow_merge())
		return NULL;
	place = mt_image_thread_place(thread);
	f = place == MT_NO_THREAD ? NULL : take_spare();
	if (!f)
		return NULL;
	*f = (struct folding){
		.source = {.thread = thread},
		.place = place,
		.next = *hash_of(thread),
	};
	*hash_of(thread) = f;
	mt_merge_add(&fold.merge, &f->source, time);
	return f;
}

/* A thread is gone and all of it folded. */
static void drop_thread(struct folding *f)
{
	struct folding **link = hash_of(f->source.thread);

	while (*link != f)
		link = &(*link)->next;
	*link = f->next;
	mt_image_thread_end(f->place);
	f->next = fold.spare;
	fold.spare = f;
}

/* Return a time that a thread which is idle at `now` records nothing before. */
static uint64_t time_of_now(void)
{
	return fold.now > fold.settle ? fold.now - fold.settle : 0;
}

/* Note the threads that have buffers. False: no memory. */
static bool note_threads(void)
{
	uint32_t count = mt_thread_count();

	for (struct mt_thread *t = mt_thread_first();
	     t && count != fold.threads; t = t->next) {
		uint32_t thread =
			__atomic_load_n(&t->slot->thread, __ATOMIC_ACQUIRE);
		struct folding *f;

		if (thread == MT_NO_THREAD)
			continue;
		/* Its segments are opened when their turn comes: at once they
		 * would take much memory. */
		f = thread_of(thread, fold.known);
		if (!f)
			return false;
		f->owner = t;
	}
	fold.threads = count;
	fold.known = time_of_now();
	return true;
}

/* Note up to `most` segments. False: more may be there, or no memory. */
static bool note_segments(uint32_t most)
{
	struct mt_ring_frame frame;

	for (; most && mt_journal_frame(&fold.seen, &frame); most--) {
		struct folding *f;

		if (frame.state == MT_RING_EVENTS) {
			f = thread_of(frame.thread, frame.base_time);
			if (!f) {
				fold.failed = true;
				return false;
			}
			if (f->tail)
				mt_journal_link(f->tail, fold.seen);
			else
				f->head = fold.seen;
			f->tail = fold.seen;
		}
		fold.seen++;
	}
	return most != 0;
}

/* ---- What a thread did next. ---- */

static struct work *take_work(void)
{
	struct work *w = fold.work;

	if (!w)
		return sys_map(sizeof(*w), SYS_FORK_COPY);
	fold.work = w->next;
	return w;
}

/* Close what is open: it is decoded, and all of it was taken. */
static void close_work(struct folding *f)
{
	if (f->open)
		fold.retired[fold.retired_count++] = f->open;
	f->open = 0;
	f->work->next = fold.work;
	fold.work = f->work;
	f->work = NULL;
}

/* Add the index entry of a segment to the image's sums. */
static void enter_entry(struct folding *f, const struct mt_journal_events *e)
{
	struct mt_image_thread *t = mt_image_thread(f->place);
	const uint8_t *at = e->packed, *end = e->packed_end;
	uint64_t class, n[3];

	mt_image_keep(&mt_image->allocations, 5 * 8);
	mt_image->allocations += e->head.allocations;
	mt_image->frees += e->head.frees;
	mt_image->allocated_bytes += e->head.allocated_bytes;
	mt_image->allocated_usable_bytes += e->head.allocated_usable_bytes;
	mt_image->freed_usable_bytes += e->head.freed_usable_bytes;
	while (mt_varint_get(&at, end, &class) && class &&
	       class <= MT_SIZE_CLASSES && mt_varint_get(&at, end, &n[0]) &&
	       mt_varint_get(&at, end, &n[1]) &&
	       mt_varint_get(&at, end, &n[2])) {
		uint64_t *sum[3] = {&mt_image->requested[class - 1],
				    &mt_image->usable[class - 1],
				    &mt_image->freed[class - 1]};

		for (int i = 0; i < 3; i++) {
			mt_image_keep(sum[i], 8);
			*sum[i] += n[i];
		}
	}
	t->entered = e->head.first + e->head.count;
}

/* Start to decode a segment or a buffer. */
static void start(struct folding *f, uint64_t first, uint32_t count,
		  uint64_t base_time, unsigned int shift)
{
	mt_model_reset(&f->work->model, base_time >> shift);
	f->number = first;
	f->left = count;
	f->shift = shift;
	f->source.tick = (1ull << shift) - 1;
	f->source.event = f->work->event;
	f->source.at = f->source.count = 0;
}

/* Open the next segment of a thread; false: none is left, or no memory. */
static bool open_segment(struct folding *f)
{
	struct mt_journal_events e;
	struct mt_ring_frame frame;
	uint64_t number;

	while (f->head) {
		number = f->head;
		if (!f->work)
			f->work = take_work();
		if (!f->work || !mt_journal_frame(&number, &frame))
			return false;
		f->head = frame.next;
		if (!f->head)
			f->tail = 0;
		f->open = number;
		e.buffer = f->work->buffer;
		if (mt_journal_read(&frame, &e)) {
			enter_entry(f, &e);
			f->columns = e.columns;
			start(f, frame.first, frame.count, frame.base_time,
			      frame.tick_shift);
			return true;
		}
		/* Damaged: what is not there cannot be folded. */
		mt_lost_events(frame.count);
		close_work(f);
	}
	return false;
}

/* Find the buffer of a thread that is known by its segments only. */
static bool find_owner(struct folding *f)
{
	for (struct mt_thread *t = mt_thread_first(); t && !f->owner;
	     t = t->next)
		if (__atomic_load_n(&t->slot->thread, __ATOMIC_ACQUIRE) ==
		    f->source.thread)
			f->owner = t;
	return f->owner;
}

/* What a thread's buffer holds. */
enum buffer {
	BUFFER_OPEN,	/* events, now open */
	BUFFER_EMPTY,	/* nothing that is not folded */
	BUFFER_SEALED,	/* a segment has come that is to be noted first */
	BUFFER_CHANGED, /* it was turned over meanwhile */
	BUFFER_GONE,	/* another thread's */
};

/* Copy what a thread's buffer holds, and open that. */
static enum buffer open_buffer(struct folding *f)
{
	const struct mt_slot *slot = f->owner->slot;
	uint32_t epoch = __atomic_load_n(&slot->epoch, __ATOMIC_ACQUIRE);
	uint32_t count = __atomic_load_n(&slot->count, __ATOMIC_ACQUIRE);
	uint64_t first = slot->first, base_time = slot->base_time;
	unsigned int shift = slot->tick_shift;
	uint32_t thread = slot->thread;

	if (epoch & 1)
		return BUFFER_CHANGED;
	for (int i = 0; i < MT_COLUMNS && first + count > f->done; i++) {
		uint8_t *to = f->work->buffer + i * MT_JOURNAL_COLUMN_BYTES;

		memcpy(to, (const uint8_t *)slot + slot->column_off[i],
		       slot->column_bytes[i]);
		f->columns.at[i] = to;
		f->columns.end[i] = to + slot->column_bytes[i];
	}
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&slot->epoch, __ATOMIC_ACQUIRE) != epoch)
		return BUFFER_CHANGED;
	if (thread != f->source.thread)
		return BUFFER_GONE;
	if (first > f->done)
		return BUFFER_SEALED;
	if (first + count <= f->done)
		return BUFFER_EMPTY;
	start(f, first, count, base_time, shift);
	return BUFFER_OPEN;
}

/* Return a time that no event to come of a thread is before, whose known
 * events are all folded. */
static uint64_t time_of_idle(const struct folding *f, uint64_t last)
{
	if (__atomic_load_n(&f->owner->busy, __ATOMIC_ACQUIRE))
		return last;
	return time_of_now();
}

/* Decode up to `most` events; returns how many there were. */
static uint32_t decode_batch(struct folding *f, uint32_t most)
{
	/* In variables that nothing else can point at. */
	struct mt_columns columns = f->columns;
	struct work *w = f->work;
	unsigned int shift = f->shift;
	uint32_t n = 0;

	while (n < most && mt_decode(&w->model, &columns, shift, &w->event[n]))
		n++;
	f->columns = columns;
	return n;
}

/* Decode events that are not folded yet; false: of what is open none are. */
static bool decode(struct folding *f)
{
	while (f->left) {
		uint32_t n = f->left < BATCH ? f->left : BATCH;
		uint32_t got = decode_batch(f, n);
		struct mt_source *s = &f->source;

		if (got < n)
			mt_lost_events(f->left - got);
		f->left = got < n ? 0 : f->left - n;
		s->at = 0;
		s->count = got;
		while (s->at < s->count && f->number + s->at < f->done)
			s->at++;
		f->number += got;
		if (s->at < s->count)
			return true;
	}
	f->source.at = f->source.count = 0;
	return false;
}

/* The merge's question: what did a thread do next? */
static enum mt_more more(void *context, struct mt_source *s, uint64_t *time)
{
	struct folding *f = (struct folding *)s;
	uint64_t last = *time;

	(void)context;
	for (int tries = 0; tries < 4; tries++) {
		enum buffer buffer = BUFFER_GONE;

		if (f->work && decode(f)) {
			*time = s->event[s->at].time;
			return MT_MORE;
		}
		if (f->work)
			close_work(f);
		if (fold.retired_count + 2 >= BATCH || mt_image_is_step_full())
			return MT_MORE_WAIT; /* until the step is over */
		if (f->head) {
			if (!open_segment(f))
				return MT_MORE_WAIT;
			continue;
		}
		f->work = take_work();
		if (!f->work)
			return MT_MORE_WAIT;
		if (find_owner(f))
			buffer = open_buffer(f);
		if (buffer == BUFFER_OPEN)
			continue;
		f->left = 0;
		close_work(f);
		if (buffer == BUFFER_EMPTY) {
			*time = time_of_idle(f, last);
			return MT_MORE_WAIT;
		}
		if (buffer == BUFFER_CHANGED)
			continue;
		/* Sealed: by now the segment is in the queue, and complete,
		 * or is being written. */
		if (!note_segments(UINT32_MAX))
			return MT_MORE_WAIT;
		if (buffer == BUFFER_GONE && !f->head) {
			/* Its segments must be space by when its name goes. */
			if (fold.retired_count)
				return MT_MORE_WAIT;
			drop_thread(f);
			return MT_MORE_GONE;
		}
	}
	return MT_MORE_WAIT;
}

/* Apply the events of a run; false: memory is out. */
static bool apply_run(const struct mt_merge_run *run)
{
	struct folding *f = (struct folding *)run->source;
	struct mt_image_thread *t = mt_image_thread(f->place);
	uint32_t last = 0;

	if (!mt_image_reserve(run->count))
		return false;
	for (uint32_t i = 0; i < run->count; i++)
		if (run->event[i].stack > last)
			last = run->event[i].stack;
	if (!mt_image_has_row(last))
		return false;
	mt_apply(t, run->event, run->count);
	f->done += run->count;
	t->done = f->done;
	mt_sums->events += run->count;
	mt_sums->clock = run->event[run->count - 1].time;
	return true;
}

/* ---- Pieces. ---- */

/* Begin a step, unless one goes on. */
static void begin_step(void)
{
	if (!fold.in_step)
		mt_image_begin();
	fold.in_step = true;
}

/* Commit the step; the segments that it ended become space. */
static void end_step(void)
{
	if (fold.in_step)
		mt_image_commit();
	fold.in_step = false;
	fold.step_events = 0;
	for (uint32_t i = 0; i < fold.retired_count; i++)
		mt_journal_free(fold.retired[i]);
	fold.retired_count = 0;
}

/* Fold a few events. Returns how many. */
static uint32_t fold_batch(void)
{
	struct mt_merge_run run;
	uint32_t done = 0;

	while (!fold.failed && done < BATCH && !mt_image_is_step_full() &&
	       mt_merge_next(&fold.merge, BATCH, &run)) {
		if (apply_run(&run))
			done += run.count;
		else
			fold.failed = true;
	}
	fold.step_events += done;
	return done;
}

/* Tell whether the step should end: it frees a segment, or is long enough. */
static bool is_step_over(void)
{
	return fold.retired_count || fold.step_events >= STEP_EVENTS ||
	       mt_image_is_step_full();
}

/* Fold up to fold.piece events. Runs on a stack of its own. */
static void fold_piece(void *unused)
{
	uint32_t done = 0, n;
	bool over;

	(void)unused;
	fold.did = false;
	fold.now = mt_clock();
	begin_step();
	if (!note_threads())
		fold.failed = true;
	/* Before all segments are known, nothing is in order. */
	if (fold.failed || !note_segments(PIECE_SEGMENTS)) {
		fold.did = !fold.failed;
		return;
	}
	do {
		begin_step();
		n = fold_batch();
		done += n;
		over = is_step_over();
		fold.did |= n || fold.retired_count;
		if (over)
			end_step();
	} while ((n || over) && done < fold.piece);
}

/* How many clock units a nanosecond has, by the clock so far. */
static double units_of_ns(void)
{
	uint64_t clock = mt_clock() - mt_live->clock;
	uint64_t ns = sys_monotonic_ns() - mt_live->clock_ns;

	return ns ? (double)clock / (double)ns : 1;
}

/* Get ready at the first piece. */
static bool ready(void)
{
	if (mt_image)
		return !fold.failed;
	if (fold.failed)
		return false;
	fold.stack = sys_map(STACK_BYTES, SYS_FORK_COPY);
	if (!fold.stack || !mt_image_init()) {
		fold.failed = true;
		return false;
	}
	mt_apply_init(units_of_ns());
	fold.settle = (uint64_t)(SETTLE_NS * units_of_ns());
	fold.seen = 1;
	fold.merge.more = more;
	fold.merge.fits = mt_apply_fits;
	return true;
}

/* Fold up to `events`, under the lock. False: nothing was to be had. */
static bool fold_some(uint32_t events)
{
	if (!ready())
		return false;
	fold.piece = events;
	mt_call_on_stack(fold.stack + STACK_BYTES, fold_piece, NULL);
	__atomic_store_n(&fold.image, mt_image_sealed_bytes(),
			 __ATOMIC_RELAXED);
	return fold.did;
}

/* The trace is at its bound: the journal's call for space. */
static bool make_room(void)
{
	struct sys_signals old = sys_lock(&fold.lock);
	bool did = fold_some(BIG_PIECE);

	sys_unlock(&fold.lock, old);
	return did;
}

void mt_fold_init(uint64_t bound)
{
	fold.bound = bound;
	mt_journal_when_full(bound ? make_room : NULL);
}

void mt_fold_reset(void)
{
	mt_image_reset();
	memset(&fold, 0, sizeof(fold));
}

/* Whether no more than the reserve of space is left. */
static bool is_near_bound(uint64_t left)
{
	uint64_t bound = mt_journal_bound();
	uint64_t reserve = bound / RESERVE_PART;

	if (reserve < RESERVE_BYTES)
		reserve = RESERVE_BYTES;
	if (reserve > bound / 2)
		reserve = bound / 2;
	reserve += __atomic_load_n(&fold.image, __ATOMIC_RELAXED);
	return left <= (reserve < bound / 4 * 3 ? reserve : bound / 4 * 3);
}

/* Whether the trace is large enough to go round, and was not before. */
static bool is_large_now(uint64_t left)
{
	return !fold.roomy && fold.bound - left >= LEAST_BYTES;
}

/*
 * See to it that the image will be where a kill leaves it, if the disk gets
 * full before the trace has reached its bound: then the trace goes round in
 * what it has, and the image takes of that what it needs more.
 */
static void see_to_place(void)
{
	int stuck = mt_journal_stuck();

	if (!fold.roomy && mt_live_reserve(MT_IMAGE_FIRST_BYTES))
		mt_journal_allow_less();
	fold.roomy = true;
	if (!stuck || fold.looks++ % LOOK_STEPS)
		return;
	mt_problem(MT_PROBLEM_LESS, stuck,
		   "the trace cannot grow, its history is short");
	if (!mt_live_reserve(MT_IMAGE_CHUNK_BYTES))
		mt_journal_give_up(MT_LIVE_PIECE_BYTES);
}

void mt_fold_step(void)
{
	struct sys_signals old;
	uint64_t left;
	uint32_t owed;
	bool near;

	if (!fold.bound || mt_control_is_held())
		return;
	left = mt_journal_left();
	near = is_near_bound(left);
	if (!near && !is_large_now(left))
		return;
	if (near && __atomic_add_fetch(&fold.owed, 2 * MT_STEP_EVENTS,
				       __ATOMIC_RELAXED) < PIECE)
		return;
	/* Nobody waits for one who folds already. */
	if (!sys_try_lock(&fold.lock, &old))
		return;
	see_to_place();
	if (near) {
		owed = __atomic_exchange_n(&fold.owed, 0, __ATOMIC_RELAXED);
		fold_some(owed < BIG_PIECE ? owed : BIG_PIECE);
	}
	sys_unlock(&fold.lock, old);
}

bool mt_fold_finish(void)
{
	struct sys_signals old;
	bool done;

	if (!mt_image)
		return true;
	old = sys_lock(&fold.lock);
	mt_journal_when_full(NULL);
	end_step();
	done = mt_image_seal();
	sys_unlock(&fold.lock, old);
	return done;
}
