/* SPDX-License-Identifier: MIT */
/*
 * More of the kernel without libc: signals, forks that nobody is told of, and
 * waiting. Functions return what the call does, or -errno. Context: any.
 */
#ifndef PRELOAD_PROCESS_H
#define PRELOAD_PROCESS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A signal's action, as the kernel has it. */
struct sys_action {
	void (*handler)(int);
	uint64_t flags;
	void (*restorer)(void);
	uint64_t mask;
};

/* An action that runs a handler: with all signals blocked, on the alternate
 * stack if there is one, interrupted system calls restarted. */
struct sys_action sys_action(void (*handler)(int sig, siginfo_t *info,
					     void *context));
int sys_action_get(int sig, struct sys_action *action);
int sys_action_set(int sig, const struct sys_action *action);

/* What a signal carries, sent by sys_signal_thread(). */
struct sys_value {
	bool ours; /* it was sent by this process, with a value */
	uint32_t low, high;
};

int sys_signal_thread(uint32_t tid, int sig, uint32_t low, uint32_t high);
struct sys_value sys_signal_value(const siginfo_t *info);

/* Wait until the word is not `value`, or is woken, or for so long (0: for
 * ever); wake up to `n` that wait. Within this process. */
void sys_wait(const uint32_t *word, uint32_t value, uint64_t ns);
void sys_wake(const uint32_t *word, uint32_t n);

/*
 * Fork, and call `fn(arg)` in the child, which ends with the status that it
 * returns. The end is told to nobody, unless the child executes another
 * program: no SIGCHLD, no wait() but one with __WCLONE or __WALL; no handler
 * of fork() runs. Returns its pid or -errno. Signals are blocked in both.
 */
long sys_fork_call(int (*fn)(void *), void *arg);

/* Take the end of such a child, waiting for it or not: its status as wait()
 * gives it; -1: it has not ended; -2: there is no such child. */
int sys_reap(long pid, bool wait);
void sys_kill_child(long pid);
/* Whether it has ended; its end is still to be taken. 0 has. */
bool sys_has_ended(long pid);

/* Close all descriptors but one (-1: none). */
void sys_close_all_but(int fd);

/* When this process started, in clock ticks since the boot: field 22 of its
 * stat; 0: not known. */
uint64_t sys_start_ticks(void);

/* Make `fd` the one of number `to`. */
void sys_use_fd(int fd, int to);

int sys_exec(const char *path, const char *const argv[],
	     const char *const envp[]);

/* Zeroed memory shared with what sys_fork_call() makes, once opened to it by
 * sys_share_with_forks(), and with no other fork. NULL: there is none. */
void *sys_map_shared(size_t bytes);
void sys_share_with_forks(void *p, size_t bytes, bool share);

#endif
