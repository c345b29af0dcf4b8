/* SPDX-License-Identifier: MIT */
/*
 * Suppressions: leaks that are known and accepted, by their stacks. Files of
 * LSan and of valgrind are read as they are, and may be mixed; a line that
 * begins with '#' is a comment.
 *
 *   leak:PATTERN [max=BLOCKS] [expires=YYYY-MM-DD]
 *
 * PATTERN matches a part of the function, file or module of any frame; '*' is
 * any text, '^' and '$' are its ends. The words behind it are ours: of so many
 * blocks of a process at the most, up to and on that day.
 *
 *   {
 *      name
 *      Memcheck:Leak
 *      match-leak-kinds: definite
 *      fun:PATTERN    obj:PATTERN    src:PATTERN[:LINE]    ...
 *   }
 *
 * matches frames from the innermost outward, the allocator's function being
 * the first, "..." any number of them; '*' is any text and '?' any character.
 * Blocks about other tools or errors are passed over.
 *
 * Sources: LLVM compiler-rt sanitizer_suppressions.cpp and TemplateMatch();
 * the valgrind manual, 2.5 "Suppressing errors" and 4.5 "Writing suppression
 * files".
 */
#ifndef ANALYZER_SUPPRESS_H
#define ANALYZER_SUPPRESS_H

#include "leaks.h"

#define SUPPRESS_NO_MAX UINT64_MAX

struct suppress_rule {
	char *file, *name; /* name: the line, or what the block is called */
	uint64_t line;
	unsigned int kinds; /* bits 1 << enum leak_kind; 0: not about leaks */
	uint64_t max_blocks;
	char expires[11]; /* or empty */
	bool expired;
	bool by_stack;	 /* frame by frame; else any one frame */
	const char *own; /* the user's: whose rule it is, or NULL */
	char **pattern;
	size_t count, room;

	/* What it did; the user's. */
	struct leak_sum suppressed;
	uint64_t here;	 /* blocks of the process that is looked at */
	uint64_t beyond; /* the most blocks that were above max_blocks */
	bool off;	 /* for that process */
};

struct suppress {
	struct suppress_rule *rules;
	size_t count, room;
};

/*
 * Add the rules of a file. `today` is YYYY-MM-DD. 0, or -1 with `e` filled,
 * which names the line.
 */
int suppress_read(struct suppress *s, const char *path, const char *today,
		  struct error *e);

/* As suppress_read(), of a text that is said to be the file `name`. */
int suppress_read_text(struct suppress *s, const char *text, const char *name,
		       const char *today, struct error *e);

/*
 * Find the first rule that a leaked block falls under, by its kind, how it was
 * allocated (enum mt_kind) and its stack; those that are off or expired are
 * passed over. NULL: there is none.
 */
struct suppress_rule *suppress_find(const struct suppress *s,
				    enum leak_kind kind, unsigned int how,
				    const struct stacks_list *stack);

void suppress_free(struct suppress *s);

#endif
