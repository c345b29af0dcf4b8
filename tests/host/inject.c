/* SPDX-License-Identifier: MIT */
/*
 * inject LIBRARY LOG CALL FIRST LAST ERRNO PROGRAM ARGS...
 *
 * Runs a program with a library preloaded, and lets the system calls of
 * number CALL that the library's own code makes fail with ERRNO: those from
 * the FIRST to the LAST of them, counted from 1 over all threads. LOG gets a
 * line for each system call the library made: its number, how many times.
 * The exit status is the program's, 128 and the signal when that ended it.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "host.h"

#define CALLS 512
#define MAX_TASKS 256

struct injection {
	const char *library;
	unsigned long call, first, last;
	long error;
	unsigned long count[CALLS];
	uint64_t start, end;	  /* where the library's code is */
	pid_t failing[MAX_TASKS]; /* tasks inside a call that is to fail */
};

/* Find the library in a process; it comes as several mappings in a row. */
static void find_library(struct injection *in, pid_t pid)
{
	char path[64], line[4096];
	unsigned long start, end;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	FILE *f = fopen(path, "r");

	in->start = in->end = 0;
	while (f && fgets(line, sizeof(line), f)) {
		if (!strstr(line, in->library) ||
		    sscanf(line, "%lx-%lx", &start, &end) != 2)
			continue;
		if (!in->start)
			in->start = start;
		in->end = end;
	}
	if (f)
		fclose(f);
}

/* Return the entry of a task that is inside a failing call, or of 0. */
static pid_t *find_failing(struct injection *in, pid_t task)
{
	for (int i = 0; i < MAX_TASKS; i++)
		if (in->failing[i] == task)
			return &in->failing[i];
	return NULL;
}

/* At its entry, turn a call that is to fail into none at all. */
static void enter_call(struct injection *in, pid_t task,
		       struct __ptrace_syscall_info *info)
{
	uint64_t pc = info->instruction_pointer, call = info->entry.nr;
	struct user_regs_struct regs;
	pid_t *entry;

	if (!in->start)
		find_library(in, task);
	if (pc < in->start || pc >= in->end || call >= CALLS)
		return;
	in->count[call]++;
	if (call != in->call || in->count[call] < in->first ||
	    in->count[call] > in->last)
		return;
	entry = find_failing(in, 0);
	need(entry != NULL, "inject: too many tasks");
	*entry = task;
	ptrace(PTRACE_GETREGS, task, NULL, &regs);
	regs.orig_rax = (unsigned long long)-1;
	ptrace(PTRACE_SETREGS, task, NULL, &regs);
}

/* At its exit, give a failing call its result. */
static void leave_call(struct injection *in, pid_t task)
{
	struct user_regs_struct regs;
	pid_t *entry = find_failing(in, task);

	if (!entry)
		return;
	*entry = 0;
	ptrace(PTRACE_GETREGS, task, NULL, &regs);
	regs.rax = (unsigned long long)-in->error;
	ptrace(PTRACE_SETREGS, task, NULL, &regs);
}

/* Handle a stop of a task; return the signal to let through. */
static int handle_stop(struct injection *in, pid_t task, int status)
{
	struct __ptrace_syscall_info info;
	int sig = WSTOPSIG(status);

	if (status >> 16) {
		if (status >> 16 == PTRACE_EVENT_EXEC)
			in->start = in->end = 0;
		return 0;
	}
	if (sig != (SIGTRAP | 0x80))
		return sig == SIGSTOP || sig == SIGTRAP ? 0 : sig;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, task, sizeof(info), &info) <= 0)
		return 0;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		enter_call(in, task, &info);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		leave_call(in, task);
	return 0;
}

/* Run the program to its end; return its wait status. */
static int trace(struct injection *in, pid_t child)
{
	int status, result = 0;
	pid_t task;

	need(waitpid(child, &status, __WALL) == child && WIFSTOPPED(status),
	     "inject: no stop");
	need(!ptrace(PTRACE_SETOPTIONS, child, NULL,
		     PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL |
			     PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC),
	     "inject: ptrace");
	ptrace(PTRACE_SYSCALL, child, NULL, 0);
	while ((task = waitpid(-1, &status, __WALL)) > 0) {
		if (!WIFSTOPPED(status)) {
			if (task == child)
				result = status;
			continue;
		}
		int sig = handle_stop(in, task, status);

		ptrace(PTRACE_SYSCALL, task, NULL, sig);
	}
	return result;
}

int main(int argc, char **argv)
{
	static struct injection in;

	need(argc > 7, "inject LIBRARY LOG CALL FIRST LAST ERRNO PROGRAM ...");
	in.library = argv[1];
	in.call = strtoul(argv[3], NULL, 10);
	in.first = strtoul(argv[4], NULL, 10);
	in.last = strtoul(argv[5], NULL, 10);
	in.error = strtol(argv[6], NULL, 10);

	pid_t child = fork();

	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		setenv("LD_PRELOAD", in.library, 1);
		raise(SIGSTOP);
		execv(argv[7], argv + 7);
		_exit(127);
	}

	int status = trace(&in, child);
	FILE *log = fopen(argv[2], "w");

	need(log != NULL, "inject: no log");
	for (int i = 0; i < CALLS; i++)
		if (in.count[i])
			fprintf(log, "%d %lu\n", i, in.count[i]);
	fclose(log);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}
