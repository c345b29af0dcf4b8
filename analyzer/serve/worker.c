/* SPDX-License-Identifier: MIT */
/* A process that answers one request; see worker.h. */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NICE 10

/* The server has said that it is late by then. */
#define GRACE_SECONDS 5

uint64_t worker_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void worker_step_back(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		/* Where that is not allowed, it is as it was. */
		if (write(fd, "1000", 4) != 4)
			errno = 0;
		close(fd);
	}
	errno = 0;
	if (nice(NICE) == -1 && errno)
		errno = 0;
}

void worker_settle(pid_t parent)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGINT, SIG_IGN); /* the server ends it */
}

/* Have the files as 3 and 4, and the head in memory; no connection may stay
 * open for it. */
static struct worker_head *take_files(const struct worker_files *files)
{
	void *head = mmap(NULL, sizeof(struct worker_head),
			  PROT_READ | PROT_WRITE, MAP_SHARED, files->head, 0);
	int body = fcntl(files->body, F_DUPFD, 5);
	int ends = fcntl(files->ends, F_DUPFD, 5);

	if (head == MAP_FAILED || body < 0 || ends < 0 || dup2(body, 3) < 0 ||
	    dup2(ends, 4) < 0)
		_exit(1);
	syscall(SYS_close_range, 5u, ~0u, 0u);
	return head;
}

void worker_run(const struct http_answers *s, const struct http_request *r,
		const struct worker_files *files, uint64_t cpu_ns)
{
	struct worker_head *head = take_files(files);

	alarm(HTTP_SECONDS + s->patience(r) + GRACE_SECONDS);
	head->reply.body = fdopen(3, "w");
	if (!head->reply.body)
		_exit(1);
	s->answer(s->context, r, &head->reply);
	if (fclose(head->reply.body))
		_exit(1);
	head->cpu_ns = cpu_ns + worker_cpu_ns();
	head->is_whole = true;
	_exit(0);
}

bool worker_start(const struct http_answers *s, const struct http_request *r,
		  const struct worker_files *files)
{
	pid_t parent = getpid(), pid;

	fflush(NULL);
	pid = fork();
	if (pid)
		return pid > 0;
	worker_settle(parent);
	worker_step_back();
	worker_run(s, r, files, 0);
}
