/* SPDX-License-Identifier: MIT */
/*
 * What depends on the machine, x86-64 here: system calls, the cycle counter,
 * registers and their DWARF numbers. Another architecture is another version
 * of this file; nothing else in preload/ knows a register by name.
 */
#ifndef PRELOAD_ARCH_H
#define PRELOAD_ARCH_H

#ifndef __x86_64__
#error "memtrace records on x86-64; another machine needs its own arch.h"
#endif

#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

/* DWARF register numbers, System V ABI AMD64 figure 3.36. */
enum {
	MT_REG_BP = 6,
	MT_REG_SP = 7,
	MT_REG_PC = 16,
	MT_REGS = 17,
};

/* Those that a function leaves as it found them, but sp: rbx, rbp, r12 - r15;
 * a bit each. */
#define MT_REGS_KEPT (1u << 3 | 1u << 6 | 15u << 12)

/* A place on the stack: about to return to `pc` with these registers. */
struct mt_place {
	uint64_t pc, sp, bp;
};

/* The name of the instruction set in an ELF header. */
#define MT_ELF_MACHINE 62 /* EM_X86_64 */

/*
 * System call `nr`; returns its result or -errno, and leaves errno alone.
 * Not libc's wrapper: that one sets errno, is a cancellation point, and may
 * be interposed by the program. Context: any.
 */
static inline long mt_syscall(long nr, long a, long b, long c, long d, long e,
			      long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

/* Read the cycle counter. Context: any. */
static inline uint64_t mt_cycles(void)
{
	return __builtin_ia32_rdtsc();
}

/* Wait until what the program has loaded is there. Context: any. */
static inline void mt_loads_done(void)
{
	__builtin_ia32_lfence();
}

/* Return the address of this thread's control block. Context: any. */
static inline uint64_t mt_thread_pointer(void)
{
	uint64_t p;

	__asm__("movq %%fs:0, %0" : "=r"(p));
	return p;
}

/* Tell a spinning core that it spins. */
static inline void mt_pause(void)
{
	__builtin_ia32_pause();
}

/*
 * Store the callee-saved registers, the stack pointer and the pc as they are
 * at this very place: a starting point for a full unwind. The other
 * registers are 0; no caller's frame can depend on them. Context: any.
 */
static inline __attribute__((always_inline)) void mt_registers(
	uint64_t reg[MT_REGS])
{
	for (int i = 0; i < MT_REGS; i++)
		reg[i] = 0;
	__asm__ volatile("movq %%rbx, 24(%0)\n\t"
			 "movq %%rbp, 48(%0)\n\t"
			 "movq %%rsp, 56(%0)\n\t"
			 "movq %%r12, 96(%0)\n\t"
			 "movq %%r13, 104(%0)\n\t"
			 "movq %%r14, 112(%0)\n\t"
			 "movq %%r15, 120(%0)\n\t"
			 "leaq 0(%%rip), %%rax\n\t"
			 "movq %%rax, 128(%0)"
			 :
			 : "r"(reg)
			 : "rax", "memory");
}

/* Return the sp that a signal handler's context says was interrupted. */
static inline uint64_t mt_context_sp(const void *context)
{
	const ucontext_t *c = context;

	return (uint64_t)c->uc_mcontext.gregs[REG_RSP];
}

/*
 * The two areas of words that hold a context's registers, vectors included:
 * what the kernel saved with XSAVE says its size behind the FXSAVE image.
 */
static inline const uint64_t *mt_context_registers(const void *context,
						   unsigned int area,
						   unsigned int *words)
{
	const ucontext_t *c = context;
	const uint8_t *f = (const uint8_t *)c->uc_mcontext.fpregs;
	const uint32_t *saved = (const uint32_t *)(f + 464);

	*words = 0;
	if (area == 0) {
		*words = REG_RIP + 1;
		return (const uint64_t *)c->uc_mcontext.gregs;
	}
	if (f) /* FP_XSTATE_MAGIC1; the whole size */
		*words = (saved[0] == 0x46505853u ? saved[1] : 512) / 8;
	return (const uint64_t *)f;
}

/* Return from a signal handler: what the kernel wants in a handler's entry,
 * in the very bytes that unwinders know it by. */
static __attribute__((naked, unused)) void mt_signal_return(void)
{
	__asm__("movq $15, %rax\n\t"
		"syscall");
}

/* Call fn(arg) on the stack that ends at `top` (16-aligned), and return. */
static inline void mt_call_on_stack(void *top, void (*fn)(void *), void *arg)
{
	__asm__ volatile("movq %%rsp, %%rbx\n\t"
			 "movq %0, %%rsp\n\t"
			 "callq *%1\n\t"
			 "movq %%rbx, %%rsp"
			 : "+r"(top), "+r"(fn), "+D"(arg)
			 :
			 : "rbx", "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10",
			   "r11", "memory", "cc", "xmm0", "xmm1", "xmm2",
			   "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
			   "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
			   "xmm15");
}

#endif
