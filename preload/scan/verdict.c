/* SPDX-License-Identifier: MIT */
/* memtrace-report, run for a verdict; see verdict.h. */
#include "verdict.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "maps.h"
#include "process.h"
#include "sys.h"
#include "wishes.h"

/* Variables of the environment that are handed on. */
#define MAX_VARIABLES 2048

struct judge {
	char program[MT_PATH_BYTES];
	char own[MT_PATH_BYTES]; /* this library's path */
	char suppressions[MT_PATH_BYTES];
	const char *argument[8];
	const char *variable[MAX_VARIABLES + 1];
};

/* Make `to` the last part's replacement: DIR/of/this -> DIR/of/name. */
static bool beside(char *to, const char *path, unsigned int up,
		   const char *name)
{
	to[0] = '\0';
	sys_append(to, MT_PATH_BYTES, path);
	for (; up; up--) {
		char *slash = strrchr(to, '/');

		if (!slash)
			return false;
		*slash = '\0';
	}
	sys_append(to, MT_PATH_BYTES, name);
	return sys_is_executable(to);
}

/* Look for the program in $PATH. */
static bool in_path(char *to)
{
	const char *path = getenv("PATH");

	while (path && *path) {
		size_t n = strcspn(path, ":");

		if (n && n < MT_PATH_BYTES) {
			memcpy(to, path, n);
			to[n] = '\0';
			sys_append(to, MT_PATH_BYTES, "/memtrace-report");
			if (sys_is_executable(to))
				return true;
		}
		path += n + (path[n] == ':');
	}
	return false;
}

/* Find memtrace-report. */
static bool find_program(struct judge *j)
{
	const char *told = getenv("MEMTRACE_REPORT");
	struct mt_mapping m;

	if (told) {
		sys_append(j->program, sizeof(j->program), told);
		return sys_is_executable(told);
	}
	return (mt_maps_find((uint64_t)(uintptr_t)mt_verdict_on, &m, j->own,
			     sizeof(j->own)) &&
		(beside(j->program, j->own, 1, "/memtrace-report") ||
		 beside(j->program, j->own, 2, "/bin/memtrace-report") ||
		 beside(j->program, j->own, 3, "/bin/memtrace-report"))) ||
	       in_path(j->program);
}

static bool is_named(const char *variable, const char *name)
{
	size_t n = strlen(name);

	return strncmp(variable, name, n) == 0 && variable[n] == '=';
}

/* The environment, but for what would have it recorded. */
static void copy_environment(struct judge *j)
{
	unsigned int n = 0;

	for (char **v = environ; v && *v && n < MAX_VARIABLES; v++)
		if (!is_named(*v, "LD_PRELOAD") && !is_named(*v, "MEMTRACE"))
			j->variable[n++] = *v;
	j->variable[n] = NULL;
}

/* Return the exit status of a child, once it has ended. */
static int status_of(long child)
{
	int status = child > 0 ? sys_reap(child, true) : -1;

	return status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status)
						: MT_VERDICT_NONE;
}

/* Become the program, whose report goes to stderr. */
static int become(void *arg)
{
	const struct judge *j = arg;
	struct sys_signals none = {0};

	sys_use_fd(2, 1);
	sys_restore_signals(none);
	sys_exec(j->program, j->argument, j->variable);
	return MT_VERDICT_NONE;
}

/* The end of who becomes a program is told to its parent by SIGCHLD: a fork in
 * between is told, and passes the status on to ours, who is not. */
static int have_become(void *arg)
{
	return status_of(sys_fork_call(become, arg));
}

/* Put the command line together. */
static void put_arguments(struct judge *j, const char *trace)
{
	unsigned int n = 0;

	j->argument[n++] = j->program;
	j->argument[n++] = "check";
	j->argument[n++] = "--leaks";
	j->argument[n++] = "definite";
	if (mt_wishes_file(j->suppressions, sizeof(j->suppressions))) {
		j->argument[n++] = "--suppressions";
		j->argument[n++] = j->suppressions;
	}
	j->argument[n++] = trace;
	j->argument[n] = NULL;
}

int mt_verdict_on(const char *trace)
{
	struct judge *j = sys_map_lazy(sizeof(*j));
	int status = MT_VERDICT_NONE;

	if (!j)
		return status;
	if (find_program(j)) {
		put_arguments(j, trace);
		copy_environment(j);
		status = status_of(sys_fork_call(have_become, j));
	}
	sys_unmap(j, sizeof(*j));
	return status == MT_VERDICT_CLEAN || status == MT_VERDICT_LEAKS
		       ? status
		       : MT_VERDICT_NONE;
}
