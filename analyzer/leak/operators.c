/* SPDX-License-Identifier: MIT */
/* Operators new and delete of a program's own; see operators.h. */
#include "operators.h"

#include <string.h>

/* The linkage names of those that a program may replace (Itanium C++ ABI
 * 5.1.4.1); placement forms are none of them. */
static const char *const replaceable[] = {
	"_Znwm",
	"_ZnwmRKSt9nothrow_t",
	"_ZnwmSt11align_val_t",
	"_ZnwmSt11align_val_tRKSt9nothrow_t",
	"_Znam",
	"_ZnamRKSt9nothrow_t",
	"_ZnamSt11align_val_t",
	"_ZnamSt11align_val_tRKSt9nothrow_t",
	"_ZdlPv",
	"_ZdlPvm",
	"_ZdlPvRKSt9nothrow_t",
	"_ZdlPvSt11align_val_t",
	"_ZdlPvSt11align_val_tRKSt9nothrow_t",
	"_ZdlPvmSt11align_val_t",
	"_ZdaPv",
	"_ZdaPvm",
	"_ZdaPvRKSt9nothrow_t",
	"_ZdaPvSt11align_val_t",
	"_ZdaPvSt11align_val_tRKSt9nothrow_t",
	"_ZdaPvmSt11align_val_t",
	NULL,
};

void operators_begin(struct operators *o, struct stacks *s)
{
	*o = (struct operators){.stacks = s};
}

void operators_end(struct operators *o)
{
	map_free(&o->own);
	stacks_list_free(&o->list);
}

/* Return the family of the operator that a frame is of. */
static enum kinds_family family_of(const struct frame *f)
{
	static const struct {
		const char *name;
		enum kinds_family family;
	} names[] = {
		{"operator new", FAMILY_NEW},
		{"operator delete", FAMILY_NEW},
		{"operator new[]", FAMILY_NEW_ARRAY},
		{"operator delete[]", FAMILY_NEW_ARRAY},
	};

	for (size_t i = 0; f->function && i < 4; i++)
		if (strcmp(f->function, names[i].name) == 0)
			return names[i].family;
	return FAMILY_NONE;
}

enum kinds_family operators_family(struct operators *o, unsigned int kind,
				   uint32_t node)
{
	enum kinds_family family = kinds_family(kind), shown = FAMILY_NONE;

	if (family != FAMILY_MALLOC || node < MT_NODE_FIRST)
		return family;
	stacks_expand(o->stacks, node, &o->list);
	for (size_t i = 0; i < o->list.count; i++) {
		const struct frame *f = o->list.at[i];

		if (f->kind != JUDGE_WRAPPER && f->kind != JUDGE_RUNTIME)
			break;
		/* operator new[] calls operator new. */
		if (family_of(f) != FAMILY_NONE)
			shown = family_of(f);
	}
	return shown != FAMILY_NONE ? shown : family;
}

/* Tell whether a module has operators of its own. */
static bool has_own(struct operators *o, uint32_t module)
{
	uint64_t *known = map_put(&o->own, module, NULL);

	if (!*known)
		*known = stacks_module_defines(o->stacks, module, replaceable)
				 ? 2
				 : 1;
	return *known == 2;
}

/* Return the module of the program's file, or MT_NO_MODULE. */
static uint32_t program_of(const struct stacks *s)
{
	for (size_t i = 0; i < s->module_count && s->exe; i++)
		if (s->modules[i].path &&
		    strcmp(s->modules[i].path, s->exe) == 0)
			return (uint32_t)i;
	return MT_NO_MODULE;
}

const char *operators_own(struct operators *o, uint32_t node)
{
	const struct stacks *s = o->stacks;
	uint32_t module = program_of(s);

	if (module != MT_NO_MODULE && has_own(o, module))
		return s->modules[module].path;
	if (node < MT_NODE_FIRST || node >= s->node_count)
		return NULL;
	module = s->pcs[s->nodes[node].pc].module;
	if (module < s->module_count && has_own(o, module))
		return s->modules[module].path;
	return NULL;
}
