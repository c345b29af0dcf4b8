/* SPDX-License-Identifier: MIT */
/*
 * Bad frees of C, and good ones that look like them.
 */
#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memtrace/memtrace.h>

#include "cases.h"

/* glibc has them from 2.43 on; the recorder always. */
__attribute__((weak)) void free_sized(void *p, size_t size);
__attribute__((weak)) void free_aligned_sized(void *p, size_t align,
					      size_t size);

/* What the compiler must not see through. */
static void *volatile a, *volatile b, *volatile c;
static char data[256];

static OUTLINE void *make(size_t size)
{
	void *volatile p = malloc(size);

	return p;
}

static OUTLINE void give_back(void *p)
{
	free(p);
	__asm__ volatile("" ::: "memory");
}

static OUTLINE void twice(void)
{
	a = make(40);
	free(a);
	free(a);
}

static OUTLINE void twice_mapped(void)
{
	a = make(1 << 20);
	free(a);
	free(a);
}

static OUTLINE void twice_by_two(void)
{
	a = make(40);
	give_back(a);
	free(a);
}

/* Fast bins take it when another was freed in between. */
static OUTLINE void twice_taken(void)
{
	void *fill[7];

	a = make(40);
	b = make(40);
	for (int i = 0; i < 7; i++)
		fill[i] = make(40);
	for (int i = 0; i < 7; i++)
		give_back(fill[i]);
	free(a);
	free(b);
	free(a);
}

/* The address was another block's in between. */
static OUTLINE void twice_reused(void)
{
	a = make(40);
	free(a);
	b = malloc(40);
	free(b);
	free(a);
}

/* The stale pointer frees another's block; its owner frees it again. */
static OUTLINE void twice_stale(void)
{
	a = make(40);
	free(a);
	b = malloc(40);
	give_back(a);
	free(b);
}

/* A larger block has the memory by now. */
static OUTLINE void twice_covered(void)
{
	void *volatile guard;

	a = make(2000);
	b = make(2000);
	guard = make(3000);
	free(a);
	free(b);
	c = malloc(3900);
	memset(c, 0, 3900);
	free(b);
	free(guard);
}

static void *free_in_thread(void *p)
{
	free(p);
	return NULL;
}

static OUTLINE void twice_thread(void)
{
	pthread_t thread;

	a = make(40);
	free(a);
	pthread_create(&thread, NULL, free_in_thread, a);
	pthread_join(thread, NULL);
}

/* Run in a child, and die as it did. */
static void in_child(void (*act)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		act();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	printf("child: %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static OUTLINE void twice_in_child(void)
{
	in_child(twice);
}

static OUTLINE void twice_inherited_act(void)
{
	free(a);
	free(a);
}

static OUTLINE void twice_inherited(void)
{
	a = make(40);
	in_child(twice_inherited_act);
}

static OUTLINE void inherited_act(void)
{
	free(a);
	b = realloc(b, 1000);
	free(b);
}

static OUTLINE void inherited(void)
{
	a = make(40);
	b = make(40);
	in_child(inherited_act);
}

static OUTLINE void data_act(void)
{
	free(data + 16);
}

static OUTLINE void data_in_child(void)
{
	in_child(data_act);
}

static OUTLINE void on_stack(void)
{
	long local[32];

	b = make(10);
	memset(local, 0x41, sizeof(local));
	a = local + 4;
	free(a);
}

static OUTLINE void low(void)
{
	free((void *)0x1230);
}

static OUTLINE void wild(void)
{
	free((void *)0xdeadbeefdeadbeef);
}

static OUTLINE void mapping(void)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	free(p + 1024);
}

static OUTLINE void interior(void)
{
	a = make(100);
	memset(a, 0x41, 100);
	free((char *)a + 16);
}

static OUTLINE void interior_odd(void)
{
	a = make(100);
	free((char *)a + 1);
}

static OUTLINE void interior_realloc(void)
{
	a = make(100);
	memset(a, 0x41, 100);
	a = realloc((char *)a + 16, 200);
}

static OUTLINE void realloc_freed(void)
{
	a = make(5000);
	b = make(3000);
	free(a);
	a = realloc(a, 100000);
}

static OUTLINE void realloc_zero(void)
{
	a = make(40);
	a = realloc(a, 0);
}

static OUTLINE void sized(void)
{
	a = make(40);
	if (free_sized)
		free_sized(a, 32);
	else
		free(a);
}

static OUTLINE void sized_of_aligned(void)
{
	a = aligned_alloc(64, 128);
	if (free_sized)
		free_sized(a, 128);
	else
		free(a);
}

static OUTLINE void aligned_sized(void)
{
	a = aligned_alloc(64, 128);
	if (free_aligned_sized)
		free_aligned_sized(a, 32, 128);
	else
		free(a);
}

static sigjmp_buf back;

static void jump(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

/* The program does not die of it. */
static OUTLINE void caught(void)
{
	signal(SIGABRT, jump);
	if (!sigsetjmp(back, 1))
		twice();
	for (int i = 0; i < 100; i++) {
		a = make(2000);
		free(a);
	}
	puts("on");
}

/* ---- Good ones. ---- */

static OUTLINE void good_library(void)
{
	char *line = NULL, *text;
	size_t size = 0;
	FILE *f = fopen("/proc/self/maps", "r");
	DIR *dir = opendir("/");

	while (f && getline(&line, &size, f) > 0)
		continue;
	free(line);
	if (f)
		fclose(f);
	while (dir && readdir(dir))
		continue;
	closedir(dir);
	free(strdup("text"));
	if (asprintf(&text, "%d", 5) > 0)
		free(text);
	free(realpath("/", NULL));
	free(getcwd(NULL, 0));
	f = open_memstream(&text, &size);
	fputs("text", f);
	fclose(f);
	free(text);
}

static OUTLINE void good_aligned(void)
{
	void *p;

	free(aligned_alloc(64, 128));
	free(memalign(32, 100));
	if (!posix_memalign(&p, 4096, 10))
		free(p);
	a = realloc(NULL, 10);
	a = realloc(a, 100000);
	a = reallocarray(a, 10, 10);
	free(a);
	free(NULL);
	if (free_aligned_sized)
		free_aligned_sized(aligned_alloc(64, 128), 64, 128);
	if (free_sized)
		free_sized(calloc(4, 10), 40);
}

static void *volatile hand;

static void *take(void *unused)
{
	for (int i = 0; i < 20000; i++) {
		void *p;

		while (!(p = __atomic_exchange_n((void **)&hand, NULL,
						 __ATOMIC_ACQ_REL)))
			continue;
		free(p);
	}
	return unused;
}

/* Addresses go to and fro between threads. */
static OUTLINE void good_handover(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, take, NULL);
	for (int i = 0; i < 20000; i++) {
		void *p = malloc(40);

		while (__atomic_load_n((void **)&hand, __ATOMIC_ACQUIRE))
			continue;
		__atomic_store_n((void **)&hand, p, __ATOMIC_RELEASE);
	}
	pthread_join(thread, NULL);
}

/* Blocks come and go while recording stands still. */
static OUTLINE void good_pause(void)
{
	a = make(40);
	free(a);
	b = make(60);
	memtrace_stop();
	a = malloc(40);
	free(b);
	b = malloc(60);
	c = malloc(3000);
	memtrace_start();
	free(a);
	free(b);
	free(c);
}

static OUTLINE void twice_after_pause(void)
{
	memtrace_stop();
	b = malloc(40);
	memtrace_start();
	twice();
}

static const struct badfree_case cases[] = {
	{"twice", twice, "double twice make first_free_function=twice fatal=1"},
	{"twice_mapped", twice_mapped, "double twice_mapped make fatal=1"},
	{"twice_by_two", twice_by_two,
	 "double twice_by_two make first_free_function=give_back"},
	{"twice_taken", twice_taken, "double twice_taken make fatal=0"},
	{"twice_reused", twice_reused,
	 "double twice_reused twice_reused reused=1"},
	{"twice_stale", twice_stale,
	 "double twice_stale twice_stale first_free_function=give_back"},
	{"twice_covered", twice_covered, "double twice_covered make reused=1"},
	{"twice_thread", twice_thread, "double free_in_thread make"},
	{"twice_in_child", twice_in_child, "double twice make fatal=1"},
	{"twice_inherited", twice_inherited,
	 "double twice_inherited_act - fatal=1"},
	{"inherited", inherited, "none"},
	{"data", data_act, "invalid data_act - fatal=1"},
	{"data_in_child", data_in_child, "invalid data_act - fatal=1"},
	{"on_stack", on_stack, "invalid on_stack - fatal=1"},
	{"low", low, "invalid low - fatal=1"},
	{"wild", wild, "invalid wild - fatal=1"},
	{"mapping", mapping, "invalid mapping - fatal=1"},
	{"interior", interior, "interior interior make offset=16 bytes=100"},
	{"interior_odd", interior_odd, "interior interior_odd make offset=1"},
	{"interior_realloc", interior_realloc,
	 "interior interior_realloc make offset=16"},
	{"realloc_freed", realloc_freed, "double realloc_freed make"},
	{"realloc_zero", realloc_zero, "realloc_zero realloc_zero make"},
	{"sized", sized, "size sized make bytes=40 said_bytes=32"},
	{"sized_of_aligned", sized_of_aligned,
	 "size sized_of_aligned sized_of_aligned alignment=64"},
	{"aligned_sized", aligned_sized,
	 "size aligned_sized aligned_sized alignment=64 said_alignment=32"},
	{"caught", caught, "double twice make fatal=0"},
	{"good_library", good_library, "none"},
	{"good_aligned", good_aligned, "none"},
	{"good_handover", good_handover, "none"},
	{"good_pause", good_pause, "none"},
	{"twice_after_pause", twice_after_pause, "double twice make"},
	{0},
};

int main(int argc, char **argv)
{
	return run_cases(cases, argc, argv);
}
