/* SPDX-License-Identifier: MIT */
/*
 * Sites: which frame of a stack is the program's, and the sums per site.
 *
 * Every code address is judged once; a stack is then a short walk over
 * judgements.
 */
#include "site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "strpool.h"

/* What a code address offers to the stacks through it: sites + 1, or 0. */
struct pc_sites {
	uint32_t program; /* a frame of the program, with a symbol */
	uint32_t plain;	  /* outside the runtimes, no symbol */
	uint32_t wrapper; /* outside the runtimes, passed over by name */
	bool known;
};

/* Modules of the runtimes, by how their file's name begins. */
static const char *const runtime_modules[] = {
	"libmemtrace.so", "libc.so",	 "libc-2",
	"libstdc++.so",	  "libc++.so",	 "libc++abi.so",
	"libgcc_s.so",	  "ld-linux",	 "ld-2",
	"ld-musl",	  "libpthread",	 "libdl.so",
	"libdl-2",	  "librt.so",	 "libunwind.so",
	"libjemalloc",	  "libtcmalloc", "libmimalloc",
	"[vdso]",	  "linux-vdso",	 NULL,
};

/* How the linkage names of library internals begin. */
static const char *const library_linkage[] = {
	"_Znw",		  "_Zna",   "_Zdl",    "_Zda",	 "_ZSt",
	"_ZNSt",	  "_ZNKSt", "_ZNSa",   "_ZNKSa", "_ZNSs",
	"_ZNKSs",	  "_ZNSi",  "_ZNSo",   "_ZNSd",	 "_ZN9__gnu_cxx",
	"_ZNK9__gnu_cxx", "__cxa_", "__rust_", "__rg_",	 "__rdl_",
	"__rustc",	  NULL,
};

/*
 * How their demangled names begin, behind the '<' of Rust's "<T as Trait>";
 * with "void " where C++'s templates have it.
 */
static const char *const library_names[] = {
	"std::",      "__gnu_cxx::", "operator new", "operator delete",
	"void std::", "alloc::",     "core::",	     "hashbrown::",
	"__rustc::",  NULL,
};

/* What the paths of their templates' and generics' source hold. */
static const char *const library_files[] = {
	"/include/c++/", "/usr/lib/gcc/", "/rustc/", "/lib/rustlib/src/", NULL,
};

/* Functions that stand for malloc in many programs, and a program's start. */
static const char *const wrapper_names[] = {
	"malloc",	  "calloc",
	"realloc",	  "reallocarray",
	"free",		  "cfree",
	"posix_memalign", "aligned_alloc",
	"memalign",	  "valloc",
	"pvalloc",	  "strdup",
	"strndup",	  "asprintf",
	"vasprintf",	  "xmalloc",
	"xcalloc",	  "xrealloc",
	"xreallocarray",  "xzalloc",
	"xstrdup",	  "xstrndup",
	"xmemdup",	  "xmallocz",
	"xmemdupz",	  "do_xmalloc",
	"do_xmallocz",	  "x2realloc",
	"x2nrealloc",	  "xnmalloc",
	"xnrealloc",	  "xcharalloc",
	"safe_malloc",	  "safe_realloc",
	"g_malloc",	  "g_malloc0",
	"g_malloc_n",	  "g_malloc0_n",
	"g_realloc",	  "g_realloc_n",
	"g_try_malloc",	  "g_try_realloc",
	"g_strdup",	  "g_strndup",
	"g_memdup",	  "g_memdup2",
	"g_slice_alloc",  "g_slice_alloc0",
	"_start",	  NULL,
};

static bool starts_with_any(const char *s, const char *const *prefixes)
{
	for (; s && *prefixes; prefixes++)
		if (util_starts(s, *prefixes))
			return true;
	return false;
}

/* Tell whether a frame is of a language's own library. */
static bool is_library(const struct sym_frame *f)
{
	const char *name = f->function + strspn(f->function, "<&");

	if (starts_with_any(f->linkage, library_linkage) ||
	    starts_with_any(name, library_names))
		return true;
	for (const char *const *part = library_files; *part; part++)
		if (f->file && strstr(f->file, *part))
			return true;
	return false;
}

/* Tell whether a frame of the program's modules is to be passed over. */
static bool is_wrapper(const struct sym_frame *f)
{
	if (is_library(f))
		return true;
	for (const char *const *name = wrapper_names; *name; name++)
		if (strcmp(*name, f->function) == 0)
			return true;
	return false;
}

/* Tell whether a module is the allocator's or a language's runtime. */
static bool is_runtime(const struct trace *t, const char *path)
{
	if (t->allocator && strcmp(path, t->allocator) == 0 &&
	    !(t->exe && strcmp(path, t->exe) == 0))
		return true;
	return starts_with_any(util_basename(path), runtime_modules);
}

/* Return the number (+ 1) of a site, entered when it is new. */
static uint32_t add_site(struct sites *s, const struct site *site)
{
	char *key = util_format(
		"%s\n%s\n%u\n%u\n%llx", site->function ? site->function : "",
		site->file ? site->file : "", site->line, site->module_id,
		site->function ? 0ull : (unsigned long long)site->offset);
	uint32_t number = strpool_add(s->keys, key);

	free(key);
	if (number <= s->count)
		return number;
	s->at = util_grow(s->at, s->count, &s->room, sizeof(*s->at));
	s->at[s->count++] = *site;
	return number;
}

/* Return the module of a code address, or NULL. */
static const struct trace_module *module_of(const struct trace *t,
					    const struct mt_pc *pc)
{
	if (pc->module >= t->module_count || !t->modules[pc->module].path)
		return NULL;
	return &t->modules[pc->module];
}

/* Enter frame `f` at a place as a site. */
static uint32_t add_frame(struct sites *s, const struct site *place,
			  const struct sym_frame *f)
{
	struct site site = *place;

	site.function = f->function;
	site.file = f->function ? f->file : NULL;
	site.line = site.file ? f->line : 0;
	return add_site(s, &site);
}

/* Return where a code address is, as a site without a name. */
static struct site place_of(const struct trace *t, const struct mt_pc *pc)
{
	const struct trace_module *m = module_of(t, pc);

	if (!m)
		return (struct site){
			.module_id = MT_NO_MODULE,
			.offset = pc->pc,
		};
	return (struct site){
		.module = m->path,
		.module_id = pc->module,
		.offset = pc->pc - m->bias,
	};
}

/* Look up the frames that a code address stands for. */
static size_t frames_of(struct sites *s, const struct mt_pc *pc,
			const struct site *place,
			struct sym_frame frame[SYM_MAX_FRAMES])
{
	/* A return address may be behind the end of its function. */
	uint64_t address = place->offset - !(pc->flags & MT_PC_EXACT);

	if (!place->module)
		return 0;
	return sym_lookup(s->sym, s->sym_of[pc->module], address, frame);
}

/* Judge the frames of a code address outside the runtimes. */
static void judge_frames(struct sites *s, const struct mt_pc *pc,
			 const struct site *place, struct pc_sites *judged)
{
	struct sym_frame frame[SYM_MAX_FRAMES];
	size_t n = frames_of(s, pc, place, frame);

	if (!n)
		judged->plain = add_site(s, place);
	for (size_t i = 0; i < n && !judged->program; i++) {
		if (!frame[i].function)
			continue;
		if (!is_wrapper(&frame[i]))
			judged->program = add_frame(s, place, &frame[i]);
		else if (!judged->wrapper)
			judged->wrapper = add_frame(s, place, &frame[i]);
	}
}

/* Return the judgement of a code address, made at its first use. */
static const struct pc_sites *judge(struct sites *s, const struct trace *t,
				    uint32_t pc_number)
{
	struct pc_sites *judged = &s->pcs[pc_number];

	if (!judged->known) {
		const struct mt_pc *pc = &t->pcs[pc_number];
		struct site place = place_of(t, pc);

		judged->known = true;
		if (!place.module || !is_runtime(t, place.module))
			judge_frames(s, pc, &place, judged);
	}
	return judged;
}

/* Return the site (+ 1) of a node's own frame, whatever it is. */
static uint32_t frame_site(struct sites *s, const struct trace *t,
			   uint32_t node)
{
	struct sym_frame frame[SYM_MAX_FRAMES];
	const struct mt_pc *pc;
	struct site place;

	if (node < MT_NODE_FIRST || node >= t->node_count)
		return add_site(s, &(struct site){
					   .function = "(no stack)",
					   .module_id = MT_NO_MODULE,
				   });
	pc = &t->pcs[t->nodes[node].pc];
	place = place_of(t, pc);
	if (!frames_of(s, pc, &place, frame))
		return add_site(s, &place);
	return add_frame(s, &place, &frame[0]);
}

/* Return the site (+ 1) of the stack that ends at a node. */
static uint32_t site_of(struct sites *s, const struct trace *t, uint32_t node)
{
	uint32_t plain = 0, wrapper = 0, innermost = node;

	for (; node >= MT_NODE_FIRST && node < t->node_count;
	     node = t->nodes[node].parent) {
		const struct pc_sites *j = judge(s, t, t->nodes[node].pc);

		if (j->program)
			return j->program;
		plain = plain ? plain : j->plain;
		wrapper = wrapper ? wrapper : j->wrapper;
	}
	if (plain || wrapper)
		return plain ? plain : wrapper;
	return frame_site(s, t, innermost);
}

/* Add what a stack allocated to its site and to the sum of all. */
static void charge(struct sites *s, struct site *site, const struct prof *p,
		   const struct prof_stack *stack)
{
	struct site_totals *to[] = {&site->totals, &s->totals};
	uint64_t peak_bytes, peak_blocks;

	prof_peak(p, stack, &peak_bytes, &peak_blocks);
	for (unsigned int i = 0; i < 2; i++) {
		to[i]->allocations += stack->allocations;
		to[i]->allocated_bytes += stack->allocated_bytes;
		to[i]->temporary += stack->temporary;
		to[i]->peak_bytes += peak_bytes;
		to[i]->peak_blocks += peak_blocks;
		to[i]->exit_bytes += stack->live_bytes;
		to[i]->exit_blocks += stack->live_blocks;
	}
}

/* Make the trace's modules known to sym, each file once. */
static void add_modules(struct sites *s, const struct trace *t)
{
	struct strpool paths = {0};
	struct map known = {0};

	s->sym = sym_new();
	s->sym_of = util_alloc(t->module_count, sizeof(*s->sym_of));
	for (size_t i = 0; i < t->module_count; i++) {
		const struct trace_module *m = &t->modules[i];
		uint64_t *number;
		bool fresh;

		number = map_put(&known,
				 strpool_add(&paths, m->path ? m->path : ""),
				 &fresh);
		if (fresh)
			*number = sym_add(s->sym, m->path ? m->path : "",
					  m->build_id, m->build_id_bytes);
		s->sym_of[i] = *number;
	}
	strpool_free(&paths);
	map_free(&known);
}

/* Drop the sites that were only judged: no stack was charged to them. */
static void drop_unused(struct sites *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++)
		if (s->at[i].totals.allocations)
			s->at[n++] = s->at[i];
	s->count = n;
}

void sites_build(struct sites *s, const struct trace *t, const struct prof *p)
{
	*s = (struct sites){0};
	s->keys = util_alloc(1, sizeof(*s->keys));
	s->pcs = util_alloc(t->pc_count, sizeof(*s->pcs));
	add_modules(s, t);
	for (uint32_t i = 0; i < p->stack_count; i++) {
		const struct prof_stack *stack = prof_stack(p, i);

		uint32_t site;

		if (!stack->allocations)
			continue;
		site = site_of(s, t, stack->node);
		charge(s, &s->at[site - 1], p, stack);
	}
	drop_unused(s);
	free(s->pcs);
	s->pcs = NULL;
}

void sites_free(struct sites *s)
{
	if (s->sym)
		sym_free(s->sym);
	if (s->keys)
		strpool_free(s->keys);
	free(s->keys);
	free(s->sym_of);
	free(s->at);
	*s = (struct sites){0};
}

enum sym_state sites_module_state(const struct sites *s, uint32_t module_id)
{
	return sym_module_state(s->sym, s->sym_of[module_id]);
}

/* Compare strings of which either may be NULL. */
static int compare_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

int site_compare_names(const struct site *a, const struct site *b)
{
	int d = compare_text(a->function, b->function);

	if (!d)
		d = compare_text(a->file, b->file);
	if (!d)
		d = (a->line > b->line) - (a->line < b->line);
	if (!d)
		d = compare_text(a->module, b->module);
	if (!d)
		d = (a->offset > b->offset) - (a->offset < b->offset);
	if (!d)
		d = (a->module_id > b->module_id) -
		    (a->module_id < b->module_id);
	return d;
}
