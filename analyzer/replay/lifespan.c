/* SPDX-License-Identifier: MIT */
/* How long blocks live; see lifespan.h. */
#include "lifespan.h"

#include <math.h>
#include <stdlib.h>

#include "image.h"

uint64_t lifespan_bound_ns(unsigned int i)
{
	/* 1, 2, 3, 6, 10, 18, 32, 56, 100...: rounded powers of 10^(1/4). */
	return (uint64_t)(pow(10, i / 4.0) + 0.5);
}

/* Begin with what the heap image knows. */
static void load_image(struct lifespan *l, const struct mt_image_sums *s)
{
	_Static_assert(MT_IMAGE_TIMES == LIFESPAN_TIMES, "the same buckets");
	_Static_assert(MT_IMAGE_MEANWHILE == LIFESPAN_BYTES, "the same");

	l->allocated_bytes = s->allocated_bytes;
	if (l->from)
		return;
	for (unsigned int i = 0; i < LIFESPAN_TIMES; i++)
		l->time[i] = (struct lifespan_sum){
			.blocks = s->time[i].blocks,
			.bytes = s->time[i].bytes,
		};
	for (unsigned int i = 0; i < LIFESPAN_BYTES; i++)
		l->meanwhile[i] = (struct lifespan_sum){
			.blocks = s->meanwhile[i].blocks,
			.bytes = s->meanwhile[i].bytes,
		};
}

void lifespan_begin(struct lifespan *l, const struct trace *t, uint64_t from)
{
	*l = (struct lifespan){.trace = t, .from = from};
	for (unsigned int i = 0; i < LIFESPAN_TIMES; i++)
		l->bound_ns[i] = lifespan_bound_ns(i);
	/* The image's sums are of the sample: they stand for nothing. */
	if (t->image && !estimate_is_needed(t))
		load_image(l, t->image->sums);
}

/* Return the bucket of a time. */
static unsigned int time_bucket(const struct lifespan *l, uint64_t ns)
{
	unsigned int low = 0, high = LIFESPAN_TIMES - 1;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (ns < l->bound_ns[middle])
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Return the bucket of a number of bytes. */
static unsigned int bytes_bucket(uint64_t bytes)
{
	unsigned int i = bytes ? 64 - (unsigned int)__builtin_clzll(bytes) : 0;

	return i < LIFESPAN_BYTES ? i : LIFESPAN_BYTES - 1;
}

static void add(struct lifespan_sum *sum, const struct estimate *n)
{
	sum->blocks += n->blocks;
	sum->bytes += n->bytes;
	spread_add(&sum->spread, &n->spread);
}

static void take(struct lifespan_sum *sum, const struct estimate *n)
{
	sum->blocks -= n->blocks;
	sum->bytes -= n->bytes;
	spread_subtract(&sum->spread, &n->spread);
}

static void begins(void *context, struct heap_block *b,
		   const struct replay_event *e, const struct heap_block *from)
{
	struct lifespan *l = context;
	struct estimate n = estimate_of(l->trace, b);

	(void)from;
	(void)e;
	b->owner = slots_take(&l->slots);
	l->born = util_grow(l->born, b->owner, &l->room, sizeof(*l->born));
	l->born[b->owner] = l->allocated_bytes;
	l->allocated_bytes += b->size;
	if (b->born >= l->from)
		add(&l->live, &n);
}

static void carries(void *context, struct heap_block *b,
		    const struct replay_event *e)
{
	struct lifespan *l = context;
	struct estimate n = estimate_of(l->trace, b);

	b->owner = slots_take(&l->slots);
	l->born = util_grow(l->born, b->owner, &l->room, sizeof(*l->born));
	l->born[b->owner] = e->before;
	if (b->born >= l->from)
		add(&l->live, &n);
}

/* Return the bytes that were allocated since a block began, itself left out. */
static uint64_t meanwhile(const struct lifespan *l, const struct heap_block *b)
{
	return l->allocated_bytes - l->born[b->owner] - b->size;
}

static void ends(void *context, const struct heap_block *b,
		 const struct replay_event *e, enum replay_end why,
		 bool temporary)
{
	struct lifespan *l = context;
	uint64_t ns = trace_span_ns(l->trace, e->event->time - b->born);
	struct estimate n = estimate_of(l->trace, b);

	(void)temporary;
	slots_end(&l->slots, b->owner, e->thread, why == REPLAY_REALLOCATED);
	if (b->born < l->from)
		return;
	take(&l->live, &n);
	add(&l->time[time_bucket(l, ns)], &n);
	add(&l->meanwhile[bytes_bucket(meanwhile(l, b))], &n);
}

/* Take the end of a block back. */
static void resumes(void *context, const struct heap_block *b,
		    const struct replay_event *e)
{
	struct lifespan *l = context;
	uint64_t ns = trace_span_ns(l->trace, e->ended - b->born);
	struct estimate n = estimate_of(l->trace, b);

	slots_resume(&l->slots, e->thread);
	if (b->born < l->from)
		return;
	add(&l->live, &n);
	take(&l->time[time_bucket(l, ns)], &n);
	take(&l->meanwhile[bytes_bucket(meanwhile(l, b))], &n);
}

struct replay_listener lifespan_listener(struct lifespan *l)
{
	return (struct replay_listener){
		.context = l,
		.begins = begins,
		.ends = ends,
		.resumes = resumes,
		.carries = carries,
	};
}

void lifespan_end(struct lifespan *l)
{
	l->time[LIFESPAN_TIMES] = l->live;
	l->meanwhile[LIFESPAN_BYTES] = l->live;
}

uint64_t lifespan_quantile_ns(const struct lifespan *l, double part)
{
	uint64_t all = 0, sum = 0;

	for (unsigned int i = 0; i < LIFESPAN_TIMES; i++)
		all += l->time[i].blocks;
	for (unsigned int i = 0; i < LIFESPAN_TIMES && all; i++) {
		sum += l->time[i].blocks;
		if ((double)sum >= part * (double)all)
			return lifespan_bound_ns(i);
	}
	return 0;
}

/* Return how uncertain the part of the freed blocks is that is in the buckets
 * below a bound: a standard error, of the ratio of two estimates. */
static double part_error(const struct lifespan *l, uint64_t bound_ns)
{
	double below = 0, all = 0, variance[2] = {0};

	for (unsigned int i = 0; i < LIFESPAN_TIMES; i++) {
		const struct lifespan_sum *s = &l->time[i];
		bool is_above = l->bound_ns[i] > bound_ns;

		all += (double)s->blocks;
		below += is_above ? 0 : (double)s->blocks;
		variance[is_above] += s->spread.blocks.variance;
	}
	if (!(all > 0))
		return 0;
	below /= all;
	return sqrt((1 - below) * (1 - below) * variance[0] +
		    below * below * variance[1]) /
	       all;
}

void lifespan_quantile_interval(const struct lifespan *l, double part,
				uint64_t *low_ns, uint64_t *high_ns)
{
	uint64_t at = lifespan_quantile_ns(l, part);
	double off = ESTIMATE_Z * part_error(l, at);

	*low_ns = lifespan_quantile_ns(l, fmax(part - off, 0));
	*high_ns = lifespan_quantile_ns(l, fmin(part + off, 1));
}

void lifespan_free(struct lifespan *l)
{
	slots_free(&l->slots);
	free(l->born);
}
