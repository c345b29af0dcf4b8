/* SPDX-License-Identifier: MIT */
/*
 * An HTTP server whose answers are made by forks; see http.h. One thread: it
 * polls libmicrohttpd, the workers that run, and the signals that end it.
 *
 * A job is one answer: a memory file that a worker writes, which all requests
 * that are equal to the first wait for, and are sent. It goes when it is a
 * second old and no connection sends it any more.
 */
#include "http.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "keeper.h"
#include "listener.h"

/* Who says nothing for so long, nor reads, makes room for others. */
#define CONNECTIONS 256
#define IDLE_SECONDS 10

/* An answer serves for a second, and for so many times the CPU time that it
 * took: so much of a core, a tenth, goes to one question that is asked again
 * and again. */
#define FRESH_NS 1000000000ull
#define FRESH_TIMES 10

/* An answer being made, or made. */
struct job {
	struct job *next;
	char *key; /* what equal requests have alike; NULL: none is equal */
	bool runs;
	int ends; /* while it runs: at its end when the worker has ended */
	int body, head_fd;
	struct worker_head *head; /* shared with the worker */
	uint64_t deadline_ns;
	uint64_t made_ns;   /* when it was; 0: it is not yet */
	uint64_t stale_ns;  /* when it will be */
	unsigned int users; /* connections */
};

/* A request that is being read or answered. */
struct asked {
	struct asked *next;
	struct MHD_Connection *connection;
	struct job *job; /* NULL: it is still being read */
	bool waits;	 /* suspended until the job has ended */
	char *query, *body;
	size_t body_bytes;
	bool too_large;
};

struct server {
	const struct http_server *options;
	struct keeper keeper;
	struct MHD_Daemon *daemon;
	struct job *jobs;
	struct asked *asked;
};

/* Return the time that the deadlines are of. */
static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

char *http_query(const char *query, const char *key)
{
	size_t n = strlen(key);
	char *value;

	for (const char *p = query; *p; p += strcspn(p, "&"), p += *p == '&') {
		if (strncmp(p, key, n) != 0 || p[n] != '=')
			continue;
		value = util_copy(p + n + 1, strcspn(p + n + 1, "&"));
		MHD_http_unescape(value);
		return value;
	}
	return NULL;
}

/* ---- Jobs. ---- */

/* Print a line as the whole answer of a job whose worker did not make one. */
static void write_failure(struct job *j, unsigned int status, const char *text)
{
	struct http_reply *reply = &j->head->reply;

	*reply = (struct http_reply){.status = status};
	strcpy(reply->type, "text/plain; charset=utf-8");
	if (ftruncate(j->body, 0) || pwrite(j->body, text, strlen(text), 0) < 0)
		reply->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
}

/* Add a header to a response. */
static void add_header(struct MHD_Response *r, const char *name,
		       const char *value)
{
	MHD_add_response_header(r, name, value);
}

/* Make the response of a job that has ended. */
static struct MHD_Response *response_of(const struct job *j)
{
	struct stat st;
	char *text;
	int fd = fcntl(j->body, F_DUPFD_CLOEXEC, 0);
	uint64_t age = (now_ns() - j->made_ns) / 1000000000u;
	struct http_reply *reply = &j->head->reply;
	struct MHD_Response *r = NULL;

	if (fd >= 0 && fstat(fd, &st) == 0)
		r = MHD_create_response_from_fd((uint64_t)st.st_size, fd);
	if (!r)
		abort();
	/* The worker wrote it: it may have been killed in doing so. */
	reply->type[sizeof(reply->type) - 1] = '\0';
	reply->filename[sizeof(reply->filename) - 1] = '\0';
	add_header(r, "Content-Type", reply->type);
	add_header(r, "X-Content-Type-Options", "nosniff");
	if (*reply->filename) {
		text = util_format("attachment; filename=\"%s\"",
				   reply->filename);
		add_header(r, "Content-Disposition", text);
		free(text);
	}
	if (reply->status == MHD_HTTP_SERVICE_UNAVAILABLE ||
	    reply->status == MHD_HTTP_GATEWAY_TIMEOUT)
		add_header(r, "Retry-After", "1");
	text = util_format("%llu", (unsigned long long)age);
	if (age)
		add_header(r, "Age", text);
	free(text);
	return r;
}

/* Send the answer of a job that has ended. */
static enum MHD_Result send_job(struct MHD_Connection *c, const struct job *j)
{
	struct MHD_Response *r = response_of(j);
	enum MHD_Result result =
		MHD_queue_response(c, j->head->reply.status, r);

	MHD_destroy_response(r);
	return result;
}

/* Give a job whose worker goes on files of its own: what comes is lost. */
static void leave_worker(struct job *j)
{
	struct worker_head *head =
		mmap(NULL, sizeof(*head), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int body = memfd_create("answer", MFD_CLOEXEC);

	if (head == MAP_FAILED || body < 0)
		abort();
	munmap(j->head, sizeof(*j->head));
	close(j->body);
	j->head = head;
	j->body = body;
}

/* Answer for a worker that is late. */
static void end_late(struct server *s, struct job *j)
{
	char *why = s->options->answers.why_late(s->options->answers.context);

	leave_worker(j);
	write_failure(j, MHD_HTTP_GATEWAY_TIMEOUT, why);
	free(why);
}

/* Take note that a job's worker has ended, or that it is late. */
static void end_job(struct server *s, struct job *j, bool late)
{
	uint64_t fresh_ns = FRESH_NS;

	close(j->ends);
	j->runs = false;
	j->made_ns = now_ns();
	if (late)
		end_late(s, j);
	else if (!j->head->is_whole)
		write_failure(j, MHD_HTTP_INTERNAL_SERVER_ERROR,
			      "no answer could be made\n");
	else if (FRESH_TIMES * j->head->cpu_ns > fresh_ns)
		fresh_ns = FRESH_TIMES * j->head->cpu_ns;
	j->stale_ns = j->made_ns + fresh_ns;
	for (struct asked *a = s->asked; a; a = a->next)
		if (a->job == j && a->waits) {
			a->waits = false;
			MHD_resume_connection(a->connection);
		}
}

/* Free a job that nobody needs. */
static void free_job(struct job *j)
{
	munmap(j->head, sizeof(*j->head));
	close(j->body);
	close(j->head_fd);
	free(j->key);
	free(j);
}

/* Drop the jobs that are old; returns how many are under way. */
static unsigned int drop_old(struct server *s)
{
	struct job **at = &s->jobs;
	unsigned int busy = 0;

	while (*at) {
		struct job *j = *at;

		busy += j->runs;
		if (j->runs || j->users || now_ns() < j->stale_ns) {
			at = &j->next;
			continue;
		}
		*at = j->next;
		free_job(j);
	}
	return busy;
}

/* Make a job without a worker; NULL: there is no room for it. */
static struct job *new_job(struct server *s)
{
	struct job *j = util_alloc(1, sizeof(*j));

	j->body = memfd_create("answer", MFD_CLOEXEC);
	j->head_fd = memfd_create("head", MFD_CLOEXEC);
	j->head = MAP_FAILED;
	if (j->head_fd >= 0 && !ftruncate(j->head_fd, sizeof(*j->head)))
		j->head = mmap(NULL, sizeof(*j->head), PROT_READ | PROT_WRITE,
			       MAP_SHARED, j->head_fd, 0);
	if (j->body < 0 || j->head == MAP_FAILED) {
		if (j->body >= 0)
			close(j->body);
		if (j->head_fd >= 0)
			close(j->head_fd);
		if (j->head != MAP_FAILED)
			munmap(j->head, sizeof(*j->head));
		free(j);
		return NULL;
	}
	j->head->reply.status = MHD_HTTP_OK;
	strcpy(j->head->reply.type, "text/plain; charset=utf-8");
	j->next = s->jobs;
	s->jobs = j;
	return j;
}

/* Have a job done by a worker; false: there can be none. */
static bool start_job(struct server *s, struct job *j,
		      const struct http_request *r)
{
	unsigned int seconds = HTTP_SECONDS + s->options->answers.patience(r);
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return false;
	struct worker_files files = {j->body, j->head_fd, ends[1]};

	j->deadline_ns = now_ns() + seconds * 1000000000ull;
	j->ends = ends[0];
	if (s->options->answers.is_prepared(r))
		j->runs = keeper_ask(&s->keeper, r, &files);
	else
		j->runs = worker_start(&s->options->answers, r, &files);
	/* Only the worker has it now. */
	close(ends[1]);
	if (!j->runs)
		close(ends[0]);
	return j->runs;
}

/* Find a job that answers a request which has this key. */
static struct job *find_job(const struct server *s, const char *key)
{
	for (struct job *j = s->jobs; j; j = j->next)
		if (j->key && strcmp(j->key, key) == 0 &&
		    (j->runs || now_ns() < j->stale_ns))
			return j;
	return NULL;
}

/* Return the job of a request; NULL: there is no room for one more. */
static struct job *job_of(struct server *s, const struct http_request *r)
{
	char *key = util_format("%s %s?%s %s", r->method, r->path, r->query,
				r->accept);
	struct job *j = r->body_bytes ? NULL : find_job(s, key);

	if (!j && drop_old(s) < HTTP_WORKERS)
		j = new_job(s);
	if (j && !j->made_ns && !j->runs) {
		if (!start_job(s, j, r)) {
			write_failure(j, MHD_HTTP_SERVICE_UNAVAILABLE,
				      "no process is there to answer\n");
			j->made_ns = j->stale_ns = now_ns();
		} else if (!r->body_bytes) {
			j->key = util_copy(key, strlen(key));
		}
	}
	free(key);
	return j;
}

/* ---- libmicrohttpd's side. ---- */

/* Send a line as the answer. */
static enum MHD_Result send_line(struct MHD_Connection *c, unsigned int status,
				 const char *text)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(
		strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	add_header(r, "Content-Type", "text/plain; charset=utf-8");
	add_header(r, "X-Content-Type-Options", "nosniff");
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		add_header(r, "Retry-After", "1");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		add_header(r, "Allow", "GET, HEAD, POST");
	result = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return result;
}

/* Take a piece of a body. */
static void take_body(struct asked *a, const char *bytes, size_t n)
{
	if (a->too_large || n > HTTP_MAX_BODY - a->body_bytes) {
		a->too_large = true;
		return;
	}
	a->body = util_resize(a->body, a->body_bytes + n + 1, 1);
	memcpy(a->body + a->body_bytes, bytes, n);
	a->body_bytes += n;
	a->body[a->body_bytes] = '\0';
}

/* Have a request that was read answered. */
static enum MHD_Result ask(struct server *s, struct asked *a, const char *url,
			   const char *method)
{
	const char *accept = MHD_lookup_connection_value(
		a->connection, MHD_HEADER_KIND, "Accept");
	bool head = strcmp(method, "HEAD") == 0;
	struct http_request r = {
		.method = head ? "GET" : method,
		.path = url,
		.query = a->query ? a->query : "",
		.accept = accept ? accept : "",
		.body = a->body ? a->body : "",
		.body_bytes = a->body_bytes,
	};

	if (a->too_large)
		return send_line(a->connection, MHD_HTTP_CONTENT_TOO_LARGE,
				 "too much is asked\n");
	if (!head && strcmp(method, "GET") != 0 && strcmp(method, "POST") != 0)
		return send_line(a->connection, MHD_HTTP_METHOD_NOT_ALLOWED,
				 "only GET and POST\n");
	a->job = job_of(s, &r);
	if (!a->job)
		return send_line(a->connection, MHD_HTTP_SERVICE_UNAVAILABLE,
				 "too many requests at once\n");
	a->job->users++;
	if (a->job->made_ns)
		return send_job(a->connection, a->job);
	a->waits = true;
	MHD_suspend_connection(a->connection);
	return MHD_YES;
}

/* libmicrohttpd has read something of a request, or wants its answer. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *c,
				  const char *url, const char *method,
				  const char *version, const char *data,
				  size_t *bytes, void **state)
{
	struct server *s = context;
	struct asked *a = *state;

	(void)version;
	if (!a->connection) {
		a->connection = c;
		return MHD_YES;
	}
	if (*bytes) {
		take_body(a, data, *bytes);
		*bytes = 0;
		return MHD_YES;
	}
	if (!a->job)
		return ask(s, a, url, method);
	return send_job(c, a->job);
}

/* The first line of a request was read: keep its query as it stands. */
static void *on_line(void *context, const char *uri, struct MHD_Connection *c)
{
	struct server *s = context;
	struct asked *a = util_alloc(1, sizeof(*a));
	const char *query = strchr(uri, '?');

	(void)c;
	if (query)
		a->query = util_copy(query + 1, strlen(query + 1));
	a->next = s->asked;
	s->asked = a;
	return a;
}

/* A request is done with. */
static void on_end(void *context, struct MHD_Connection *c, void **state,
		   enum MHD_RequestTerminationCode why)
{
	struct server *s = context;
	struct asked *a = *state, **at = &s->asked;

	(void)c;
	(void)why;
	while (*at && *at != a)
		at = &(*at)->next;
	if (!*at)
		return;
	*at = a->next;
	if (a->job)
		a->job->users--;
	free(a->query);
	free(a->body);
	free(a);
	*state = NULL;
}

/* Start libmicrohttpd on a listening socket. */
static struct MHD_Daemon *start(struct server *s, int fd)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0,
				NULL, NULL, on_request, s,
				MHD_OPTION_LISTEN_SOCKET, fd,
				MHD_OPTION_URI_LOG_CALLBACK, on_line, s,
				MHD_OPTION_NOTIFY_COMPLETED, on_end, s,
				MHD_OPTION_CONNECTION_LIMIT,
				(unsigned int)CONNECTIONS,
				MHD_OPTION_CONNECTION_TIMEOUT,
				(unsigned int)IDLE_SECONDS, MHD_OPTION_END);
}

/* ---- The loop. ---- */

/* Return how many ms can be waited, which deadlines and connections say. */
static int timeout_of(const struct server *s)
{
	uint64_t now = now_ns(), ns = UINT64_MAX;
	MHD_UNSIGNED_LONG_LONG ms;

	for (const struct job *j = s->jobs; j; j = j->next) {
		uint64_t at = j->runs ? j->deadline_ns : j->stale_ns;
		uint64_t left = at > now ? at - now : 0;

		/* One that is still sent goes at the next event. */
		if ((j->runs || !j->users) && left < ns)
			ns = left;
	}
	if (MHD_get_timeout(s->daemon, &ms) == MHD_YES && ms * 1000000 < ns)
		ns = ms * 1000000;
	/* At its limit the library takes connections again a call late. */
	return ns / 1000000 >= 1000 ? 1000 : (int)(ns / 1000000 + 1);
}

/* End the jobs whose workers have ended or are late. */
static void end_jobs(struct server *s)
{
	for (struct job *j = s->jobs; j; j = j->next) {
		struct pollfd p = {.fd = j->ends};

		if (!j->runs)
			continue;
		if (poll(&p, 1, 0) == 1)
			end_job(s, j, false);
		else if (now_ns() >= j->deadline_ns)
			end_job(s, j, true);
	}
}

/* Wait for something to happen; false: a signal ends the server. */
static bool wait_for(const struct server *s, int signals)
{
	struct pollfd p[2 + HTTP_WORKERS] = {
		{.fd = signals, .events = POLLIN},
		{.fd = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)
			       ->epoll_fd,
		 .events = POLLIN},
	};
	nfds_t n = 2;

	for (const struct job *j = s->jobs; j && n < 2 + HTTP_WORKERS;
	     j = j->next)
		if (j->runs)
			p[n++] = (struct pollfd){.fd = j->ends};
	if (poll(p, n, timeout_of(s)) < 0)
		return errno == EINTR;
	return !(p[0].revents & POLLIN);
}

/* End all answers; the workers end with their parents. */
static void stop(struct server *s)
{
	keeper_end(&s->keeper);
	for (struct job *j = s->jobs; j; j = j->next)
		if (j->runs)
			end_job(s, j, true);
	MHD_run(s->daemon);
	MHD_stop_daemon(s->daemon);
	while (s->jobs) {
		struct job *j = s->jobs;

		s->jobs = j->next;
		free_job(j);
	}
}

int http_serve(const struct http_server *options, struct error *e)
{
	struct server s = {
		.options = options,
		.keeper = {.answers = &options->answers},
	};
	struct listener l;
	sigset_t set;
	int signals;

	if (listener_open(&l, options->listen, e))
		return -1;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	s.daemon = signals < 0 ? NULL : start(&s, l.fd);
	if (!s.daemon) {
		listener_close(&l);
		return error_set(e, ERROR_NO_OFFSET, "the server can't start");
	}
	fprintf(stderr, "memtrace-report: serving on %s\n", l.url);
	while (wait_for(&s, signals)) {
		end_jobs(&s);
		keeper_reap(&s.keeper);
		MHD_run(s.daemon);
		drop_old(&s);
	}
	stop(&s);
	close(signals);
	listener_close(&l);
	return 0;
}
