/* SPDX-License-Identifier: MIT */
/* The kernel, without libc in between; see sys.h. */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#define CALL1(nr, a) mt_syscall(nr, (long)(a), 0, 0, 0, 0, 0)
#define CALL2(nr, a, b) mt_syscall(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define CALL3(nr, a, b, c) \
	mt_syscall(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define CALL4(nr, a, b, c, d) \
	mt_syscall(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define CALL6(nr, a, b, c, d, e, f)                                           \
	mt_syscall(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), \
		   (long)(f))

int sys_open(const char *path, int flags, unsigned int mode)
{
	return (int)CALL4(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, mode);
}

long sys_read(int fd, void *buf, size_t n)
{
	long ret;

	do {
		ret = CALL3(SYS_read, fd, buf, n);
	} while (ret == -EINTR);
	return ret;
}

long sys_pread(int fd, void *buf, size_t n, uint64_t off)
{
	long ret;

	do {
		ret = CALL4(SYS_pread64, fd, buf, n, off);
	} while (ret == -EINTR);
	return ret;
}

long sys_directory(int fd, void *buf, size_t n)
{
	return CALL3(SYS_getdents64, fd, buf, n);
}

long sys_pwrite(int fd, const void *buf, size_t n, uint64_t off)
{
	long ret;

	do {
		ret = CALL4(SYS_pwrite64, fd, buf, n, off);
	} while (ret == -EINTR);
	return ret;
}

int sys_close(int fd)
{
	return (int)CALL1(SYS_close, fd);
}

int sys_unlink(const char *path)
{
	return (int)CALL3(SYS_unlinkat, AT_FDCWD, path, 0);
}

int sys_truncate(int fd, uint64_t bytes)
{
	return (int)CALL2(SYS_ftruncate, fd, bytes);
}

static int fallocate_part(int fd, int mode, uint64_t off, uint64_t bytes)
{
	long ret;

	do {
		ret = CALL4(SYS_fallocate, fd, mode, off, bytes);
	} while (ret == -EINTR);
	return (int)ret;
}

int sys_allocate(int fd, uint64_t off, uint64_t bytes)
{
	return fallocate_part(fd, 0, off, bytes);
}

int sys_punch(int fd, uint64_t off, uint64_t bytes)
{
	return fallocate_part(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      off, bytes);
}

int sys_move_fd(int fd)
{
	int to = (int)CALL3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 100);

	sys_close(fd);
	return to;
}

bool sys_file_id(int fd, uint64_t id[2])
{
	struct stat st;

	if (CALL2(SYS_fstat, fd, &st) < 0)
		return false;
	id[0] = st.st_dev;
	id[1] = st.st_ino;
	return true;
}

/* Return the soft limit on a resource. */
static uint64_t limit_of(int resource)
{
	struct rlimit limit;

	if (CALL4(SYS_prlimit64, 0, resource, 0, &limit) < 0)
		return UINT64_MAX;
	return limit.rlim_cur;
}

uint64_t sys_file_limit(void)
{
	return limit_of(RLIMIT_FSIZE);
}

uint64_t sys_stack_limit(void)
{
	return limit_of(RLIMIT_STACK);
}

bool sys_is_executable(const char *path)
{
	struct stat st;

	return CALL4(SYS_newfstatat, AT_FDCWD, path, &st, 0) == 0 &&
	       S_ISREG(st.st_mode) &&
	       CALL3(SYS_faccessat, AT_FDCWD, path, 1 /* X_OK */) == 0;
}

long sys_read_file(const char *path, char *buf, size_t size)
{
	int fd = sys_open(path, O_RDONLY, 0);
	size_t have = 0;
	long n = 0;

	if (fd < 0)
		return fd;
	while (have < size - 1) {
		n = sys_read(fd, buf + have, size - 1 - have);
		if (n <= 0)
			break;
		have += (size_t)n;
	}
	buf[have] = '\0';
	sys_close(fd);
	return n < 0 ? n : (long)have;
}

long sys_readlink(const char *path, char *buf, size_t size)
{
	long n = CALL4(SYS_readlinkat, AT_FDCWD, path, buf, size - 1);

	if (n >= 0)
		buf[n] = '\0';
	return n;
}

unsigned int sys_pid(void)
{
	return (unsigned int)CALL1(SYS_getpid, 0);
}

unsigned int sys_tid(void)
{
	return (unsigned int)CALL1(SYS_gettid, 0);
}

unsigned int sys_parent_pid(void)
{
	return (unsigned int)CALL1(SYS_getppid, 0);
}

bool sys_thread_alive(unsigned int pid, unsigned int tid)
{
	return CALL3(SYS_tgkill, pid, tid, 0) != -ESRCH;
}

void sys_thread_name(char name[16])
{
	memset(name, 0, 16);
	CALL2(SYS_prctl, PR_GET_NAME, name);
}

void sys_sleep_us(unsigned int us)
{
	struct timespec ts = {0, (long)us * 1000};

	CALL2(SYS_nanosleep, &ts, 0);
}

/* The signals that a write can raise: nobody reads it, or it is too far. */
#define WRITE_SIGNALS (1ull << (SIGPIPE - 1) | 1ull << (SIGXFSZ - 1))

void sys_say(const char *text)
{
	struct sys_signals old = sys_block_signals(), before = {0},
			   raised = {0};
	struct timespec now = {0, 0};

	CALL2(SYS_rt_sigpending, &before, sizeof(before));
	CALL3(SYS_write, 2, text, strlen(text));
	CALL2(SYS_rt_sigpending, &raised, sizeof(raised));
	/* That is no reason for the program to die: take them off again. */
	raised.mask &= ~before.mask & WRITE_SIGNALS;
	if (raised.mask)
		CALL4(SYS_rt_sigtimedwait, &raised, 0, &now, sizeof(raised));
	sys_restore_signals(old);
}

/* Our own mappings. When there are more, a scan takes them for the program's:
 * it may then keep a lost block, and never loses one. */
#define MAX_OWN 4096

static struct {
	struct own {
		uint64_t start, end; /* 0, 0: free */
	} at[MAX_OWN];
	uint32_t used; /* of `at`, free ones among them */
} own;

void *sys_note_own(void *p, size_t bytes)
{
	uint64_t start = (uint64_t)(uintptr_t)p;
	uint32_t i = __atomic_fetch_add(&own.used, 1, __ATOMIC_RELAXED);

	if (i >= MAX_OWN) {
		__atomic_store_n(&own.used, MAX_OWN, __ATOMIC_RELAXED);
		return p;
	}
	own.at[i].start = start;
	__atomic_store_n(&own.at[i].end, start + bytes, __ATOMIC_RELEASE);
	return p;
}

/* Note that memory is no longer ours. */
static void forget_own(const void *p)
{
	for (uint32_t i = 0; i < own.used && i < MAX_OWN; i++)
		if (own.at[i].start == (uint64_t)(uintptr_t)p)
			own.at[i].end = 0;
}

bool sys_own_memory(uint64_t from, uint64_t *start, uint64_t *end)
{
	bool found = false;

	for (uint32_t i = 0; i < own.used && i < MAX_OWN; i++) {
		const struct own *o = &own.at[i];

		if (o->end <= from || (found && o->start >= *start))
			continue;
		*start = o->start;
		*end = o->end;
		found = true;
	}
	return found;
}

void *sys_map(size_t bytes, enum sys_fork how)
{
	long p = CALL6(SYS_mmap, 0, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p < 0 && p > -4096)
		return NULL;
	if (how == SYS_FORK_ZERO && !sys_zero_on_fork((void *)p, bytes)) {
		sys_unmap((void *)p, bytes);
		return NULL;
	}
	return sys_note_own((void *)p, bytes);
}

bool sys_zero_on_fork(void *at, size_t bytes)
{
	return CALL3(SYS_madvise, at, bytes, MADV_WIPEONFORK) == 0;
}

/* Map private memory without reserving any. */
static void *map_noreserve(size_t bytes, int protection)
{
	long p = CALL6(SYS_mmap, 0, bytes, protection,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p < 0 && p > -4096 ? NULL : sys_note_own((void *)p, bytes);
}

uint64_t sys_mapped_up_to(uint64_t address, uint64_t most)
{
	uint64_t at = address & ~(MT_PAGE_BYTES - 1), end = at + most;
	uint64_t step = 64 * MT_PAGE_BYTES;
	unsigned char in_core[64];

	while (at < end && step) {
		if (CALL3(SYS_mincore, at, step, in_core) != -ENOMEM)
			at += step;
		else
			step = step / 2 & ~(MT_PAGE_BYTES - 1);
	}
	return at;
}

uint64_t sys_resident_pages(uint64_t start, uint64_t end)
{
	unsigned char in_core[1024];
	uint64_t pages = 0;

	while (start < end) {
		uint64_t n = (end - start) / MT_PAGE_BYTES;

		if (!n)
			break;
		if (n > sizeof(in_core))
			n = sizeof(in_core);
		if (!CALL3(SYS_mincore, start, n * MT_PAGE_BYTES, in_core))
			for (uint64_t i = 0; i < n; i++)
				pages += in_core[i] & 1;
		start += n * MT_PAGE_BYTES;
	}
	return pages;
}

void *sys_map_lazy(size_t bytes)
{
	return map_noreserve(bytes, PROT_READ | PROT_WRITE);
}

void *sys_reserve(size_t bytes)
{
	return map_noreserve(bytes, PROT_NONE);
}

void *sys_map_file_at(void *at, int fd, uint64_t off, size_t bytes)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	long p = CALL6(SYS_mmap, at, bytes, PROT_READ | PROT_WRITE,
		       flags | (at ? MAP_FIXED : 0), fd, off);

	if (p < 0 && p > -4096)
		return NULL;
	CALL3(SYS_madvise, p, bytes, MADV_DONTFORK);
	return at ? (void *)p : sys_note_own((void *)p, bytes);
}

void sys_map_over(void *at, size_t bytes)
{
	CALL6(SYS_mmap, at, bytes, PROT_READ | PROT_WRITE,
	      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

void sys_unmap(void *at, size_t bytes)
{
	forget_own(at);
	CALL2(SYS_munmap, at, bytes);
}

struct sys_signals sys_block_signals(void)
{
	struct sys_signals all = {~0ull}, old = {0};

	CALL4(SYS_rt_sigprocmask, 0 /* SIG_BLOCK */, &all, &old, sizeof(all));
	return old;
}

void sys_restore_signals(struct sys_signals old)
{
	CALL4(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, &old, 0, sizeof(old));
}

struct sys_signals sys_lock(struct sys_lock *lock)
{
	struct sys_signals old = sys_block_signals();
	uint32_t free = 0;

	if (__atomic_compare_exchange_n(&lock->word, &free, 1, false,
					__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return old;
	for (int spin = 0; spin < 200; spin++) {
		free = 0;
		if (__atomic_load_n(&lock->word, __ATOMIC_RELAXED) == 0 &&
		    __atomic_compare_exchange_n(&lock->word, &free, 1, false,
						__ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return old;
		mt_pause();
	}
	while (__atomic_exchange_n(&lock->word, 2, __ATOMIC_ACQUIRE) != 0)
		CALL4(SYS_futex, &lock->word, FUTEX_WAIT_PRIVATE, 2, 0);
	return old;
}

bool sys_try_lock(struct sys_lock *lock, struct sys_signals *old)
{
	uint32_t free = 0;

	if (__atomic_load_n(&lock->word, __ATOMIC_RELAXED))
		return false;
	*old = sys_block_signals();
	if (__atomic_compare_exchange_n(&lock->word, &free, 1, false,
					__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return true;
	sys_restore_signals(*old);
	return false;
}

void sys_unlock(struct sys_lock *lock, struct sys_signals old)
{
	if (__atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE) == 2)
		CALL3(SYS_futex, &lock->word, FUTEX_WAKE_PRIVATE, 1);
	sys_restore_signals(old);
}

/* Read a clock in ns. The vDSO's function: no system call, errno untouched. */
static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts = {0, 0};

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t sys_monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t sys_real_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

void sys_append(char *buf, size_t size, const char *text)
{
	size_t at = strlen(buf);

	while (*text && at + 1 < size)
		buf[at++] = *text++;
	buf[at] = '\0';
}

void sys_append_number(char *buf, size_t size, uint64_t n)
{
	char digits[24];
	char *p = digits + sizeof(digits);

	*--p = '\0';
	do {
		*--p = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	sys_append(buf, size, p);
}

uint64_t sys_parse_number(const char **p, unsigned int base)
{
	uint64_t n = 0;

	for (;; (*p)++) {
		unsigned int c = (unsigned char)**p, digit;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if (c >= 'a' && c <= 'f')
			digit = c - 'a' + 10;
		else
			return n;
		if (digit >= base)
			return n;
		n = n * base + digit;
	}
}

void sys_say_why(const char *what, const char *name, int error)
{
	static const struct {
		int error;
		const char *text;
	} known[] = {
		{EACCES, "permission denied"},
		{ENOENT, "no such directory"},
		{ENOSPC, "no space left"},
		{EROFS, "read-only file system"},
		{EMFILE, "too many open files"},
		{EFBIG, "file-size limit"},
		{ENOTDIR, "not a directory"},
		{EDQUOT, "disk quota exceeded"},
	};
	char line[4096 + 128] = "memtrace: ";

	sys_append(line, sizeof(line), what);
	sys_append(line, sizeof(line), name);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].error != error)
			continue;
		sys_append(line, sizeof(line), ": ");
		sys_append(line, sizeof(line), known[i].text);
		error = 0;
	}
	if (error) {
		sys_append(line, sizeof(line), ": error ");
		sys_append_number(line, sizeof(line), (uint64_t)error);
	}
	sys_append(line, sizeof(line), "; not recording\n");
	sys_say(line);
}
