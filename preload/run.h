/* SPDX-License-Identifier: MIT */
/*
 * The run: when recording starts and ends, and what a fork makes of it.
 */
#ifndef PRELOAD_RUN_H
#define PRELOAD_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include <memtrace/format.h>

#include "sys.h"
#include "thread.h"

/* What of the configuration the hooks ask for. */
extern MT_OURS bool mt_run_mmap;  /* record mmap and its kin */
extern MT_OURS bool mt_run_frees; /* keep the stacks of frees */

/*
 * The slow way into a hook: start the run at its first hook, start the
 * child's own after a fork, give the thread its buffer, make room in it,
 * look at what changed. NULL: nothing is recorded now. Context: hook.
 */
struct mt_thread *mt_run_enter(void);

/* Whether events are recorded now. Context: any. */
bool mt_run_records(void);

/* Look whether modules were unloaded, when the loader frees. Context: hook. */
void mt_run_check_modules(void);

/* Start the run, if it has not started. Context: init. */
void mt_run_start(void);

/*
 * The process ends, by its own doing at `at`: look what can be reached (not
 * before an exec, where `at` is NULL), seal everything and close the trace.
 * Hooks pass through from then on. Does nothing in a child that shares our
 * memory (vfork) or has not recorded yet, and nothing the second time; false
 * then. Context: any.
 */
bool mt_run_finish(enum mt_end how, const struct mt_place *at);

/*
 * Go on in a new trace: the end for which mt_run_finish() returned true did
 * not come (an exec failed). Context: any.
 */
void mt_run_resume(void);

/* Start the run or a forked child's, look into the mailbox. Context: any. */
void mt_run_look(void);

/* Stop and start recording, for the API. Context: any. */
void mt_run_pause(bool pause);

/*
 * Name this moment, for the API; cut after 255 bytes, NULL names nothing.
 * Context: any.
 */
void mt_run_mark(enum mt_mark mark, const char *name);

/*
 * Scan now, in a fork, for the API: mt_request_scan(). `sp` is of the frame
 * that has the registers which its caller is to find again. Context: any.
 */
int64_t mt_run_scan(uint64_t sp);

/* Scan now, wait for that, and have it judged: as mt_verdict_on().
 * Context: any. */
int mt_run_judge(uint64_t sp);

/* Note what the program says of its blocks. Context: any. */
void mt_run_note(enum mt_note note, uint64_t address, uint64_t bytes);

#endif
