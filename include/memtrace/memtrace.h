/* SPDX-License-Identifier: MIT */
/*
 * The API of libmemtrace.so, for programs that want to steer their recording.
 *
 * Include this and call; link nothing. The functions are weak: where the
 * recorder is not preloaded, the wrappers here do nothing.
 *
 *     MEMTRACE=start=off LD_PRELOAD=libmemtrace.so ./server
 *
 *     memtrace_start();
 *     handle(request);
 *     memtrace_stop();
 */
#ifndef MEMTRACE_MEMTRACE_H
#define MEMTRACE_MEMTRACE_H

#ifdef __cplusplus
extern "C" {
#endif

/* Implemented by libmemtrace.so; call the functions below instead. */
extern void memtrace_impl_start(void) __attribute__((weak));
extern void memtrace_impl_stop(void) __attribute__((weak));
extern void memtrace_impl_mark(const char *name) __attribute__((weak));
extern void memtrace_impl_test_begin(const char *name) __attribute__((weak));
extern void memtrace_impl_test_end(void) __attribute__((weak));
extern long memtrace_impl_leak_check(void) __attribute__((weak));

/* Record from here on, in all threads. */
static inline void memtrace_start(void)
{
	if (memtrace_impl_start)
		memtrace_impl_start();
}

/* Record no more, until memtrace_start(). */
static inline void memtrace_stop(void)
{
	if (memtrace_impl_stop)
		memtrace_impl_stop();
}

/*
 * Give this moment a name, of 255 bytes at the most, which `memtrace-report
 * timeline` shows. 65,536 marks are kept of a recording.
 */
static inline void memtrace_mark(const char *name)
{
	if (memtrace_impl_mark)
		memtrace_impl_mark(name);
}

/*
 * Say that this thread begins a test, until memtrace_test_end() or the next
 * begin: `memtrace-report check` then names the test that a leak is from. A
 * test that is run three times or more under one name may keep what it keeps
 * after the first (caches fill themselves once), but not more each time.
 * Both count as marks, and the name is as long as that of one.
 */
static inline void memtrace_test_begin(const char *name)
{
	if (memtrace_impl_test_begin)
		memtrace_impl_test_begin(name);
}

static inline void memtrace_test_end(void)
{
	if (memtrace_impl_test_end)
		memtrace_impl_test_end();
}

/*
 * Look now which blocks can still be reached. All threads stand still while
 * the process is forked (milliseconds); the fork then looks, and writes what
 * it saw into the trace, for `memtrace-report leaks --scan N`. Returns N, from
 * 0; -1: another look is still being taken, or nothing is recorded.
 */
static inline long memtrace_leak_check(void)
{
	return memtrace_impl_leak_check ? memtrace_impl_leak_check() : -1;
}

/* Whether the recorder is there at all. */
static inline int memtrace_is_loaded(void)
{
	return memtrace_impl_start != 0;
}

#ifdef __cplusplus
}
#endif

#endif
