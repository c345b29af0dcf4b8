#!/bin/bash
# SPDX-License-Identifier: MIT
# The library exports the allocator and its API, needs libc, imports no stdio.
# shellcheck source=tests/integration/lib.sh
. "$MT_TOP/tests/integration/lib.sh"

nm -D --defined-only "$LIB" | awk '{ print $3 }' | sed 's/@.*//' | sort >names
grep -vxE 'malloc|calloc|realloc|reallocarray|free|cfree|posix_memalign|aligned_alloc|memalign|valloc|pvalloc|free_sized|free_aligned_sized|_Zn[wa]m.*|_Zd[la]Pv.*|mmap|mmap64|munmap|mremap|memtrace_.*|__lsan_.*|_?_exit|_Exit|quick_exit|exec[lv]p?e?|fexecve|execveat|dlclose|fork|vfork|libmemtrace.*|MEMTRACE_.*' names &&
	fail "that is too much"
for name in malloc calloc realloc reallocarray free cfree posix_memalign \
	aligned_alloc memalign valloc pvalloc free_sized free_aligned_sized; do
	grep -qx $name names || fail "no $name"
done
for op in _Znwm _Znam _ZnwmRKSt9nothrow_t _ZnamRKSt9nothrow_t \
	_ZnwmSt11align_val_t _ZnamSt11align_val_t \
	_ZnwmSt11align_val_tRKSt9nothrow_t _ZnamSt11align_val_tRKSt9nothrow_t \
	_ZdlPv _ZdaPv _ZdlPvm _ZdaPvm _ZdlPvRKSt9nothrow_t \
	_ZdaPvRKSt9nothrow_t _ZdlPvSt11align_val_t _ZdaPvSt11align_val_t \
	_ZdlPvmSt11align_val_t _ZdaPvmSt11align_val_t \
	_ZdlPvSt11align_val_tRKSt9nothrow_t \
	_ZdaPvSt11align_val_tRKSt9nothrow_t; do
	grep -qx $op names || fail "no $op"
done
readelf -d "$LIB" | grep NEEDED | grep -vE '\[(libc\.so\.6|ld-linux.*)\]' &&
	fail "that is needed, too"
nm -D --undefined-only "$LIB" | awk '{ print $2 }' | sed 's/@.*//' >imports
grep -xE 'abort|__assert_fail|f?printf|__.*printf_chk|puts|fputs|fopen|fwrite|setlocale|malloc|free|calloc|realloc|stderr|stdout|perror|strerror|getenv_r|sigaction|signal|pthread_create|setenv|putenv' imports &&
	fail "that must not be imported"

# exit() is what __lsan_do_leak_check() is there for, and nobody else's.
nm -A --undefined-only "$MT_BUILD"/preload/*.o "$MT_BUILD"/preload/*/*.o | grep -w 'U exit' |
	grep -v '/hooks_lsan\.o:' && fail "exit() is called"
true
