/* SPDX-License-Identifier: MIT */
/*
 * A process that answers one request: a fork. What it writes is in files that
 * it shares with the server.
 */
#ifndef ANALYZER_WORKER_H
#define ANALYZER_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* The most that a request may bring along. */
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

/* Who answers. */
struct http_answers {
	http_answer *answer;
	/* Tell whether a request is prepared; do that, in the keeper; tidy up
	 * there, after each fork and once a minute. */
	bool (*is_prepared)(const struct http_request *r);
	void (*prepare)(void *context, const struct http_request *r);
	void (*tidy)(void *context);
	/* Say why an answer is late: what to print, to be freed. */
	char *(*why_late)(void *context);
	/* Return by how many seconds more a request may take. */
	unsigned int (*patience)(const struct http_request *r);
	void *context;
};

/* What is shared in memory: zeroed but for the reply. */
struct worker_head {
	struct http_reply reply;
	uint64_t cpu_ns; /* what the answer took */
	bool is_whole;	 /* it is made */
};

/* The files: of the answer; the one that has the head; and one that nobody
 * else writes to, so that its readers see when the worker has ended. */
struct worker_files {
	int body, head, ends;
};

/* Have a process answer a request; false: there can be none. */
bool worker_start(const struct http_answers *s, const struct http_request *r,
		  const struct worker_files *files);

/* Answer a request, in the fork, which ends; `cpu_ns` were spent on it before.
 */
_Noreturn void worker_run(const struct http_answers *s,
			  const struct http_request *r,
			  const struct worker_files *files, uint64_t cpu_ns);

/* In a fresh fork: end with its parent, whose id is given, and not by what
 * ends that. */
void worker_settle(pid_t parent);

/* Let the program that is looked at, and all else, come first. */
void worker_step_back(void);

/* Return the CPU time that this process has used. */
uint64_t worker_cpu_ns(void);

#endif
