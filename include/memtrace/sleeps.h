/* SPDX-License-Identifier: MIT */
/*
 * Which system calls a signal disturbs, for both sides: who has a thread
 * handle one lets those alone that are in such a call. Context: any.
 */
#ifndef MEMTRACE_SLEEPS_H
#define MEMTRACE_SLEEPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>

/*
 * Tell whether a call ends with EINTR when a handler has run, whatever its
 * SA_RESTART (signal(7)), or would take the signal for itself. Receiving from
 * a socket with a timeout does, too, but cannot be told from without.
 */
static inline bool mt_is_disturbed(long nr, const uint64_t argument[6])
{
	switch (nr) {
	case SYS_poll:
	case SYS_ppoll:
	case SYS_select:
	case SYS_pselect6:
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
	case SYS_nanosleep:
	case SYS_clock_nanosleep:
	case SYS_pause:
	case SYS_rt_sigsuspend:
	case SYS_rt_sigtimedwait:
	case SYS_semop:
	case SYS_semtimedop:
	case SYS_msgrcv:
	case SYS_msgsnd:
	case SYS_io_getevents:
	case SYS_restart_syscall:
	case 441: /* epoll_pwait2 */
		return true;
	case SYS_futex:
		return argument[3] != 0; /* with a timeout */
	default:
		return false;
	}
}

#endif
