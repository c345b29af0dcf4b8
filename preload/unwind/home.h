/* SPDX-License-Identifier: MIT */
/*
 * Whose stack a mapping is. glibc puts a thread's control block at the end of
 * the mapping that its stack is in, and keeps both after the thread's end: for
 * pthread_join() to fetch the result from, then for the next thread. What an
 * ended thread left there is no root.
 */
#ifndef PRELOAD_HOME_H
#define PRELOAD_HOME_H

#include <stdbool.h>
#include <stdint.h>

#include "maps.h"

struct mt_home {
	uint64_t tcb; /* address of the control block */
	int32_t tid;  /* 0: it has ended; -1: and was joined */
};

/* How far from a mapping's end a control block can begin. */
#define MT_HOME_WORDS 1024

/*
 * Find the control block at a mapping's end, reading /proc/self/mem by the
 * descriptor `mem`; `self` is what this thread's control block has as its tid.
 * `words` is room. False: there is none. Context: seal.
 */
bool mt_home_find(int mem, const struct mt_mapping *m, uint32_t self,
		  uint64_t words[MT_HOME_WORDS], struct mt_home *home);

#endif
