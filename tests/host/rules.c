/* SPDX-License-Identifier: MIT */
/*
 * Callers that are found in every way that unwind tables know, and stacks
 * that differ where a reused one would not show it: the same place reached
 * with another frame pointer, from another stack, out of other signal frames,
 * or below a cut. libunwind is to find the same of all. (Not here: a return
 * address kept in a register. There libunwind 1.6 goes astray, gdb does not.)
 */
#include <alloca.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

#include "host.h"

typedef void fn(void);

static jmp_buf out;

static NOINLINE void *rules_alloc(size_t n)
{
	return keep(malloc(n));
}

static NOINLINE void plain(void)
{
	free(rules_alloc(17));
}

/* The same with a frame pointer of its own. */
static NOINLINE void framed(void)
{
	keep(alloca((size_t)keep((void *)16)));
	free(rules_alloc(18));
}

/* The same on a stack that is aligned anew. */
static NOINLINE void aligned(void)
{
	_Alignas(64) char a[64];

	keep(a);
	free(rules_alloc(19));
	keep(a);
}

static NOINLINE void leave(void)
{
	plain();
	longjmp(out, 1);
}

/* Each of these is called with a function to call. */
#define FUNCTION(name, body)                                      \
	void name(fn *f);                                         \
	__asm__(".text\n.type " #name ", @function\n" #name ":\n" \
		".cfi_startproc\n" body "\n.cfi_endproc\n"        \
		".size " #name ", . - " #name "\n")

/* The CFA in a register that is neither sp nor bp. */
FUNCTION(cfa_in_r12, "push %r12\n .cfi_def_cfa_offset 16\n"
		     ".cfi_offset r12, -16\n mov %rsp, %r12\n"
		     ".cfi_def_cfa_register r12\n sub $64, %rsp\n call *%rdi\n"
		     "mov %r12, %rsp\n .cfi_def_cfa_register rsp\n"
		     "pop %r12\n .cfi_def_cfa_offset 8\n ret");

/* The CFA in memory: an expression, breg7 8, deref. */
FUNCTION(cfa_in_memory,
	 "sub $24, %rsp\n lea 32(%rsp), %rax\n"
	 "mov %rax, 8(%rsp)\n .cfi_escape 0x0f, 3, 0x77, 8, 6\n"
	 "call *%rdi\n add $24, %rsp\n .cfi_def_cfa rsp, 8\n ret");

/* bp in memory by an expression, and used for something else. */
FUNCTION(bp_in_memory,
	 "sub $24, %rsp\n .cfi_def_cfa_offset 32\n"
	 "mov %rbp, 8(%rsp)\n .cfi_escape 0x10, 6, 2, 0x77, 8\n"
	 "mov $0x123, %ebp\n call *%rdi\n mov 8(%rsp), %rbp\n"
	 "add $24, %rsp\n .cfi_def_cfa_offset 8\n .cfi_same_value rbp\n ret");

/* bp computed: breg7 8, deref, lit16, minus. */
FUNCTION(bp_computed, "sub $24, %rsp\n .cfi_def_cfa_offset 32\n"
		      "lea 16(%rbp), %rax\n mov %rax, 8(%rsp)\n"
		      ".cfi_escape 0x16, 6, 5, 0x77, 8, 6, 0x40, 0x1c\n"
		      "mov $0x123, %ebp\n call *%rdi\n mov 8(%rsp), %rbp\n"
		      "sub $16, %rbp\n .cfi_same_value rbp\n"
		      "add $24, %rsp\n .cfi_def_cfa_offset 8\n ret");

/* bp in another register. */
FUNCTION(bp_in_r13,
	 "push %r13\n .cfi_def_cfa_offset 16\n"
	 ".cfi_offset r13, -16\n mov %rbp, %r13\n .cfi_register rbp, r13\n"
	 "mov $0x123, %ebp\n call *%rdi\n mov %r13, %rbp\n"
	 ".cfi_same_value rbp\n pop %r13\n .cfi_def_cfa_offset 8\n ret");

/* The return address elsewhere on the stack. */
FUNCTION(pc_in_memory,
	 "mov (%rsp), %rax\n sub $24, %rsp\n"
	 ".cfi_def_cfa_offset 32\n mov %rax, 8(%rsp)\n"
	 ".cfi_escape 0x10, 16, 2, 0x77, 8\n movq $0, 24(%rsp)\n"
	 "call *%rdi\n mov 8(%rsp), %rax\n mov %rax, 24(%rsp)\n"
	 ".cfi_offset rip, -8\n add $24, %rsp\n .cfi_def_cfa_offset 8\n ret");

/* The rarer ways to write the table, and long ways from row to row. */
FUNCTION(long_rows,
	 "push %rbp\n .cfi_escape 0x12, 7, 0x7e\n" /* def_cfa_sf */
	 ".cfi_escape 0x11, 6, 2\n"		   /* offset_extended_sf */
	 ".skip 300, 0x90\n push %rbx\n"
	 ".cfi_escape 0x13, 0x7d\n" /* def_cfa_offset_sf */
	 ".cfi_escape 0x05, 3, 3\n" /* offset_extended */
	 ".skip 70000, 0x90\n mov $0x123, %ebp\n sub $8, %rsp\n"
	 ".cfi_remember_state\n .cfi_def_cfa_offset 999\n"
	 ".cfi_restore_state\n .cfi_adjust_cfa_offset 8\n"
	 ".cfi_def_cfa_offset 32\n .cfi_escape 0x2e, 16\n" /* args_size */
	 "call *%rdi\n add $8, %rsp\n .cfi_def_cfa_offset 24\n"
	 "pop %rbx\n .cfi_def_cfa_offset 16\n .cfi_escape 6, 3\n"
	 "pop %rbp\n .cfi_def_cfa_offset 8\n ret");

/* A call that is the last instruction: it returns to the next function. */
FUNCTION(last_call, "sub $104, %rsp\n .cfi_def_cfa_offset 112\n call *%rdi");

/* A fault at the very first instruction, right behind last_call(). */
FUNCTION(first_faults, "mov 0, %eax\n sub $8, %rsp\n"
		       ".cfi_def_cfa_offset 16\n call *%rdi\n add $8, %rsp\n"
		       ".cfi_def_cfa_offset 8\n ret");
#define FAULTING_BYTES 7

/* Onto another stack, the way back in rbx or in rbp. */
#define SWITCH(name, reg)                                                   \
	void name(fn *f, void *top);                                        \
	__asm__(".text\n.type " #name ", @function\n" #name ":\n"           \
		".cfi_startproc\n push %" reg "\n .cfi_def_cfa_offset 16\n" \
		".cfi_offset " reg ", -16\n mov %rsp, %" reg "\n"           \
		".cfi_def_cfa_register " reg "\n mov %rsi, %rsp\n"          \
		"call *%rdi\n mov %" reg ", %rsp\n"                         \
		".cfi_def_cfa_register rsp\n pop %" reg "\n"                \
		".cfi_def_cfa_offset 8\n ret\n .cfi_endproc\n"              \
		".size " #name ", . - " #name "\n")

SWITCH(switch_by_rbx, "rbx");
SWITCH(switch_by_rbp, "rbp");

static _Alignas(16) char other_stack[64 * 1024];

/* Call f with sp at an address, wherever this is called from. */
static NOINLINE void call_at(char *address, fn *f)
{
	char *here = __builtin_frame_address(0);

	keep(alloca((size_t)(here - address) & ~(size_t)15));
	f();
	keep(here);
}

static NOINLINE void from_near(char *address, fn *f)
{
	call_at(address, f);
	keep(address);
}

static NOINLINE void from_far(char *address, fn *f)
{
	char room[512];

	keep(room);
	call_at(address, f);
	keep(room);
}

/* Call f through one of the functions above at some depth. */
static NOINLINE void through(int depth, void (*way)(fn *), fn *f)
{
	if (depth)
		through(depth - 1, way, f);
	else
		way(f);
	keep(&depth);
}

static NOINLINE void switched(int depth, void (*way)(fn *, void *), fn *f)
{
	if (depth)
		switched(depth - 1, way, f);
	else
		way(f, other_stack + sizeof(other_stack));
	keep(&depth);
}

static NOINLINE void raising(int depth, int sig)
{
	char room[256];

	keep(room);
	if (depth)
		raising(depth - 1, sig);
	else
		raise(sig);
	keep(room);
}

/* Allocate at the bottom and on the way back. */
static NOINLINE void deep(int depth)
{
	if (depth)
		deep(depth - 1);
	plain();
	keep(&depth);
}

static void on_user(int sig)
{
	(void)sig;
	plain();
}

/* Go on behind the instruction. */
static void on_fault(int sig, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	(void)sig;
	(void)info;
	plain();
	c->uc_mcontext.gregs[REG_RIP] += FAULTING_BYTES;
}

static void handle(void)
{
	static char alt[64 * 1024];
	stack_t stack = {.ss_sp = alt, .ss_size = sizeof(alt)};
	struct sigaction act = {.sa_handler = on_user, .sa_flags = SA_ONSTACK};

	need(!sigaltstack(&stack, NULL), "sigaltstack");
	need(!sigaction(SIGUSR1, &act, NULL), "sigaction");
	act.sa_flags = 0;
	need(!sigaction(SIGUSR2, &act, NULL), "sigaction");
	act.sa_sigaction = on_fault;
	act.sa_flags = SA_SIGINFO | SA_ONSTACK;
	need(!sigaction(SIGSEGV, &act, NULL), "sigaction");
}

/* All ways, with a function that allocates. */
static NOINLINE void all(fn *f)
{
	static void (*const way[])(
		fn *) = {cfa_in_r12, cfa_in_memory, bp_in_memory, bp_computed,
			 bp_in_r13,  pc_in_memory,  long_rows,	  first_faults};
	char *low = (char *)__builtin_frame_address(0) - 4096;

	low -= (uintptr_t)low % 16;
	for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++)
		for (int depth = 0; depth < 3; depth++)
			through(depth, way[i], f);
	/* Outward ever less, so that what was further in stays as it was. */
	for (int depth = 2; depth >= 0; depth--)
		switched(depth, switch_by_rbx, f);
	for (int depth = 2; depth >= 0; depth--)
		switched(depth, switch_by_rbp, f);
	for (int depth = 6; depth >= 0; depth -= 3)
		raising(depth, SIGUSR1);
	for (int depth = 6; depth >= 0; depth -= 3)
		raising(depth, SIGUSR2);
	/* The same, from one place in here. */
	for (int i = 0; i < 4; i++)
		(i % 2 ? from_far : from_near)(low, f);
	for (int i = 0; i < 8; i++)
		from_near(low + 16 * i, f);
}

int main(void)
{
	static fn *const f[] = {plain, framed, aligned};

	handle();
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < sizeof(f) / sizeof(f[0]); i++)
			all(f[i]);
		if (!setjmp(out))
			last_call(leave);
		for (int depth = 1010; depth < 1040; depth += 13)
			deep(depth);
	}
	say("done");
	return 0;
}
