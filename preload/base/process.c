/* SPDX-License-Identifier: MIT */
/* Signals, forks, waiting; see process.h. */
#include "process.h"

#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sys.h"

#define MASK_BYTES 8
#define MAX_FDS 4096 /* closed one by one, where the kernel has no range */

/* Marks a value as ours, beside what the kernel says of the sender. */
#define OURS 0x4d54u

#define SA_RESTORER_FLAG 0x04000000u

static long call(long nr, long a, long b, long c, long d)
{
	return mt_syscall(nr, a, b, c, d, 0, 0);
}

struct sys_action sys_action(void (*handler)(int sig, siginfo_t *info,
					     void *context))
{
	return (struct sys_action){
		.handler = (void (*)(int))(void *)handler,
		.flags =
			SA_SIGINFO | SA_RESTART | SA_ONSTACK | SA_RESTORER_FLAG,
		.restorer = mt_signal_return,
		.mask = ~0ull,
	};
}

int sys_action_get(int sig, struct sys_action *action)
{
	return (int)call(SYS_rt_sigaction, sig, 0, (long)action, MASK_BYTES);
}

int sys_action_set(int sig, const struct sys_action *action)
{
	return (int)call(SYS_rt_sigaction, sig, (long)action, 0, MASK_BYTES);
}

int sys_signal_thread(uint32_t tid, int sig, uint32_t low, uint32_t high)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	info.si_signo = sig;
	info.si_code = SI_QUEUE;
	info.si_pid = (pid_t)sys_pid();
	info.si_uid = (uid_t)call(SYS_getuid, 0, 0, 0, 0);
	info.si_value.sival_ptr =
		(void *)(uintptr_t)((uint64_t)high << 32 | OURS << 16 | low);
	return (int)call(SYS_rt_tgsigqueueinfo, (long)sys_pid(), (long)tid, sig,
			 (long)&info);
}

struct sys_value sys_signal_value(const siginfo_t *info)
{
	uint64_t v = (uint64_t)(uintptr_t)info->si_value.sival_ptr;

	return (struct sys_value){
		.ours = info->si_code == SI_QUEUE &&
			info->si_pid == (pid_t)sys_pid() &&
			(v >> 16 & 0xffff) == OURS,
		.low = v & 0xffff,
		.high = (uint32_t)(v >> 32),
	};
}

void sys_wait(const uint32_t *word, uint32_t value, uint64_t ns)
{
	struct timespec ts = {(time_t)(ns / 1000000000u),
			      (long)(ns % 1000000000u)};

	call(SYS_futex, (long)word, FUTEX_WAIT_PRIVATE, value,
	     ns ? (long)&ts : 0);
}

void sys_wake(const uint32_t *word, uint32_t n)
{
	call(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, n, 0);
}

long sys_fork_call(int (*fn)(void *), void *arg)
{
	struct sys_signals old = sys_block_signals();
	long pid = call(SYS_clone, 0, 0, 0, 0);

	if (pid == 0)
		for (int status = fn(arg);;)
			call(SYS_exit_group, status, 0, 0, 0);
	sys_restore_signals(old);
	return pid;
}

int sys_reap(long pid, bool wait)
{
	int status = 0;
	long got;

	do {
		got = call(SYS_wait4, pid, (long)&status,
			   __WALL | (wait ? 0 : WNOHANG), 0);
	} while (got == -EINTR);
	if (got == 0)
		return -1;
	return got == pid ? status : -2;
}

bool sys_has_ended(long pid)
{
	siginfo_t info = {0};

	return !pid ||
	       call(SYS_waitid, P_PID, pid, (long)&info,
		    WEXITED | WNOHANG | WNOWAIT | __WALL) < 0 ||
	       info.si_pid == pid;
}

void sys_kill_child(long pid)
{
	call(SYS_kill, pid, SIGKILL, 0, 0);
}

void sys_close_all_but(int fd)
{
	if (fd > 0)
		call(SYS_close_range, 0, fd - 1, 0, 0);
	if (call(SYS_close_range, fd + 1, UINT32_MAX, 0, 0) != -ENOSYS)
		return;
	for (int i = 0; i < MAX_FDS; i++)
		if (i != fd)
			sys_close(i);
}

void sys_use_fd(int fd, int to)
{
	call(SYS_dup3, fd, to, 0, 0);
}

int sys_exec(const char *path, const char *const argv[],
	     const char *const envp[])
{
	return (int)call(SYS_execve, (long)path, (long)argv, (long)envp, 0);
}

void *sys_map_shared(size_t bytes)
{
	long p = mt_syscall(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p < 0 && p > -4096)
		return NULL;
	sys_note_own((void *)p, bytes);
	sys_share_with_forks((void *)p, bytes, false);
	return (void *)p;
}

void sys_share_with_forks(void *p, size_t bytes, bool share)
{
	call(SYS_madvise, (long)p, (long)bytes,
	     share ? MADV_DOFORK : MADV_DONTFORK, 0);
}

uint64_t sys_start_ticks(void)
{
	char text[1024];
	const char *p;

	if (sys_read_file("/proc/self/stat", text, sizeof(text)) <= 0)
		return 0;
	p = strrchr(text, ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (!p)
		return 0;
	p++;
	return sys_parse_number(&p, 10);
}
