/* SPDX-License-Identifier: MIT */
/*
 * The control group that bounds the memory of this process: of cgroup v2, or
 * of v1's memory controller. The files are read, and nothing is written.
 */
#ifndef PRELOAD_CGROUP_H
#define PRELOAD_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Find the group that bounds us, and note it. Context: init. */
void mt_cgroup_begin(void);

/* Note what the group has now, if it is bounded: one small file is read.
 * Context: hook. */
void mt_cgroup_note(void);

/* After how much more live memory it is worth a note; when we are not bounded,
 * more than there is. Context: any. */
int64_t mt_cgroup_step(void);

/* Note the same for the last time, with the most that it had. Context: seal. */
void mt_cgroup_end(void);

/*
 * The parsers, pure. Of the text of /proc/PID/cgroup: the path of the group
 * within its hierarchy. Of that of /proc/PID/mountinfo: where that hierarchy
 * is mounted (`mount`), and the part of it that is (`root`, "/" for all).
 * False: there is none, or no room. Context: any.
 */
bool mt_cgroup_path(const char *text, uint32_t version, char *path,
		    size_t size);
bool mt_cgroup_mount(const char *text, uint32_t version, char *mount,
		     char *root, size_t size);

/* Return the number of a file such as memory.max; UINT64_MAX for "max" and for
 * v1's largest. */
uint64_t mt_cgroup_number(const char *text);

/* Return the number behind a word at the start of a line, 0 without it. */
uint64_t mt_cgroup_field(const char *text, const char *word);

#endif
