/* SPDX-License-Identifier: MIT */
/*
 * The replay of a trace: the loop over all events.
 */
#include "replay.h"

#include <stdlib.h>

#include "image.h"
#include "merge.h"

/* How far ahead of its event a block's place is fetched. */
#define PREFETCH_EVENTS 12

/* Events between two calls of the progress function. */
#define PROGRESS_EVENTS (1u << 18)

/* What the replay remembers of a thread. */
struct replay_thread {
	uint64_t last;		  /* address of its last allocation */
	struct heap_block moving; /* taken by MT_REALLOC_FREE; address 0: no */
	uint64_t moving_since;	  /* clock */
	uint64_t done;		  /* number of its next event */
	uint64_t seen;		  /* of the first that was not there yet */
};

/* Tell the listeners that a block begins, and enter it. */
static inline void begin(struct replay *r, struct heap_block *b,
			 const struct replay_event *e,
			 const struct heap_block *from)
{
	for (size_t i = 0; i < r->listener_count; i++)
		if (r->listeners[i].begins)
			r->listeners[i].begins(r->listeners[i].context, b, e,
					       from);
	heap_insert(&r->heap, b);
}

/* Tell the listeners that a block ends, and remove it. */
static inline void end(struct replay *r, struct heap_block *b,
		       const struct replay_event *e, enum replay_end why,
		       bool temporary)
{
	for (size_t i = 0; i < r->listener_count; i++)
		if (r->listeners[i].ends)
			r->listeners[i].ends(r->listeners[i].context, b, e, why,
					     temporary);
	heap_remove(&r->heap, b);
}

/* Tell the listeners that a block lives on, and enter it again. */
static void resume(struct replay *r, const struct heap_block *b,
		   struct replay_event *e)
{
	e->ended = r->threads[e->thread].moving_since;
	for (size_t i = 0; i < r->listener_count; i++)
		if (r->listeners[i].resumes)
			r->listeners[i].resumes(r->listeners[i].context, b, e);
	e->ended = 0;
	heap_insert(&r->heap, b);
}

/* Tell the listeners of an event that changes no block. */
static void other(struct replay *r, const struct replay_event *e)
{
	for (size_t i = 0; i < r->listener_count; i++)
		if (r->listeners[i].others)
			r->listeners[i].others(r->listeners[i].context, e);
}

/* Tell the listeners of a free where no block is. */
static void miss(struct replay *r, const struct replay_event *e)
{
	r->anomalies.unknown_frees++;
	for (size_t i = 0; i < r->listener_count; i++)
		if (r->listeners[i].misses)
			r->listeners[i].misses(r->listeners[i].context, e);
}

/*
 * Tell whether a free may be of a block that was asked for otherwise: cheap,
 * and at times wrong where sizes or alignments are told.
 */
static inline bool is_odd(const struct heap_block *b, const struct mt_event *e)
{
	unsigned int given = b->kind >= MT_NEW ? b->kind - MT_NEW + 1u : 0;
	unsigned int taken = e->kind >= MT_DELETE && e->kind <= MT_DELETE_ARRAY
				     ? e->kind - MT_DELETE + 1u
				     : 0;

	return given != taken || e->align_log2 || e->kind == MT_FREE_SIZED ||
	       (e->size && e->size != b->size);
}

/* Apply an allocation. */
static inline void apply_alloc(struct replay *r, struct replay_event *at)
{
	const struct mt_event *e = at->event;
	struct replay_thread *thread = &r->threads[at->thread];
	struct heap_block *there, *from = NULL,
				  b = {.address = e->address,
				       .size = e->size,
				       .born = e->time,
				       .thread = at->thread & 0xffffff,
				       .kind = e->kind};

	if (__builtin_expect(!e->address, 0)) {
		other(r, at);
		return;
	}
	there = heap_find(&r->heap, e->address);
	if (__builtin_expect(there->address, 0)) {
		r->anomalies.lost_frees++;
		end(r, there, at, REPLAY_LOST, false);
	}
	if ((e->kind == MT_REALLOC || e->kind == MT_REALLOCARRAY) &&
	    thread->moving.address)
		from = &thread->moving;
	thread->last = e->address;
	r->anomalies.odd += e->align_log2 && e->kind >= MT_NEW;
	at->number = r->begun++;
	begin(r, &b, at, from);
	thread->moving.address = 0;
}

/* Apply a free that is not realloc's. */
static inline void apply_free(struct replay *r, const struct replay_event *at)
{
	struct heap_block *b = heap_find(&r->heap, at->event->address);

	if (__builtin_expect(!b->address, 0)) {
		miss(r, at);
		return;
	}
	r->anomalies.odd += is_odd(b, at->event);
	end(r, b, at, REPLAY_FREED,
	    b->thread == at->thread &&
		    r->threads[at->thread].last == b->address);
}

/* Apply the first half of a realloc. */
static void apply_realloc_free(struct replay *r, const struct replay_event *at)
{
	struct heap_block *b = heap_find(&r->heap, at->event->address);
	struct heap_block *moving = &r->threads[at->thread].moving;

	moving->address = 0;
	if (!b->address) {
		miss(r, at);
		return;
	}
	r->anomalies.odd += is_odd(b, at->event);
	*moving = *b;
	r->threads[at->thread].moving_since = at->event->time;
	end(r, b, at, REPLAY_REALLOCATED, false);
}

/* Apply the second half of a realloc that failed: the old block lives on. */
static void apply_realloc_cancel(struct replay *r, struct replay_event *at)
{
	struct heap_block *moving = &r->threads[at->thread].moving;
	const struct mt_event *e = at->event;

	other(r, at);
	if (!e->address || moving->address != e->address)
		return;
	if (heap_find(&r->heap, e->address)->address)
		r->anomalies.lost_frees++;
	else
		resume(r, moving, at);
	moving->address = 0;
}

/* Apply what is neither a plain allocation nor a plain free. */
static void apply_other(struct replay *r, struct replay_event *at)
{
	switch (at->event->kind) {
	case MT_REALLOC_FREE:
		apply_realloc_free(r, at);
		break;
	case MT_REALLOC_CANCEL:
		apply_realloc_cancel(r, at);
		break;
	case MT_MMAP:
	case MT_MREMAP:
	case MT_MUNMAP:
	case MT_MREMAP_FREE:
		other(r, at);
		break;
	default:
		r->anomalies.unknown_kinds++;
		break;
	}
}

/* Apply `count` events of one thread. */
static void apply_run(struct replay *r, const struct merge_run *run,
		      uint32_t count)
{
	struct replay_event at = {.thread = run->thread};

	for (uint32_t i = 0; i < count; i++) {
		const struct mt_event *e = &run->event[i];

		at.event = e;
		at.number = r->begun;
		if (i + PREFETCH_EVENTS < count)
			heap_prefetch(&r->heap, e[PREFETCH_EVENTS].address);
		if (e->kind >= MT_MALLOC && e->kind <= MT_NEW_ARRAY)
			apply_alloc(r, &at);
		else if (e->kind >= MT_FREE && e->kind <= MT_DELETE_ARRAY)
			apply_free(r, &at);
		else
			apply_other(r, &at);
	}
	r->events += count;
	if (count)
		r->last_clock = run->event[count - 1].time;
}

/* Return how many events of a run are before a clock value. */
static uint32_t events_before(const struct merge_run *run, uint64_t until)
{
	uint32_t n = run->count;

	while (n && run->event[n - 1].time >= until)
		n--;
	return n;
}

/*
 * Tell whether a run has an event that was not there at the last step, from
 * before `horizon`.
 */
static bool is_late(const struct replay *r, const struct merge_run *run,
		    uint64_t horizon)
{
	uint64_t seen = r->threads[run->thread].seen, i = 0;

	if (seen > run->number)
		i = seen - run->number;
	return i < run->count && run->event[i].time < horizon;
}

/* Note what there is of each thread. */
static void note_seen(struct replay *r, const struct trace *t)
{
	for (size_t i = 0; i < t->thread_count; i++) {
		const struct trace_segments *list = &t->threads[i].segments;
		uint64_t end;

		for (size_t j = 0; j < list->count; j++)
			if (!__builtin_add_overflow(list->at[j].first,
						    list->at[j].count, &end) &&
			    end > r->threads[i].seen)
				r->threads[i].seen = end;
	}
}

/* Show a listener what is live at the end. */
static void show_left(const struct replay *r, const struct replay_listener *l)
{
	for (size_t i = 0; i < r->heap.places && l->left; i++)
		if (r->heap.block[i].address)
			l->left(l->context, &r->heap.block[i]);
}

/* Return the events that the trace's segments hold. */
static uint64_t count_events(const struct trace *t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->thread_count; i++)
		for (size_t j = 0; j < t->threads[i].segments.count; j++)
			n += t->threads[i].segments.at[j].count;
	return n;
}

/* ---- The heap image. ---- */

/* What the blocks of the image are entered with. */
struct carrying {
	struct replay *replay;
	const struct trace *trace;
};

/* Return the place of a thread of the image; the first, if it is not known. */
static uint32_t place_of(const struct trace *t, uint32_t index)
{
	size_t low = 0, high = t->thread_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if ((t->threads[middle].index & 0xffffff) < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low < t->thread_count ? (uint32_t)low : 0;
}

/* Return a block of the image as one of the heap's. */
static struct heap_block block_of(const struct trace *t,
				  const struct mt_image_block *b)
{
	return (struct heap_block){
		.address = b->address,
		.size = b->size,
		.born = b->born,
		.thread = place_of(t, b->thread) & 0xffffff,
		.kind = b->kind,
	};
}

/* Enter a block of the image. */
static void carry(void *context, const struct mt_image_block *from)
{
	const struct carrying *c = context;
	struct replay *r = c->replay;
	struct heap_block b = block_of(c->trace, from);
	struct mt_event event = {
		.time = b.born,
		.address = b.address,
		.size = b.size,
		.stack = from->node,
		.kind = (uint8_t)b.kind,
	};
	struct replay_event e = {
		.event = &event,
		.thread = b.thread,
		.number = r->begun,
		.before = from->before,
	};

	if (!b.address || heap_find(&r->heap, b.address)->address)
		return; /* damage */
	r->begun++;
	for (size_t i = 0; i < r->listener_count; i++) {
		const struct replay_listener *l = &r->listeners[i];

		if (l->carries)
			l->carries(l->context, &b, &e);
		else if (l->begins)
			l->begins(l->context, &b, &e, NULL);
	}
	heap_insert(&r->heap, &b);
}

/* Begin with the heap image. */
static void carry_all(struct replay *r, const struct trace *t)
{
	const struct image *m = t->image;
	struct carrying c = {r, t};

	image_blocks(m, carry, &c);
	for (uint32_t i = 0; i < m->sums->threads; i++) {
		struct mt_image_thread it = image_thread(m, i);
		struct replay_thread *thread;

		if (it.index == MT_NO_THREAD || !t->thread_count)
			continue;
		thread = &r->threads[place_of(t, it.index & 0xffffff)];
		thread->last = it.last;
		thread->moving = block_of(t, &it.moving);
		thread->moving_since = it.moving_since;
		thread->done = it.done;
	}
	r->events = m->sums->events;
	r->last_clock = m->sums->clock;
	r->anomalies.lost_frees += m->sums->lost_frees;
	r->anomalies.unknown_frees += m->sums->unknown_frees;
	r->anomalies.unknown_kinds += m->sums->unknown_kinds;
}

void replay_begin(struct replay *r, const struct trace *t,
		  const struct replay_listener *listeners, size_t count)
{
	*r = (struct replay){
		.listeners = listeners,
		.listener_count = count,
		.threads = util_alloc(t->thread_count, sizeof(*r->threads)),
	};
	heap_init(&r->heap);
	if (t->image)
		carry_all(r, t);
}

void replay_on(struct replay *r, struct trace *t, uint64_t until,
	       replay_progress *progress)
{
	uint64_t total = count_events(t), next = r->events + PROGRESS_EVENTS;
	uint64_t horizon = r->horizon;
	struct merge_run run;
	struct merge m;

	if (until > t->cut)
		until = t->cut;
	for (size_t i = 0; i < t->thread_count; i++)
		t->threads[i].folded = r->threads[i].done;
	merge_init(&m, t, heap_fits, &r->heap);
	while (merge_next(&m, &run)) {
		uint32_t n = events_before(&run, until);

		if (__builtin_expect(run.event[0].time < horizon, 0))
			r->late |= is_late(r, &run, horizon);
		apply_run(r, &run, n);
		r->threads[run.thread].done = run.number + n;
		if (n && r->last_clock + run.tick >= r->horizon)
			r->horizon = r->last_clock + run.tick + 1;
		if (n < run.count)
			break;
		if (progress && r->events >= next) {
			progress(r->events, total);
			next += PROGRESS_EVENTS;
		}
	}
	merge_free(&m);
	note_seen(r, t);
}

void replay_end(struct replay *r)
{
	for (size_t i = 0; i < r->listener_count; i++)
		show_left(r, &r->listeners[i]);
	free(r->threads);
	r->threads = NULL;
}

void replay_run(struct replay *r, struct trace *t, uint64_t until,
		const struct replay_listener *listeners, size_t count,
		replay_progress *progress)
{
	replay_begin(r, t, listeners, count);
	replay_on(r, t, until, progress);
	replay_end(r);
}

bool replay_places(const struct trace *before, const struct trace *t,
		   uint32_t *place)
{
	bool moved = false;

	for (size_t i = 0, j = 0; i < before->thread_count; i++) {
		while (j < t->thread_count &&
		       t->threads[j].index < before->threads[i].index)
			j++;
		place[i] = (uint32_t)j;
		moved |= i != j;
	}
	return moved;
}

void replay_move(struct replay *r, const struct trace *before, struct trace *t)
{
	struct replay_thread *threads =
		util_alloc(t->thread_count + 1, sizeof(*threads));
	uint32_t *place = util_alloc(before->thread_count, sizeof(*place));
	bool moved = replay_places(before, t, place);

	for (size_t i = 0; i < before->thread_count; i++) {
		if (place[i] == t->thread_count)
			break;
		threads[place[i]] = r->threads[i];
	}
	for (size_t i = 0; moved && i < r->heap.places; i++)
		if (r->heap.block[i].address)
			r->heap.block[i].thread =
				place[r->heap.block[i].thread] & 0xffffff;
	free(place);
	free(r->threads);
	r->threads = threads;
}

void replay_free(struct replay *r)
{
	heap_free(&r->heap);
}
