/* SPDX-License-Identifier: MIT */
/*
 * A leak: a parser that loses its half-built record on every malformed line;
 * the report shows it live at the end, under parse_record().
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES 20000

struct record {
	char *key;
	char *value;
};

/* Return a record made of "key=value", or NULL. The bug is in here. */
static struct record *parse_record(const char *line)
{
	struct record *r = malloc(sizeof(*r));
	const char *equals = strchr(line, '=');

	if (!r)
		return NULL;
	if (!equals)
		return NULL; /* the leak: r is forgotten */
	r->key = strndup(line, (size_t)(equals - line));
	r->value = strdup(equals + 1);
	return r;
}

static void free_record(struct record *r)
{
	free(r->key);
	free(r->value);
	free(r);
}

int main(void)
{
	unsigned int good = 0;
	char line[64];

	for (unsigned int i = 0; i < LINES; i++) {
		snprintf(line, sizeof(line), i % 50 ? "key%u=value" : "junk%u",
			 i);
		struct record *r = parse_record(line);

		if (!r)
			continue;
		good++;
		free_record(r);
	}
	printf("%u records, %u malformed lines\n", good, LINES - good);
	return 0;
}
