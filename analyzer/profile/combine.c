/* SPDX-License-Identifier: MIT */
/* Several profiles as one; see combine.h. */
#include "combine.h"

#include <stdlib.h>
#include <string.h>

#include "map.h"

/* What is known of the one profile in the other. */
struct combine {
	struct profile *to, *from;
	uint32_t *module; /* by module of `from`: + 1, or 0: not yet */
	struct map pc;	  /* pc of `from` -> + 1 */
	struct map node;  /* node of `from` -> + 1 */
};

/* Tell whether two modules are the same file. */
static bool is_same(const struct trace_module *a, const struct trace_module *b)
{
	return a->path && b->path && strcmp(a->path, b->path) == 0 &&
	       a->build_id_bytes == b->build_id_bytes &&
	       memcmp(a->build_id, b->build_id, a->build_id_bytes) == 0;
}

/* Return a module's number in the other profile. */
static uint32_t module_of(struct combine *c, uint32_t module)
{
	const struct stacks *from = &c->from->stacks;
	struct stacks *to = &c->to->stacks;

	if (module >= from->module_count || !from->modules[module].path)
		return MT_NO_MODULE;
	for (uint32_t i = 0; !c->module[module] && i < to->module_count; i++)
		if (is_same(&to->modules[i], &from->modules[module]))
			c->module[module] = i + 1;
	if (!c->module[module])
		c->module[module] =
			stacks_add_module(to, &from->modules[module]) + 1;
	return c->module[module] - 1;
}

/* Return a pc's number in the other profile; its frames come with it. */
static uint32_t pc_of(struct combine *c, uint32_t number)
{
	uint64_t *known = map_put(&c->pc, number, NULL);
	struct sym_frame frame[SYM_MAX_FRAMES];
	const struct mt_pc *pc = &c->from->stacks.pcs[number];
	const struct frame *f;
	uint64_t bias = 0;
	uint32_t module, added;
	size_t n, count = 0;

	if (*known)
		return (uint32_t)*known - 1;
	f = stacks_all_frames(&c->from->stacks, number, &n);
	module = module_of(c, pc->module);
	/* Where the file is in memory differs from run to run. */
	if (module != MT_NO_MODULE)
		bias = c->to->stacks.modules[module].bias -
		       c->from->stacks.modules[pc->module].bias;
	added = stacks_new_pc(&c->to->stacks, pc->pc + bias, module, pc->flags);
	for (; count < n && count < SYM_MAX_FRAMES && f[count].function;
	     count++)
		frame[count] = (struct sym_frame){
			.function = f[count].function,
			.linkage = f[count].linkage,
			.file = f[count].file,
			.line = f[count].line,
		};
	stacks_set_frames(&c->to->stacks, added, frame, count);
	*map_put(&c->pc, number, NULL) = added + 1;
	return added;
}

/* Return a node's number in the other profile, its callers' before it. */
static uint32_t node_of(struct combine *c, uint32_t node)
{
	uint32_t path[MT_MAX_FRAMES + 1], depth = 0, to = 0;
	const struct stacks *s = &c->from->stacks;

	for (; node >= MT_NODE_FIRST && node < s->node_count &&
	       depth <= MT_MAX_FRAMES;
	     node = s->nodes[node].parent) {
		uint64_t *known = map_get(&c->node, node);

		if (known) {
			to = (uint32_t)*known - 1;
			break;
		}
		path[depth++] = node;
	}
	if (node < MT_NODE_FIRST)
		to = node;
	while (depth--) {
		to = stacks_add_node(&c->to->stacks, to,
				     pc_of(c, s->nodes[path[depth]].pc));
		*map_put(&c->node, path[depth], NULL) = to + 1;
	}
	return to;
}

void combine_add(struct profile *to, struct profile *from)
{
	struct combine c = {
		.to = to,
		.from = from,
		.module = util_alloc(from->stacks.module_count,
				     sizeof(*c.module)),
	};
	uint32_t threads = (uint32_t)to->thread_count;

	for (size_t i = 0; i < from->thread_count; i++)
		profile_add_thread(to, &from->threads[i]);
	for (size_t i = 0; i < from->row_count; i++) {
		struct profile_row row = from->rows[i];

		row.node = node_of(&c, row.node);
		row.thread += threads;
		profile_add_row(to, &row);
	}
	if (from->rate_bytes > to->rate_bytes)
		to->rate_bytes = from->rate_bytes;
	/* Their times do not go together. */
	to->has &= from->has & ~PROFILE_HAS_TIME;
	to->keys &= from->keys;
	if (strcmp(to->program, "?") == 0) {
		to->program = profile_keep(to, from->program);
		to->command = from->command;
		to->command_bytes = from->command_bytes;
		to->pid = from->pid;
	}
	free(c.module);
	map_free(&c.pc);
	map_free(&c.node);
}
