/* SPDX-License-Identifier: MIT */
/*
 * A running program's mailbox; see mailbox.h.
 *
 * The program's files are found by what it has open and mapped, and opened
 * through /proc/PID/root: it may see other directories, in a container.
 */
#include "mailbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <memtrace/sleeps.h>

#include "trace.h"

/* A scan takes so long at the most. */
#define SCAN_NS 120000000000u

struct peer {
	uint32_t pid;
	char *live, *trace; /* paths, as we can open them */
	int fd;		    /* of the live file */
	struct mt_live *head;
	int signal; /* that it looks when it comes, or 0 */
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Return the path of the live file that a process has mapped, or NULL. */
static char *find_live(uint32_t pid)
{
	char *name = util_format("/proc/%u/maps", pid), *line = NULL;
	char *found = NULL, *path;
	FILE *f = fopen(name, "re");
	size_t room = 0, n;

	free(name);
	while (f && !found && getline(&line, &room, f) > 0) {
		path = strchr(line, '/');
		n = path ? strcspn(path, "\n") : 0;
		if (n < 5 || memcmp(path + n - 5, ".live", 5) != 0)
			continue;
		path[n] = '\0';
		found = util_format("/proc/%u/root%s", pid, path);
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

/* Return the trace that a live file is of: the file of that name which the
 * process has open, else what is beside it. */
static char *find_trace(uint32_t pid, const char *live)
{
	char *directory = util_format("/proc/%u/fd", pid), *found = NULL;
	const char *base = util_basename(live);
	size_t n = strlen(base) - strlen(".live");
	char to[4096];
	DIR *d = opendir(directory);
	struct dirent *entry;

	while (d && !found && (entry = readdir(d))) {
		ssize_t got =
			readlinkat(dirfd(d), entry->d_name, to, sizeof(to) - 1);

		if (got <= 0)
			continue;
		to[got] = '\0';
		if (strlen(util_basename(to)) == n &&
		    memcmp(util_basename(to), base, n) == 0)
			found = util_format("/proc/%u/root%s", pid, to);
	}
	if (d)
		closedir(d);
	free(directory);
	return found ? found : util_copy(live, strlen(live) - strlen(".live"));
}

/* Prefer a path that people know, when it names the same file. */
static char *shorter(uint32_t pid, char *path)
{
	char *root = util_format("/proc/%u/root", pid);
	struct stat a, b;
	char *plain = util_starts(path, root) ? path + strlen(root) : path;

	if (stat(path, &a) == 0 && stat(plain, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino)
		memmove(path, plain, strlen(plain) + 1);
	free(root);
	return path;
}

/* Return the value of signal=N in the recorder's options, or 0. */
static int signal_of(const char *options)
{
	const char *p = options;
	int n;

	while (p && !util_starts(p, "signal=")) {
		p = strchr(p, ',');
		p += p != NULL;
	}
	n = p ? atoi(p + strlen("signal=")) : 0;
	return n > 0 && n <= 64 ? n : 0;
}

/* Learn from the trace how the program can be reached. */
static int read_trace(struct peer *p, struct error *e)
{
	struct trace t;
	int status = trace_open(&t, p->trace, e);

	if (!status)
		p->signal = signal_of(t.options);
	trace_close(&t);
	return status;
}

/* Map the head of the live file. */
static int map_head(struct peer *p, struct error *e)
{
	struct stat st;
	void *head;

	p->fd = open(p->live, O_RDWR | O_CLOEXEC);
	if (p->fd < 0 || fstat(p->fd, &st) < 0)
		return error_set(e, ERROR_NO_OFFSET, "%s: %s", p->live,
				 strerror(errno));
	head = (uint64_t)st.st_size < MT_LIVE_HEAD_BYTES
		       ? MAP_FAILED
		       : mmap(NULL, MT_LIVE_HEAD_BYTES, PROT_READ | PROT_WRITE,
			      MAP_SHARED, p->fd, 0);
	if (head == MAP_FAILED)
		return error_set(e, ERROR_NO_OFFSET, "%s: not a live file",
				 p->live);
	p->head = head;
	if (memcmp(p->head->magic, MT_LIVE_MAGIC, sizeof(p->head->magic)) ||
	    p->head->major != MT_FORMAT_MAJOR || p->head->minor < 2)
		return error_set(e, ERROR_NO_OFFSET,
				 "its recorder is of another version");
	return 0;
}

/* Find a program's files; to be closed in either case. */
static int find_files(struct peer *p, uint32_t pid, struct error *e)
{
	*p = (struct peer){.pid = pid, .fd = -1};
	if (!pid || (kill((pid_t)pid, 0) < 0 && errno == ESRCH))
		return error_set(e, ERROR_NO_OFFSET, "no such process");
	p->live = find_live(pid);
	if (!p->live)
		return error_set(e, ERROR_NO_OFFSET,
				 "not recorded, or without a live file, or "
				 "another user's");
	p->trace = shorter(pid, find_trace(pid, p->live));
	return 0;
}

/* Get ready to ask a process. */
static int open_peer(struct peer *p, uint32_t pid, struct error *e)
{
	return find_files(p, pid, e) || map_head(p, e) || read_trace(p, e) ? -1
									   : 0;
}

static void close_peer(struct peer *p)
{
	if (p->head)
		munmap(p->head, MT_LIVE_HEAD_BYTES);
	if (p->fd >= 0)
		close(p->fd); /* and with it the lock */
	free(p->live);
	free(p->trace);
}

/* Tell whether a thread can take a signal: it does not block it, and is in no
 * call that the signal would end early. */
static bool can_take(uint32_t pid, const char *tid, int sig)
{
	char *name = util_format("/proc/%u/task/%s/status", pid, tid);
	uint64_t argument[6] = {0};
	char line[512];
	bool can = false;
	FILE *f = fopen(name, "re");
	long nr = -1;

	while (f && fgets(line, sizeof(line), f))
		if (util_starts(line, "SigBlk:"))
			can = !(strtoull(line + 7, NULL, 16) >> (sig - 1) & 1);
	if (f)
		fclose(f);
	free(name);
	name = util_format("/proc/%u/task/%s/syscall", pid, tid);
	f = fopen(name, "re");
	free(name);
	if (!f)
		return false;
	if (fscanf(f, "%ld %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64, &nr,
		   &argument[0], &argument[1], &argument[2], &argument[3]) < 5)
		nr = -1;
	fclose(f);
	return can && !mt_is_disturbed(nr, argument);
}

/* Send the program its signal; to a thread that is not disturbed by it, if
 * there is one and we may see that. */
static void wake(const struct peer *p)
{
	char *name = util_format("/proc/%u/task", p->pid);
	DIR *d = opendir(name);
	struct dirent *entry;
	long tid = 0;

	while (d && !tid && (entry = readdir(d)))
		if (entry->d_name[0] != '.' &&
		    can_take(p->pid, entry->d_name, p->signal))
			tid = atol(entry->d_name);
	if (d)
		closedir(d);
	free(name);
	if (!tid || syscall(SYS_tgkill, p->pid, tid, p->signal) < 0)
		kill((pid_t)p->pid, p->signal);
}

/* Say that there was no answer. */
static int no_answer(const struct peer *p, uint64_t timeout_ns, struct error *e)
{
	if (kill((pid_t)p->pid, 0) < 0 && errno == ESRCH)
		return error_set(e, ERROR_NO_OFFSET, "it ended meanwhile");
	return error_set(
		e, ERROR_NO_OFFSET, "no answer in %.1f s: %s",
		(double)timeout_ns / 1e9,
		p->signal ? "it blocks the signal of signal=N"
			  : "no thread of it has allocated 64 times since "
			    "(2 KiB when stopped, 64 KiB when sampled); "
			    "try --timeout, or start it with MEMTRACE=signal=N "
			    "(12, say) to be heard while it sleeps");
}

/* Put a command into the mailbox, and wait for the answer. */
static int ask(struct peer *p, enum mt_command command, const char *text,
	       uint64_t timeout_ns, int32_t *result, struct error *e)
{
	struct mt_mailbox *m =
		(struct mt_mailbox *)((char *)p->head + MT_MAILBOX_OFF);
	uint64_t start = now_ns();
	uint32_t asked;

	if (flock(p->fd, LOCK_EX) < 0)
		return error_set(e, ERROR_NO_OFFSET, "%s", strerror(errno));
	m->command = command;
	snprintf(m->text, sizeof(m->text), "%s", text);
	asked = m->done + 1;
	__atomic_store_n(&m->asked, asked, __ATOMIC_RELEASE);
	if (p->signal)
		wake(p);
	while (__atomic_load_n(&m->done, __ATOMIC_ACQUIRE) != asked) {
		if (now_ns() - start > timeout_ns) {
			__atomic_store_n(&m->asked, m->done, __ATOMIC_RELEASE);
			return no_answer(p, timeout_ns, e);
		}
		usleep(1000);
	}
	*result = m->result;
	if (*result == -EBUSY)
		return error_set(e, ERROR_NO_OFFSET,
				 "another scan of it is still being made");
	if (*result == -EOPNOTSUPP && command == MT_COMMAND_RATE)
		return error_set(e, ERROR_NO_OFFSET,
				 "it records every block: a rate can be "
				 "changed where sample=SIZE was said at the "
				 "start");
	if (*result == -EOPNOTSUPP)
		return error_set(e, ERROR_NO_OFFSET,
				 "it records a sample of its blocks only "
				 "(sample=), which leaks cannot be told by");
	if (*result == -EINVAL && command == MT_COMMAND_RATE)
		return error_set(e, ERROR_NO_OFFSET,
				 "a rate is 4K to 1G, and the recording goes "
				 "on at the one before");
	if (*result < 0)
		return error_set(e, ERROR_NO_OFFSET, "%s", strerror(-*result));
	return 0;
}

char *mailbox_trace(uint32_t pid, struct error *e)
{
	struct peer p;
	char *trace = NULL;

	if (!find_files(&p, pid, e)) {
		trace = p.trace;
		p.trace = NULL;
	}
	close_peer(&p);
	return trace;
}

int mailbox_ask(uint32_t pid, enum mt_command command, const char *text,
		uint64_t timeout_ns, int32_t *result, char **trace,
		struct error *e)
{
	struct peer p;
	int status = open_peer(&p, pid, e);

	if (!status)
		status = ask(&p, command, text, timeout_ns, result, e);
	if (!status && trace)
		*trace = util_copy(p.trace, strlen(p.trace));
	close_peer(&p);
	return status;
}

/* Tell whether a scan is in a trace. */
static bool has_scan(const char *path, uint32_t number)
{
	struct error e = {0};
	struct trace t;
	bool has =
		trace_open(&t, path, &e) == 0 && trace_choose_scan(&t, number);

	trace_close(&t);
	return has;
}

int mailbox_scan(uint32_t pid, uint64_t timeout_ns, int32_t *number,
		 char **trace, struct error *e)
{
	useconds_t pause_us = 10000;
	uint64_t start;

	if (mailbox_ask(pid, MT_COMMAND_SCAN, "", timeout_ns, number, trace, e))
		return -1;
	for (start = now_ns(); now_ns() - start < SCAN_NS;) {
		usleep(pause_us);
		if (has_scan(*trace, (uint32_t)*number))
			return 0;
		if (pause_us < 500000)
			pause_us += pause_us / 2;
	}
	free(*trace);
	*trace = NULL;
	return error_set(e, ERROR_NO_OFFSET, "scan %d of it was cut short",
			 *number);
}
