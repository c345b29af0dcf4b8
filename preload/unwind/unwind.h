/* SPDX-License-Identifier: MIT */
/*
 * The unwinder: from a place in the program to the node of its stack.
 */
#ifndef PRELOAD_UNWIND_H
#define PRELOAD_UNWIND_H

#include <stdbool.h>
#include <stdint.h>

#include <memtrace/format.h>

#include "modules.h"
#include "sys.h"

/* A thread's unwinder; see unwind.c. */
struct mt_unwinder;

/* Bytes of a struct mt_unwinder, for its owner to allocate, zeroed. */
extern MT_OURS const size_t mt_unwinder_bytes;

/*
 * Return the node of the stack whose innermost frame is `at` (MT_NODE_LOST:
 * no memory). `*cut` is set when frames beyond MT_MAX_FRAMES were left out.
 * `*loader` is set when the innermost frame is the loader's and new, else
 * left alone. Context: hook.
 */
uint32_t mt_unwind(struct mt_unwinder *u, const struct mt_place *at, bool *cut,
		   bool *loader);

/*
 * Return the sp of the innermost frame that is kept whose pc `inside` says
 * nothing of; 0: all are inside. Context: hook.
 */
uint64_t mt_unwind_outside(const struct mt_unwinder *u,
			   bool (*inside)(uint64_t pc));

/* Forget the kept stack: of another time, or of modules since unloaded. */
void mt_unwind_forget(struct mt_unwinder *u);

#endif
