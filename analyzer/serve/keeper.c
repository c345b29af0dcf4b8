/* SPDX-License-Identifier: MIT */
/* The process that keeps what answers can use; see keeper.h. */
#include "keeper.h"

#include <errno.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util.h"

/* A request in a message: so many bytes of each text, which follow, a NUL
 * behind each. */
#define TEXTS 5

struct heading {
	size_t bytes[TEXTS];
};

#define MESSAGE_BYTES (HTTP_MAX_BODY + (128u << 10))

#define TIDY_MS 60000

/* The files that come with a message. */
union passed {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(struct worker_files))];
};

/* ---- In the keeper. ---- */

/* Take a request apart. */
static struct http_request request_of(const char *message)
{
	const char *text[TEXTS], *at = message + sizeof(struct heading);
	struct heading h;

	memcpy(&h, message, sizeof(h));
	for (int i = 0; i < TEXTS; i++) {
		text[i] = at;
		at += h.bytes[i] + 1;
	}
	return (struct http_request){
		.method = text[0],
		.path = text[1],
		.query = text[2],
		.accept = text[3],
		.body = text[4],
		.body_bytes = h.bytes[4],
	};
}

/* Prepare a request, and have a fork answer it. */
static void serve_one(const struct http_answers *s, const char *message,
		      const struct worker_files *files)
{
	struct http_request r = request_of(message);
	uint64_t before = worker_cpu_ns(), spent;
	pid_t self = getpid();

	s->prepare(s->context, &r);
	spent = worker_cpu_ns() - before;
	if (fork() == 0) {
		worker_settle(self);
		worker_run(s, &r, files, spent);
	}
}

/* Wait for a request; false: there will be none. */
static bool receive(char *message, struct worker_files *files)
{
	union passed passed;
	struct iovec part = {message, MESSAGE_BYTES};
	struct msghdr m = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &passed,
		.msg_controllen = sizeof(passed),
	};
	ssize_t n = recvmsg(3, &m, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;

	if (!c || c->cmsg_len != CMSG_LEN(sizeof(*files)))
		return false;
	memcpy(files, CMSG_DATA(c), sizeof(*files));
	return true;
}

/* Serve what comes through file 3. */
static _Noreturn void keep(const struct http_answers *s)
{
	char *message = util_alloc(1, MESSAGE_BYTES);
	struct pollfd p = {.fd = 3, .events = POLLIN};
	struct worker_files files;

	for (;;) {
		if (poll(&p, 1, TIDY_MS) == 1) {
			if (!receive(message, &files))
				_exit(0);
			serve_one(s, message, &files);
			close(files.body);
			close(files.head);
			close(files.ends);
		}
		s->tidy(s->context);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

/* ---- In the server. ---- */

/* Start it; false: it can't be. */
static bool start(struct keeper *k)
{
	pid_t parent = getpid();
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return false;
	fflush(NULL);
	k->pid = fork();
	if (!k->pid) {
		worker_settle(parent);
		worker_step_back();
		if (dup2(ends[1], 3) < 0)
			_exit(1);
		/* Connections must not stay open for it. */
		syscall(SYS_close_range, 4u, ~0u, 0u);
		keep(k->answers);
	}
	close(ends[1]);
	k->socket = ends[0];
	if (k->pid > 0)
		return true;
	close(ends[0]);
	k->pid = 0;
	return false;
}

/* Send a request; 0, or -1 with errno. */
static int send_request(const struct keeper *k, const struct http_request *r,
			const struct worker_files *files)
{
	const char *text[TEXTS] = {r->method, r->path, r->query, r->accept,
				   r->body};
	struct heading h = {{strlen(r->method), strlen(r->path),
			     strlen(r->query), strlen(r->accept),
			     r->body_bytes}};
	struct iovec part[1 + TEXTS] = {{&h, sizeof(h)}};
	union passed passed = {0};
	struct msghdr m = {
		.msg_iov = part,
		.msg_iovlen = 1 + TEXTS,
		.msg_control = &passed,
		.msg_controllen = sizeof(passed),
	};

	for (int i = 0; i < TEXTS; i++)
		part[1 + i] = (struct iovec){(char *)text[i], h.bytes[i] + 1};
	passed.head.cmsg_level = SOL_SOCKET;
	passed.head.cmsg_type = SCM_RIGHTS;
	passed.head.cmsg_len = CMSG_LEN(sizeof(*files));
	memcpy(CMSG_DATA(&passed.head), files, sizeof(*files));
	return sendmsg(k->socket, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* Forget one that is gone. */
static void forget(struct keeper *k)
{
	close(k->socket);
	k->pid = 0;
}

bool keeper_ask(struct keeper *k, const struct http_request *r,
		const struct worker_files *files)
{
	for (int tries = 0; tries < 2; tries++) {
		if (!k->pid && !start(k))
			return false;
		if (!send_request(k, r, files))
			return true;
		if (errno != EPIPE && errno != ECONNRESET)
			return false;
		keeper_reap(k);
		if (k->pid)
			forget(k);
	}
	return false;
}

void keeper_reap(struct keeper *k)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		if (pid == k->pid)
			forget(k);
}

void keeper_end(struct keeper *k)
{
	if (!k->pid)
		return;
	kill(k->pid, SIGKILL);
	waitpid(k->pid, NULL, 0);
	forget(k);
}
