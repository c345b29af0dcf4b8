/* SPDX-License-Identifier: MIT */
/* Frames and commands as texts of one line; see oneline.h. */
#include "oneline.h"

#include <inttypes.h>
#include <string.h>

/* Make control characters blanks. Return `text`. */
static char *make_line(char *text)
{
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20)
			*p = ' ';
	return text;
}

char *oneline_frame(const struct frame *f)
{
	const char *name = f->function ? f->function : "???";
	char *text;

	if (f->file)
		text = util_format("0x%" PRIX64 ": %s (%s:%u)", f->offset, name,
				   util_basename(f->file), f->line);
	else if (f->module)
		text = util_format("0x%" PRIX64 ": %s (in %s)", f->offset, name,
				   f->module);
	else
		text = util_format("0x%" PRIX64 ": %s", f->offset, name);
	return make_line(text);
}

char *oneline_command(const struct profile *p)
{
	size_t n = p->command_bytes;
	char *text;

	if (!p->command || !n)
		return make_line(util_format("%s", p->program));
	text = util_copy(p->command, n - 1);
	for (size_t i = 0; i + 1 < n; i++)
		if (!text[i])
			text[i] = ' ';
	return make_line(text);
}
