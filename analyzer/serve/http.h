/* SPDX-License-Identifier: MIT */
/*
 * An HTTP server whose every answer is made by a process of its own: a fork,
 * with a lower priority and the first one that the OOM killer takes, which
 * ends when it has answered or its time is up. So the server stays small
 * whatever it is asked, and no request can end it. The only user of
 * libmicrohttpd.
 *
 * What an answer can use of the one before it is in the keeper, a process that
 * lasts: it prepares such requests one after another, and the answers are
 * made by forks of it. If it ends there will be another.
 *
 * Equal requests get one answer for a second, or for ten times the CPU time
 * that it took to make: the Age header has how old it is.
 */
#ifndef ANALYZER_HTTP_H
#define ANALYZER_HTTP_H

#include "util.h"
#include "worker.h"

/* Requests beyond this get no answer but 503, or 413 if it is too much. */
#define HTTP_WORKERS 8

struct http_server {
	const char *listen; /* HOST:PORT, PORT or unix:PATH */
	struct http_answers answers;
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
