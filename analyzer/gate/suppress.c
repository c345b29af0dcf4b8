/* SPDX-License-Identifier: MIT */
/* Leaks that are known and accepted; see suppress.h. */
#include "suppress.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kinds.h"

#define ALL_KINDS ((1u << LEAK_KINDS) - 1)

/* ---- Reading. ---- */

/* A file that is read. */
struct reading {
	struct suppress *s;
	const char *path, *today;
	uint64_t line;
	unsigned int nth;  /* line of the block in braces; 0: outside */
	const char *wrong; /* the first thing that was */
};

/* Return a line without the blanks around it. */
static char *trim(char *line)
{
	char *end = line + strlen(line);

	while (end > line && isspace((unsigned char)end[-1]))
		*--end = '\0';
	while (isspace((unsigned char)*line))
		line++;
	return line;
}

static char *copy(const char *text)
{
	return util_copy(text, strlen(text));
}

/* Begin a rule. */
static struct suppress_rule *begin_rule(struct reading *r, const char *name)
{
	struct suppress *s = r->s;
	struct suppress_rule *rule;

	s->rules = util_grow(s->rules, s->count, &s->room, sizeof(*s->rules));
	rule = &s->rules[s->count++];
	*rule = (struct suppress_rule){
		.file = copy(r->path),
		.name = copy(name),
		.line = r->line,
		.kinds = ALL_KINDS,
		.max_blocks = SUPPRESS_NO_MAX,
	};
	return rule;
}

/* Add a pattern to a rule, which it takes. */
static void add_pattern(struct suppress_rule *rule, char *text)
{
	rule->pattern = util_grow(rule->pattern, rule->count, &rule->room,
				  sizeof(*rule->pattern));
	rule->pattern[rule->count++] = text;
}

/* Read the day behind expires=; false: it is none. */
static bool read_day(struct suppress_rule *rule, const char *text,
		     const char *today)
{
	static const char form[] = "dddd-dd-dd";

	for (size_t i = 0; i < sizeof(form); i++)
		if (form[i] == 'd' ? !isdigit((unsigned char)text[i])
				   : text[i] != form[i])
			return false;
	memcpy(rule->expires, text, sizeof(rule->expires));
	rule->expired = strcmp(text, today) < 0;
	return true;
}

/* Read a word of ours behind a pattern; NULL, or what is wrong. */
static const char *read_word(struct suppress_rule *rule, const char *word,
			     const char *today)
{
	char *end;

	if (util_starts(word, "expires="))
		return read_day(rule, word + 8, today)
			       ? NULL
			       : "expires= takes YYYY-MM-DD";
	errno = 0;
	rule->max_blocks = strtoull(word + 4, &end, 10);
	return !errno && isdigit((unsigned char)word[4]) && !*end
		       ? NULL
		       : "max= takes a number of blocks";
}

/* Return the last word of a line if it is of ours, or NULL. */
static char *our_word(char *line)
{
	char *word = strrchr(line, ' '), *tab = strrchr(line, '\t');

	if (!word || (tab && tab > word))
		word = tab;
	if (!word)
		return NULL;
	return util_starts(word + 1, "max=") ||
			       util_starts(word + 1, "expires=")
		       ? word
		       : NULL;
}

/* Read a line of LSan's. A pattern is a glob here: a part is "*part*". */
static void read_leak(struct reading *r, char *line)
{
	struct suppress_rule *rule = begin_rule(r, line);
	char *word, *pattern;
	bool begins, ends;
	size_t n;

	while (!r->wrong && (word = our_word(line))) {
		r->wrong = read_word(rule, word + 1, r->today);
		*word = '\0';
		trim(line);
	}
	pattern = line + strlen("leak:");
	begins = *pattern == '^';
	pattern += begins;
	n = strlen(pattern);
	ends = n && pattern[n - 1] == '$';
	if (n == ends)
		r->wrong = "a pattern is missing";
	add_pattern(rule,
		    util_format("%s%.*s%s", begins ? "" : "*", (int)(n - ends),
				pattern, ends ? "" : "*"));
}

/* Read the names of kinds; 0: one is none. */
static unsigned int read_kinds(char *text)
{
	unsigned int kinds = 0, one;
	char *save;

	for (char *w = strtok_r(text, " ,\t", &save); w;
	     w = strtok_r(NULL, " ,\t", &save)) {
		one = strcmp(w, "all") == 0 ? ALL_KINDS : 0;
		for (int i = 0; i < LEAK_KINDS; i++)
			if (strcmp(w, leak_kind_names[i]) == 0)
				one = 1u << i;
		if (!one)
			return 0;
		kinds |= one;
	}
	return kinds;
}

/* Tell whether a block's second line is about leaks: tools, a colon, kind. */
static bool is_about_leaks(const char *line)
{
	const char *colon = strchr(line, ':');

	return colon && strcmp(colon, ":Leak") == 0 &&
	       (util_starts(line, "Memcheck") || strstr(line, ",Memcheck"));
}

/* Read a line of a block in braces. */
static void read_inside(struct reading *r, char *line)
{
	static const char kinds[] = "match-leak-kinds:";
	struct suppress_rule *rule = &r->s->rules[r->s->count - 1];

	if (r->nth == 2) {
		free(rule->name);
		rule->name = copy(line);
	} else if (r->nth == 3) {
		if (!is_about_leaks(line))
			rule->kinds = 0;
	} else if (!rule->kinds) {
		return;
	} else if (util_starts(line, kinds)) {
		rule->kinds = read_kinds(line + strlen(kinds));
		if (!rule->kinds)
			r->wrong = "match-leak-kinds: takes definite, "
				   "indirect, possible, reachable or all";
	} else if (strcmp(line, "...") == 0 || util_starts(line, "fun:") ||
		   util_starts(line, "obj:") || util_starts(line, "src:")) {
		add_pattern(rule, copy(line));
	} else {
		r->wrong = "fun:, obj:, src: or ... is wanted";
	}
}

/* Read a line that is not empty. */
static void read_line(struct reading *r, char *line)
{
	struct suppress_rule *rule;

	if (r->nth)
		r->nth++;
	if (strcmp(line, "{") == 0 && !r->nth) {
		begin_rule(r, "?")->by_stack = true;
		r->nth = 1;
	} else if (strcmp(line, "}") == 0 && r->nth) {
		rule = &r->s->rules[r->s->count - 1];
		r->nth = 0;
		if (!rule->count && rule->kinds)
			r->wrong = "the block has no frame";
	} else if (r->nth) {
		read_inside(r, line);
	} else if (util_starts(line, "leak:")) {
		read_leak(r, line);
	} else {
		r->wrong = "leak:PATTERN or { is wanted";
	}
}

/* Read all lines of `f`, which it closes; NULL: it could not be opened. */
static int read_lines(struct reading *r, FILE *f, struct error *e)
{
	char *raw = NULL, *line;
	size_t size = 0;

	if (!f)
		return error_set(e, ERROR_NO_OFFSET, "%s", strerror(errno));
	errno = 0;
	while (!r->wrong && getline(&raw, &size, f) > 0) {
		r->line++;
		line = trim(raw);
		if (*line && *line != '#')
			read_line(r, line);
	}
	if (!r->wrong && ferror(f))
		r->wrong = strerror(errno);
	if (!r->wrong && r->nth)
		r->wrong = "a } is missing";
	free(raw);
	fclose(f);
	if (!r->wrong)
		return 0;
	return error_set(e, ERROR_NO_OFFSET, "line %llu: %s",
			 (unsigned long long)r->line, r->wrong);
}

int suppress_read(struct suppress *s, const char *path, const char *today,
		  struct error *e)
{
	struct reading r = {.s = s, .path = path, .today = today};

	return read_lines(&r, fopen(path, "re"), e);
}

int suppress_read_text(struct suppress *s, const char *text, const char *name,
		       const char *today, struct error *e)
{
	struct reading r = {.s = s, .path = name, .today = today};

	/* fmemopen() writes nothing into what it opens for reading. */
	return *text ? read_lines(&r, fmemopen((char *)text, strlen(text), "r"),
				  e)
		     : 0;
}

/* ---- Matching. ---- */

/* Match a whole text with a glob of '*' and, if `one`, '?'. */
static bool matches(const char *glob, const char *text, bool one)
{
	const char *star = NULL, *mark = NULL;

	if (!text)
		return false;
	while (*text) {
		if (*glob == '*') {
			star = ++glob;
			mark = text;
		} else if (*glob == *text || (one && *glob == '?')) {
			glob++;
			text++;
		} else if (star) {
			glob = star;
			text = ++mark;
		} else {
			return false;
		}
	}
	return glob[strspn(glob, "*")] == '\0';
}

/* Match a source file with a pattern, which may have a line's number: that
 * is of a build, and not asked for. */
static bool matches_source(const char *pattern, const char *file)
{
	size_t n = strlen(pattern), digits = n;
	char *glob;
	bool match;

	while (digits && isdigit((unsigned char)pattern[digits - 1]))
		digits--;
	if (digits && digits < n && pattern[digits - 1] == ':')
		n = digits - 1;
	glob = util_copy(pattern, n);
	match = file && (matches(glob, file, true) ||
			 matches(glob, util_basename(file), true));
	free(glob);
	return match;
}

/* Match a frame with a line of a block. */
static bool matches_frame(const char *pattern, const struct frame *f)
{
	const char *rest = pattern + 4;

	if (util_starts(pattern, "fun:"))
		return matches(rest, f->linkage, true) ||
		       matches(rest, f->function, true);
	if (util_starts(pattern, "obj:"))
		return matches(rest, f->module, true);
	return matches_source(rest, f->file);
}

/* A stack as patterns see it: the allocator's function comes first. */
struct seen {
	struct frame allocator;
	const struct stacks_list *stack;
};

static const struct frame *frame_at(const struct seen *s, size_t i)
{
	return i ? s->stack->at[i - 1] : &s->allocator;
}

/* Match the frames from the innermost on; it may have more than the rule. */
static bool matches_stack(const struct suppress_rule *rule,
			  const struct seen *s)
{
	size_t n = s->stack->count + 1, p = 0, at = 0;
	size_t dots = SIZE_MAX, mark = 0;

	while (p < rule->count) {
		if (strcmp(rule->pattern[p], "...") == 0) {
			dots = ++p;
			mark = at;
		} else if (at < n &&
			   matches_frame(rule->pattern[p], frame_at(s, at))) {
			p++;
			at++;
		} else if (dots != SIZE_MAX && mark < n) {
			p = dots;
			at = ++mark;
		} else {
			return false;
		}
	}
	return true;
}

/* Match any frame with LSan's pattern. */
static bool matches_any(const char *glob, const struct seen *s)
{
	for (size_t i = 0; i <= s->stack->count; i++) {
		const struct frame *f = frame_at(s, i);

		if (matches(glob, f->function, false) ||
		    matches(glob, f->file, false) ||
		    matches(glob, f->module, false))
			return true;
	}
	return false;
}

/* Return the allocator's function as a frame. */
static struct frame allocator_frame(unsigned int how)
{
	if (how == MT_NEW)
		return (struct frame){
			.function = "operator new(unsigned long)",
			.linkage = "_Znwm",
		};
	if (how == MT_NEW_ARRAY)
		return (struct frame){
			.function = "operator new[](unsigned long)",
			.linkage = "_Znam",
		};
	return (struct frame){.function = kinds_name(how)};
}

struct suppress_rule *suppress_find(const struct suppress *s,
				    enum leak_kind kind, unsigned int how,
				    const struct stacks_list *stack)
{
	struct seen seen = {allocator_frame(how), stack};

	/* The others know no such kind. */
	if (kind == LEAK_HELD)
		kind = LEAK_DEFINITE;
	for (size_t i = 0; i < s->count; i++) {
		struct suppress_rule *rule = &s->rules[i];

		if (rule->off || rule->expired || !(rule->kinds >> kind & 1))
			continue;
		if (rule->by_stack ? matches_stack(rule, &seen)
				   : matches_any(rule->pattern[0], &seen))
			return rule;
	}
	return NULL;
}

void suppress_free(struct suppress *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct suppress_rule *rule = &s->rules[i];

		for (size_t j = 0; j < rule->count; j++)
			free(rule->pattern[j]);
		free(rule->pattern);
		free(rule->file);
		free(rule->name);
	}
	free(s->rules);
	*s = (struct suppress){0};
}
