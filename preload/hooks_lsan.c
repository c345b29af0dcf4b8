/* SPDX-License-Identifier: MIT */
/*
 * LSan's interface (sanitizer/lsan_interface.h), so that programs which were
 * written for it need no change.
 *
 * What is said of blocks is a note in the trace, for the analyzer to decide
 * by. A scan of its own and memtrace-report give the verdict that a program
 * asks for while it runs.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "export.h"
#include "run.h"
#include "verdict.h"
#include "wishes.h"

void __lsan_disable(void);
void __lsan_enable(void);
void __lsan_ignore_object(const void *p);
void __lsan_register_root_region(const void *p, size_t bytes);
void __lsan_unregister_root_region(const void *p, size_t bytes);
void __lsan_do_leak_check(void);
int __lsan_do_recoverable_leak_check(void);

/* How deep in __lsan_disable() this thread is. */
static __thread unsigned int disabled
	__attribute__((tls_model("initial-exec")));

EXPORT void __lsan_disable(void)
{
	if (!disabled++)
		mt_run_note(MT_NOTE_IGNORE, 0, 0);
}

EXPORT void __lsan_enable(void)
{
	if (disabled && !--disabled)
		mt_run_note(MT_NOTE_HEED, 0, 0);
}

EXPORT void __lsan_ignore_object(const void *p)
{
	mt_run_note(MT_NOTE_BLOCK, (uint64_t)(uintptr_t)p, 0);
}

EXPORT void __lsan_register_root_region(const void *p, size_t bytes)
{
	mt_run_note(MT_NOTE_ROOT, (uint64_t)(uintptr_t)p, bytes);
}

EXPORT void __lsan_unregister_root_region(const void *p, size_t bytes)
{
	mt_run_note(MT_NOTE_NO_ROOT, (uint64_t)(uintptr_t)p, bytes);
}

EXPORT int __lsan_do_recoverable_leak_check(void)
{
	__builtin_unwind_init();
	if (mt_wishes_no_check())
		return 0;
	return mt_run_judge((uint64_t)__builtin_frame_address(0) -
			    MT_SAVED_BYTES) == MT_VERDICT_LEAKS;
}

EXPORT void __lsan_do_leak_check(void)
{
	int code;

	__builtin_unwind_init();
	if (mt_wishes_no_check() ||
	    mt_run_judge((uint64_t)__builtin_frame_address(0) -
			 MT_SAVED_BYTES) != MT_VERDICT_LEAKS)
		return;
	code = mt_wishes_exit_code();
	if (code)
		exit(code); /* what is buffered is written, unlike LSan's way */
}
