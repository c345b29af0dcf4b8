/* SPDX-License-Identifier: MIT */
/*
 * Whose a frame is: the program's own, or the allocator's, a runtime's, a
 * language's library's, or one of the usual wrappers around malloc. A stack
 * is charged to its innermost frame of the program.
 */
#ifndef ANALYZER_JUDGE_H
#define ANALYZER_JUDGE_H

#include <stdbool.h>

#include "sym.h"

enum judge_kind {
	JUDGE_PROGRAM,	/* with a symbol */
	JUDGE_NAMELESS, /* outside the runtimes, no symbol */
	JUDGE_WRAPPER,	/* outside the runtimes, passed over by name */
	JUDGE_RUNTIME,	/* the allocator's or a language's runtime's */
};

/*
 * Tell whether a module is the allocator's or a language's runtime. `exe`
 * and `allocator` are paths, or NULL.
 */
bool judge_is_runtime(const char *path, const char *allocator, const char *exe);

/* Judge a frame of a module outside the runtimes. */
enum judge_kind judge_frame(const struct sym_frame *f);

#endif
