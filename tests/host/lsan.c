/* SPDX-License-Identifier: MIT */
/*
 * lsan CASE: written for LSan, as its header has it; tests/integration/lsan.sh
 * knows what must come of it.
 *
 * Build: -rdynamic
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "host.h"

/* sanitizer/lsan_interface.h; weak, for where there is no checker. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));
void __lsan_ignore_object(const void *p) __attribute__((weak));
void __lsan_register_root_region(const void *p, size_t n) __attribute__((weak));
void __lsan_unregister_root_region(const void *p, size_t n)
	__attribute__((weak));
void __lsan_do_leak_check(void) __attribute__((weak));
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

int __lsan_is_turned_off(void);
const char *__lsan_default_suppressions(void);
const char *__lsan_default_options(void);

static int off;
static void *volatile sink;

int __lsan_is_turned_off(void)
{
	return off;
}

const char *__lsan_default_suppressions(void)
{
	return "leak:suppressed_by_program\n";
}

const char *__lsan_default_options(void)
{
	return "verbosity=0:exitcode=42";
}

struct node {
	struct node *next;
	char room[24];
};

/* Make a list and return its head. */
static NOINLINE struct node *list(int n)
{
	struct node *head = NULL;

	while (n--) {
		struct node *node = keep(malloc(sizeof(*node)));

		node->next = head;
		head = node;
	}
	return head;
}

static NOINLINE void leak(void)
{
	sink = list(3);
	sink = NULL;
}

/* What is allocated in between is nobody's leak, nor what hangs off it. */
static void disable(void)
{
	struct node *hidden = list(2);

	__lsan_disable();
	__lsan_disable();
	sink = list(1);
	((struct node *)sink)->next = hidden;
	__lsan_enable();
	sink = list(2);
	__lsan_enable();
	__lsan_enable(); /* one too many */
	hidden = NULL;
	leak();
}

/* Overwrite what the stack of a thread keeps of its calls. */
static NOINLINE void scrub(void)
{
	char zeros[4096];

	memset(zeros, 0, sizeof(zeros));
	keep(zeros);
}

static void *other_thread(void *arg)
{
	leak();
	scrub();
	return arg;
}

/* Only for the thread that says so. */
static void disable_here(void)
{
	__lsan_disable();
	run_threads(1, other_thread);
	__lsan_enable();
}

/* Left disabled at the end. */
static void stay_disabled(void)
{
	leak();
	__lsan_disable();
	leak();
}

/* The one block, with what hangs off it; not another later at its place. */
static void ignore(void)
{
	struct node *n = list(4);

	__lsan_ignore_object((char *)n + 5);
	n = NULL;
	n = keep(malloc(5000));
	__lsan_ignore_object(n);
	free(n);
	n = keep(malloc(5000));
	sink = n;
	sink = NULL;
	n = NULL;
}

/* A lost block, the first half of which is said to be a root. */
static void region(void)
{
	uintptr_t *p = malloc(4096);

	__lsan_register_root_region(p, 2048);
	p[0] = (uintptr_t)list(2);
	p[300] = (uintptr_t)list(3);
	p = NULL;
	__lsan_unregister_root_region(&off, 8);
}

static void region_gone(void)
{
	uintptr_t *p = malloc(4096);

	__lsan_register_root_region(p, 2048);
	p[0] = (uintptr_t)list(2);
	__lsan_unregister_root_region(p, 2048);
	p = NULL;
}

static void recoverable(void)
{
	int status;

	need(__lsan_do_recoverable_leak_check() == 0, "a leak too early");
	leak();
	errno = 4242;
	need(__lsan_do_recoverable_leak_check() == 1, "no leak");
	need(errno == 4242, "errno");
	need(__lsan_do_recoverable_leak_check() == 1, "no leak again");
	need(wait(&status) == -1 && errno == ECHILD, "wait() sees a child");
}

/* By the program's own suppressions: with what hangs off it. */
static NOINLINE void suppressed_by_program(void)
{
	sink = list(4);
	sink = NULL;
}

static void own(void)
{
	suppressed_by_program();
	need(__lsan_do_recoverable_leak_check() == 0, "not suppressed");
	leak();
	need(__lsan_do_recoverable_leak_check() == 1, "no leak");
}

static void fatal(void)
{
	printf("buffered");
	__lsan_do_leak_check();
	leak();
	__lsan_do_leak_check();
	printf("not reached");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = {
		{"disable", disable},
		{"disable_here", disable_here},
		{"stay_disabled", stay_disabled},
		{"ignore", ignore},
		{"region", region},
		{"region_gone", region_gone},
		{"recoverable", recoverable},
		{"own", own},
		{"fatal", fatal},
		{"leak", leak},
	};
	const char *name = argc > 1 ? argv[1] : "";

	off = argc > 2;
	if (!__lsan_disable)
		return 0;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (strcmp(cases[i].name, name) == 0) {
			cases[i].run();
			return 0;
		}
	need(0, "no such case");
}
