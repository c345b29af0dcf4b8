/* SPDX-License-Identifier: MIT */
/*
 * The system's names that we stand in for: mappings, and the ways a process
 * ends that run no exit handlers. Also the API.
 *
 * Mappings are recorded with mmap=1 only. What munmap and mremap take is
 * recorded before the call, as a free is; when the call fails, what it left
 * is recorded again.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <memtrace/format.h>
#include <memtrace/memtrace.h>

#include "export.h"
#include "real.h"
#include "record.h"
#include "run.h"

/* Record what happened to a mapping. */
static void mapping(enum mt_kind kind, const void *p, size_t bytes,
		    const struct mt_place *at)
{
	struct mt_deal deal = {
		.address = p == MAP_FAILED ? 0 : (uint64_t)(uintptr_t)p,
		.size = bytes,
		.kind = kind,
	};

	mt_record(&deal, at);
}

/* The real mmap, or the system call while it is not known. */
static void *map(void *addr, size_t bytes, int prot, int flags, int fd,
		 off_t off)
{
	long p;

	if (mt_real.mmap)
		return mt_real.mmap(addr, bytes, prot, flags, fd, off);
	p = mt_syscall(SYS_mmap, (long)addr, (long)bytes, prot, flags, fd, off);
	if (p < 0 && p > -4096) {
		errno = (int)-p;
		return MAP_FAILED;
	}
	return (void *)p;
}

EXPORT void *mmap(void *addr, size_t bytes, int prot, int flags, int fd,
		  off_t off)
{
	struct mt_place at = CALLER;
	void *p = map(addr, bytes, prot, flags, fd, off);

	if (unlikely(mt_run_mmap))
		mapping(MT_MMAP, p, bytes, &at);
	return p;
}

EXPORT void *mmap64(void *addr, size_t bytes, int prot, int flags, int fd,
		    off_t off) __attribute__((alias("mmap")));

EXPORT int munmap(void *addr, size_t bytes)
{
	struct mt_place at = CALLER;
	int ret;

	if (unlikely(mt_run_mmap))
		mapping(MT_MUNMAP, addr, bytes, &at);
	if (mt_real.munmap) {
		ret = mt_real.munmap(addr, bytes);
	} else {
		ret = (int)mt_syscall(SYS_munmap, (long)addr, (long)bytes, 0, 0,
				      0, 0);
		if (ret < 0) {
			errno = -ret;
			ret = -1;
		}
	}
	if (unlikely(ret < 0 && mt_run_mmap))
		mapping(MT_MMAP, addr, bytes, &at);
	return ret;
}

EXPORT void *mremap(void *old, size_t old_bytes, size_t bytes, int flags, ...)
{
	struct mt_place at = CALLER;
	va_list ap;
	void *to, *p;

	va_start(ap, flags);
	to = va_arg(ap, void *);
	va_end(ap);
	if (unlikely(mt_run_mmap))
		mapping(MT_MREMAP_FREE, old, old_bytes, &at);
	p = mt_real.mremap(old, old_bytes, bytes, flags, to);
	if (unlikely(mt_run_mmap) && p == MAP_FAILED)
		mapping(MT_MREMAP, old, old_bytes, &at);
	else if (unlikely(mt_run_mmap))
		mapping(MT_MREMAP, p, bytes, &at);
	return p;
}

EXPORT __attribute__((noreturn)) void _exit(int status)
{
	struct mt_place at = CALLER;

	mt_run_finish(MT_END_UNDERSCORE_EXIT, &at);
	if (mt_real.exit_now)
		mt_real.exit_now(status);
	for (;;)
		mt_syscall(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

EXPORT __attribute__((noreturn)) void _Exit(int status)
	__attribute__((alias("_exit")));

/*
 * An exec ends the trace, and if it fails all the same, another is begun. So
 * first see whether there is anything to execute: shells try a name in each
 * directory of $PATH.
 */
static bool ends(const char *path)
{
	return path && sys_is_executable(path) &&
	       mt_run_finish(MT_END_EXEC, NULL);
}

/* ends() for a name that is looked for in $PATH. */
static bool ends_by_name(const char *file)
{
	const char *path = getenv("PATH");
	char name[MT_PATH_BYTES];

	if (!file || strchr(file, '/'))
		return ends(file);
	if (!path)
		path = "/bin:/usr/bin";
	while (*path) {
		size_t n = strcspn(path, ":");

		if (n < sizeof(name)) {
			memcpy(name, path, n);
			name[n] = '\0';
			sys_append(name, sizeof(name), n ? "/" : "");
			sys_append(name, sizeof(name), file);
			if (sys_is_executable(name))
				return mt_run_finish(MT_END_EXEC, NULL);
		}
		path += n + (path[n] == ':');
	}
	return false;
}

/* Return what a failed exec returned, recording on if that was ended. */
static int failed(bool ended, int ret)
{
	if (ended)
		mt_run_resume();
	return ret;
}

EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	bool ended = ends(path);

	return failed(ended, mt_real.execve(path, argv, envp));
}

EXPORT int execv(const char *path, char *const argv[])
{
	bool ended = ends(path);

	return failed(ended, mt_real.execve(path, argv, environ));
}

EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
	bool ended = ends_by_name(file);

	return failed(ended, mt_real.execvpe(file, argv, envp));
}

EXPORT int execvp(const char *file, char *const argv[])
{
	bool ended = ends_by_name(file);

	return failed(ended, mt_real.execvpe(file, argv, environ));
}

EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
	bool ended = mt_run_finish(MT_END_EXEC, NULL);

	return failed(ended, mt_real.fexecve(fd, argv, envp));
}

EXPORT int execveat(int fd, const char *path, char *const argv[],
		    char *const envp[], int flags)
{
	bool ended = mt_run_finish(MT_END_EXEC, NULL);

	return failed(ended, mt_real.execveat(fd, path, argv, envp, flags));
}

/* Count the arguments of execl() and its kin, NULL included. */
static size_t count(const char *arg, va_list *ap)
{
	va_list copy;
	size_t n = 1;

	va_copy(copy, *ap);
	for (; arg; n++)
		arg = va_arg(copy, const char *);
	va_end(copy);
	return n;
}

/* Collect the arguments into argv[n]; `*ap` is left behind the NULL. */
static void collect(const char *arg, va_list *ap, char **argv, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		memcpy(&argv[i], &arg, sizeof(arg));
		if (arg)
			arg = va_arg(*ap, const char *);
	}
}

/* Declare argv with the arguments from `arg` on; `ap` is behind the NULL. */
#define ARGV_FROM(arg)                 \
	va_list ap;                    \
	va_start(ap, arg);             \
	size_t argc = count(arg, &ap); \
	char *argv[argc];              \
	collect(arg, &ap, argv, argc)

EXPORT int execl(const char *path, const char *arg, ...)
{
	ARGV_FROM(arg);
	va_end(ap);
	return execve(path, argv, environ);
}

EXPORT int execlp(const char *file, const char *arg, ...)
{
	ARGV_FROM(arg);
	va_end(ap);
	return execvpe(file, argv, environ);
}

EXPORT int execle(const char *path, const char *arg, ...)
{
	ARGV_FROM(arg);
	char *const *envp = va_arg(ap, char *const *);

	va_end(ap);
	return execve(path, argv, envp);
}

EXPORT void memtrace_impl_start(void)
{
	mt_run_pause(false);
}

EXPORT void memtrace_impl_stop(void)
{
	mt_run_pause(true);
}

EXPORT void memtrace_impl_mark(const char *name)
{
	mt_run_mark(MT_MARK_MOMENT, name);
}

EXPORT void memtrace_impl_test_begin(const char *name)
{
	mt_run_mark(MT_MARK_TEST_BEGIN, name);
}

EXPORT void memtrace_impl_test_end(void)
{
	mt_run_mark(MT_MARK_TEST_END, "");
}

EXPORT long memtrace_impl_leak_check(void)
{
	__builtin_unwind_init();
	return mt_run_scan((uint64_t)__builtin_frame_address(0) -
			   MT_SAVED_BYTES);
}
