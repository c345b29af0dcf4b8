/* SPDX-License-Identifier: MIT */
/*
 * heaptrack's trace, version 1.4 with format 3: the events in the order of
 * time, and before its first use each string, ip, stack and kind of
 * allocation (a size and a stack). analyzer/import/from_heaptrack.c has the
 * records.
 *
 * The format cannot say that a block was there before: those of a window's
 * start are allocated at it. Nor that a realloc failed: the block that lives
 * on is one more allocation.
 */
#include "export.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "chosen.h"
#include "gzip.h"
#include "map.h"
#include "oneline.h"
#include "strpool.h"

#define HEAPTRACK_VERSION 0x10400
#define HEAPTRACK_FORMAT 3

#define NS_PER_MS 1000000u

struct heaptrack {
	struct profile *profile;
	const struct prof_options *options;
	struct strpool strings;
	size_t strings_written;
	uint32_t *ip;	 /* by pc: its number, 0: none yet */
	uint32_t *stack; /* by node: its number + 1, 0: none yet */
	uint32_t ips, stacks;
	uint32_t *path; /* nodes from one inward to a caller */
	size_t path_room;
	struct map sizes, kind_at; /* size, node -> kind */
	uint64_t *live;		   /* by kind: blocks before the window */
	size_t kind_count, kind_room;
	bool begun; /* the window has */
	uint64_t now_ms;
	FILE *out;
};

/* Return the number of a text, written when it is new; 0: there is none. */
static uint32_t text_of(struct heaptrack *h, const char *text)
{
	uint32_t number = text ? strpool_add(&h->strings, text) : 0;

	if (number > h->strings_written) {
		fprintf(h->out, "s %zx %s\n", strlen(text), text);
		h->strings_written = number;
	}
	return number;
}

/* Write an ip with its frames; returns its number. */
static uint32_t put_ip(struct heaptrack *h, uint64_t address,
		       const struct frame *f, size_t n)
{
	uint32_t module = text_of(h, f->module);

	for (size_t i = 0; i < n; i++) {
		text_of(h, f[i].function);
		text_of(h, f[i].file);
	}
	fprintf(h->out, "i %" PRIx64 " %x", address, module);
	for (size_t i = 0; i < n && f[i].function; i++)
		fprintf(h->out, " %x %x %x", text_of(h, f[i].function),
			text_of(h, f[i].file), f[i].line);
	putc('\n', h->out);
	return ++h->ips;
}

/* Return the number of a pc's ip; 0: its frames are hidden. */
static uint32_t ip_of(struct heaptrack *h, uint32_t pc)
{
	struct stacks *s = &h->profile->stacks;

	if (!h->ip[pc]) {
		size_t n;
		const struct frame *f = stacks_frames(s, pc, &n);

		if (n)
			h->ip[pc] = put_ip(h, s->pcs[pc].pc, f, n);
	}
	return h->ip[pc];
}

/* Write a stack; returns its number. */
static uint32_t put_stack(struct heaptrack *h, uint32_t ip, uint32_t parent)
{
	fprintf(h->out, "t %x %x\n", ip, parent);
	return ++h->stacks;
}

/* Return the stack of one frame that stands for a node that has none. */
static uint32_t special_of(struct heaptrack *h, uint32_t node)
{
	struct stacks_list list = {0};
	uint32_t number = 0;

	stacks_expand(&h->profile->stacks, node, &list);
	if (list.count)
		number = put_stack(h, put_ip(h, 0, list.at[0], 1), 0);
	stacks_list_free(&list);
	return number;
}

/*
 * Return the number of a node's stack, its callers written before it; 0: it
 * has no frame.
 */
static uint32_t stack_of(struct heaptrack *h, uint32_t node)
{
	const struct mt_node *nodes = h->profile->stacks.nodes;
	uint32_t number;
	size_t n = 0;

	for (; node >= MT_NODE_FIRST && !h->stack[node];
	     node = nodes[node].parent) {
		h->path =
			util_grow(h->path, n, &h->path_room, sizeof(*h->path));
		h->path[n++] = node;
	}
	if (!h->stack[node])
		h->stack[node] = special_of(h, node) + 1;
	number = h->stack[node] - 1;
	while (n--) {
		uint32_t ip = ip_of(h, nodes[h->path[n]].pc);

		number = ip ? put_stack(h, ip, number) : number;
		h->stack[h->path[n]] = number + 1;
	}
	return number;
}

/* Write a kind; returns its number. */
static uint32_t put_kind(struct heaptrack *h, uint64_t size, uint32_t node)
{
	uint32_t stack = stack_of(h, node);

	if (!stack && node)
		stack = special_of(h, node);
	fprintf(h->out, "a %" PRIx64 " %x\n", size, stack);
	h->live = util_grow(h->live, h->kind_count, &h->kind_room,
			    sizeof(*h->live));
	h->live[h->kind_count] = 0;
	return (uint32_t)h->kind_count++;
}

/* Return the number of a block's kind. */
static uint32_t kind_of(struct heaptrack *h, uint64_t size, uint32_t node)
{
	bool fresh;
	uint64_t *at = map_put(&h->sizes, size, &fresh);

	if (node >= h->profile->stacks.node_count)
		node = MT_NODE_LOST;
	if (fresh)
		*at = h->sizes.count;
	at = map_put(&h->kind_at, *at << 32 | node, &fresh);
	if (fresh)
		*at = put_kind(h, size, node);
	return (uint32_t)*at;
}

/* Write the time, when it is another. */
static void put_time(struct heaptrack *h, uint64_t clock)
{
	uint64_t ms = trace_ns(h->profile->trace, clock) / NS_PER_MS;

	if (ms > h->now_ms) {
		fprintf(h->out, "c %" PRIx64 "\n", ms);
		h->now_ms = ms;
	}
}

/* Write what is live at the start of the window. */
static void begin_window(struct heaptrack *h)
{
	h->begun = true;
	put_time(h, h->options->from);
	for (size_t i = 0; i < h->kind_count; i++)
		for (uint64_t n = h->live[i]; n; n--)
			fprintf(h->out, "+ %zx\n", i);
}

/* Write that a block of a kind comes or goes. */
static void put_event(struct heaptrack *h, char sign, uint32_t kind,
		      uint64_t clock)
{
	if (clock < h->options->from) {
		h->live[kind] += sign == '+' ? 1 : -1ull;
		return;
	}
	if (!h->begun)
		begin_window(h);
	put_time(h, clock);
	fprintf(h->out, "%c %x\n", sign, kind);
}

static void begins(void *context, struct heap_block *b,
		   const struct replay_event *e, const struct heap_block *from)
{
	struct heaptrack *h = context;

	(void)from;
	b->owner = kind_of(h, b->size, e->event->stack);
	put_event(h, '+', b->owner, e->event->time);
}

static void ends(void *context, const struct heap_block *b,
		 const struct replay_event *e, enum replay_end why,
		 bool temporary)
{
	(void)why;
	(void)temporary;
	put_event(context, '-', b->owner, e->event->time);
}

static void resumes(void *context, const struct heap_block *b,
		    const struct replay_event *e)
{
	put_event(context, '+', b->owner, e->event->time);
}

/* Write what was recorded. */
static void put_head(const struct heaptrack *h)
{
	char *command = oneline_command(h->profile);

	fprintf(h->out, "v %x %x\nX %s\n", HEAPTRACK_VERSION, HEAPTRACK_FORMAT,
		command);
	free(command);
}

/* Write everything. */
static void put_all(struct heaptrack *h)
{
	struct replay_listener listener = {
		.context = h,
		.begins = begins,
		.ends = ends,
		.resumes = resumes,
	};
	struct profile *p = h->profile;

	put_head(h);
	chosen_replay(p->trace, h->options, &listener, NULL);
	if (!h->begun)
		begin_window(h);
	put_time(h, h->options->until == UINT64_MAX
			    ? trace_clock(p->trace, p->duration_ns)
			    : h->options->until);
}

int export_heaptrack(struct export *x, struct error *e)
{
	struct profile *p = x->profile;
	const char *path = x->options->output ? x->options->output : "";
	size_t n = strlen(path);
	bool zip = n > 3 && strcmp(path + n - 3, ".gz") == 0;
	struct heaptrack h = {
		.profile = p,
		.options = &p->prof->options,
		.ip = util_alloc(p->stacks.pc_count, sizeof(*h.ip)),
		.stack = util_alloc(p->stacks.node_count + MT_NODE_FIRST,
				    sizeof(*h.stack)),
		.out = zip ? gzip_open(x->out) : x->out,
	};

	(void)e;
	put_all(&h);
	if (zip)
		fclose(h.out);
	strpool_free(&h.strings);
	map_free(&h.sizes);
	map_free(&h.kind_at);
	free(h.live);
	free(h.ip);
	free(h.stack);
	free(h.path);
	return 0;
}
