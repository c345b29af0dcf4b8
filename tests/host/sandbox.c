/* SPDX-License-Identifier: MIT */
/*
 * Forbids itself all system calls but those it needs (the others fail with
 * EPERM), then allocates for many segments and ends: it must run as without
 * the recorder, which may lose events but counts what it can.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "host.h"

#define ALLOW(name)                                            \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static NOINLINE void *boxed_alloc(size_t n)
{
	return keep(malloc(n));
}

int main(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		ALLOW(write),
		ALLOW(brk),
		ALLOW(exit_group),
		ALLOW(rt_sigprocmask),
		ALLOW(futex),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
	};
	struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = filter,
	};

	free(boxed_alloc(1));
	need(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	need(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "seccomp");
	for (size_t i = 0; i < 100000; i++) {
		char *p = boxed_alloc(i % 3000);

		need(p != NULL, "no memory");
		memset(p, 1, i % 3000);
		free(p);
	}
	say("done");
	return 0;
}
