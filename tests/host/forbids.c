/* SPDX-License-Identifier: MIT */
/*
 * forbids ptrace|scan PROGRAM [ARG...]: runs a program without debuggers'
 * calls, as containers do, or without pread() beyond 4 GiB, which is how one's
 * own memory is read through /proc.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "host.h"

#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define UPPER_OFFSET (offsetof(struct seccomp_data, args[3]) + 4)
#define DENY BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1)
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static struct sock_filter no_ptrace[] = {
	LOAD(nr),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 2, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 1, 0),
	ALLOW,
	DENY,
};

static struct sock_filter no_scan[] = {
	LOAD(nr),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pread64, 1, 0),
	ALLOW,
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, UPPER_OFFSET),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
	ALLOW,
	DENY,
};

int main(int argc, char **argv)
{
	struct sock_fprog program = {sizeof(no_ptrace) / sizeof(*no_ptrace),
				     no_ptrace};

	need(argc > 2, "usage: forbids ptrace|scan PROGRAM [ARG...]");
	if (!strcmp(argv[1], "scan"))
		program = (struct sock_fprog){
			sizeof(no_scan) / sizeof(*no_scan), no_scan};
	need(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	need(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "seccomp");
	execvp(argv[2], argv + 2);
	return 127;
}
