/* SPDX-License-Identifier: MIT */
/*
 * Every event in the order of the replay, one a line, for tests and scripts:
 *
 *   time_ns thread tid kind address size alignment stack
 *
 * The stack is its frames, innermost first, as module+0xoffset joined by ';'
 * ("-": none); a cut one ends in "(cut)", a lost one is "(lost)". With --json a
 * line is an object of these, with --csv they are separated by commas.
 */
#include "view.h"

#include <inttypes.h>
#include <stdlib.h>

#include "heap.h"
#include "image.h"
#include "json.h"
#include "kinds.h"
#include "merge.h"
#include "replay.h"

/* Keep the heap as far as the merge needs it to decide ties. */
static void apply(struct heap *h, const struct mt_event *e)
{
	struct heap_block *b;

	if (e->kind == MT_MMAP || e->kind == MT_MREMAP ||
	    e->kind == MT_MUNMAP || e->kind == MT_MREMAP_FREE || !e->address)
		return;
	b = heap_find(h, e->address);
	if (mt_kind_is_free(e->kind)) {
		if (b->address)
			heap_remove(h, b);
	} else if (!b->address) {
		heap_insert(h, &(struct heap_block){.address = e->address});
	}
}

/* Print one frame. */
static void put_frame(FILE *out, const struct trace *t, const struct mt_pc *pc)
{
	const struct trace_module *m = NULL;

	if (pc->module < t->module_count)
		m = &t->modules[pc->module];
	if (m && m->path) {
		term_put_text(out, util_basename(m->path));
		fprintf(out, "+0x%" PRIx64, pc->pc - m->bias);
	} else {
		fprintf(out, "0x%" PRIx64, pc->pc);
	}
}

/* Print a stack. */
static void put_stack(FILE *out, struct view *v, uint32_t node)
{
	const struct trace *t = v->trace;
	const char *between = "";

	if (!node || node >= t->node_count) {
		fputs(node ? "(lost)" : "-", out);
		return;
	}
	for (; node >= MT_NODE_FIRST; node = t->nodes[node].parent) {
		if (!select_shows(v->select, t->nodes[node].pc))
			continue;
		fputs(between, out);
		put_frame(out, t, &t->pcs[t->nodes[node].pc]);
		between = ";";
	}
	if (node)
		fprintf(out, "%s%s", between,
			node == MT_NODE_CUT ? "(cut)" : "(lost)");
	else if (!*between)
		fputs("(hidden)", out);
}

/* Print a stack as a string of JSON, which quotes CSV's too. */
static void put_quoted_stack(struct view *v, uint32_t node)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return;
	put_stack(out, v, node);
	fclose(out);
	json_put_text(stdout, text);
	free(text);
}

/* How an event is written, by enum table_form. */
static const char *const forms[] = {
	[TABLE_AS_TEXT] =
		"%" PRIu64 " %u %u %s 0x%" PRIx64 " %" PRIu64 " %" PRIu64,
	[TABLE_AS_JSON] = "{\"time_ns\": %" PRIu64 ", \"thread\": %u, "
			  "\"tid\": %u, \"kind\": \"%s\", \"address\": "
			  "\"0x%" PRIx64 "\", \"size\": %" PRIu64
			  ", \"alignment\": %" PRIu64,
	[TABLE_AS_CSV] =
		"%" PRIu64 ",%u,%u,%s,0x%" PRIx64 ",%" PRIu64 ",%" PRIu64,
};

/* Print one event. */
static void put_event(struct view *v, const struct replay_event *at)
{
	static const char *const before_stack[] = {" ", ", \"stack\": ", ","};
	const struct trace_thread *thread = &v->trace->threads[at->thread];
	const struct mt_event *e = at->event;
	const char *kind = kinds_name(e->kind);

	printf(forms[v->style.form], trace_ns(v->trace, e->time), thread->index,
	       thread->tid, kind ? kind : "?", e->address, e->size,
	       e->align_log2 ? (uint64_t)1 << e->align_log2 : 0);
	if (!v->options->no_stack) {
		fputs(before_stack[v->style.form], stdout);
		if (v->style.form == TABLE_AS_TEXT)
			put_stack(stdout, v, e->stack);
		else
			put_quoted_stack(v, e->stack);
	}
	puts(v->style.form == TABLE_AS_JSON ? "}" : "");
}

/* What is printed. */
struct events {
	struct view *view;
	uint64_t from, until; /* clock values */
};

/* Print an event if it is in the window. */
static void print(const struct events *x, const struct replay_event *e)
{
	if (e->event->time >= x->from && e->event->time < x->until)
		put_event(x->view, e);
}

/* Enter a block that was live when the history begins. */
static void carry(void *context, const struct mt_image_block *b)
{
	struct heap_block block = {.address = b->address, .size = b->size};

	if (!heap_find(context, b->address)->address)
		heap_insert(context, &block);
}

/* Print all events, those that do not fit together too. */
static void print_all(const struct events *x)
{
	struct merge_run run;
	struct merge m;
	struct heap h;

	heap_init(&h);
	if (x->view->trace->image)
		image_blocks(x->view->trace->image, carry, &h);
	merge_init(&m, x->view->trace, heap_fits, &h);
	while (merge_next(&m, &run))
		for (uint32_t i = 0; i < run.count; i++) {
			apply(&h, &run.event[i]);
			print(x, &(struct replay_event){
					 .event = &run.event[i],
					 .thread = run.thread,
				 });
		}
	merge_free(&m);
	heap_free(&h);
}

static void begins(void *context, struct heap_block *b,
		   const struct replay_event *e, const struct heap_block *from)
{
	const struct events *x = context;

	(void)from;
	b->owner = select_takes(x->view->select, e);
	if (b->owner)
		print(x, e);
}

static void carries(void *context, struct heap_block *b,
		    const struct replay_event *e)
{
	const struct events *x = context;

	b->owner = select_takes(x->view->select, e);
}

/* Where a free was lost, the event is another block's allocation. */
static void ends(void *context, const struct heap_block *b,
		 const struct replay_event *e, enum replay_end why,
		 bool temporary)
{
	(void)temporary;
	if (b->owner && why != REPLAY_LOST)
		print(context, e);
}

static void resumes(void *context, const struct heap_block *b,
		    const struct replay_event *e)
{
	if (b->owner)
		print(context, e);
}

/* Print the events of the blocks that are asked for. */
static void print_selected(struct events *x)
{
	struct replay_listener listener = {
		.context = x,
		.begins = begins,
		.ends = ends,
		.resumes = resumes,
		.carries = carries,
	};
	struct replay r;

	replay_run(&r, x->view->trace, x->until, &listener, 1, NULL);
	replay_free(&r);
}

int view_events(struct view *v, struct error *e)
{
	struct events x = {.view = v};
	if (v->style.form == TABLE_AS_CSV)
		printf("time_ns,thread,tid,kind,address,size,alignment%s\n",
		       v->options->no_stack ? "" : ",stack");

	(void)e;
	select_window(v->options, v->trace, &x.from, &x.until);
	if (select_chooses(v->select))
		print_selected(&x);
	else
		print_all(&x);
	return 0;
}
