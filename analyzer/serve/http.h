/* SPDX-License-Identifier: MIT */
/*
 * An HTTP server whose every answer is made by a process of its own: a fork,
 * with a lower priority and the first one that the OOM killer takes, which
 * ends when it has answered or its time is up. So the server stays small
 * whatever it is asked, and no request can end it. The only user of
 * libmicrohttpd.
 *
 * Equal requests get one answer for a second, or for ten times the CPU time
 * that it took to make: the Age header has how old it is.
 */
#ifndef ANALYZER_HTTP_H
#define ANALYZER_HTTP_H

#include <stdio.h>

#include "util.h"

/* Requests beyond this get no answer but 503, or 413 if it is too much. */
#define HTTP_WORKERS 8
#define HTTP_MAX_BODY 65536

/* So long may an answer take, beside what it says itself. */
#define HTTP_SECONDS 120

struct http_request {
	const char *method, *path;
	const char *query;  /* behind '?', never NULL */
	const char *accept; /* the header, never NULL */
	const char *body;
	size_t body_bytes;
};

struct http_reply {
	unsigned int status;
	char type[96];
	char filename[32]; /* to be saved under; empty: none */
	FILE *body;
};

/*
 * Write the answer to a request; called in the process that is for it. The
 * reply begins as 200, text/plain. What it prints on stderr is seen.
 */
typedef void http_answer(void *context, const struct http_request *r,
			 struct http_reply *reply);

struct http_server {
	const char *listen; /* HOST:PORT, PORT or unix:PATH */
	http_answer *answer;
	/* Return by how many seconds more a request may take. */
	unsigned int (*patience)(const struct http_request *r);
	void *context;
};

/*
 * Serve until SIGTERM or SIGINT; where, is told on stderr once it is ready.
 * 0, or -1 with `e` filled: it cannot be listened there.
 */
int http_serve(const struct http_server *s, struct error *e);

/*
 * Return the value of a key of a query, decoded, to be freed; NULL: it has
 * none.
 */
char *http_query(const char *query, const char *key);

#endif
