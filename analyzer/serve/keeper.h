/* SPDX-License-Identifier: MIT */
/*
 * The process that keeps what an answer can use of those before it; see
 * http.h. It is a fork of the server, started when it is needed, and told of
 * requests through a socket.
 */
#ifndef ANALYZER_KEEPER_H
#define ANALYZER_KEEPER_H

#include <sys/types.h>

#include "worker.h"

struct keeper {
	const struct http_answers *answers;
	/* The rest is keeper.c's own. */
	pid_t pid; /* 0: there is none */
	int socket;
};

/* Have a request answered by a fork of the keeper. False: it can't be, or it
 * has too much to do. */
bool keeper_ask(struct keeper *k, const struct http_request *r,
		const struct worker_files *files);

/* Take note of the server's children that have ended. */
void keeper_reap(struct keeper *k);

/* End it, and with it its forks. */
void keeper_end(struct keeper *k);

#endif
