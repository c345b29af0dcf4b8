/* SPDX-License-Identifier: MIT */
/*
 * The other threads of the process: where their stacks and registers are, as
 * far as that can be seen; and, for a moment, stopped there.
 */
#ifndef PRELOAD_PARK_H
#define PRELOAD_PARK_H

#include <stdbool.h>
#include <stdint.h>

/* Threads beyond these are not seen. */
#define MT_MAX_PARKED 4096

/* What is known of a thread. */
enum mt_seen {
	MT_SEEN_NOT,	/* nothing: it runs, and cannot be stopped */
	MT_SEEN_ASLEEP, /* sp, pc, arguments: it is in a system call */
	MT_SEEN_PARKED, /* sp, context: it is stopped in a signal handler */
	MT_SEEN_GONE,	/* it has ended */
};

struct mt_seen_thread {
	uint32_t tid;
	uint32_t word; /* park.c's own: of the handshake */
	enum mt_seen seen;
	uint64_t sp, pc;
	uint64_t below; /* bytes that it uses below sp; scan.c's */
	long call;	/* number of the system call */
	uint64_t argument[6];
	const void *context; /* ucontext_t, with the registers */
};

struct mt_seen_threads {
	uint32_t count;
	uint32_t unlisted; /* those beyond MT_MAX_PARKED */
	struct mt_seen_thread thread[MT_MAX_PARKED];
};

/*
 * Look at the other threads as they are, without stopping any: those that run
 * are not seen. `self` is not listed. Context: seal.
 */
void mt_park_look(struct mt_seen_threads *t, uint32_t self);

/*
 * Stop the other threads and look at them, until mt_unpark(). They are asked
 * by a real-time signal whose handler is there only meanwhile; so are not
 * asked: threads that block it, and threads asleep in a system call that a
 * signal would end early (poll, sleep, sigwait), which are looked at where
 * they are. A thread that has not come to its handler after a while in which
 * no other did is left running. False: there is no signal to ask by, and
 * none was stopped. One caller at a time, with signals blocked, which holds no
 * lock that another thread may wait for; `blocked` are those that the program
 * had blocked before. `t` must stay. Context: seal.
 */
bool mt_park(struct mt_seen_threads *t, uint32_t self, uint64_t blocked);
void mt_unpark(void);

#endif
