/* SPDX-License-Identifier: MIT */
/*
 * Folding: the oldest events of a bounded trace, replayed into the heap image,
 * so that their place in the file can be used again.
 */
#ifndef PRELOAD_FOLD_H
#define PRELOAD_FOLD_H

#include <stdbool.h>
#include <stdint.h>

/* Start, for a trace of `bound` bytes of events; 0: never fold.
 * Context: init. */
void mt_fold_init(uint64_t bound);

/* Give memory back, in a new run. Context: init. */
void mt_fold_reset(void);

/*
 * Fold a little if the trace is near its bound: a few microseconds of work,
 * which keeps pace with the thread that calls when its buffer has taken a step.
 * Context: seal.
 */
void mt_fold_step(void);

/* The trace ends: append the image to it, if there is one. False: it could
 * not be. Context: seal. */
bool mt_fold_finish(void);

#endif
