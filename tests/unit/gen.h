/* SPDX-License-Identifier: MIT */
/*
 * Traces made by hand, for the tests of the analyzer: a writer of the format
 * independent of the recorder's, and a random but repeatable program on top
 * of it that knows what the analyzer has to find.
 *
 * A header, so that each test stays one file.
 */
#ifndef TESTS_UNIT_GEN_H
#define TESTS_UNIT_GEN_H

#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

#include <memtrace/model.h>

#define GEN_MAX_THREADS 64

struct gen_buffer {
	uint8_t *at;
	size_t n, room;
};

static inline void gen_put(struct gen_buffer *b, const void *bytes, size_t n)
{
	if (b->n + n > b->room) {
		b->room = (b->n + n) * 2;
		b->at = realloc(b->at, b->room);
		if (!b->at)
			abort();
	}
	if (n)
		memcpy(b->at + b->n, bytes, n);
	b->n += n;
}

/* The events of a thread that are not sealed. */
struct gen_thread {
	struct mt_model model;
	struct gen_buffer column[MT_COLUMNS];
	uint64_t first, base_time, last_time;
	uint32_t count;
	struct mt_segment said; /* what the next entry counts */
};

struct gen {
	struct gen_buffer file;
	struct gen_buffer meta, pcs, nodes; /* all there ever were */
	uint64_t meta_sealed, pcs_sealed, nodes_sealed;
	uint64_t clock; /* of the last event */
	struct gen_thread thread[GEN_MAX_THREADS];
	uint32_t segment_events; /* seal at so many */
	unsigned int tick_shift;
};

/* Append a segment with these raw columns. */
static inline void gen_segment(struct gen *g, struct mt_segment head,
			       const struct gen_buffer *column,
			       unsigned int columns)
{
	struct gen_buffer data = {0};
	static const uint8_t zeros[8];
	uint32_t space[2] = {MT_SKIP_SPACE, 0};

	for (unsigned int i = 0; i < columns; i++) {
		size_t bound = ZSTD_compressBound(column[i].n), n;
		void *p = malloc(bound);

		n = ZSTD_compress(p, bound, column[i].n ? column[i].at : zeros,
				  column[i].n, 1);
		gen_put(&data, p, n);
		free(p);
	}
	head.skip_magic = MT_SKIP_SEGMENT;
	head.skip_bytes = sizeof(head) - 8;
	memcpy(head.magic, MT_SEGMENT_MAGIC, 4);
	head.columns = (uint16_t)columns;
	head.data_bytes = (uint32_t)data.n;
	head.check = mt_check(MT_CHECK_INIT, &head, sizeof(head));
	gen_put(&g->file, &head, sizeof(head));
	gen_put(&g->file, data.at, data.n);
	if (g->file.n % 8) {
		space[1] = 8 - g->file.n % 8;
		gen_put(&g->file, space, sizeof(space));
		gen_put(&g->file, zeros, space[1]);
	}
	free(data.at);
}

/* Add a record to the meta log. */
static inline void gen_meta(struct gen *g, unsigned int type,
			    const void *payload, size_t n, const void *text,
			    size_t text_n)
{
	struct mt_meta head = {(uint16_t)type, (uint16_t)(n + text_n)};

	gen_put(&g->meta, &head, sizeof(head));
	gen_put(&g->meta, payload, n);
	gen_put(&g->meta, text, text_n);
}

static inline void gen_begin(struct gen *g, uint32_t segment_events,
			     unsigned int tick_shift)
{
	struct mt_meta_format format = {"memtrace", MT_FORMAT_MAJOR,
					MT_FORMAT_MINOR, 0};
	struct mt_meta_process process = {
		.pid = 4711,
		.parent_pid = 1,
		.clock = 1000,
		.clock_ns = 1000,
		.real_ns = 1,
		.clock_kind = MT_CLOCK_TSC,
		.page_bytes = 4096,
	};

	memset(g, 0, sizeof(*g));
	g->segment_events = segment_events;
	g->tick_shift = tick_shift;
	memcpy(format.magic, "memtrace", 8);
	gen_meta(g, MT_META_FORMAT, &format, sizeof(format), NULL, 0);
	gen_meta(g, MT_META_PROCESS, &process, sizeof(process), NULL, 0);
	gen_meta(g, MT_META_EXE, NULL, 0, "/usr/bin/example", 16);
	gen_meta(g, MT_META_COMMAND, NULL, 0, "example\0-x\0", 11);
}

/* Add a module mapped at [start, end) and return nothing: ids count. */
static inline void gen_module(struct gen *g, uint32_t id, uint64_t start,
			      uint64_t end, const char *path)
{
	struct mt_meta_module m = {
		.id = id, .bias = start, .start = start, .end = end};

	gen_meta(g, MT_META_MODULE, &m, sizeof(m), path, strlen(path));
}

static inline uint32_t gen_pc(struct gen *g, uint64_t pc, uint32_t module)
{
	struct mt_pc p = {.pc = pc, .module = module};

	gen_put(&g->pcs, &p, sizeof(p));
	return (uint32_t)(g->pcs.n / sizeof(p)) - 1;
}

/* Add a stack node; the first three must be the special ones. */
static inline uint32_t gen_node(struct gen *g, uint32_t parent, uint32_t pc)
{
	struct mt_node node = {.parent = parent, .pc = pc};

	gen_put(&g->nodes, &node, sizeof(node));
	return (uint32_t)(g->nodes.n / sizeof(node)) - 1;
}

/* Write the records of a stream that are not sealed, as they are. */
static inline void gen_seal_plain(struct gen *g, enum mt_stream stream,
				  const struct gen_buffer *all,
				  size_t record_bytes, uint64_t *sealed)
{
	uint64_t count = all->n / record_bytes;
	struct mt_segment head = {
		.stream = stream,
		.first = *sealed,
		.count = (uint32_t)(count - *sealed),
	};
	struct gen_buffer column = {.n = head.count * record_bytes};

	if (head.count) {
		column.at = all->at + *sealed * record_bytes;
		gen_segment(g, head, &column, 1);
	}
	*sealed = count;
}

static inline void gen_put_varint(struct gen_buffer *b, uint64_t v)
{
	uint8_t bytes[MT_VARINT_MAX];

	gen_put(b, bytes, (size_t)(mt_varint_put(bytes, v) - bytes));
}

static inline void gen_seal_nodes(struct gen *g)
{
	uint64_t count = g->nodes.n / sizeof(struct mt_node);
	struct gen_buffer column[2] = {{0}, {0}};
	struct mt_segment head = {
		.stream = MT_STREAM_NODES,
		.first = g->nodes_sealed,
		.count = (uint32_t)(count - g->nodes_sealed),
	};

	for (uint64_t id = g->nodes_sealed; id < count; id++) {
		struct mt_node node;

		memcpy(&node, g->nodes.at + id * sizeof(node), sizeof(node));
		gen_put_varint(&column[0], id - node.parent);
		gen_put_varint(&column[1], node.pc);
	}
	if (head.count)
		gen_segment(g, head, column, 2);
	g->nodes_sealed = count;
	free(column[0].at);
	free(column[1].at);
}

/* Write what there is of the meta log, the code addresses and the nodes. */
static inline void gen_seal_streams(struct gen *g)
{
	gen_seal_plain(g, MT_STREAM_META, &g->meta, 1, &g->meta_sealed);
	gen_seal_plain(g, MT_STREAM_PCS, &g->pcs, sizeof(struct mt_pc),
		       &g->pcs_sealed);
	gen_seal_nodes(g);
}

/* Write the events of a thread as a segment. */
static inline void gen_seal_thread(struct gen *g, uint32_t thread)
{
	struct gen_thread *t = &g->thread[thread];
	struct mt_segment head = t->said;

	if (!t->count)
		return;
	head.stream = MT_STREAM_EVENTS;
	head.thread = thread;
	head.first = t->first;
	head.count = t->count;
	head.tick_shift = (uint8_t)g->tick_shift;
	head.base_time = t->base_time;
	head.last_time = t->last_time;
	gen_segment(g, head, t->column, MT_COLUMNS);
	t->said = (struct mt_segment){0};
	for (unsigned int i = 0; i < MT_COLUMNS; i++)
		t->column[i].n = 0;
	t->first += t->count;
	t->count = 0;
}

/* Add an event of a thread. */
static inline void gen_event(struct gen *g, uint32_t thread,
			     const struct mt_event *e)
{
	struct gen_thread *t = &g->thread[thread];
	uint8_t bytes[MT_COLUMNS][MT_EVENT_COLUMN_BYTES];
	uint8_t *end[MT_COLUMNS];

	if (!t->count) {
		t->base_time = e->time;
		mt_model_reset(&t->model, e->time >> g->tick_shift);
	}
	for (unsigned int i = 0; i < MT_COLUMNS; i++)
		end[i] = bytes[i];
	mt_encode(&t->model, end, e, e->time >> g->tick_shift);
	for (unsigned int i = 0; i < MT_COLUMNS; i++)
		gen_put(&t->column[i], bytes[i], (size_t)(end[i] - bytes[i]));
	t->last_time = g->clock = e->time;
	if (++t->count == g->segment_events)
		gen_seal_thread(g, thread);
}

/* Add an event of thread 0, without a stack. */
static inline void gen_plain_event(struct gen *g, uint64_t time,
				   unsigned int kind, uint64_t address,
				   uint64_t size)
{
	gen_event(g, 0,
		  &(struct mt_event){
			  .time = time,
			  .address = address,
			  .size = size,
			  .kind = (uint8_t)kind,
		  });
}

/* Write all that is left, and how it ended (MT_END_NONE: nothing says). */
static inline void gen_end(struct gen *g, uint32_t end, uint64_t clock)
{
	struct mt_meta_end m = {.end = end,
				.clock = clock,
				.clock_ns = 1000 + (clock - 1000) / 2};

	for (uint32_t i = 0; i < GEN_MAX_THREADS; i++)
		gen_seal_thread(g, i);
	if (end != MT_END_NONE)
		gen_meta(g, MT_META_END, &m, sizeof(m), NULL, 0);
	gen_seal_streams(g);
}

/* Enter a region of the live file behind what there is of it. */
static inline void gen_region(struct gen_buffer *live, enum mt_region_type type,
			      uint32_t index, const void *bytes, size_t n)
{
	static const uint8_t zeros[4096];
	struct mt_live head;
	struct mt_region r = {.type = type, .index = index, .bytes = n};
	size_t at;

	gen_put(live, zeros, (4096 - live->n % 4096) % 4096);
	r.offset = live->n;
	gen_put(live, bytes, n);
	memcpy(&head, live->at, sizeof(head));
	at = sizeof(head) + head.regions++ * sizeof(r);
	memcpy(live->at + at, &r, sizeof(r));
	memcpy(live->at, &head, sizeof(head));
}

/* Enter an array as two regions, to show that they make one. */
static inline void gen_array(struct gen_buffer *live, enum mt_region_type type,
			     const struct gen_buffer *all, size_t record_bytes)
{
	size_t half = all->n / record_bytes / 2 * record_bytes;

	if (!all->n)
		return;
	if (half)
		gen_region(live, type, 0, all->at, half);
	gen_region(live, type, half ? 1 : 0, all->at + half, all->n - half);
}

/* Enter the unsealed events of a thread. */
static inline void gen_slot(struct gen_buffer *live, uint32_t index,
			    const struct gen_thread *t, uint32_t thread,
			    unsigned int tick_shift)
{
	struct mt_slot slot = {
		.epoch = 2,
		.count = t->count,
		.thread = thread,
		.tid = 100 + thread,
		.first = t->first,
		.base_time = t->base_time,
		.tick_shift = tick_shift,
	};
	struct gen_buffer b = {0};
	uint32_t off = sizeof(slot);

	for (unsigned int i = 0; i < MT_COLUMNS; i++) {
		slot.column_off[i] = off;
		slot.column_bytes[i] = (uint32_t)t->column[i].n;
		off += slot.column_bytes[i];
	}
	gen_put(&b, &slot, sizeof(slot));
	for (unsigned int i = 0; i < MT_COLUMNS; i++)
		gen_put(&b, t->column[i].at, t->column[i].n);
	gen_region(live, MT_REGION_SLOT, index, b.at, b.n);
	free(b.at);
}

/* Make the live file of a recording that is at this point. */
static inline void gen_live(const struct gen *g, enum mt_end end,
			    struct gen_buffer *live)
{
	static const uint8_t zeros[4096]; /* the directory is short */
	struct mt_live head = {
		.magic = MT_LIVE_MAGIC,
		.major = MT_FORMAT_MAJOR,
		.pid = 4711,
		.end = end,
		.clock = g->clock,
		.clock_ns = 1000 + (g->clock - 1000) / 2,
		.meta_bytes = g->meta.n,
		.pcs = g->pcs.n / sizeof(struct mt_pc),
		.nodes = g->nodes.n / sizeof(struct mt_node),
	};
	uint32_t slots = 0;

	gen_put(live, zeros, sizeof(zeros));
	memcpy(live->at, &head, sizeof(head));
	gen_array(live, MT_REGION_META, &g->meta, 1);
	gen_array(live, MT_REGION_PCS, &g->pcs, sizeof(struct mt_pc));
	gen_array(live, MT_REGION_NODES, &g->nodes, sizeof(struct mt_node));
	for (uint32_t i = 0; i < GEN_MAX_THREADS; i++)
		if (g->thread[i].count)
			gen_slot(live, slots++, &g->thread[i], i,
				 g->tick_shift);
}

static inline void gen_write(const struct gen_buffer *b, const char *path)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(b->at, 1, b->n, f) != b->n || fclose(f))
		abort();
}

static inline void gen_free(struct gen *g)
{
	struct gen_buffer *b[] = {&g->file, &g->meta, &g->pcs, &g->nodes};

	for (unsigned int i = 0; i < sizeof(b) / sizeof(*b); i++)
		free(b[i]->at);
	for (unsigned int i = 0; i < GEN_MAX_THREADS; i++)
		for (unsigned int j = 0; j < MT_COLUMNS; j++)
			free(g->thread[i].column[j].at);
}

/* ---- A random program. ---- */

#define SIM_STACKS 24 /* innermost nodes that allocate */
#define SIM_CLASSES 12

struct sim_options {
	uint64_t seed;
	uint32_t threads, events, segment_events, max_live;
	unsigned int tick_shift;
	uint32_t step;	/* most clock units between two events, beyond */
	uint32_t pause; /* the least */
	bool unended;	/* leave off without gen_end() */
	bool plain;	/* mallocs and frees only, of a few sizes */
};

struct sim_block {
	uint64_t address, size;
	uint32_t node, thread;
};

struct sim_sums {
	uint64_t allocations, allocated_bytes, temporary, live_bytes, live;
};

/* What the analyzer has to find. */
struct sim_expected {
	struct sim_sums total, stack[SIM_STACKS];
	uint64_t frees, failed, peak_bytes, peak_blocks, peak_clock, events;
	uint64_t stack_peak_bytes[SIM_STACKS], stack_peak_blocks[SIM_STACKS];
};

struct sim {
	struct sim_options o;
	struct gen *g;
	struct sim_expected *x;
	uint64_t random, clock, bump;
	struct sim_block *live;
	size_t count;
	struct gen_buffer freed[SIM_CLASSES]; /* addresses to give again */
	uint64_t last[GEN_MAX_THREADS]; /* each thread's last allocation */
	uint32_t node[SIM_STACKS], free_node[4];
	void (*log)(void *arg, uint32_t thread, const struct mt_event *e);
	void *log_arg;
};

static inline uint64_t sim_random(struct sim *s, uint64_t below)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return (s->random >> 11) % below;
}

static inline void sim_emit(struct sim *s, uint32_t thread, unsigned int kind,
			    uint64_t address, uint64_t size, uint32_t node,
			    unsigned int align_log2)
{
	struct mt_event e = {
		.time = s->clock,
		.address = address,
		.size = size,
		.stack = node,
		.kind = (uint8_t)kind,
		.align_log2 = (uint8_t)align_log2,
	};

	gen_event(s->g, thread, &e);
	s->x->events++;
	if (s->log)
		s->log(s->log_arg, thread, &e);
	s->clock += s->o.pause + sim_random(s, s->o.step) + 1;
}

/* Take an address that is free, by size class, the last freed first. */
static inline uint64_t sim_address(struct sim *s, uint64_t size)
{
	unsigned int c = 0;
	uint64_t address, bytes = 32;

	for (; bytes < size + 8 && c < SIM_CLASSES - 1; c++)
		bytes *= 2;
	if (bytes < size + 8)
		bytes = (size + 8 + 31) / 32 * 32;
	else if (s->freed[c].n) {
		s->freed[c].n -= 8;
		memcpy(&address, s->freed[c].at + s->freed[c].n, 8);
		return address;
	}
	address = s->bump;
	s->bump += bytes;
	return address;
}

static inline void sim_release(struct sim *s, const struct sim_block *b)
{
	unsigned int c = 0;

	for (uint64_t bytes = 32; bytes < b->size + 8; bytes *= 2)
		if (++c == SIM_CLASSES - 1)
			break;
	if ((32ull << c) >= b->size + 8)
		gen_put(&s->freed[c], &b->address, 8);
}

static inline void sim_begins(struct sim *s, uint32_t thread,
			      const struct sim_block *b)
{
	struct sim_sums *sums[] = {&s->x->total, &s->x->stack[b->node]};

	for (unsigned int i = 0; i < 2; i++) {
		sums[i]->allocations++;
		sums[i]->allocated_bytes += b->size;
		sums[i]->live_bytes += b->size;
		sums[i]->live++;
	}
	s->live[s->count++] = *b;
	s->last[thread] = b->address;
	if (s->x->total.live_bytes > s->x->peak_bytes) {
		s->x->peak_bytes = s->x->total.live_bytes;
		s->x->peak_blocks = s->x->total.live;
		s->x->peak_clock = s->clock;
		for (unsigned int i = 0; i < SIM_STACKS; i++) {
			s->x->stack_peak_bytes[i] = s->x->stack[i].live_bytes;
			s->x->stack_peak_blocks[i] = s->x->stack[i].live;
		}
	}
}

static inline void sim_ends(struct sim *s, size_t i, bool temporary)
{
	struct sim_block b = s->live[i];
	struct sim_sums *sums[] = {&s->x->total, &s->x->stack[b.node]};

	for (unsigned int j = 0; j < 2; j++) {
		sums[j]->live_bytes -= b.size;
		sums[j]->live--;
		sums[j]->temporary += temporary;
	}
	s->x->frees++;
	s->live[i] = s->live[--s->count];
}

static inline uint64_t sim_size(struct sim *s)
{
	static const uint16_t plain[] = {16, 24, 32, 48, 64, 100, 200, 500};

	if (s->o.plain)
		return plain[sim_random(s, 8)];
	switch (sim_random(s, 8)) {
	case 0:
		return 0;
	case 1:
		return sim_random(s, 200000);
	default:
		return sim_random(s, 300) + 1;
	}
}

static inline void sim_alloc(struct sim *s, uint32_t thread)
{
	static const uint8_t kinds[] = {MT_MALLOC, MT_CALLOC, MT_NEW,
					MT_NEW_ARRAY, MT_POSIX_MEMALIGN};
	unsigned int i = s->o.plain ? 0 : (unsigned int)sim_random(s, 5);
	unsigned int align = kinds[i] == MT_POSIX_MEMALIGN ? 5 : 0;
	struct sim_block b = {.size = sim_size(s), .thread = thread};

	b.node = (uint32_t)sim_random(s, SIM_STACKS);
	if (!s->o.plain && sim_random(s, 50) == 0) {
		s->x->failed++;
		sim_emit(s, thread, kinds[i], 0, b.size, s->node[b.node],
			 align);
		return;
	}
	b.address = sim_address(s, b.size);
	sim_begins(s, thread, &b);
	sim_emit(s, thread, kinds[i], b.address, b.size, s->node[b.node],
		 align);
}

static inline void sim_free(struct sim *s, uint32_t thread)
{
	size_t i = sim_random(s, s->count);
	struct sim_block b;
	bool temporary;

	if (sim_random(s, 3) == 0)
		i = s->count - 1;
	b = s->live[i];
	temporary = b.thread == thread && s->last[thread] == b.address;
	sim_ends(s, i, temporary);
	sim_release(s, &b);
	sim_emit(s, thread, b.size % 2 ? MT_FREE : MT_DELETE, b.address, 0,
		 s->free_node[sim_random(s, 4)], 0);
}

static inline void sim_realloc(struct sim *s, uint32_t thread)
{
	size_t i = sim_random(s, s->count);
	struct sim_block b = s->live[i], moved = b;

	if (sim_random(s, 8) == 0) {
		s->x->failed++;
		sim_emit(s, thread, MT_REALLOC_FREE, b.address, 0, s->node[0],
			 0);
		sim_emit(s, thread, MT_REALLOC_CANCEL, b.address, 1ull << 40,
			 s->node[0], 0);
		return;
	}
	sim_ends(s, i, false);
	sim_emit(s, thread, MT_REALLOC_FREE, b.address, 0, s->node[0], 0);
	moved.size = sim_size(s) + 1;
	moved.thread = thread;
	moved.node = (uint32_t)sim_random(s, SIM_STACKS);
	moved.address = sim_address(s, moved.size);
	sim_begins(s, thread, &moved);
	sim_emit(s, thread, MT_REALLOC, moved.address, moved.size,
		 s->node[moved.node], 0);
	sim_release(s, &b);
}

/* Make modules, code addresses and stacks: a chain with leaves. */
static inline void sim_stacks(struct sim *s)
{
	uint32_t base;

	gen_module(s->g, 0, 0x400000, 0x500000, "/nonexistent/example");
	gen_module(s->g, 1, 0x7f0000000000, 0x7f0000100000,
		   "/nonexistent/libc.so.6");
	for (uint32_t i = 0; i < MT_NODE_FIRST; i++)
		gen_node(s->g, 0, 0);
	base = gen_node(s->g, 0, gen_pc(s->g, 0x400100, 0));
	for (unsigned int i = 0; i < SIM_STACKS; i++) {
		uint32_t pc = gen_pc(s->g, 0x401000 + i * 16, 0);

		s->node[i] = gen_node(s->g, base, pc);
		if (i % 3 == 0)
			base = s->node[i];
	}
	for (unsigned int i = 0; i < 4; i++)
		s->free_node[i] = gen_node(
			s->g, base, gen_pc(s->g, 0x7f0000000100 + i * 16, 1));
}

/*
 * Run the program `o` into `g`, which gen_begin() is called on, and fill `x`.
 * `log`, unless NULL, gets every event in order.
 */
static inline void sim_run(const struct sim_options *o, struct gen *g,
			   struct sim_expected *x,
			   void (*log)(void *arg, uint32_t thread,
				       const struct mt_event *e),
			   void *log_arg)
{
	struct sim s = {
		.o = *o,
		.g = g,
		.x = x,
		.clock = 2000,
		.random = o->seed * 2654435761u + 88172645463325252u,
		.bump = 0x555555560010,
		.log = log,
		.log_arg = log_arg,
	};
	uint32_t thread = 0;

	memset(x, 0, sizeof(*x));
	s.live = calloc(o->max_live + 1, sizeof(*s.live));
	gen_begin(g, o->segment_events, o->tick_shift);
	sim_stacks(&s);
	gen_seal_streams(g);
	while (x->events < o->events) {
		uint64_t what = sim_random(&s, 100);

		if (sim_random(&s, 4) == 0)
			thread = (uint32_t)sim_random(&s, o->threads);
		if (s.count && (what >= 52 || s.count >= o->max_live)) {
			if (what >= 95 && !o->plain)
				sim_realloc(&s, thread);
			else
				sim_free(&s, thread);
		} else {
			sim_alloc(&s, thread);
		}
	}
	if (!o->unended)
		gen_end(g, MT_END_EXIT, s.clock);
	for (unsigned int i = 0; i < SIM_CLASSES; i++)
		free(s.freed[i].at);
	free(s.live);
}

#endif
