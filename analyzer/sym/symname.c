/* SPDX-License-Identifier: MIT */
/* Names as people know them, by libiberty; see symname.h. */
#include "symname.h"

#include <libiberty/demangle.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

void symname_free(struct symname *s)
{
	strpool_free(&s->strings);
	map_free(&s->demangled);
}

const char *symname_keep(struct symname *s, const char *text)
{
	return strpool_text(&s->strings, strpool_add(&s->strings, text));
}

/* Return a name without what the compiler adds to a part or clone of it. */
static const char *without_clone(struct symname *s, const char *name)
{
	static const char *const suffixes[] = {
		".part.", ".isra.",	".constprop.",
		".cold",  ".lto_priv.", ".llvm.",
	};
	size_t end = strlen(name);
	const char *result;
	char *copy;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		const char *at = strstr(name, suffixes[i]);

		if (at && at > name && (size_t)(at - name) < end)
			end = (size_t)(at - name);
	}
	copy = util_copy(name, end);
	result = symname_keep(s, copy);
	free(copy);
	return result;
}

/*
 * Take the parameters out of D's names, "a.b(int).c!(int)(char) const", where
 * parentheses behind a '!' are a template's arguments.
 */
static void drop_parameters(char *name)
{
	unsigned int depth = 0;
	char *to = name;

	for (char *p = name; *p; p++) {
		bool parameters =
			!depth && *p == '(' && p > name && p[-1] != '!';

		if (parameters) {
			do
				depth += (*p == '(') - (*p == ')');
			while (depth && *++p);
			if (!*p || p[1] != '.')
				break;
		} else {
			depth += (*p == '(') - (*p == ')');
			*to++ = *p;
		}
	}
	*to = '\0';
}

/* Demangle what any of our languages mangled; NULL: none did. Free it. */
static char *demangle(const char *name)
{
	char *text =
		cplus_demangle(name, DMGL_AUTO | DMGL_ANSI | DMGL_RET_DROP);

	/* D is not among what is found out by itself. */
	if (!text && util_starts(name, "_D")) {
		text = cplus_demangle(name, DMGL_DLANG);
		if (text)
			drop_parameters(text);
	}
	return text;
}

void symname_set(struct symname *s, const char *linkage, struct sym_frame *f)
{
	uint32_t number = strpool_add(&s->strings, linkage);
	uint64_t *known = map_get(&s->demangled, number);
	const char *plain;
	char *text;

	f->linkage = strpool_text(&s->strings, number);
	if (known) {
		f->function = strpool_text(&s->strings, (uint32_t)*known);
		return;
	}
	plain = without_clone(s, linkage);
	text = demangle(plain);
	f->function = text ? symname_keep(s, text) : plain;
	free(text);
	*map_put(&s->demangled, number, NULL) =
		strpool_add(&s->strings, f->function);
}
