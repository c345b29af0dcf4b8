/* SPDX-License-Identifier: MIT */
/* What each site allocated when, and what is left; see growth.h. */
#include "growth.h"

#include <stdlib.h>
#include <string.h>

/* How many epochs must have how many allocations for a verdict: half of them
 * may be too young for one, and of the others five are needed. */
#define LEAST_BUSY (GROWTH_EPOCHS / 2 + 5)
#define LEAST_ALLOCATIONS 8

void growth_begin(struct growth *g, uint64_t from, uint64_t allocated_bytes,
		  size_t node_count, growth_site_of *site_of, void *context)
{
	*g = (struct growth){
		.step_bytes = allocated_bytes / GROWTH_STEPS + 1,
		.step_ends = allocated_bytes / GROWTH_STEPS + 1,
		.from = from,
		.ended = from,
		.site_of = site_of,
		.context = context,
		.known = util_alloc(node_count + 1, sizeof(*g->known)),
		.node_count = node_count,
	};
	for (unsigned int i = 0; i < GROWTH_STEPS; i++)
		g->began[i] = i ? UINT64_MAX : from;
}

/* Return the epoch of a step. */
static unsigned int epoch_of(unsigned int step)
{
	if (step < GROWTH_WARMUP_STEPS)
		return 0;
	return (step - GROWTH_WARMUP_STEPS) / GROWTH_EPOCH_STEPS + 1;
}

/* Return the step in which a clock value is: in most cases the current. */
static unsigned int step_of(const struct growth *g, uint64_t clock)
{
	unsigned int low = 0, high = g->step;

	if (clock >= g->began[high])
		return high;
	while (low + 1 < high) {
		unsigned int middle = (low + high) / 2;

		if (g->began[middle] <= clock)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Return the site of a node, entered when it is new. */
static struct growth_site *site_of(struct growth *g, uint32_t node)
{
	uint32_t *known = &g->known[node];

	if (!*known) {
		*known = g->site_of(g->context, node) + 1;
		while (*known > g->count) {
			g->site = util_grow(g->site, g->count, &g->room,
					    sizeof(*g->site));
			memset(&g->site[g->count++], 0, sizeof(*g->site));
		}
	}
	return &g->site[*known - 1];
}

void growth_carry(struct growth *g, uint64_t bytes, uint64_t clock)
{
	g->folded_bytes = g->carried_bytes = bytes;
	g->folded_clock = clock;
}

void growth_carry_row(struct growth *g, uint32_t node, uint64_t births,
		      uint64_t frees, uint64_t lifetimes)
{
	struct growth_site *s = site_of(g, node < g->node_count ? node : 0);

	s->folded_births += births;
	s->folded_frees += frees;
	s->folded_lifetimes += lifetimes;
}

/* Return the step in which so many bytes have been allocated. */
static unsigned int step_at(const struct growth *g, uint64_t bytes)
{
	uint64_t step = bytes / g->step_bytes;

	return step < GROWTH_STEPS ? (unsigned int)step : GROWTH_STEPS - 1;
}

/* A block that began before the history: its step is known by the bytes that
 * were allocated before it, and began no later than it. */
static void carries(void *context, struct heap_block *b,
		    const struct replay_event *e)
{
	struct growth *g = context;
	unsigned int step = step_at(g, e->before);
	struct growth_site *s;

	b->owner = e->event->stack < g->node_count ? e->event->stack : 0;
	if (!g->folded_bytes || b->born < g->from)
		return;
	if (b->born < g->began[step])
		g->began[step] = b->born;
	s = site_of(g, b->owner);
	s->live++;
	s->live_bytes += b->size;
	g->live_bytes += b->size;
}

/* All blocks from before the history are known: go on from there. A step that
 * none is of begins with the next that some is of. */
static void go_on(struct growth *g)
{
	uint64_t began = g->folded_clock;

	g->allocated_bytes = g->folded_bytes;
	g->folded_bytes = 0;
	g->step = step_at(g, g->allocated_bytes);
	g->epoch = epoch_of(g->step);
	g->seen = g->epoch + 1;
	g->step_ends = g->step + 1 < GROWTH_STEPS
			       ? (g->step + 1) * g->step_bytes
			       : UINT64_MAX;
	for (unsigned int i = g->step + 1; i-- > 0;) {
		if (g->began[i] > began)
			g->began[i] = began;
		began = g->began[i];
	}
}

/* Open the current epoch at a site: so far what is live is its trough. */
static struct growth_epoch *open_epoch(struct growth *g, struct growth_site *s)
{
	while (s->open < g->epoch) {
		struct growth_epoch *e = &s->epoch[++s->open];

		e->trough = s->live;
		e->trough_bytes = s->live_bytes;
	}
	return &s->epoch[g->epoch];
}

/* Begin the steps that the clock has come to. */
static void advance(struct growth *g, uint64_t clock)
{
	if (!g->allocated_bytes)
		g->began[0] = clock;
	while (g->allocated_bytes >= g->step_ends) {
		g->began[++g->step] = clock;
		g->epoch = epoch_of(g->step);
		g->step_ends = g->step + 1 < GROWTH_STEPS
				       ? g->step_ends + g->step_bytes
				       : UINT64_MAX;
	}
}

/* Count a block as live at its site. */
static struct growth_epoch *enter(struct growth *g, const struct heap_block *b)
{
	struct growth_site *s = site_of(g, b->owner);
	struct growth_epoch *e = open_epoch(g, s);

	s->live++;
	s->live_bytes += b->size;
	g->live_bytes += b->size;
	return e;
}

/* Take note of what is live at a site after something of it ended. */
static void note_trough(struct growth *g, struct growth_site *s)
{
	struct growth_epoch *e = open_epoch(g, s);

	if (s->live < e->trough)
		e->trough = s->live;
	if (s->live_bytes < e->trough_bytes)
		e->trough_bytes = s->live_bytes;
}

/* A realloc gave `b` for `from`: it is as old, and its place is taken before
 * the clock goes on, for an epoch shall not begin without it. */
static void begin_moved(struct growth *g, struct heap_block *b,
			const struct heap_block *from)
{
	struct growth_epoch *e;

	b->born = from->born;
	if (b->born < g->from)
		return;
	e = enter(g, b);
	if (g->step - step_of(g, b->born) >= 2 * GROWTH_EPOCH_STEPS)
		e->swell_bytes += b->size - from->size;
	note_trough(g, site_of(g, from->owner));
}

static void begins(void *context, struct heap_block *b,
		   const struct replay_event *e, const struct heap_block *from)
{
	struct growth *g = context;
	uint64_t now = e->event->time;

	b->owner = e->event->stack < g->node_count ? e->event->stack : 0;
	if (now < g->from)
		return;
	if (g->folded_bytes)
		go_on(g);
	if (from)
		begin_moved(g, b, from);
	advance(g, now);
	g->allocated_bytes += b->size;
	g->ended = now;
	g->allocations[g->epoch]++;
	if (!from)
		enter(g, b)->births++;
}

/* Tell whether a block is older than another; what is of the warm-up comes
 * after all that is not. */
static bool is_older(const struct growth *g, const struct heap_block *a,
		     const struct heap_block *b)
{
	uint64_t start = g->began[GROWTH_WARMUP_STEPS];

	if ((a->born < start) != (b->born < start))
		return a->born >= start;
	return a->born != b->born ? a->born < b->born : a->address < b->address;
}

/* Tell whether a block is larger than another. */
static bool is_larger(const struct growth *g, const struct heap_block *a,
		      const struct heap_block *b)
{
	return a->size != b->size ? a->size > b->size : is_older(g, a, b);
}

/* Enter a block in a list in which those that are `before` come first. */
static void list_block(const struct growth *g,
		       struct heap_block list[GROWTH_SHOWN],
		       const struct heap_block *b,
		       bool (*before)(const struct growth *g,
				      const struct heap_block *a,
				      const struct heap_block *b))
{
	unsigned int i = GROWTH_SHOWN;

	for (; i && (!list[i - 1].address || before(g, b, &list[i - 1])); i--)
		if (i < GROWTH_SHOWN)
			list[i] = list[i - 1];
	if (i < GROWTH_SHOWN)
		list[i] = *b;
}

static void left(void *context, const struct heap_block *b)
{
	struct growth *g = context;
	unsigned int epoch = epoch_of(step_of(g, b->born));
	struct growth_epoch *e;
	struct growth_site *s;

	if (b->born < g->from)
		return;
	s = site_of(g, b->owner);
	e = &s->epoch[epoch];
	e->left++;
	e->left_bytes += b->size;
	/* It may have begun elsewhere, or as its epoch did. */
	if (e->births < e->left)
		e->births = e->left;
	*map_put(&g->left_of, b->owner, NULL) |= 1ull << epoch;
	list_block(g, s->oldest, b, is_older);
	list_block(g, s->largest, b, is_larger);
}

/* Tell whether a block is freed as the program cleans up at its end: in the
 * last step, of those that it began with. */
static bool is_cleaned_up(const struct growth *g, const struct heap_block *b,
			  enum replay_end why)
{
	return g->step == GROWTH_STEPS - 1 && why == REPLAY_FREED &&
	       b->born < g->began[g->step];
}

/* A realloc that takes a block is seen whole when it gives one for it. */
static void ends(void *context, const struct heap_block *b,
		 const struct replay_event *e, enum replay_end why,
		 bool temporary)
{
	struct growth *g = context;
	struct growth_site *s;

	(void)temporary;
	if (g->folded_bytes)
		go_on(g);
	g->ended = e->event->time;
	if (b->born < g->from)
		return;
	if (is_cleaned_up(g, b, why)) {
		left(g, b);
		return;
	}
	s = site_of(g, b->owner);
	open_epoch(g, s);
	s->live--;
	s->live_bytes -= b->size;
	g->live_bytes -= b->size;
	if (why == REPLAY_REALLOCATED)
		return;
	s->freed[g->step - step_of(g, b->born)]++;
	note_trough(g, s);
}

/* Take the end of a block back; the trough that it made stays. */
static void resumes(void *context, const struct heap_block *b,
		    const struct replay_event *e)
{
	struct growth *g = context;

	(void)e;
	if (b->born >= g->from)
		enter(g, b);
}

struct replay_listener growth_listener(struct growth *g)
{
	return (struct replay_listener){
		.context = g,
		.begins = begins,
		.ends = ends,
		.resumes = resumes,
		.carries = carries,
		.left = left,
	};
}

/* Return the generations of which another one in `all` is no neighbour. */
static uint64_t kin_in(uint64_t all)
{
	uint64_t kin = 0;

	for (unsigned int i = 0; i <= GROWTH_EPOCHS; i++) {
		uint64_t near = 7ull << i >> 1;

		if (all >> i & 1 && all & ~near)
			kin |= 1ull << i;
	}
	return kin;
}

/* Say of each site which generations its stacks have in common. */
static void find_kin(struct growth *g)
{
	for (size_t i = 0; i < g->left_of.slots; i++) {
		const struct map_entry *e = &g->left_of.entry[i];
		struct growth_site *s;

		if (!e->used)
			continue;
		s = site_of(g, (uint32_t)e->key);
		s->stacks++;
		s->kin |= kin_in(e->value);
	}
}

void growth_end(struct growth *g, bool is_brief)
{
	unsigned int busy = 0;

	if (g->folded_bytes)
		go_on(g);
	for (size_t i = 0; i < g->count; i++)
		open_epoch(g, &g->site[i]);
	find_kin(g);
	for (unsigned int i = 1; i <= GROWTH_EPOCHS; i++)
		busy += i < g->seen || g->allocations[i] >= LEAST_ALLOCATIONS;
	g->is_short = is_brief || busy < LEAST_BUSY;
}

uint64_t growth_epoch_began(const struct growth *g, unsigned int epoch)
{
	unsigned int step =
		epoch ? GROWTH_WARMUP_STEPS + (epoch - 1) * GROWTH_EPOCH_STEPS
		      : 0;

	if (step >= GROWTH_STEPS || g->began[step] == UINT64_MAX)
		return g->ended;
	return g->began[step];
}

void growth_free(struct growth *g)
{
	free(g->site);
	free(g->known);
	map_free(&g->left_of);
	*g = (struct growth){0};
}
