/* SPDX-License-Identifier: MIT */
/*
 * DHAT's JSON, version 2: for each stack what it allocated, for how long, what
 * of it was live at the peak and at the end, and the most it ever had live,
 * which takes a replay. Of an import there are the totals alone.
 * Source: dh_view.js, and Valgrind's dhat/dh_main.c on the fields.
 */
#include "export.h"

#include <inttypes.h>
#include <stdlib.h>

#include "chosen.h"
#include "estimate.h"
#include "json.h"
#include "oneline.h"
#include "stacktree.h"

#define NS_PER_US 1000u

/* What stacks that look the same did together. */
struct point {
	struct profile_totals totals;
	uint64_t live_bytes, live_blocks, most_bytes, most_blocks;
	uint64_t born; /* of the live blocks, clock values together */
};

struct dhat {
	struct profile *profile;
	const struct prof_options *options; /* NULL: an import */
	struct stacktree tree;		    /* from the innermost frames on */
	struct point *point;		    /* by the tree's node */
	uint32_t *point_of;		    /* by the stacks' node; 0: none */
	FILE *out;
};

/* Enter all stacks. */
static void add_rows(struct dhat *d)
{
	struct profile *p = d->profile;
	struct stacks_list list = {0};

	stacktree_begin(&d->tree);
	for (size_t i = 0; i < p->row_count; i++) {
		uint32_t node = p->rows[i].node;

		stacks_expand(&p->stacks, node, &list);
		d->point_of[node] = stacktree_add(&d->tree, &list, false, 0);
	}
	d->point = util_alloc(d->tree.count, sizeof(*d->point));
	for (size_t i = 0; i < p->row_count; i++)
		profile_add_totals(
			&d->point[d->point_of[p->rows[i].node]].totals,
			&p->rows[i].totals);
	stacks_list_free(&list);
}

/* Take note of what is live, when the window has begun. */
static void take_most(const struct dhat *d, struct point *p, uint64_t clock)
{
	if (clock < d->options->from || p->live_bytes < p->most_bytes)
		return;
	if (p->live_bytes > p->most_bytes || p->live_blocks > p->most_blocks)
		p->most_blocks = p->live_blocks;
	p->most_bytes = p->live_bytes;
}

static void add_live(struct dhat *d, const struct heap_block *b, uint64_t clock)
{
	struct point *p = &d->point[b->owner];
	struct estimate n = estimate_of(d->profile->trace, b);

	p->live_bytes += n.bytes;
	p->live_blocks += n.blocks;
	p->born += n.blocks * b->born;
	take_most(d, p, clock);
}

static void begins(void *context, struct heap_block *b,
		   const struct replay_event *e, const struct heap_block *from)
{
	struct dhat *d = context;
	uint32_t node = e->event->stack;

	(void)from;
	if (node >= d->profile->stacks.node_count)
		node = MT_NODE_LOST;
	b->owner = d->point_of[node];
	if (b->owner)
		add_live(d, b, e->event->time);
}

static void ends(void *context, const struct heap_block *b,
		 const struct replay_event *e, enum replay_end why,
		 bool temporary)
{
	struct dhat *d = context;
	struct point *p = &d->point[b->owner];
	struct estimate n;

	(void)why;
	(void)temporary;
	if (!b->owner)
		return;
	n = estimate_of(d->profile->trace, b);
	take_most(d, p, e->event->time);
	p->live_bytes -= n.bytes;
	p->live_blocks -= n.blocks;
	p->born -= n.blocks * b->born;
}

static void resumes(void *context, const struct heap_block *b,
		    const struct replay_event *e)
{
	if (b->owner)
		add_live(context, b, e->event->time);
}

/* Return the clock value of the end. */
static uint64_t end_clock(const struct dhat *d)
{
	return d->options->until == UINT64_MAX
		       ? trace_clock(d->profile->trace, d->profile->duration_ns)
		       : d->options->until;
}

/* Find out the most that was live of each point. */
static void replay(struct dhat *d)
{
	struct replay_listener listener = {
		.context = d,
		.begins = begins,
		.ends = ends,
		.resumes = resumes,
	};

	chosen_replay(d->profile->trace, d->options, &listener, NULL);
	for (size_t i = 1; i < d->tree.count; i++)
		take_most(d, &d->point[i], UINT64_MAX);
}

/* Write the frames of a tree's node, the innermost first. */
static void put_stack(struct dhat *d, uint32_t node)
{
	uint32_t depth = d->tree.at[node].depth;
	uint32_t *frame = util_alloc(depth, sizeof(*frame));

	for (uint32_t i = depth; i-- > 0; node = d->tree.at[node].parent)
		frame[i] =
			number_frame(&d->tree.places, d->tree.at[node].frame);
	fputs("\"fs\":[", d->out);
	for (uint32_t i = 0; i < depth; i++)
		fprintf(d->out, "%s%u", i ? "," : "", frame[i] + 1);
	fputs("]}", d->out);
	free(frame);
}

/*
 * Return how long a point's blocks lived, those that still do till the end.
 * The sums may overflow, their difference does not; the end is exact to 1 ns,
 * so that it may seem to be before a birth.
 */
static uint64_t lifetime_ns(const struct dhat *d, const struct point *p)
{
	int64_t left = (int64_t)(p->live_blocks * end_clock(d) - p->born);
	uint64_t clocks = left > 0 ? (uint64_t)left : 0;

	return p->totals.lifetime_ns + trace_span_ns(d->profile->trace, clocks);
}

/* Write a point. */
static void put_point(struct dhat *d, uint32_t node)
{
	const struct point *p = &d->point[node];
	const struct profile_totals *t = &p->totals;

	fprintf(d->out, "{\"tb\":%" PRIu64 ",\"tbk\":%" PRIu64 ",",
		t->allocated_bytes, t->allocations);
	if (d->options)
		fprintf(d->out,
			"\"tl\":%" PRIu64 ",\"mb\":%" PRIu64 ",\"mbk\":%" PRIu64
			",\"gb\":%" PRIu64 ",\"gbk\":%" PRIu64
			",\"eb\":%" PRIu64 ",\"ebk\":%" PRIu64 ",\n",
			lifetime_ns(d, p) / NS_PER_US, p->most_bytes,
			p->most_blocks, t->peak_bytes, t->peak_blocks,
			t->exit_bytes, t->exit_blocks);
	put_stack(d, node);
}

/* Write all points. */
static void put_points(struct dhat *d)
{
	size_t n = 0;

	fputs("\"pps\":[", d->out);
	for (size_t i = 0; i < d->tree.count; i++) {
		const struct profile_totals *t = &d->point[i].totals;

		if (!t->allocations && !t->peak_blocks && !t->exit_blocks)
			continue;
		fputs(n++ ? ",\n" : "\n", d->out);
		put_point(d, (uint32_t)i);
	}
	fputs("],\n", d->out);
}

/* Write the frames' texts. */
static void put_frames(const struct dhat *d)
{
	fputs("\"ftbl\":[\"[root]\"", d->out);
	for (size_t i = 0; i < d->tree.places.count; i++) {
		char *text = oneline_frame(d->tree.places.frames[i]);

		fputs(",\n", d->out);
		json_put_text(d->out, text);
		free(text);
	}
	fputs("]}\n", d->out);
}

/* Write what the file is of. */
static void put_head(const struct dhat *d)
{
	const struct profile *p = d->profile;
	char *command = oneline_command(p), *sampled = export_estimates(p);
	uint64_t end = p->duration_ns;

	fprintf(d->out,
		"{\"dhatFileVersion\":2,\"mode\":\"memtrace%s\","
		"\"verb\":\"Allocated\",\"bkacc\":false,\n"
		"\"tu\":\"\xc2\xb5s\",\"Mtu\":\"s\",\"tuth\":10,\"cmd\":",
		sampled);
	json_put_text(d->out, command);
	free(sampled);
	if (d->options)
		end = trace_ns(p->trace, end_clock(d));
	fprintf(d->out, ",\"pid\":%u,\n\"bklt\":%s,", p->pid,
		d->options ? "true" : "false");
	if (d->options)
		fprintf(d->out, "\"tg\":%" PRIu64 ",", p->peak_ns / NS_PER_US);
	fprintf(d->out, "\"te\":%" PRIu64 ",\n", end / NS_PER_US);
	free(command);
}

int export_dhat(struct export *x, struct error *e)
{
	struct profile *p = x->profile;
	struct dhat d = {.profile = p, .out = x->out};

	if (!(p->has & PROFILE_HAS_ALLOCATED))
		return error_set(
			e, ERROR_NO_OFFSET,
			"dhat needs what was allocated in all, which a "
			"%s file does not know",
			p->source);
	d.point_of = util_alloc(p->stacks.node_count, sizeof(*d.point_of));
	if (x->trace)
		d.options = &p->prof->options;
	add_rows(&d);
	if (x->trace)
		replay(&d);
	put_head(&d);
	put_points(&d);
	put_frames(&d);
	stacktree_free(&d.tree);
	free(d.point);
	free(d.point_of);
	return 0;
}
