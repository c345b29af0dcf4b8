/* SPDX-License-Identifier: MIT */
/*
 * A scan on request; see request.h.
 *
 * The program stands still for the handshake and the fork, which copies its
 * page tables: 8 bytes per page of 4 KiB that it has touched. The fork has all
 * signals blocked and all descriptors closed but the trace's: a pipe that the
 * program closes meanwhile ends for its reader.
 */
#include "request.h"

#include <errno.h>
#include <stddef.h>

#include "clock.h"
#include "journal.h"
#include "live.h"
#include "meta.h"
#include "process.h"
#include "rules.h"
#include "scan.h"
#include "sys.h"

/* So long is waited for a scan at the end of the program. */
#define FINISH_MS 10000u

static struct {
	uint32_t busy;			 /* a thread makes a request */
	long child;			 /* that scans, or 0; under `busy` */
	struct mt_seen_threads *threads; /* NULL: no request yet */
} request;

/* Take the end of the last scan; false: it is still at work. */
static bool is_done(void)
{
	if (request.child && sys_reap(request.child, false) == -1)
		return false;
	request.child = 0;
	return true;
}

static bool enter(void)
{
	return !__atomic_exchange_n(&request.busy, 1, __ATOMIC_ACQUIRE);
}

static void leave(void)
{
	__atomic_store_n(&request.busy, 0, __ATOMIC_RELEASE);
}

/* The fork. */
static int scan_copy(void *arg)
{
	const struct mt_scan_asked *asked = arg;
	int fd = mt_journal_in_child(asked->pid);

	if (fd < 0)
		return 1;
	sys_close_all_but(fd);
	/* The live file is not there, and a lock may be another thread's. */
	mt_live_detach();
	mt_meta_detach();
	mt_tables_lock.word = 0;
	mt_scan(asked);
	return 0;
}

/* Write that a scan could not be made. */
static void say(struct mt_scan_asked *asked, enum mt_scan_status status)
{
	asked->status = status;
	mt_scan(asked);
}

/* Stop the threads and fork; returns the child or -errno. */
static long fork_stopped(struct mt_scan_asked *asked, uint64_t blocked)
{
	uint64_t start = sys_monotonic_ns(), forking, end;
	long child = -EBUSY;

	if (mt_park(request.threads, asked->tid, blocked)) {
		forking = sys_monotonic_ns();
		asked->clock = mt_clock();
		child = sys_fork_call(scan_copy, asked);
		end = sys_monotonic_ns();
		mt_unpark();
		mt_scan_shared((uint32_t)((sys_monotonic_ns() - start) / 1000),
			       (uint32_t)((end - forking) / 1000));
	}
	return child;
}

/* mt_request_scan(), by one thread at a time, signals blocked. */
static int64_t make_scan(uint32_t node, uint64_t sp, uint64_t blocked)
{
	struct mt_scan_asked asked = {
		.clock = mt_clock(),
		.sp = sp,
		.node = node,
		.tid = sys_tid(),
		.pid = sys_pid(),
		.why = MT_SCAN_ON_REQUEST,
	};
	long child;

	if (!is_done())
		return -1;
	if (!request.threads)
		request.threads = sys_map_lazy(sizeof(*request.threads));
	if (!request.threads || !mt_scan_share() || !mt_journal_share())
		return -1;
	asked.number = mt_scan_number();
	asked.threads = request.threads;
	child = fork_stopped(&asked, blocked);
	mt_journal_shared(child > 0 ? child : 0);
	if (child > 0)
		request.child = child;
	else
		say(&asked,
		    child == -EBUSY ? MT_SCAN_NO_STOP : MT_SCAN_NO_FORK);
	return asked.number;
}

int64_t mt_request_scan(uint32_t node, uint64_t sp)
{
	/* No handler may leave this by longjmp. */
	struct sys_signals old = sys_block_signals();
	int64_t number = -1;

	if (enter()) {
		number = make_scan(node, sp, old.mask);
		leave();
	}
	sys_restore_signals(old);
	return number;
}

bool mt_request_wait(void)
{
	bool done = false;

	for (unsigned int ms = 0; !done && ms < FINISH_MS; ms++) {
		if (enter()) {
			done = is_done();
			leave();
		}
		if (!done)
			sys_sleep_us(1000);
	}
	return done;
}

void mt_request_finish(void)
{
	if (mt_request_wait() || !request.child)
		return;
	sys_kill_child(request.child);
	sys_reap(request.child, true);
	request.child = 0;
}

void mt_request_reset(void)
{
	request.busy = 0;
	request.child = 0;
}
