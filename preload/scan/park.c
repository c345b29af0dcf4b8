/* SPDX-License-Identifier: MIT */
/*
 * Threads, looked at and stopped; see park.h.
 *
 * The handshake. Each thread that is asked gets a word: ASKED and the number
 * of the round. Its handler turns that into ANSWERED, by compare-and-swap
 * since the asker may have given up on it meanwhile, and waits until the
 * round is over. A handler that comes late finds its word changed and returns.
 *
 * The signal. It is one that nobody handles (SIG_DFL), so a thread that got
 * it after the handler is gone would end the program. So at the end it is
 * first ignored, which takes all that are pending off their threads, and only
 * then is what was there before restored.
 */
#include "park.h"

#include <errno.h>
#include <fcntl.h>
#include <memtrace/sleeps.h>
#include <signal.h>
#include <string.h>

#include "process.h"
#include "sys.h"

/* Real-time signals that are the program's to choose from, and ours. */
#define FIRST_SIGNAL 34 /* glibc keeps 32 and 33 */
#define LAST_SIGNAL 64

/* The first real-time signal, which libc keeps for itself. */
#define LIBC_SIGNAL 32

/* So long is waited while no thread answers. */
#define PATIENCE_NS 250000000u

/* Lists of threads that are made, until one has no new ones. */
#define MAX_LISTS 8

#define ASKED 1u
#define ANSWERED 2u
#define GIVEN_UP 3u
#define WORD(round, state) ((round) << 2 | (state))

static struct {
	struct mt_seen_threads *threads;
	struct sys_action before;
	int signal;
	uint32_t round;	  /* counts; 0: never any */
	uint32_t open;	  /* the round that is on, or 0 */
	uint32_t answers; /* in this round */
} park;

/* Read a file of a thread in /proc; false: it cannot be read. */
static bool read_thread_file(uint32_t tid, const char *name, char *text,
			     size_t size)
{
	char path[64] = "/proc/self/task/";

	sys_append_number(path, sizeof(path), tid);
	sys_append(path, sizeof(path), name);
	return sys_read_file(path, text, size) > 0;
}

/*
 * Read "nr 0xarg... 0xsp 0xpc" of a thread that is in a system call; false: it
 * runs, or is gone. `*nr` is the call, or -1 when it waits for a page.
 */
static bool look(struct mt_seen_thread *t, long *nr)
{
	char text[256];
	const char *p = text;
	uint64_t value[8];
	int n = 0;

	*nr = -1;
	if (!read_thread_file(t->tid, "/syscall", text, sizeof(text)) ||
	    *text == 'r')
		return false;
	if (*text != '-')
		*nr = (long)sys_parse_number(&p, 10);
	while (n < 8 && (p = strstr(p, "0x"))) {
		p += 2;
		value[n++] = sys_parse_number(&p, 16);
	}
	if (n < 2)
		return false;
	if (n == 2 && !value[0]) {
		t->seen = MT_SEEN_GONE;
		return false;
	}
	memset(t->argument, 0, sizeof(t->argument));
	if (n == 8)
		memcpy(t->argument, value, sizeof(t->argument));
	t->sp = value[n - 2];
	t->pc = value[n - 1];
	t->call = *nr;
	t->seen = MT_SEEN_ASLEEP;
	return true;
}

/*
 * Whether a thread blocks a signal, for longer than a moment. While it holds a
 * lock of ours it blocks all signals, those of libc too, which no program can
 * by libc's functions.
 */
static bool is_blocked(uint32_t tid, int sig)
{
	char text[2048];
	const char *p;
	uint64_t mask;

	if (!read_thread_file(tid, "/status", text, sizeof(text)))
		return true;
	p = strstr(text, "SigBlk:\t");
	if (!p)
		return true;
	p += 8;
	mask = sys_parse_number(&p, 16);
	return mask >> (sig - 1) & 1 && !(mask >> (LIBC_SIGNAL - 1) & 1);
}

/* Enter a thread that is not in the list yet; NULL: it is, or no room. */
static struct mt_seen_thread *enter(struct mt_seen_threads *list, uint32_t tid)
{
	struct mt_seen_thread *t;

	for (uint32_t i = 0; i < list->count; i++)
		if (list->thread[i].tid == tid)
			return NULL;
	if (list->count == MT_MAX_PARKED) {
		list->unlisted++;
		return NULL;
	}
	t = &list->thread[list->count++];
	memset(t, 0, sizeof(*t));
	t->tid = tid;
	return t;
}

/* Call for each thread that was not listed yet; returns how many. */
static uint32_t list_threads(struct mt_seen_threads *list, uint32_t self,
			     void (*each)(struct mt_seen_thread *t))
{
	int fd = sys_open("/proc/self/task", O_RDONLY | O_DIRECTORY, 0);
	char buf[4096];
	uint32_t fresh = 0;
	long n;

	list->unlisted = 0;
	while (fd >= 0 && (n = sys_directory(fd, buf, sizeof(buf))) > 0)
		for (long at = 0; at < n;) {
			/* ino 8, off 8, reclen 2, type 1, name */
			const char *name = buf + at + 19;
			struct mt_seen_thread *t;
			uint16_t bytes;
			uint32_t tid;

			memcpy(&bytes, buf + at + 16, sizeof(bytes));
			at += bytes;
			tid = (uint32_t)sys_parse_number(&name, 10);
			t = tid && tid != self ? enter(list, tid) : NULL;
			if (!t)
				continue;
			fresh++;
			each(t);
		}
	if (fd >= 0)
		sys_close(fd);
	return fresh;
}

static void look_only(struct mt_seen_thread *t)
{
	long nr;

	look(t, &nr);
}

void mt_park_look(struct mt_seen_threads *t, uint32_t self)
{
	t->count = 0;
	list_threads(t, self, look_only);
}

/* ---- The handshake. ---- */

/* The handler: say where this thread is, and wait till the round is over. */
static void stop_here(int sig, siginfo_t *info, void *context)
{
	struct sys_value value = sys_signal_value(info);
	struct mt_seen_thread *t;
	uint32_t asked = WORD(value.high, ASKED);

	(void)sig;
	if (!value.ours || value.high != park.open ||
	    value.low >= MT_MAX_PARKED)
		return;
	t = &park.threads->thread[value.low];
	if (__atomic_load_n(&t->word, __ATOMIC_ACQUIRE) != asked)
		return;
	t->context = context;
	t->sp = mt_context_sp(context);
	if (!__atomic_compare_exchange_n(&t->word, &asked,
					 WORD(value.high, ANSWERED), false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return;
	__atomic_fetch_add(&park.answers, 1, __ATOMIC_ACQ_REL);
	sys_wake(&park.answers, 1);
	while (__atomic_load_n(&park.open, __ATOMIC_ACQUIRE) == value.high)
		sys_wait(&park.open, value.high, 0);
}

/* Handle a signal, if nobody does. */
static bool take(int sig)
{
	struct sys_action mine = sys_action(stop_here);

	if (sys_action_get(sig, &park.before) ||
	    park.before.handler != SIG_DFL || sys_action_set(sig, &mine))
		return false;
	park.signal = sig;
	return true;
}

/*
 * Find a signal to ask by; false: there is none. One that the program blocks
 * may be one that it waits for: better another.
 */
static bool take_signal(uint64_t blocked)
{
	for (int pass = 0; pass < 2; pass++)
		for (int sig = LAST_SIGNAL; sig >= FIRST_SIGNAL; sig--)
			if ((blocked >> (sig - 1) & 1) == (uint64_t)pass &&
			    take(sig))
				return true;
	return false;
}

/* Ask a thread to stop, unless it is better let alone. */
static void ask(struct mt_seen_thread *t)
{
	uint32_t place = (uint32_t)(t - park.threads->thread);
	long nr;

	if (is_blocked(t->tid, park.signal) ||
	    (look(t, &nr) && mt_is_disturbed(nr, t->argument)))
		return;
	t->word = WORD(park.round, ASKED);
	if (sys_signal_thread(t->tid, park.signal, place, park.round))
		t->word = 0;
}

/* How many threads of this round are in a state. */
static uint32_t count(uint32_t state)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < park.threads->count; i++)
		n += __atomic_load_n(&park.threads->thread[i].word,
				     __ATOMIC_ACQUIRE) ==
		     WORD(park.round, state);
	return n;
}

/* Wait for those that were asked, while some answer. */
static void wait_for_answers(void)
{
	uint64_t last = sys_monotonic_ns();
	uint32_t seen = __atomic_load_n(&park.answers, __ATOMIC_ACQUIRE), now;

	while (count(ASKED)) {
		sys_wait(&park.answers, seen, PATIENCE_NS / 8);
		now = __atomic_load_n(&park.answers, __ATOMIC_ACQUIRE);
		if (now != seen)
			last = sys_monotonic_ns();
		else if (sys_monotonic_ns() - last > PATIENCE_NS)
			return;
		seen = now;
	}
}

/* Settle what is known of a thread, now that those that can be are stopped. */
static void settle(struct mt_seen_thread *t)
{
	uint32_t asked = WORD(park.round, ASKED);
	long nr;

	__atomic_compare_exchange_n(&t->word, &asked,
				    WORD(park.round, GIVEN_UP), false,
				    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	if (t->word == WORD(park.round, ANSWERED)) {
		t->seen = MT_SEEN_PARKED;
		return;
	}
	t->seen = MT_SEEN_NOT;
	t->context = NULL;
	t->sp = 0;
	look(t, &nr);
}

bool mt_park(struct mt_seen_threads *t, uint32_t self, uint64_t blocked)
{
	park.threads = t;
	t->count = 0;
	if (!take_signal(blocked))
		return false;
	park.answers = 0;
	park.round++;
	__atomic_store_n(&park.open, park.round, __ATOMIC_RELEASE);
	for (int i = 0; i < MAX_LISTS && list_threads(t, self, ask); i++)
		wait_for_answers();
	for (uint32_t i = 0; i < t->count; i++)
		settle(&t->thread[i]);
	return true;
}

void mt_unpark(void)
{
	struct sys_action none = {.handler = SIG_IGN};

	__atomic_store_n(&park.open, 0, __ATOMIC_RELEASE);
	sys_wake(&park.open, MT_MAX_PARKED);
	sys_action_set(park.signal, &none);
	sys_action_set(park.signal, &park.before);
}
