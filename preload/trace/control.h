/* SPDX-License-Identifier: MIT */
/*
 * The mailbox in the live file: what the program is told from outside.
 */
#ifndef PRELOAD_CONTROL_H
#define PRELOAD_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include <memtrace/format.h>

#include "live.h"
#include "sys.h"

static inline struct mt_mailbox *mt_mailbox(void)
{
	return (struct mt_mailbox *)((uint8_t *)mt_live + MT_MAILBOX_OFF);
}

/* Begin with the mailbox of a run. Context: init. */
void mt_control_begin(void);

/* Whether somebody asks for something. One read. Context: any. */
static inline bool mt_control_is_asked(void)
{
	const struct mt_mailbox *m = mt_mailbox();

	return unlikely(__atomic_load_n(&m->asked, __ATOMIC_RELAXED) !=
			__atomic_load_n(&m->done, __ATOMIC_RELAXED));
}

/*
 * Take what is asked for, if this thread is the one to act; NONE: it is not.
 * Then mt_control_answer(). Context: any.
 */
enum mt_command mt_control_take(char text[MT_MAX_MARK_BYTES + 1]);
void mt_control_answer(int32_t result);

/* Whether somebody reads what folding would change. Context: any. */
static inline bool mt_control_is_held(void)
{
	uint64_t hold = __atomic_load_n(&mt_mailbox()->hold, __ATOMIC_ACQUIRE);
	uint64_t now = likely(!hold) ? 0 : sys_monotonic_ns();

	return unlikely(hold > now && hold - now <= MT_MAX_HOLD_NS);
}

/*
 * Call `look` in some thread whenever the signal comes: the answer for
 * programs that sleep. False: the program has a use for it. Context: init.
 */
bool mt_control_on_signal(int sig, void (*look)(void));

#endif
