/* SPDX-License-Identifier: MIT */
/*
 * A second opinion on stacks. Preloaded behind the recorder it is the real
 * allocator, and logs what it is asked for; of some calls with the stack as
 * libunwind sees it from in here. tests/oracle/stacks.py holds the log against
 * the trace.
 *
 * UNWIND_LOG=PREFIX    the log is PREFIX.EXE.PID, as the trace is named
 * UNWIND_SAMPLE=N      one call in N has a stack (16); the first 2,000 all do
 *
 * The log is a shared mapping of a sparse file in 64-bit words, cut off record
 * by record: so nothing is lost whatever the program's end, and logging needs
 * no lock. A record is a head, (tid << 32 | words << 8 | kind), and then
 *
 *   'e'  the program's path, as text
 *   'm'  the count of loads and unloads, then lines "start end bias path"
 *   'a'  an allocation: its address; maybe a count of 'm' and a stack
 *   'f'  a free, the same
 *
 * A stack is its pcs, innermost first; the top bit says that there is no
 * unwind information at that pc, so that what follows is libunwind's guess.
 *
 * libunwind is loaded out of everyone's sight, since it has names that C++
 * exceptions use (_Unwind_*); it must not cache, as modules come and go.
 */
#define UNW_LOCAL_ONLY
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libunwind.h>
#include <link.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOG_WORDS (1ul << 27)
#define MAX_FRAMES 1100
#define GUESSED (1ull << 63)
#define FIRST_CALLS 2000
#define TEXT_BYTES (1ul << 17)

#define FUNCTIONS(X)                                                    \
	X(malloc, void *, (size_t size))                                \
	X(calloc, void *, (size_t n, size_t size))                      \
	X(realloc, void *, (void *old, size_t size))                    \
	X(memalign, void *, (size_t align, size_t size))                \
	X(aligned_alloc, void *, (size_t align, size_t size))           \
	X(posix_memalign, int, (void **out, size_t align, size_t size)) \
	X(valloc, void *, (size_t size))                                \
	X(pvalloc, void *, (size_t size))                               \
	X(free, void, (void *p))

/* The functions behind those here. */
static struct {
#define MEMBER(name, result, parameters) result(*name) parameters;
	FUNCTIONS(MEMBER)
#undef MEMBER
} next;

/* A process's log; a child finds zeros here and begins its own. */
struct log {
	_Atomic uint64_t *words;
	atomic_ulong used;
	atomic_ulong calls;
	atomic_ulong modules; /* the last count that has a record */
	bool off;
};

static struct log *process;
static unsigned long sample = 16;
static bool ready;

static __thread struct {
	bool busy;
	uint32_t count;
	uint64_t pc[MAX_FRAMES];
} walk __attribute__((tls_model("initial-exec")));

static struct {
	int (*getcontext)(unw_context_t *context);
	int (*init_local)(unw_cursor_t *cursor, unw_context_t *context);
	int (*step)(unw_cursor_t *cursor);
	int (*get_reg)(unw_cursor_t *cursor, int reg, unw_word_t *value);
	int (*get_proc_info)(unw_cursor_t *cursor, unw_proc_info_t *info);
} lib;

/* Append a record of a head and `n` words, of which it sets the first. */
static void put(struct log *log, unsigned char kind, const uint64_t *first,
		size_t first_n, const uint64_t *more, size_t more_n)
{
	size_t n = 1 + first_n + more_n;
	uint64_t at = atomic_fetch_add(&log->used, n);
	uint64_t tid = (uint64_t)syscall(SYS_gettid);

	if (at + n >= LOG_WORDS)
		return;
	for (size_t i = 0; i < first_n; i++)
		log->words[at + 1 + i] = first[i];
	for (size_t i = 0; i < more_n; i++)
		log->words[at + 1 + first_n + i] = more[i];
	log->words[at] = tid << 32 | n << 8 | kind;
}

/* Append a record of text. */
static void put_text(struct log *log, unsigned char kind, uint64_t first,
		     const char *text)
{
	static uint64_t words[TEXT_BYTES / 8];
	size_t n = strlen(text);

	memset(words, 0, sizeof(words));
	memcpy(words, text, n < TEXT_BYTES ? n : TEXT_BYTES);
	put(log, kind, &first, 1, words, (n + 7) / 8);
}

/* Make a file of a name that is not taken, and map it. */
static void open_file(struct log *log, const char *prefix)
{
	char exe[4096] = "", name[4096 + 64];
	int fd = -1, pid = (int)syscall(SYS_getpid);

	if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0)
		return;
	for (int i = 0; i < 100 && fd < 0; i++) {
		const char *base = strrchr(exe, '/') + 1;
		int n = snprintf(name, sizeof(name), "%s.%s.%d", prefix, base,
				 pid);

		if (i)
			snprintf(name + n, 16, ".%d", i);
		fd = open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0644);
	}
	if (fd < 0)
		return;
	if (!ftruncate(fd, LOG_WORDS * 8)) {
		void *p = mmap(NULL, LOG_WORDS * 8, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_NORESERVE, fd, 0);

		if (p != MAP_FAILED)
			log->words = p;
	}
	close(fd);
	if (log->words)
		put_text(log, 'e', 0, exe);
}

/* Return the process's log, begun if need be; NULL: there is none. */
static struct log *get_log(void)
{
	const char *prefix, *every;

	if (!process) {
		if (!environ)
			return NULL; /* libc is not set up yet */
		void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED || madvise(p, 4096, MADV_WIPEONFORK))
			return NULL;
		process = p;
	}
	if (!process->words && !process->off) {
		process->off = true;
		prefix = getenv("UNWIND_LOG");
		every = getenv("UNWIND_SAMPLE");
		if (every)
			sample = strtoul(every, NULL, 10);
		if (prefix)
			open_file(process, prefix);
		process->off = !process->words;
	}
	return process->words ? process : NULL;
}

/* Note how often modules came and went, and stop at the first of them. */
static int count_modules(struct dl_phdr_info *info, size_t size, void *context)
{
	uint64_t *count = context;

	(void)size;
	*count = 1 + info->dlpi_adds + info->dlpi_subs;
	return 1;
}

struct text {
	size_t used;
	char at[TEXT_BYTES];
};

/* Add a module's line. */
static int add_module(struct dl_phdr_info *info, size_t size, void *context)
{
	struct text *text = context;
	uint64_t start = UINT64_MAX, end = 0;
	int n;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type != PT_LOAD)
			continue;
		if (start > info->dlpi_addr + p->p_vaddr)
			start = info->dlpi_addr + p->p_vaddr;
		end = info->dlpi_addr + p->p_vaddr + p->p_memsz;
	}
	n = snprintf(text->at + text->used, TEXT_BYTES - text->used,
		     "%lx %lx %lx %s\n", (unsigned long)start,
		     (unsigned long)end, (unsigned long)info->dlpi_addr,
		     info->dlpi_name);
	if (n > 0 && (size_t)n < TEXT_BYTES - text->used)
		text->used += (size_t)n;
	return 0;
}

/* Log the modules when they changed; return the count they go by. */
static uint64_t log_modules(struct log *log)
{
	static struct text text;
	static atomic_flag lock = ATOMIC_FLAG_INIT;
	uint64_t count = 0;

	dl_iterate_phdr(count_modules, &count);
	if (count == atomic_load(&log->modules))
		return count;
	while (atomic_flag_test_and_set(&lock))
		;
	text.used = 0;
	text.at[0] = '\0';
	dl_iterate_phdr(add_module, &text);
	text.at[text.used] = '\0';
	put_text(log, 'm', count, text.at);
	atomic_store(&log->modules, count);
	atomic_flag_clear(&lock);
	return count;
}

/* Walk this thread's stack. */
static void take_stack(void)
{
	unw_context_t context;
	unw_cursor_t cursor;
	unw_proc_info_t info;
	unw_word_t pc;
	int more = 1;

	walk.count = 0;
	lib.getcontext(&context);
	if (lib.init_local(&cursor, &context))
		return;
	while (more > 0 && walk.count < MAX_FRAMES) {
		if (lib.get_reg(&cursor, UNW_REG_IP, &pc) || !pc)
			break;
		/* It makes up a function of one byte where it knows none. */
		if (lib.get_proc_info(&cursor, &info) ||
		    info.end_ip - info.start_ip <= 1)
			pc |= GUESSED;
		walk.pc[walk.count++] = pc;
		more = lib.step(&cursor);
	}
}

/* Log a call, with a stack if it is one of the sample. */
static void note(unsigned char kind, const void *p)
{
	int saved = errno;
	struct log *log = get_log();
	sigset_t all, old;
	uint64_t first[2] = {(uint64_t)(uintptr_t)p, 0};
	unsigned long call;

	if (!log)
		goto out;
	call = atomic_fetch_add(&log->calls, 1);
	if (walk.busy || !ready ||
	    (call >= FIRST_CALLS &&
	     ((call * 0x9e3779b97f4a7c15u) >> 32) % sample)) {
		put(log, kind, first, 1, NULL, 0);
		goto out;
	}
	/* With handlers in between, a fast timer would leave it no time. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	walk.busy = true;
	first[1] = log_modules(log);
	take_stack();
	put(log, kind, first, 2, walk.pc, walk.count);
	walk.busy = false;
	sigprocmask(SIG_SETMASK, &old, NULL);
out:
	errno = saved;
}

/* Find libunwind's functions. */
static __attribute__((constructor)) void load(void)
{
	static const char *const names[] = {
		"_Ux86_64_getcontext", "_ULx86_64_init_local", "_ULx86_64_step",
		"_ULx86_64_get_reg", "_ULx86_64_get_proc_info"};
	void *so, *space, *f[5], *set_policy;
	int (*set)(unw_addr_space_t space, unw_caching_policy_t policy);

	walk.busy = true;
	so = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
	if (!so)
		abort();
	for (int i = 0; i < 5; i++) {
		f[i] = dlsym(so, names[i]);
		if (!f[i])
			abort();
	}
	memcpy(&lib, f, sizeof(lib));
	space = dlsym(so, "_ULx86_64_local_addr_space");
	set_policy = dlsym(so, "_ULx86_64_set_caching_policy");
	memcpy(&set, &set_policy, sizeof(set));
	set(*(unw_addr_space_t *)space, UNW_CACHE_NONE);
	walk.busy = false;
	ready = true;
}

/* Find the functions behind those here. */
static void find_next(void)
{
	static const char *const names[] = {
#define NAME(name, result, parameters) #name,
		FUNCTIONS(NAME)
#undef NAME
	};
	void *f[sizeof(names) / sizeof(names[0])];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		f[i] = dlsym(RTLD_NEXT, names[i]);
	memcpy(&next, f, sizeof(next));
}

/* Return one of them. */
#define NEXT(name) (next.free ? (void)0 : find_next(), next.name)

/* Log what an allocation gave, and hand it on. */
static void *given(void *p)
{
	if (p)
		note('a', p);
	return p;
}

void *malloc(size_t size)
{
	return given(NEXT(malloc)(size));
}

void *calloc(size_t n, size_t size)
{
	return given(NEXT(calloc)(n, size));
}

void *memalign(size_t align, size_t size)
{
	return given(NEXT(memalign)(align, size));
}

void *aligned_alloc(size_t align, size_t size)
{
	return given(NEXT(aligned_alloc)(align, size));
}

int posix_memalign(void **out, size_t align, size_t size)
{
	int result = NEXT(posix_memalign)(out, align, size);

	if (!result)
		note('a', *out);
	return result;
}

void *valloc(size_t size)
{
	return given(NEXT(valloc)(size));
}

void *pvalloc(size_t size)
{
	return given(NEXT(pvalloc)(size));
}

void *realloc(void *old, size_t size)
{
	uintptr_t address = (uintptr_t)old;
	void *p;

	if (old)
		note('f', old);
	p = NEXT(realloc)(old, size);
	if (!p && address && size)
		note('a', (void *)address); /* it lives on */
	return given(p);
}

void free(void *p)
{
	if (p)
		note('f', p);
	NEXT(free)(p);
}
