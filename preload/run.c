/* SPDX-License-Identifier: MIT */
/*
 * The run: when recording starts and ends; see run.h.
 *
 * Start. At the first hook or in our constructor, whichever comes first: the
 * loader allocates through us before any constructor runs. So nothing here
 * relies on libc being initialised.
 *
 * End. exit() runs our handler last of all: it was registered before the
 * loader's own, which runs all destructors, and handlers run in reverse. It
 * is registered for no object, since those of an object run when that
 * object's destructors do. What is allocated after it is libc flushing its
 * streams.
 *
 * Fork. The child inherits the state of a run whose files are the parent's.
 * It is told by memory that the kernel zeroes in it: each thread's limit
 * (thread.h), which sends its next hook here, and `alive`. There it drops
 * all it inherited and starts a run of its own. Until then it has touched
 * nothing of the parent's: the shared mappings are not inherited. A child
 * forked by a handler that interrupted a hook returns into that hook; for it
 * private memory is put where the mappings were.
 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <memtrace/sample.h>

#include "arena.h"
#include "cgroup.h"
#include "clock.h"
#include "config.h"
#include "control.h"
#include "export.h"
#include "files.h"
#include "fold.h"
#include "journal.h"
#include "limit.h"
#include "live.h"
#include "memory.h"
#include "meta.h"
#include "meter.h"
#include "modules.h"
#include "process.h"
#include "real.h"
#include "request.h"
#include "rules.h"
#include "sampled.h"
#include "scan.h"
#include "seal.h"
#include "stacktab.h"
#include "variable.h"
#include "verdict.h"
#include "wishes.h"

enum state {
	NEW,
	STARTING,
	ON,
	OFF,
};

static struct {
	enum state state;
	bool once; /* what is done once a process image is done */
	bool paused;
	uint32_t *alive; /* 1; in a forked child 0 */
	uint32_t pid;
	uint32_t traces; /* of this process image */
	uint32_t marks;	 /* of this trace */
	uint32_t notes;	 /* the same */
	bool has_wishes; /* they are in the trace */
	struct mt_config config;
	char trace[MT_PATH_BYTES];   /* absolute */
	char parent[MT_PATH_BYTES];  /* the trace we forked from, or "" */
	char cwd[MT_PATH_BYTES];     /* at the start */
	char options[MT_PATH_BYTES]; /* $MEMTRACE */
	char scratch[MT_PATH_BYTES + 64];
	char allocator[MT_PATH_BYTES];
} run;

MT_HOT bool mt_run_mmap, mt_run_frees;
MT_HOT bool mt_clock_tsc;

/* Read $MEMTRACE; false: it is wrong (said), or says not to record. */
static bool configure(void)
{
	char error[256];

	mt_variable_read(run.options, sizeof(run.options));
	if (mt_variable_is_followers(run.options))
		return false;
	if (!mt_config_parse(&run.config, run.options, error, sizeof(error))) {
		sys_append(error, sizeof(error), "; not recording\n");
		sys_say(error);
		return false;
	}
	run.paused = !run.config.start;
	mt_run_mmap = run.config.mmap;
	mt_run_frees = run.config.frees;
	return true;
}

/* Whether the kernel itself keeps time by the TSC. */
static bool is_tsc_trusted(void)
{
	char name[32];

	return sys_read_file("/sys/devices/system/clocksource/clocksource0/"
			     "current_clocksource",
			     name, sizeof(name)) > 0 &&
	       strncmp(name, "tsc", 3) == 0;
}

/* The path of the file that is mapped where `f` is. */
static void path_of(void (*f)(void), char *path, size_t size)
{
	const struct mt_module *m;
	struct sys_signals old = sys_lock(&mt_tables_lock);

	m = mt_module_find((uint64_t)(uintptr_t)f);
	path[0] = '\0';
	if (m)
		sys_append(path, size, m->path);
	sys_unlock(&mt_tables_lock, old);
}

/* Put what kills a child that was forked inside a hook out of its way. */
static void after_fork_in_child(void)
{
	mt_meter_renew();
	if (!mt_busy || run.state != ON || *run.alive)
		return;
	mt_live_detach();
	mt_journal_detach();
	mt_meta_detach();
	mt_stacktab_detach();
	mt_thread_detach(mt_self);
}

static void at_exit(void *unused)
{
	struct mt_place at = CALLER;

	(void)unused;
	mt_run_finish(MT_END_EXIT, &at);
}

int __cxa_atexit(void (*f)(void *), void *arg, void *dso);
int __cxa_at_quick_exit(void (*f)(void *), void *dso);
int __register_atfork(void (*prepare)(void), void (*parent)(void),
		      void (*child)(void), void *dso);

/* Do what is done once a process image; false: do not record. */
static bool prepare(void)
{
	run.once = true;
	if (!configure())
		return false;
	mt_clock_tsc = is_tsc_trusted();
	if (sys_readlink("/proc/self/cwd", run.cwd, sizeof(run.cwd)) < 0)
		sys_append(run.cwd, sizeof(run.cwd), ".");
	mt_modules_init();
	mt_thread_init();
	__cxa_atexit(at_exit, NULL, NULL);
	__cxa_at_quick_exit(at_exit, NULL);
	__register_atfork(NULL, NULL, after_fork_in_child, NULL);
	run.alive = sys_map(MT_PAGE_BYTES, SYS_FORK_ZERO);
	if (!run.alive) {
		sys_say_why("no memory that forks zero", "", 0);
		return false;
	}
	return true;
}

/* Write the first records of the meta log, and the live file's head. */
static void describe(void)
{
	struct mt_meta_format format = {
		.magic = {'m', 'e', 'm', 't', 'r', 'a', 'c', 'e'},
		.major = MT_FORMAT_MAJOR,
		.minor = MT_FORMAT_MINOR,
	};
	struct mt_meta_process process = {
		.pid = run.pid,
		.parent_pid = sys_parent_pid(),
		.clock = mt_clock(),
		.clock_ns = sys_monotonic_ns(),
		.real_ns = sys_real_ns(),
		.start_ticks = sys_start_ticks(),
		.clock_kind = mt_clock_tsc ? MT_CLOCK_TSC : MT_CLOCK_MONOTONIC,
		.page_bytes = MT_PAGE_BYTES,
	};
	long n;

	memcpy(mt_live->magic, MT_LIVE_MAGIC, sizeof(mt_live->magic));
	mt_live->major = format.major;
	mt_live->minor = format.minor;
	mt_live->pid = process.pid;
	mt_live->start_ticks = process.start_ticks;
	mt_live->clock = process.clock;
	mt_live->clock_ns = process.clock_ns;
	mt_meta_add(MT_META_FORMAT, &format, sizeof(format), NULL, 0);
	mt_meta_add(MT_META_PROCESS, &process, sizeof(process), NULL, 0);
	n = sys_readlink("/proc/self/exe", run.scratch, MT_PATH_BYTES);
	if (n > 0)
		mt_meta_add(MT_META_EXE, NULL, 0, run.scratch, (size_t)n);
	n = sys_read_file("/proc/self/cmdline", run.scratch, MT_PATH_BYTES);
	if (n > 0)
		mt_meta_add(MT_META_COMMAND, NULL, 0, run.scratch, (size_t)n);
	n = sys_read_file("/proc/sys/kernel/hostname", run.scratch, 256);
	if (n > 1)
		mt_meta_add(MT_META_HOST, NULL, 0, run.scratch, (size_t)n - 1);
	mt_meta_add(MT_META_OPTIONS, NULL, 0, run.options, strlen(run.options));
	if (run.parent[0])
		mt_meta_add(MT_META_PARENT, NULL, 0, run.parent,
			    strlen(run.parent));
}

/* Write down that recording stops or goes on. */
static void note_pause(bool pause)
{
	struct mt_meta_pause m = {.clock = mt_clock(), .paused = pause};

	mt_meta_add(MT_META_PAUSE, &m, sizeof(m), NULL, 0);
}

/* Write down how much is recorded from now on. */
static void note_rate(void)
{
	struct mt_meta_rate m = {
		.clock = mt_clock(),
		.rate_bytes = (uint64_t)run.config.sample,
	};

	mt_meta_add(MT_META_RATE, &m, sizeof(m), NULL, 0);
}

/* Have the hooks record as much as they are to now. */
static void set_meter(void)
{
	mt_meter_set((uint64_t)run.config.sample, run.paused,
		     (uint64_t)run.config.seed);
}

/* Enter a module into the meta log as the stacks first meet it. */
static void module_loaded(const struct mt_module *m)
{
	struct {
		struct mt_meta_module head;
		uint8_t build_id[MT_BUILD_ID_BYTES];
	} record = {
		.head =
			{
				.id = m->id,
				.build_id_bytes = (uint16_t)m->build_id_bytes,
				.bias = m->bias,
				.start = m->start,
				.end = m->end,
				.clock = mt_clock(),
			},
	};

	memcpy(record.build_id, m->build_id, m->build_id_bytes);
	mt_meta_add(MT_META_MODULE, &record,
		    sizeof(record.head) + m->build_id_bytes, m->path,
		    strlen(m->path));
	mt_rules_new_module();
}

/* Take back the files of a run that cannot be. */
static void abandon(void)
{
	sys_unlink(run.trace);
	mt_live_close(false);
	mt_journal_close();
}

static void look_at_mailbox(void);

/* Start a run: its files, its tables, its first records. */
static bool begin(void)
{
	int error;

	run.pid = sys_pid();
	run.marks = run.notes = 0;
	run.has_wishes = false;
	if (!mt_files_name(&run.config, run.cwd, run.pid, run.traces,
			   run.trace)) {
		sys_say_why("no file name comes of out=", run.config.out, 0);
		return false;
	}
	error = mt_files_create(&run.config, run.trace);
	run.traces++;
	if (error) {
		sys_say_why("cannot create ", run.trace, error);
		return false;
	}
	mt_seal_reset();
	mt_fold_init((uint64_t)run.config.size);
	mt_scan_begin();
	mt_control_begin();
	mt_limit_begin((uint64_t)run.config.limit);
	mt_memory_begin();
	mt_modules_reset(module_loaded);
	if (!mt_meta_init() || !mt_rules_init() ||
	    (run.config.sample && !mt_sampled_init()) ||
	    !mt_stacktab_init(mt_live_grow, &mt_live->nodes, &mt_live->pcs)) {
		sys_say_why("no memory", "", 0);
		abandon();
		return false;
	}
	describe();
	if (run.paused)
		note_pause(true);
	if (run.config.sample)
		note_rate();
	path_of((void (*)(void))mt_real.malloc, run.allocator,
		sizeof(run.allocator));
	mt_meta_add(MT_META_ALLOCATOR, NULL, 0, run.allocator,
		    strlen(run.allocator));
	mt_cgroup_begin();
	if (!mt_seal_definitions(true) && mt_live_is_partial()) {
		sys_say_why("cannot write ", run.trace, 0);
		abandon();
		return false;
	}
	*run.alive = 1;
	set_meter();
	if (run.config.signal &&
	    !mt_control_on_signal((int)run.config.signal, look_at_mailbox))
		mt_problem(MT_PROBLEM_SIGNAL, 0,
			   "the program uses the signal of signal=N itself");
	return true;
}

void mt_run_start(void)
{
	int saved = errno;
	enum state was = NEW;

	if (!__atomic_compare_exchange_n(&run.state, &was, STARTING, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return;
	mt_real_init();
	mt_thread_reset(false);

	bool on = prepare() && begin();

	__atomic_store_n(&run.state, on ? ON : OFF, __ATOMIC_RELEASE);
	errno = saved;
}

/*
 * Start another run in this process: in a forked child, which inherited one
 * (and only this thread), or after an end that did not come.
 */
static void start_again(bool forked)
{
	run.state = STARTING;
	run.parent[0] = '\0';
	sys_append(run.parent, sizeof(run.parent), run.trace);
	mt_tables_lock.word = 0;
	mt_journal_reset();
	mt_fold_reset();
	mt_live_reset();
	mt_stacktab_reset();
	mt_arena_reset();
	mt_request_reset();
	mt_thread_reset(forked);
	if (forked)
		run.traces = 0;
	run.state = begin() ? ON : OFF;
}

/* A module is gone: say so, and forget its rules. */
static void module_gone(const struct mt_module *m)
{
	struct mt_meta_unload u = {.module = m->id, .clock = mt_clock()};

	if (m->id != MT_NO_MODULE)
		mt_meta_add(MT_META_UNLOAD, &u, sizeof(u), NULL, 0);
	mt_rules_drop_module(m);
}

void mt_run_check_modules(void)
{
	struct sys_signals old = sys_lock(&mt_tables_lock);

	if (mt_modules_check(module_gone))
		__atomic_fetch_add(&mt_epoch, 1, __ATOMIC_RELEASE);
	sys_unlock(&mt_tables_lock, old);
}

/* Look at what changed since this thread last did. */
static void catch_up(struct mt_thread *t)
{
	t->epoch = __atomic_load_n(&mt_epoch, __ATOMIC_ACQUIRE);
	mt_unwind_forget(t->unwinder);
	if (t->tick_shift != mt_tick_shift)
		mt_thread_seal(t);
}

/*
 * Give this thread a buffer; NULL: there is none, and its event is lost. It
 * is tried again only now and then.
 */
static struct mt_thread *get_thread(void)
{
	static __thread uint32_t events;
	struct mt_thread *t = NULL;

	if (events++ % 1024 == 0)
		t = mt_thread_get();
	if (t)
		events = 0;
	else
		mt_lost_events(1);
	return t;
}

/* Whether this process has a run: it starts to now, when it has not yet. */
static bool is_on(void)
{
	if (__atomic_load_n(&run.state, __ATOMIC_ACQUIRE) == NEW)
		mt_run_start();
	if (run.state == ON && !*run.alive)
		start_again(true);
	return run.state == ON;
}

static bool is_recording(void)
{
	return is_on() && !run.paused;
}

bool mt_run_records(void)
{
	return run.state == ON && !run.paused;
}

/* Take another rate, or return why not. The recording of every event and the
 * one of a sample do not turn into each other: either would miss frees. */
static int64_t set_rate(const char *text)
{
	uint64_t rate = sys_parse_number(&text, 10);

	if (*text || rate < MT_MIN_RATE || rate > MT_MAX_RATE)
		return -EINVAL;
	if (!run.config.sample)
		return -ENOTSUP;
	run.config.sample = (int64_t)rate;
	note_rate();
	set_meter();
	return 0;
}

/* Scan on request. What a sample of the blocks is reached from cannot be
 * told: most blocks are not known. */
static int64_t request_scan(uint64_t sp)
{
	return run.config.sample ? -ENOTSUP : mt_request_scan(0, sp);
}

/*
 * Do what was asked for through the mailbox. The registers that the caller
 * has to keep are put into this frame, so that a scan sees them.
 */
static __attribute__((noinline)) void obey(void)
{
	char text[MT_MAX_MARK_BYTES + 1];
	int64_t result = 0;

	__builtin_unwind_init();
	if (sys_pid() != run.pid) /* a child of vfork() */
		return;
	switch (mt_control_take(text)) {
	case MT_COMMAND_NONE:
		return;
	case MT_COMMAND_SCAN:
		result = request_scan(
			(uint64_t)(uintptr_t)__builtin_frame_address(0) -
			MT_SAVED_BYTES);
		break;
	case MT_COMMAND_START:
		mt_run_pause(false);
		break;
	case MT_COMMAND_STOP:
		mt_run_pause(true);
		break;
	case MT_COMMAND_MARK:
		mt_run_mark(MT_MARK_MOMENT, text);
		break;
	case MT_COMMAND_SNAPSHOT:
		mt_limit_snapshot();
		break;
	case MT_COMMAND_RATE:
		result = set_rate(text);
		break;
	default:
		result = -ENOSYS;
	}
	mt_control_answer((int32_t)(result == -1 ? -EBUSY : result));
}

/* Look whether something is asked for, when the signal for that comes. */
static void look_at_mailbox(void)
{
	if (run.state == ON && *run.alive && mt_control_is_asked())
		obey();
}

void mt_run_look(void)
{
	int saved = errno;

	if (is_on() && mt_control_is_asked())
		obey();
	errno = saved;
}

/* mt_run_enter(), which keeps errno for it. */
static struct mt_thread *enter(void)
{
	struct mt_thread *t;

	if (!is_on())
		return NULL;
	if (mt_control_is_asked())
		obey();
	if (run.paused)
		return NULL;
	t = mt_self;
	if (!mt_thread_is_current(t))
		t = get_thread();
	if (!t)
		return NULL;
	if (t->epoch != mt_epoch)
		catch_up(t);
	if (t->count >= t->limit) {
		mt_fold_step();
		mt_limit_look(t);
		mt_thread_room(t);
	}
	return t;
}

struct mt_thread *mt_run_enter(void)
{
	struct mt_thread *t;
	int saved = errno;

	t = enter();
	errno = saved;
	return t;
}

/* Whether code is libc's, the loader's or ours: not the program's. */
static bool is_ours(uint64_t pc)
{
	struct sys_signals old = sys_lock(&mt_tables_lock);
	const struct mt_module *m = mt_module_find(pc);
	bool ours = m && mt_module_is_own(m);

	sys_unlock(&mt_tables_lock, old);
	return ours;
}

/* Look what can be reached. What libc's and our own frames left on the stack
 * is no root: the scan begins at the program's innermost frame. */
static void look_for_leaks(const struct mt_place *at)
{
	struct mt_scan_asked asked = {
		.clock = mt_clock(),
		.sp = at->sp,
		.tid = sys_tid(),
		.pid = run.pid,
		.status = mt_wishes_no_check() ? MT_SCAN_TURNED_OFF
					       : MT_SCAN_WHOLE,
	};
	struct mt_seen_threads *threads = sys_map_lazy(sizeof(*threads));
	struct mt_thread *t = mt_self;
	bool cut, loader;
	uint64_t sp;

	if (!threads)
		return;
	if (mt_thread_is_current(t)) {
		asked.node = mt_unwind(t->unwinder, at, &cut, &loader);
		sp = mt_unwind_outside(t->unwinder, is_ours);
		asked.sp = sp ? sp : at->sp;
	}
	mt_park_look(threads, asked.tid);
	asked.threads = threads;
	asked.number = mt_scan_number();
	mt_scan(&asked);
	sys_unmap(threads, sizeof(*threads));
}

/* Write down the suppressions that the program has for its own leaks. */
static void describe_wishes(void)
{
	const char *text;

	if (__atomic_exchange_n(&run.has_wishes, true, __ATOMIC_RELAXED))
		return;
	text = mt_wishes_suppressions();
	if (text)
		mt_meta_add(MT_META_SUPPRESSIONS, NULL, 0, text, strlen(text));
}

/*
 * Close the trace. What cannot be sealed now (the disk is full, no descriptor
 * is left) stays in the live file, which is then left to the analyzer.
 */
static void close_trace(enum mt_end how, const struct mt_place *at)
{
	struct mt_meta_end end = {.end = how};
	bool partial = mt_live_is_partial(), done;

	mt_journal_closes();
	mt_request_finish();
	done = mt_thread_seal_all();
	done &= mt_fold_finish();
	if (at) {
		mt_cgroup_end();
		mt_memory_note(MT_WHY_END);
	}
	if (at && run.config.leaks && !run.config.sample) {
		describe_wishes();
		look_for_leaks(at);
	}
	end.clock = mt_clock();
	end.clock_ns = sys_monotonic_ns();
	end.lost = mt_live->lost;
	mt_meta_add(MT_META_END, &end, sizeof(end), NULL, 0);
	done &= mt_seal_definitions(true);
	mt_live->clock = end.clock;
	mt_live->clock_ns = end.clock_ns;
	mt_live->end = how;
	mt_journal_close();
	mt_live_close(!done);
	if (!done && partial)
		mt_problem(MT_PROBLEM_WRITE, 0,
			   "the trace cannot grow, its end is lost");
}

bool mt_run_finish(enum mt_end how, const struct mt_place *at)
{
	enum state was = ON;
	int saved = errno;

	if (run.state != ON || !*run.alive || sys_pid() != run.pid ||
	    !__atomic_compare_exchange_n(&run.state, &was, OFF, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return false;
	__atomic_fetch_add(&mt_epoch, 1, __ATOMIC_ACQ_REL);
	close_trace(how, at);
	errno = saved;
	return true;
}

void mt_run_resume(void)
{
	int saved = errno;

	start_again(false);
	errno = saved;
}

/* Change whether recording stands still. The two records are around the time
 * in which events are missing. */
static void set_pause(bool pause)
{
	if (pause)
		note_pause(true);
	run.paused = pause;
	set_meter();
	__atomic_fetch_add(&mt_epoch, 1, __ATOMIC_ACQ_REL);
	if (!pause)
		note_pause(false);
}

int64_t mt_run_scan(uint64_t sp)
{
	return is_on() && sys_pid() == run.pid && !run.config.sample
		       ? mt_request_scan(0, sp)
		       : -1;
}

int mt_run_judge(uint64_t sp)
{
	int saved = errno, verdict = MT_VERDICT_NONE;

	if (is_on()) {
		describe_wishes();
		if (mt_run_scan(sp) >= 0 && mt_request_wait())
			verdict = mt_verdict_on(run.trace);
	}
	if (verdict == MT_VERDICT_NONE)
		mt_problem(MT_PROBLEM_VERDICT, 0,
			   "no verdict on leaks: memtrace-report did not "
			   "give one");
	errno = saved;
	return verdict;
}

void mt_run_note(enum mt_note note, uint64_t address, uint64_t bytes)
{
	struct mt_meta_note m = {
		.clock = mt_clock(),
		.address = address,
		.bytes = bytes,
		.note = note,
		.tid = sys_tid(),
	};
	int saved = errno;

	if (is_on()) {
		if (__atomic_fetch_add(&run.notes, 1, __ATOMIC_RELAXED) <
		    MT_MAX_NOTES)
			mt_meta_add(MT_META_NOTE, &m, sizeof(m), NULL, 0);
		else
			mt_problem(MT_PROBLEM_NOTES, 0,
				   "too many __lsan_ calls: the later ones "
				   "have no effect");
	}
	errno = saved;
}

void mt_run_pause(bool pause)
{
	int saved = errno;

	is_recording(); /* it starts now, if it has not, or in a forked child */
	if (run.state == ON && pause != run.paused)
		set_pause(pause);
	errno = saved;
}

void mt_run_mark(enum mt_mark mark, const char *name)
{
	struct mt_meta_mark m = {.tid = sys_tid(), .mark = mark};
	int saved = errno;

	if (name && is_recording()) {
		m.clock = mt_clock();
		if (__atomic_fetch_add(&run.marks, 1, __ATOMIC_RELAXED) <
		    MT_MAX_MARKS) {
			mt_meta_add(MT_META_MARK, &m, sizeof(m), name,
				    strnlen(name, MT_MAX_MARK_BYTES));
			if (mark == MT_MARK_MOMENT)
				mt_memory_note(MT_WHY_MARK);
		} else {
			mt_problem(MT_PROBLEM_MARKS, 0,
				   "too many marks: the later ones are lost");
		}
	}
	errno = saved;
}

/* Our constructor: start the run, unless a hook did. */
static __attribute__((constructor)) void load(void)
{
	mt_run_start();
	/* A first hook may have been too early for that. */
	if (run.state == ON && !run.config.follow)
		mt_variable_mark_followers();
}
