/* SPDX-License-Identifier: MIT */
/*
 * The kernel, without libc in between: system calls that leave errno alone,
 * a lock that no signal handler can deadlock on, memory, and text.
 *
 * Functions that wrap one call return its result or -errno.
 */
#ifndef PRELOAD_SYS_H
#define PRELOAD_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "arch.h"

#define MT_PAGE_BYTES 4096ul
#define MT_ALIGN_UP(n, to) (((n) + (to)-1) & ~((to)-1ul))

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* For globals that every hook reads: they share a cache line. */
#define MT_HOT __attribute__((section(".data.mt_hot")))

/* For variables of another file: without it, the compiler takes it that such a
 * one may be another library's, and looks up where it is at each access. */
#define MT_OURS __attribute__((visibility("hidden")))

/* Keep the compiler from moving memory accesses across. */
#define barrier() __asm__ volatile("" ::: "memory")

/* Files. Context: any. */
int sys_open(const char *path, int flags, unsigned int mode);
long sys_read(int fd, void *buf, size_t n);
long sys_pread(int fd, void *buf, size_t n, uint64_t off);
/* Read directory entries: struct linux_dirent64. */
long sys_directory(int fd, void *buf, size_t n);
long sys_pwrite(int fd, const void *buf, size_t n, uint64_t off);
int sys_close(int fd);
int sys_unlink(const char *path);
int sys_truncate(int fd, uint64_t bytes);
int sys_allocate(int fd, uint64_t off, uint64_t bytes);
/* Give the pages of a part of a file back to the disk: they become zeros. */
int sys_punch(int fd, uint64_t off, uint64_t bytes);
/*
 * Move `fd` to a number of 100 or above, close-on-exec. Negative, and `fd`
 * closed, when the limit on descriptors leaves none.
 */
int sys_move_fd(int fd);
/* What identifies an open file. False when `fd` is not open. */
bool sys_file_id(int fd, uint64_t id[2]);
/* The largest file this process may write, in bytes (UINT64_MAX: any). */
uint64_t sys_file_limit(void);
/* The length of stacks, in bytes (UINT64_MAX: any). */
uint64_t sys_stack_limit(void);
bool sys_is_executable(const char *path);
/* Read a whole small file into `buf`, NUL-terminated; its length or -errno. */
long sys_read_file(const char *path, char *buf, size_t size);
long sys_readlink(const char *path, char *buf, size_t size);

/* Processes. Context: any. */
unsigned int sys_pid(void);
unsigned int sys_tid(void);
unsigned int sys_parent_pid(void);
bool sys_thread_alive(unsigned int pid, unsigned int tid);
void sys_thread_name(char name[16]);
void sys_sleep_us(unsigned int us);
/* Write one line to stderr: the recorder's only voice. */
void sys_say(const char *text);
/* Say why nothing is recorded: what, whose name, and an errno or 0. */
void sys_say_why(const char *what, const char *name, int error);

/*
 * Memory: zeroed, page-aligned. NULL on failure. `how` says what a forked
 * child finds there. Context: any.
 */
enum sys_fork {
	SYS_FORK_COPY,
	SYS_FORK_ZERO, /* zeros, even after a raw clone */
};
void *sys_map(size_t bytes, enum sys_fork how);
/* Make mapped pages zeros in forked children; false: the kernel cannot. */
bool sys_zero_on_fork(void *at, size_t bytes);
/* The same, copied by forks, without reserving: pages cost once touched. */
void *sys_map_lazy(size_t bytes);
/* Address space without memory behind it, for sys_map_file_at(). */
void *sys_reserve(size_t bytes);
/* Map a file's pages, shared, at `at` (NULL: anywhere). A fork has none. */
void *sys_map_file_at(void *at, int fd, uint64_t off, size_t bytes);
/* Put private zeros where something was mapped or was not. */
void sys_map_over(void *at, size_t bytes);
void sys_unmap(void *at, size_t bytes);
/* Note that memory is ours, if it was mapped elsewhere. Returns it. */
void *sys_note_own(void *p, size_t bytes);
/*
 * The first of the mappings made here that ends above `from`, so that a scan
 * of the program's memory can leave ours out. False: there is none.
 */
bool sys_own_memory(uint64_t from, uint64_t *start, uint64_t *end);
/* Where memory that is mapped from `address` on ends, to `most` bytes. */
uint64_t sys_mapped_up_to(uint64_t address, uint64_t most);

/* How many pages of [start, end), private anonymous memory, are resident. */
uint64_t sys_resident_pages(uint64_t start, uint64_t end);

/*
 * A lock. Taking it blocks all signals of this thread until it is released,
 * so no handler ever runs while one is held: neither deadlock on it, nor
 * fork with it, nor longjmp out of it. Not recursive. Context: hook.
 */
struct sys_lock {
	uint32_t word; /* 0 free, 1 held, 2 held and waited for */
};
struct sys_signals {
	uint64_t mask;
};
struct sys_signals sys_block_signals(void);
void sys_restore_signals(struct sys_signals old);
struct sys_signals sys_lock(struct sys_lock *lock);

/* The same, unless it is held: false then, and nothing is changed. */
bool sys_try_lock(struct sys_lock *lock, struct sys_signals *old);

void sys_unlock(struct sys_lock *lock, struct sys_signals old);

/* CLOCK_MONOTONIC and CLOCK_REALTIME in ns. Context: any. */
uint64_t sys_monotonic_ns(void);
uint64_t sys_real_ns(void);

/*
 * Text. sys_append() adds to the string in buf[size], cutting it short; the
 * result is always NUL-terminated. Context: any.
 */
void sys_append(char *buf, size_t size, const char *text);
void sys_append_number(char *buf, size_t size, uint64_t n);
/* Read digits of base 10 or 16 at `*p`, step over them. */
uint64_t sys_parse_number(const char **p, unsigned int base);

#endif
