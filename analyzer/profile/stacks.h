/* SPDX-License-Identifier: MIT */
/*
 * Stacks, and the names of their frames.
 *
 * A stack is named by a node: its innermost code address (a pc) and the node
 * of its caller. A pc stands for one frame or more, as functions are inlined;
 * they are looked up at its first use. Traces bring nodes and pcs along;
 * imported profiles have theirs made here.
 */
#ifndef ANALYZER_STACKS_H
#define ANALYZER_STACKS_H

#include "judge.h"
#include "pcs.h"
#include "trace.h"

/* One function at one place. Strings live as long as the struct stacks. */
struct frame {
	const char *name; /* to be shown: the function, else module+0xoffset;
			     the same text is the same pointer */
	const char *function; /* demangled; NULL: no symbol */
	const char *linkage;  /* as the linker knows it; may be NULL */
	const char *file;     /* NULL: no line info */
	const char *module;   /* path; NULL: in no module */
	uint64_t offset;      /* in the module's file (no module: the pc) */
	uint32_t line;
	uint32_t module_id; /* or MT_NO_MODULE */
	enum judge_kind kind;
	bool inlined; /* into the frame after it */
};

/* Frames of a stack, innermost first. Zeroed is empty; for use again. */
struct stacks_list {
	const struct frame **at;
	size_t count, room;
};

/* Tell whether a frame is to be left out of every stack. */
typedef bool stacks_hides(void *context, const struct frame *f);

struct stacks {
	const struct mt_pc *pcs;
	size_t pc_count;
	const struct mt_node *nodes; /* parent < id and pc < pc_count hold */
	size_t node_count;
	const struct trace_module *modules;
	size_t module_count;

	/* The rest is stacks.c's own. */
	stacks_hides *hides;
	void *hides_context;
	const char *allocator, *exe;
	struct stacks_pc *known; /* by pc */
	struct strpool *names;
	const struct trace *trace; /* NULL: an import */
	struct sym *sym;
	size_t *sym_of; /* module -> sym's number */
	bool *fetched;	/* by module: all its names were looked up */
	struct pcs by_module;
	struct perfmap *jit;
	char *sysroot;
	bool jit_tried;
	struct stacks_made *made;
};

/* Take the stacks of a trace, which must outlive them. */
void stacks_of_trace(struct stacks *s, const struct trace *t,
		     const struct sym_options *o);

void stacks_free(struct stacks *s);

/* Leave frames out of every stack from now on; no frame may be held yet. */
void stacks_hide(struct stacks *s, stacks_hides *hides, void *context);

/*
 * Return the frames that a pc stands for, innermost first; their count in
 * `*n`: one at least, unless all are hidden. They stay where they are.
 */
const struct frame *stacks_frames(struct stacks *s, uint32_t pc, size_t *n);

/* Return them with the hidden ones, which come last. */
const struct frame *stacks_all_frames(struct stacks *s, uint32_t pc, size_t *n);

/*
 * Put all frames of a stack in a list. A cut end is a frame "(cut)", a stack
 * that was lost is "(no stack)", one without a frame left "(hidden)".
 */
void stacks_expand(struct stacks *s, uint32_t node, struct stacks_list *list);

void stacks_list_free(struct stacks_list *list);

/* Return the one frame that a stack is charged to. */
const struct frame *stacks_site(struct stacks *s, uint32_t node);

/*
 * Put all frames of a stack in a list, as stacks_expand() does, and return
 * where in it the one is that the stack is charged to.
 */
size_t stacks_site_in(struct stacks *s, uint32_t node,
		      struct stacks_list *list);

/* Order two frames by name, then place; 0: they are one site. */
int stacks_compare(const struct frame *a, const struct frame *b);

/*
 * Return the module that holds an address, the last one that was loaded there,
 * or MT_NO_MODULE.
 */
uint32_t stacks_module_at(const struct stacks *s, uint64_t address);

/*
 * Return the name of the variable of a module that an address is in, NULL when
 * none is known; `*offset` is that into it.
 */
const char *stacks_variable(struct stacks *s, uint32_t module_id,
			    uint64_t address, uint64_t *offset);

/* Say what is known about the names in a module. */
enum sym_state stacks_module_state(struct stacks *s, uint32_t module_id);

/* Tell whether a module, which is no runtime's, defines a function of a
 * NULL-terminated list of linkage names. */
bool stacks_module_defines(struct stacks *s, uint32_t module_id,
			   const char *const *names);

/*
 * For importers. Start with no stacks; enter modules, pcs, nodes; then the
 * arrays above are those made so far.
 */
void stacks_begin(struct stacks *s);

/* Enter a module, whose path and build-id are copied; returns its number. */
uint32_t stacks_add_module(struct stacks *s, const struct trace_module *m);

/* Enter a pc; `flags` as in struct mt_pc. */
uint32_t stacks_new_pc(struct stacks *s, uint64_t pc, uint32_t module,
		       uint32_t flags);

/* The same, but an address that is there already is not entered again. */
uint32_t stacks_add_pc(struct stacks *s, uint64_t pc, uint32_t module,
		       uint32_t flags);

/* Give a pc its frames, innermost first; strings are copied. */
void stacks_set_frames(struct stacks *s, uint32_t pc,
		       const struct sym_frame *frame, size_t n);

/* Let the names that were not given be looked up in the modules' files. */
void stacks_name_by_files(struct stacks *s, const struct sym_options *o);

/* Enter a node, the same one once. Parent 0: it is an outermost frame. */
uint32_t stacks_add_node(struct stacks *s, uint32_t parent, uint32_t pc);

#endif
