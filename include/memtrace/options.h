/* SPDX-License-Identifier: MIT */
/*
 * The keys of $MEMTRACE ("key=value,key=value"), one table for the recorder,
 * which obeys them, and the launcher, which takes them as --key=value.
 */
#ifndef MEMTRACE_OPTIONS_H
#define MEMTRACE_OPTIONS_H

/* X(name, kind, default, what the value is, one line of help) */
#define MT_OPTIONS(X)                                                        \
	X(out, TEXT, "memtrace.%e.%p.zst", "FILE",                           \
	  "the trace; %e program, %p pid, %h host, %n number, %% percent")   \
	X(live, TEXT, "", "DIR", "where the live file goes, a tmpfs say")    \
	X(start, SWITCH, "on", "on|off", "record from the start")            \
	X(follow, SWITCH, "on", "on|off", "record exec'd children too")      \
	X(mmap, SWITCH, "off", "on|off", "record mmap, munmap and mremap")   \
	X(frees, SWITCH, "on", "on|off", "keep the stacks of frees")         \
	X(leaks, SWITCH, "on", "on|off",                                     \
	  "at the end, see what can be reached")                             \
	X(signal, NUMBER, "0", "N", "look for commands when signal N comes") \
	X(size, NUMBER, "1G", "SIZE",                                        \
	  "bound of the trace; older events are summed up; 0: none")         \
	X(limit, NUMBER, "0", "SIZE",                                        \
	  "of live bytes: note what they are when they cross it; 0: none")   \
	X(sample, NUMBER, "0", "SIZE",                                       \
	  "record one block in so many bytes asked for; 0: each")            \
	X(seed, NUMBER, "0", "N", "which ones; 0: others each time")         \
	X(level, NUMBER, "1", "N", "zstd level, -7 (fast) to 19 (small)")

/* The least bound of a trace, in bytes. */
#define MT_MIN_SIZE (1 << 20)

/* Kinds: TEXT; SWITCH: on|off|1|0|yes|no; NUMBER: K, M, G suffixes. */

#endif
