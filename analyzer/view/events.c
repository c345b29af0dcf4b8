/* SPDX-License-Identifier: MIT */
/*
 * Every event in the order of the replay, one a line, for tests and scripts:
 *
 *   time_ns thread tid kind address size alignment stack
 *
 * The stack is its frames, innermost first, as module+0xoffset joined by ';'
 * ("-": none); a cut one ends in "(cut)", a lost one is "(lost)".
 */
#include "view.h"

#include <inttypes.h>
#include <stdlib.h>

#include "heap.h"
#include "merge.h"

static const char *const kind_names[MT_KINDS] = {
	[MT_MALLOC] = "malloc",
	[MT_CALLOC] = "calloc",
	[MT_REALLOC] = "realloc",
	[MT_REALLOCARRAY] = "reallocarray",
	[MT_POSIX_MEMALIGN] = "posix_memalign",
	[MT_ALIGNED_ALLOC] = "aligned_alloc",
	[MT_MEMALIGN] = "memalign",
	[MT_VALLOC] = "valloc",
	[MT_PVALLOC] = "pvalloc",
	[MT_NEW] = "new",
	[MT_NEW_ARRAY] = "new[]",
	[MT_MMAP] = "mmap",
	[MT_MREMAP] = "mremap",
	[MT_FREE] = "free",
	[MT_CFREE] = "cfree",
	[MT_FREE_SIZED] = "free_sized",
	[MT_FREE_ALIGNED_SIZED] = "free_aligned_sized",
	[MT_DELETE] = "delete",
	[MT_DELETE_ARRAY] = "delete[]",
	[MT_REALLOC_FREE] = "realloc_free",
	[MT_MUNMAP] = "munmap",
	[MT_MREMAP_FREE] = "mremap_free",
	[MT_REALLOC_CANCEL] = "realloc_cancel",
};

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
static void put_frame(const struct trace *t, const struct mt_pc *pc)
{
	const struct trace_module *m = NULL;

	if (pc->module < t->module_count)
		m = &t->modules[pc->module];
	if (m && m->path) {
		term_put_text(stdout, util_basename(m->path));
		printf("+0x%" PRIx64, pc->pc - m->bias);
	} else {
		printf("0x%" PRIx64, pc->pc);
	}
}

/* Print a stack. */
static void put_stack(const struct trace *t, uint32_t node)
{
	const char *between = "";

	if (!node || node >= t->node_count) {
		fputs(node ? "(lost)" : "-", stdout);
		return;
	}
	for (; node >= MT_NODE_FIRST; node = t->nodes[node].parent) {
		fputs(between, stdout);
		put_frame(t, &t->pcs[t->nodes[node].pc]);
		between = ";";
	}
	if (node)
		printf("%s%s", between,
		       node == MT_NODE_CUT ? "(cut)" : "(lost)");
}

/* Print one event. */
static void put_event(const struct trace *t, const struct trace_thread *thread,
		      const struct mt_event *e, bool stacks)
{
	const char *kind = kind_names[e->kind];

	printf("%" PRIu64 " %u %u %s 0x%" PRIx64 " %" PRIu64 " %" PRIu64,
	       trace_ns(t, e->time), thread->index, thread->tid,
	       kind ? kind : "?", e->address, e->size,
	       e->align_log2 ? (uint64_t)1 << e->align_log2 : 0);
	if (stacks) {
		putchar(' ');
		put_stack(t, e->stack);
	}
	putchar('\n');
}

int view_events(struct view *v, struct error *e)
{
	struct trace *t = v->trace;
	struct merge_run run;
	struct merge m;
	struct heap h;

	(void)e;
	heap_init(&h);
	merge_init(&m, t, heap_fits, &h);
	while (merge_next(&m, &run)) {
		for (uint32_t i = 0; i < run.count; i++) {
			apply(&h, &run.event[i]);
			put_event(t, &t->threads[run.thread], &run.event[i],
				  !v->options->no_stack);
		}
	}
	merge_free(&m);
	heap_free(&h);
	return 0;
}
