/* SPDX-License-Identifier: MIT */
/* JSON's texts; see json.h. */
#include "json.h"

#include <stdlib.h>
#include <string.h>

#include "term.h"

void json_put_bytes(FILE *out, const char *text, size_t n)
{
	char *copy = util_copy(text, n); /* its NUL ends cut characters */
	const char *p = copy;

	putc('"', out);
	while (*p) {
		unsigned int size = term_utf8(p);

		if (!size)
			fputs("\\ufffd", out);
		else if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else if ((unsigned char)*p < 0x20 || *p == 0x7f)
			fprintf(out, "\\u%04x", (unsigned char)*p);
		else
			fwrite(p, 1, size, out);
		p += size ? size : 1;
	}
	putc('"', out);
	free(copy);
}

void json_put_text(FILE *out, const char *text)
{
	if (text)
		json_put_bytes(out, text, strlen(text));
	else
		fputs("null", out);
}

void json_put_command(FILE *out, const char *command, size_t bytes)
{
	const char *p = command, *end = p ? p + bytes : p;

	putc('[', out);
	while (p < end) {
		size_t n = strnlen(p, (size_t)(end - p));

		json_put_bytes(out, p, n);
		p += n + 1;
		if (p < end)
			fputs(", ", out);
	}
	putc(']', out);
}
