/* SPDX-License-Identifier: MIT */
/* Names for roots; see rootname.h. */
#include "rootname.h"

#include <inttypes.h>
#include <stdlib.h>

/* Where a root in a module is. */
struct place {
	uint32_t module; /* or MT_NO_MODULE */
	const char *variable;
	uint64_t offset; /* into the variable, else the module's file */
};

/* Find the variable that holds a root. */
static struct place find_variable(struct stacks *s, uint64_t address)
{
	struct place p = {.module = stacks_module_at(s, address)};

	if (p.module == MT_NO_MODULE)
		return p;
	p.variable = stacks_variable(s, p.module, address, &p.offset);
	if (!p.variable)
		p.offset = address - s->modules[p.module].bias;
	return p;
}

/* Name a root in the data of a module. */
static char *name_variable(struct stacks *s, const struct trace_range *r,
			   uint64_t address)
{
	struct place p = find_variable(s, address);
	const char *path = r->path;

	if (p.module != MT_NO_MODULE)
		path = s->modules[p.module].path;
	if (p.variable)
		return util_format("%s in %s", p.variable, util_basename(path));
	return util_format("data of %s",
			   path && *path ? util_basename(path) : "a module");
}

/* Name what belongs to a thread. */
static char *name_thread(const char *what, const struct trace *t, uint32_t tid)
{
	for (size_t i = 0; i < t->thread_count; i++)
		if (t->threads[i].tid == tid && t->threads[i].name)
			return util_format("%s of thread %u (%s)", what, tid,
					   t->threads[i].name);
	return util_format("%s of thread %u", what, tid);
}

char *rootname_text(struct stacks *s, const struct trace *t,
		    const struct graph_root *root)
{
	const struct trace_range *r = root ? &t->ranges[root->range] : NULL;

	switch (r ? r->kind : 0) {
	case MT_RANGE_MODULE:
		return name_variable(s, r, root->address);
	case MT_RANGE_STACK:
		/* glibc has thread-local memory at the top of its stacks. */
		return name_thread(r->path && *r->path ? "stack"
						       : "stack or TLS",
				   t, r->tid);
	case MT_RANGE_REGISTERS:
		return name_thread("registers", t, r->tid);
	case MT_RANGE_TLS:
		return util_format("thread-local memory");
	case 0:
		return util_format("the loader");
	default:
		return util_format("mapping of %" PRIu64 " KiB%s%s",
				   (r->end - r->start) >> 10,
				   r->path && *r->path ? ": " : "",
				   r->path ? r->path : "");
	}
}

bool rootname_offset(struct stacks *s, const struct trace *t,
		     const struct graph_root *root, uint64_t *offset)
{
	const struct trace_range *r = root ? &t->ranges[root->range] : NULL;

	if (!r || r->kind == MT_RANGE_REGISTERS || r->kind == MT_RANGE_TLS)
		return false;
	*offset = root->address - r->start;
	if (r->kind == MT_RANGE_MODULE &&
	    stacks_module_at(s, root->address) != MT_NO_MODULE)
		*offset = find_variable(s, root->address).offset;
	return true;
}
