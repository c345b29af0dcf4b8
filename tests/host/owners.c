/* SPDX-License-Identifier: MIT */
/*
 * Shows who owns what at the end: `cache`, a variable, holds a table, which
 * holds entries with their texts; and of 200 requests, each with a body and two
 * parts in a list, 4 are lost. tests/integration/leaks_view.sh knows what must
 * be said of them.
 *
 * Build: -O1
 */
#include "host.h"

struct entry {
	long key;
	char *text;
};

struct table {
	long count;
	struct entry *entries[8];
};

struct part {
	struct part *next;
	char room[40];
};

struct request {
	long number;
	char *body;
	struct part *parts;
};

struct table *cache;

static NOINLINE char *text_new(size_t size)
{
	return keep(calloc(1, size));
}

static NOINLINE struct entry *entry_new(long key)
{
	struct entry *e = keep(calloc(1, sizeof(*e)));

	e->key = key;
	e->text = text_new(100);
	return e;
}

static NOINLINE struct table *table_new(void)
{
	struct table *t = keep(calloc(1, sizeof(*t)));

	for (t->count = 0; t->count < 8; t->count++)
		t->entries[t->count] = entry_new(t->count);
	return t;
}

static NOINLINE struct part *part_new(struct part *next)
{
	struct part *p = keep(calloc(1, sizeof(*p)));

	p->next = next;
	return p;
}

static NOINLINE struct request *request_new(long number)
{
	struct request *r = keep(calloc(1, sizeof(*r)));

	r->number = number;
	r->body = text_new(1000);
	r->parts = part_new(part_new(NULL));
	return r;
}

static NOINLINE void request_free(struct request *r)
{
	free(r->parts->next);
	free(r->parts);
	free(r->body);
	free(r);
}

/* Overwrite what dead frames still hold. */
static NOINLINE void scrub(void)
{
	char zeros[8192];

	memset(zeros, 0, sizeof(zeros));
	keep(zeros);
}

/* Lose every fiftieth request. */
static void *serve(void *unused)
{
	(void)unused;
	for (long i = 1; i <= 200; i++) {
		struct request *r = request_new(i);

		if (i % 50)
			request_free(r);
	}
	scrub();
	return NULL;
}

int main(void)
{
	pthread_t thread;

	cache = table_new();
	pthread_create(&thread, NULL, serve, NULL);
	pthread_join(thread, NULL);
	return 0;
}
