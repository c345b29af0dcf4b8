/* SPDX-License-Identifier: MIT */
/*
 * Stacks and the names of their frames; see stacks.h.
 */
#include "stacks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "map.h"
#include "perfmap.h"
#include "strpool.h"

/* What is known of a pc. */
struct stacks_pc {
	struct frame *frame;
	uint32_t count, hidden; /* of frames; the hidden ones come last */
	bool known;
	bool judged, runtime; /* is its module, once judged */
};

/* What an importer made; pcs and nodes by their keys. */
struct stacks_made {
	struct mt_pc *pcs;
	struct mt_node *nodes;
	struct trace_module *modules;
	size_t pc_room, node_room, module_room, known_room;
	struct map pc_at, node_at;
};

/* What stands for stacks without frames; by enum in stacks_expand(). */
static const struct frame cut = {
	.name = "(cut)",
	.function = "(cut)",
	.module_id = MT_NO_MODULE,
	.kind = JUDGE_RUNTIME,
};
static const struct frame lost = {
	.name = "(no stack)",
	.function = "(no stack)",
	.module_id = MT_NO_MODULE,
	.kind = JUDGE_RUNTIME,
};
static const struct frame hidden = {
	.name = "(hidden)",
	.function = "(hidden)",
	.module_id = MT_NO_MODULE,
	.kind = JUDGE_RUNTIME,
};

/* Return a copy of a text, one for all that are equal; NULL stays NULL. */
static const char *keep(struct stacks *s, const char *text)
{
	return text ? strpool_text(s->names, strpool_add(s->names, text))
		    : NULL;
}

/* Make the modules known to sym. */
static void add_modules(struct stacks *s, const struct sym_options *o)
{
	s->sym = sym_new(o);
	s->sym_of = util_alloc(s->module_count, sizeof(*s->sym_of));
	s->fetched = util_alloc(s->module_count, sizeof(*s->fetched));
	if (o && o->sysroot)
		s->sysroot = util_copy(o->sysroot, strlen(o->sysroot));
	for (size_t i = 0; i < s->module_count; i++) {
		const struct trace_module *m = &s->modules[i];

		s->sym_of[i] = sym_add(s->sym, m->path ? m->path : "",
				       m->build_id, m->build_id_bytes);
	}
}

void stacks_of_trace(struct stacks *s, const struct trace *t,
		     const struct sym_options *o)
{
	*s = (struct stacks){
		.pcs = t->pcs,
		.pc_count = t->pc_count,
		.nodes = t->nodes,
		.node_count = t->node_count,
		.modules = t->modules,
		.module_count = t->module_count,
		.allocator = t->allocator,
		.exe = t->exe,
		.trace = t,
		.known = util_alloc(t->pc_count, sizeof(*s->known)),
		.names = util_alloc(1, sizeof(*s->names)),
	};
	add_modules(s, o);
}

/* Free what an importer made. */
static void free_made(struct stacks_made *made, size_t modules)
{
	for (size_t i = 0; i < modules; i++) {
		free(made->modules[i].path);
		free(made->modules[i].build_id);
	}
	free(made->modules);
	free(made->pcs);
	free(made->nodes);
	map_free(&made->pc_at);
	map_free(&made->node_at);
	free(made);
}

void stacks_free(struct stacks *s)
{
	for (size_t i = 0; i < s->pc_count && s->known; i++)
		free(s->known[i].frame);
	free(s->known);
	if (s->sym)
		sym_free(s->sym);
	if (s->names)
		strpool_free(s->names);
	free(s->names);
	free(s->sym_of);
	free(s->fetched);
	pcs_free(&s->by_module);
	free(s->sysroot);
	perfmap_free(s->jit);
	if (s->made)
		free_made(s->made, s->module_count);
	*s = (struct stacks){0};
}

/* Return where a pc is, as a frame without a name. */
static struct frame place_of(const struct stacks *s, const struct mt_pc *pc)
{
	const struct trace_module *m = NULL;

	if (pc->module < s->module_count)
		m = &s->modules[pc->module];
	if (!m || !m->path)
		return (struct frame){
			.module_id = MT_NO_MODULE,
			.offset = pc->pc,
		};
	return (struct frame){
		.module = m->path,
		.module_id = pc->module,
		.offset = pc->pc - m->bias,
	};
}

/* Tell whether a pc is in a runtime's module. */
static bool is_runtime(struct stacks *s, uint32_t number)
{
	struct stacks_pc *known = &s->known[number];

	if (!known->judged) {
		const char *module = place_of(s, &s->pcs[number]).module;

		known->judged = true;
		known->runtime = module &&
				 judge_is_runtime(module, s->allocator, s->exe);
	}
	return known->runtime;
}

/* Name a frame for people: by its function, or by where it is. */
static void name_frame(struct stacks *s, struct frame *f)
{
	char *text;

	if (f->function) {
		f->name = f->function;
		return;
	}
	text = util_format("%s%s0x%" PRIx64,
			   f->module ? util_basename(f->module) : "",
			   f->module ? "+" : "", f->offset);
	f->name = keep(s, text);
	free(text);
}

/* Fill in a frame at a place from what sym knows. */
static struct frame make_frame(struct stacks *s, const struct frame *place,
			       const struct sym_frame *f, bool runtime)
{
	struct frame frame = *place;

	frame.function = keep(s, f->function);
	frame.linkage = keep(s, f->linkage);
	frame.file = f->function ? keep(s, f->file) : NULL;
	frame.line = frame.file ? f->line : 0;
	frame.kind = runtime ? JUDGE_RUNTIME : judge_frame(f);
	name_frame(s, &frame);
	return frame;
}

/* Move the frames that are hidden behind the others. */
static void set_apart(struct stacks *s, struct stacks_pc *known)
{
	uint32_t all = known->count + known->hidden;

	known->count = 0;
	for (uint32_t i = 0; i < all; i++) {
		struct frame f = known->frame[i];

		if (s->hides && s->hides(s->hides_context, &f))
			continue;
		known->frame[i] = known->frame[known->count];
		known->frame[known->count++] = f;
	}
	known->hidden = all - known->count;
}

void stacks_hide(struct stacks *s, stacks_hides *hides, void *context)
{
	s->hides = hides;
	s->hides_context = context;
	for (size_t i = 0; i < s->pc_count; i++)
		set_apart(s, &s->known[i]);
}

/* Note the frames of a pc. */
static void set_frames(struct stacks *s, uint32_t number,
		       const struct sym_frame *frame, size_t n)
{
	static const struct sym_frame nameless;
	struct stacks_pc *known = &s->known[number];
	struct frame place = place_of(s, &s->pcs[number]);

	if (!n) {
		frame = &nameless;
		n = 1;
	}
	free(known->frame);
	known->frame = util_alloc(n, sizeof(*known->frame));
	known->count = (uint32_t)n;
	known->hidden = 0;
	known->known = true;
	for (size_t i = 0; i < n; i++) {
		known->frame[i] =
			make_frame(s, &place, &frame[i], is_runtime(s, number));
		known->frame[i].inlined = i + 1 < n;
	}
	if (s->hides)
		set_apart(s, known);
}

/* Have sym look up all pcs of a module, which is less work than one by one. */
static void fetch(struct stacks *s, uint32_t module)
{
	if (!s->by_module.order)
		pcs_index(&s->by_module, s->pcs, s->pc_count, s->module_count);
	pcs_fetch(&s->by_module, s->pcs, module, s->modules[module].bias,
		  s->sym, s->sym_of[module]);
	s->fetched[module] = true;
}

/* Look up a pc that is in no module in what JIT compilers wrote. */
static size_t look_up_jit(struct stacks *s, const struct mt_pc *pc,
			  struct sym_frame *frame)
{
	if (!s->jit_tried && s->trace)
		s->jit = perfmap_open(s->trace, s->sysroot);
	s->jit_tried = true;
	*frame = (struct sym_frame){
		.function = perfmap_find(s->jit, pcs_address(pc, 0)),
	};
	return frame->function ? 1 : 0;
}

/* Find the frames of a pc: in the trace, else in its module's file. */
static void look_up(struct stacks *s, uint32_t number)
{
	const struct mt_pc *pc = &s->pcs[number];
	struct frame place = place_of(s, pc);
	struct sym_frame frame[SYM_MAX_FRAMES];
	const struct sym_frame *carried;
	size_t n = s->trace ? trace_frames(s->trace, number, &carried) : 0;

	if (n) {
		set_frames(s, number, carried, n);
		return;
	}
	if (place.module && s->sym) {
		if (!s->fetched[pc->module])
			fetch(s, pc->module);
		n = sym_lookup(s->sym, s->sym_of[pc->module],
			       pcs_address(pc, s->modules[pc->module].bias),
			       frame);
	} else if (!place.module) {
		n = look_up_jit(s, pc, frame);
	}
	set_frames(s, number, frame, n);
}

const struct frame *stacks_frames(struct stacks *s, uint32_t pc, size_t *n)
{
	struct stacks_pc *known = &s->known[pc];

	if (!known->known)
		look_up(s, pc);
	*n = known->count;
	return known->frame;
}

const struct frame *stacks_all_frames(struct stacks *s, uint32_t pc, size_t *n)
{
	const struct frame *f = stacks_frames(s, pc, n);

	*n += s->known[pc].hidden;
	return f;
}

/* Append a frame to a list. */
static void put(struct stacks_list *list, const struct frame *f)
{
	list->at = util_grow(list->at, list->count, &list->room,
			     sizeof(*list->at));
	list->at[list->count++] = f;
}

void stacks_expand(struct stacks *s, uint32_t node, struct stacks_list *list)
{
	uint32_t innermost = node;

	list->count = 0;
	for (; node >= MT_NODE_FIRST && node < s->node_count;
	     node = s->nodes[node].parent) {
		size_t n;
		const struct frame *f = stacks_frames(s, s->nodes[node].pc, &n);

		for (size_t i = 0; i < n; i++)
			put(list, &f[i]);
	}
	if (node == MT_NODE_CUT)
		put(list, &cut);
	else if (node)
		put(list, &lost);
	else if (innermost && !list->count)
		put(list, &hidden);
}

void stacks_list_free(struct stacks_list *list)
{
	free(list->at);
	*list = (struct stacks_list){0};
}

/* Return a pc's best frame of a kind, or NULL. */
static const struct frame *frame_of_kind(const struct frame *f, size_t n,
					 enum judge_kind kind)
{
	for (size_t i = 0; i < n; i++)
		if (f[i].kind == kind)
			return &f[i];
	return NULL;
}

/* Return the first frame of a pc, or NULL when it is hidden. */
static const struct frame *first_frame(struct stacks *s, uint32_t pc)
{
	size_t n;
	const struct frame *f = stacks_frames(s, pc, &n);

	return n ? f : NULL;
}

/*
 * The runtimes' own frames are not looked up for this, unless there are no
 * others: their files may be large, or far.
 */
const struct frame *stacks_site(struct stacks *s, uint32_t node)
{
	const struct frame *best[JUDGE_RUNTIME] = {0}, *found = NULL;
	uint32_t innermost = node;

	for (; node >= MT_NODE_FIRST && node < s->node_count;
	     node = s->nodes[node].parent) {
		uint32_t pc = s->nodes[node].pc;
		const struct frame *f;
		size_t n;

		if (is_runtime(s, pc))
			continue;
		f = stacks_frames(s, pc, &n);
		for (int kind = 0; kind < JUDGE_RUNTIME; kind++)
			if (!best[kind])
				best[kind] = frame_of_kind(f, n, kind);
		if (best[JUDGE_PROGRAM])
			return best[JUDGE_PROGRAM];
	}
	for (int kind = 0; kind < JUDGE_RUNTIME; kind++)
		if (best[kind])
			return best[kind];
	for (node = innermost;
	     node >= MT_NODE_FIRST && node < s->node_count && !found;
	     node = s->nodes[node].parent)
		found = first_frame(s, s->nodes[node].pc);
	if (found)
		return found;
	if (node == MT_NODE_CUT)
		return &cut;
	return innermost && !node ? &hidden : &lost;
}

size_t stacks_site_in(struct stacks *s, uint32_t node, struct stacks_list *list)
{
	const struct frame *site = stacks_site(s, node);

	stacks_expand(s, node, list);
	for (size_t i = 0; i < list->count; i++)
		if (list->at[i] == site)
			return i;
	return 0;
}

int stacks_compare(const struct frame *a, const struct frame *b)
{
	int d = strcmp(a->name, b->name);

	if (!d)
		d = strcmp(a->file ? a->file : "", b->file ? b->file : "");
	if (!d)
		d = (a->line > b->line) - (a->line < b->line);
	if (!d)
		d = strcmp(a->module ? a->module : "",
			   b->module ? b->module : "");
	if (!d && !a->function)
		d = (a->offset > b->offset) - (a->offset < b->offset);
	if (!d)
		d = (a->module_id > b->module_id) -
		    (a->module_id < b->module_id);
	return d;
}

uint32_t stacks_module_at(const struct stacks *s, uint64_t address)
{
	for (size_t i = s->module_count; i-- > 0;) {
		const struct trace_module *m = &s->modules[i];

		if (m->path && address >= m->start && address < m->end)
			return (uint32_t)i;
	}
	return MT_NO_MODULE;
}

const char *stacks_variable(struct stacks *s, uint32_t module_id,
			    uint64_t address, uint64_t *offset)
{
	if (module_id >= s->module_count || !s->sym)
		return NULL;
	return sym_variable(s->sym, s->sym_of[module_id],
			    address - s->modules[module_id].bias, offset);
}

enum sym_state stacks_module_state(struct stacks *s, uint32_t module_id)
{
	if (s->modules[module_id].named)
		return s->modules[module_id].names;
	return s->sym ? sym_module_state(s->sym, s->sym_of[module_id])
		      : SYM_MISSING;
}

bool stacks_module_defines(struct stacks *s, uint32_t module_id,
			   const char *const *names)
{
	const struct trace_module *m;

	if (module_id >= s->module_count || !s->sym)
		return false;
	m = &s->modules[module_id];
	return m->path && !judge_is_runtime(m->path, s->allocator, s->exe) &&
	       sym_defines(s->sym, s->sym_of[module_id], names);
}

void stacks_begin(struct stacks *s)
{
	*s = (struct stacks){
		.names = util_alloc(1, sizeof(*s->names)),
		.made = util_alloc(1, sizeof(*s->made)),
	};
	/* The special nodes are there in every profile. */
	while (s->node_count < MT_NODE_FIRST) {
		s->made->nodes =
			util_grow(s->made->nodes, s->node_count,
				  &s->made->node_room, sizeof(*s->made->nodes));
		s->made->nodes[s->node_count++] = (struct mt_node){0, 0};
	}
	s->nodes = s->made->nodes;
}

uint32_t stacks_add_module(struct stacks *s, const struct trace_module *m)
{
	struct stacks_made *made = s->made;
	struct trace_module *copy;

	made->modules = util_grow(made->modules, s->module_count,
				  &made->module_room, sizeof(*made->modules));
	copy = &made->modules[s->module_count];
	*copy = *m;
	copy->path = util_copy(m->path, strlen(m->path));
	copy->build_id = (uint8_t *)util_copy(m->build_id, m->build_id_bytes);
	s->modules = made->modules;
	return (uint32_t)s->module_count++;
}

uint32_t stacks_new_pc(struct stacks *s, uint64_t pc, uint32_t module,
		       uint32_t flags)
{
	struct stacks_made *made = s->made;

	made->pcs = util_grow(made->pcs, s->pc_count, &made->pc_room,
			      sizeof(*made->pcs));
	made->pcs[s->pc_count] = (struct mt_pc){pc, module, flags};
	s->known = util_grow(s->known, s->pc_count, &made->known_room,
			     sizeof(*s->known));
	s->known[s->pc_count] = (struct stacks_pc){0};
	s->pcs = made->pcs;
	return (uint32_t)s->pc_count++;
}

uint32_t stacks_add_pc(struct stacks *s, uint64_t pc, uint32_t module,
		       uint32_t flags)
{
	bool fresh;
	uint64_t *at = map_put(&s->made->pc_at, pc, &fresh);

	if (fresh)
		*at = stacks_new_pc(s, pc, module, flags);
	return (uint32_t)*at;
}

void stacks_set_frames(struct stacks *s, uint32_t pc,
		       const struct sym_frame *frame, size_t n)
{
	set_frames(s, pc, frame, n);
}

void stacks_name_by_files(struct stacks *s, const struct sym_options *o)
{
	add_modules(s, o);
}

uint32_t stacks_add_node(struct stacks *s, uint32_t parent, uint32_t pc)
{
	struct stacks_made *made = s->made;
	uint64_t *at;
	bool fresh;

	at = map_put(&made->node_at, (uint64_t)parent << 32 | pc, &fresh);
	if (!fresh)
		return (uint32_t)*at;
	*at = s->node_count;
	made->nodes = util_grow(made->nodes, s->node_count, &made->node_room,
				sizeof(*made->nodes));
	made->nodes[s->node_count] = (struct mt_node){parent, pc};
	s->nodes = made->nodes;
	return (uint32_t)s->node_count++;
}
