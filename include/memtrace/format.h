/* SPDX-License-Identifier: MIT */
/*
 * The disk contract: what libmemtrace.so writes and memtrace-report reads.
 *
 * Two files. `X.zst` is the trace: at every instant a valid Zstandard stream,
 * made of segments and of space. `X.zst.live` is the working state, mapped
 * shared by the recorder, which is what survives SIGKILL; a clean end seals
 * it into X.zst and removes it. man/memtrace-format.5 says the same in prose,
 * complete enough to write a second reader from.
 *
 * Four streams run through both files, each a sequence of records numbered
 * from 0: META (bytes), PCS, NODES and one of EVENTS per thread. Three are in
 * the trace only: SCANS (bytes) and WORDS, what memory pointed to at the end or
 * on request, and NAMES (bytes), which the analyzer adds afterwards. IMAGE
 * (memtrace/image.h) stands for the events that a bounded trace has no room
 * for any more. A segment
 * holds the records [first, first + count) of one stream; what a live file
 * holds of a stream follows the last sealed record. Records below that are
 * there twice and are to be skipped.
 *
 * All integers are little-endian. A writer MUST set reserved fields to 0; a
 * reader MUST ignore them, MUST ignore streams and meta records of unknown
 * type, and MUST refuse another major version.
 */
#ifndef MEMTRACE_FORMAT_H
#define MEMTRACE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define MT_FORMAT_MAJOR 1
#define MT_FORMAT_MINOR 2

/* Skippable zstd frames of ours: a segment's head; space without meaning. */
#define MT_SKIP_SEGMENT 0x184D2A5Du
#define MT_SKIP_SPACE 0x184D2A5Eu

/* The innermost frames a stack keeps. */
#define MT_MAX_FRAMES 1024

/* Limits that a reader may rely on to refuse nonsense early. */
#define MT_MAX_COLUMN_BYTES (1u << 20) /* raw bytes of one zstd frame */
#define MT_MAX_SEGMENT_EVENTS 16384u

enum mt_stream {
	MT_STREAM_META = 1,   /* record: a byte of the meta log; 1 column */
	MT_STREAM_PCS = 2,    /* record: struct mt_pc; 1 column */
	MT_STREAM_NODES = 3,  /* record: struct mt_node; 2 columns */
	MT_STREAM_EVENTS = 4, /* record: an event; MT_COLUMNS columns */
	MT_STREAM_NAMES = 5,  /* record: a byte of the names log; 1 column */
	MT_STREAM_WORDS = 6,  /* record: a word that may point; 2 columns */
	MT_STREAM_SCANS = 7,  /* record: a byte of the scans log; 1 column */
	MT_STREAM_IMAGE = 8,  /* record: a byte of the heap image; 1 column */
};

/*
 * What an event did. The numbers are part of the format.
 *
 * A realloc is MT_REALLOC_FREE (the old block; not there for realloc(NULL))
 * and then MT_REALLOC (the new one; not there when size 0 freed), or
 * MT_REALLOC_CANCEL (it failed: the old block lives on, the size is what was
 * asked). Between the two, other threads may be given the old address.
 * A failed allocation has the address 0. free(NULL) is no event. What is freed
 * need be no block: an address beyond 2^48 is kept as 0xffff00000000 and its
 * lower 32 bits.
 */
enum mt_kind {
	MT_MALLOC = 1,
	MT_CALLOC,
	MT_REALLOC,
	MT_REALLOCARRAY,
	MT_POSIX_MEMALIGN,
	MT_ALIGNED_ALLOC,
	MT_MEMALIGN,
	MT_VALLOC,
	MT_PVALLOC,
	MT_NEW, /* operator new, its nothrow and aligned forms */
	MT_NEW_ARRAY,
	MT_MMAP,   /* with mmap=1; size: the length asked for */
	MT_MREMAP, /* the mapping as it is after a mremap */
	MT_LAST_ALLOC = MT_MREMAP,

	MT_FREE = 32,
	MT_CFREE,
	MT_FREE_SIZED, /* size: the caller's claim, as for each below */
	MT_FREE_ALIGNED_SIZED,
	MT_DELETE, /* size (and alignment) 0 in the unsized forms */
	MT_DELETE_ARRAY,
	MT_REALLOC_FREE, /* size: 1 for realloc(p, 0), else 0 */
	MT_MUNMAP,	 /* size: the length */
	MT_MREMAP_FREE,	 /* the mapping as it was before a mremap */
	MT_LAST_FREE = MT_MREMAP_FREE,

	MT_REALLOC_CANCEL = 60,
	MT_KINDS = 64,
};

/*
 * The columns of an event segment, each a zstd frame of its own.
 * include/memtrace/model.h codes events into them and back.
 */
enum mt_column {
	MT_COL_CONTROL,
	MT_COL_STACK,
	MT_COL_SIZE,
	MT_COL_ADDRESS,
	MT_COL_TIME,
	MT_COLUMNS,
};

/*
 * Size classes of the histograms: 0 is size 0; then steps of 16 bytes up to
 * 128; then four to a doubling. Class c holds sizes up to
 * mt_class_max(c), above mt_class_max(c - 1).
 */
#define MT_SIZE_CLASSES 237

/* Return the class of a size in bytes. Context: any. */
static inline unsigned int mt_size_class(uint64_t size)
{
	if (size <= 128)
		return (unsigned int)((size + 15) / 16);
	unsigned int log = 63 - (unsigned int)__builtin_clzll(size - 1);

	return 8 + (log - 7) * 4 +
	       (unsigned int)(((size - 1) >> (log - 2)) & 3) + 1;
}

/* Return the largest size in bytes of a class below MT_SIZE_CLASSES. */
static inline uint64_t mt_class_max(unsigned int c)
{
	if (c <= 8)
		return c * 16ull;
	unsigned int step = (c - 9) & 3, log = 7 + (c - 9) / 4;

	if (log == 63 && step == 3)
		return UINT64_MAX;
	return (1ull << log) + ((step + 1ull) << (log - 2));
}

/*
 * A segment's head, at an offset that is a multiple of 8. It is one skippable
 * frame, the zstd frames of the columns follow it at once. `skip_bytes`
 * counts from behind itself to them: the rest of this struct, `extra_bytes`
 * of packed histogram (event segments; below), and as many zeros as make
 * the segment, data included, a multiple of 8.
 *
 * Packed histogram: varints, per class with a count: class + 1, allocations
 * by requested size, allocations by usable size, frees by usable size; ends
 * with 0. Usable sizes are what malloc_usable_size() says, so that live
 * blocks per class are exact from the entries alone.
 */
struct mt_segment {
	uint32_t skip_magic; /* MT_SKIP_SEGMENT */
	uint32_t skip_bytes;
	char magic[4];	     /* "MTsg" */
	uint16_t stream;     /* enum mt_stream */
	uint16_t columns;    /* zstd frames that follow */
	uint32_t data_bytes; /* their compressed bytes together */
	uint32_t count;	     /* records */
	uint64_t first;	     /* the first record's number in its stream */
	uint32_t thread;     /* events: index of the thread; else 0 */
	uint32_t extra_bytes;
	uint8_t tick_shift; /* events: times are clock >> tick_shift */
	uint8_t reserved[3];
	uint32_t check;	    /* mt_check() of this, check as 0, + extra */
	uint64_t base_time; /* events: clock that the first delta is from */
	uint64_t last_time; /* events: clock of the last event */
	uint64_t clock;	    /* the clock at sealing, and */
	uint64_t clock_ns;  /* CLOCK_MONOTONIC then */
	/* Events: what the segment did to the heap (mmap kinds excepted). */
	uint64_t allocations;		 /* blocks given, realloc's included */
	uint64_t frees;			 /* blocks taken, realloc's included */
	uint64_t allocated_bytes;	 /* as requested */
	uint64_t allocated_usable_bytes; /* as malloc_usable_size says */
	uint64_t freed_usable_bytes;
};

_Static_assert(sizeof(struct mt_segment) == 120, "disk format");
_Static_assert(offsetof(struct mt_segment, base_time) == 48, "disk format");

/* The magic of segments; the file begins with one of stream META. */
#define MT_SEGMENT_MAGIC "MTsg"

/* FNV-1a over `n` bytes, continuing from `h` (start: MT_CHECK_INIT). */
#define MT_CHECK_INIT 0x811c9dc5u
static inline uint32_t mt_check(uint32_t h, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x01000193u;
	return h;
}

/* A code address that some stack passes through, in one load of its module. */
struct mt_pc {
	uint64_t pc;	 /* return address, or exact (MT_PC_EXACT) */
	uint32_t module; /* id of a MT_META_MODULE, or MT_NO_MODULE */
	uint32_t flags;
};

#define MT_PC_EXACT 1u /* the pc of a signal frame: not a return */
#define MT_NO_MODULE 0xffffffffu

/*
 * A stack, named by its innermost frame: the stack `parent` calls at `pc`.
 * Node 0 is the empty stack (its parent and pc are 0 and mean nothing);
 * parent < id. On disk: a column of varints id - parent, one of varints pc.
 */
struct mt_node {
	uint32_t parent;
	uint32_t pc; /* a record number in MT_STREAM_PCS */
};

/* A stack that starts here was cut at its outer end. */
#define MT_NODE_CUT 1u
/* The stack could not be had (memory, a signal inside a hook). */
#define MT_NODE_LOST 2u
#define MT_NODE_FIRST 3u /* nodes below are the special ones above */

/*
 * The meta log: records of this head and `bytes` of payload. A struct below
 * is the start of its payload; text follows it, not NUL-terminated.
 */
struct mt_meta {
	uint16_t type;
	uint16_t bytes;
};

enum mt_meta_type {
	MT_META_FORMAT = 1,   /* struct mt_meta_format; always the first */
	MT_META_PROCESS,      /* struct mt_meta_process */
	MT_META_EXE,	      /* text: path of the program */
	MT_META_COMMAND,      /* text: arguments, NUL after each */
	MT_META_HOST,	      /* text: node name */
	MT_META_ALLOCATOR,    /* text: the real malloc's module: its path */
	MT_META_OPTIONS,      /* text: $MEMTRACE */
	MT_META_PARENT,	      /* text: trace of the process it forked from */
	MT_META_MODULE,	      /* struct mt_meta_module, build-id, path */
	MT_META_UNLOAD,	      /* struct mt_meta_unload */
	MT_META_THREAD,	      /* struct mt_meta_thread */
	MT_META_THREAD_NAME,  /* struct mt_meta_thread, name as of then */
	MT_META_THREAD_END,   /* struct mt_meta_thread */
	MT_META_PROBLEM,      /* struct mt_meta_problem, text for people */
	MT_META_END,	      /* struct mt_meta_end: nothing follows */
	MT_META_RANGE,	      /* struct mt_meta_range, its file's path */
	MT_META_SCAN,	      /* struct mt_meta_scan */
	MT_META_RESIDENT,     /* struct mt_meta_resident */
	MT_META_MARK,	      /* struct mt_meta_mark, its name */
	MT_META_PAUSE,	      /* struct mt_meta_pause */
	MT_META_NOTE = 40,    /* struct mt_meta_note */
	MT_META_SUPPRESSIONS, /* text: the program's, in LSan's format */
	MT_META_MEMORY = 50,  /* struct mt_meta_memory, extents */
	MT_META_SNAPSHOT,     /* struct mt_meta_snapshot */
	MT_META_CGROUP,	      /* struct mt_meta_cgroup, text: its directory */
	MT_META_RATE = 60,    /* struct mt_meta_rate */
};

struct mt_meta_format {
	char magic[8]; /* "memtrace" */
	uint16_t major, minor;
	uint32_t reserved;
};

enum mt_clock {
	MT_CLOCK_TSC,	    /* the clock is the CPU's time stamp counter */
	MT_CLOCK_MONOTONIC, /* the clock is CLOCK_MONOTONIC in ns */
};

struct mt_meta_process {
	uint32_t pid, parent_pid;
	uint64_t clock;	      /* the clock at the start, and, then: */
	uint64_t clock_ns;    /* CLOCK_MONOTONIC */
	uint64_t real_ns;     /* CLOCK_REALTIME */
	uint64_t start_ticks; /* field 22 of /proc/PID/stat: who it is */
	uint32_t clock_kind;  /* enum mt_clock */
	uint32_t page_bytes;
};

/* A module's mapping [start, end) in memory; file address = pc - bias. */
struct mt_meta_module {
	uint32_t id; /* counts from 0; a reload is a new module */
	uint16_t build_id_bytes;
	uint16_t reserved;
	uint64_t bias, start, end;
	uint64_t clock;
};

struct mt_meta_unload {
	uint32_t module;
	uint32_t reserved;
	uint64_t clock;
};

/* How many threads have records of their own: the first ones. */
#define MT_MAX_NAMED_THREADS 16384u

struct mt_meta_thread {
	uint32_t thread; /* index: counts from 0, never reused */
	uint32_t tid;
	uint64_t clock;
};

/* What the process had of the machine's memory: its resident set. */
struct mt_meta_resident {
	uint64_t clock;
	uint64_t bytes;
};

/* Why memory was looked at. The numbers are part of the format. */
enum mt_why {
	MT_WHY_END = 1,	 /* the program ends */
	MT_WHY_MARK,	 /* it named the moment */
	MT_WHY_SNAPSHOT, /* asked for from outside */
	MT_WHY_LIMIT,	 /* the live bytes crossed limit=SIZE */
	MT_WHY_FAILED,	 /* an allocation failed */
};

/*
 * What the resident set is made of, in bytes: the sum of all is `resident`.
 * Extents follow: of private anonymous memory that is none of the others, as
 * the kernel maps it. Varints for each, in the order of addresses: pages from
 * the end of the one before (from 0) to its start; twice its pages, plus 1 if
 * it is [heap]; its resident pages.
 */
struct mt_meta_memory {
	uint64_t clock;
	uint64_t resident;
	uint64_t program;  /* the program's file and its libraries, with data */
	uint64_t files;	   /* other files that are mapped, shared memory too */
	uint64_t stacks;   /* of all threads */
	uint64_t own;	   /* the recorder's: memory, library, live file */
	uint64_t unlisted; /* of extents for which there was no room */
	uint64_t swapped;  /* not resident */
	uint32_t why;	   /* enum mt_why */
	uint32_t extents;
};

/*
 * A moment worth a look. Live bytes are usable ones, as malloc_usable_size()
 * has them: what was asked for is not known when a block is freed.
 */
struct mt_meta_snapshot {
	uint64_t clock;
	int64_t live_bytes; /* negative: blocks were freed that are older */
	uint64_t bytes; /* LIMIT: that was crossed; FAILED: were asked for */
	uint32_t stack; /* FAILED: of the call, else 0 */
	uint32_t tid;
	uint32_t why; /* enum mt_why: SNAPSHOT, LIMIT or FAILED */
	uint32_t reserved;
};

/*
 * What the memory of the process's control group is bounded to, and what it
 * has of it: the group itself or the one above it that has least room left.
 */
struct mt_meta_cgroup {
	uint64_t clock;
	uint64_t max_bytes;		    /* UINT64_MAX: no bound */
	uint64_t current_bytes, peak_bytes; /* peak: 0, the kernel says none */
	uint64_t oom_kills;		    /* so far in it, of any process */
	uint32_t version;		    /* of the interface: 1 or 2 */
	uint32_t reserved;
};

/* How many marks a recording keeps, and bytes of their names. */
#define MT_MAX_MARKS 65536u
#define MT_MAX_MARK_BYTES 255

enum mt_mark {
	MT_MARK_MOMENT,	    /* that the program named */
	MT_MARK_TEST_BEGIN, /* of a test, of that name */
	MT_MARK_TEST_END, /* of the test that the thread began last; no name */
};

struct mt_meta_mark {
	uint64_t clock;
	uint32_t tid;
	uint32_t mark; /* enum mt_mark */
};

/* Recording stops or goes on: the program asked for it, or start=off did.
 * What happens while it stands still is nowhere in the trace. */
struct mt_meta_pause {
	uint64_t clock;
	uint32_t paused; /* 1: it stops, 0: it goes on */
	uint32_t reserved;
};

/* From `clock` on one block in so many bytes is recorded, by chance, and the
 * free of those. None of these: every event is. Since 1.2; see
 * include/memtrace/sample.h. */
struct mt_meta_rate {
	uint64_t clock;
	uint64_t rate_bytes;
};

struct mt_meta_problem {
	uint32_t problem; /* enum mt_problem */
	uint32_t error;	  /* errno, or 0 */
	uint64_t clock;
};

enum mt_problem {
	MT_PROBLEM_NO_LIVE = 1, /* no live file: a kill loses the last events */
	MT_PROBLEM_WRITE,	/* the trace could not grow: events are lost */
	MT_PROBLEM_MEMORY,	/* no memory: stacks or events are lost */
	MT_PROBLEM_THREADS,	/* more threads at once than slots */
	MT_PROBLEM_MARKS,	/* more marks than are kept */
	MT_PROBLEM_SIGNAL = 20, /* signal=N is not ours to use */
	MT_PROBLEM_NOTES,	/* more notes than are kept */
	MT_PROBLEM_VERDICT,	/* __lsan_do_leak_check() got no verdict */
	MT_PROBLEM_LESS,	/* a ring below its bound: nothing is lost */
};

enum mt_end {
	MT_END_NONE,		/* still running, or killed */
	MT_END_EXIT,		/* exit(), quick_exit() or return from main */
	MT_END_UNDERSCORE_EXIT, /* _exit() or _Exit() */
	MT_END_EXEC,		/* the process is another program now */
	MT_END_SIGNAL,		/* a signal; only a parent can tell */
};

/*
 * A scan: what memory pointed to at one moment, for a reader to tell the
 * blocks that can still be reached from those that are lost. The ranges that
 * were read come first, then the words (MT_STREAM_WORDS) in the order of their
 * addresses within each range, then the scan's own record: without it the
 * scan is not whole. Up to 1.1 these records are in the meta log, since 1.2 in
 * the scans log (MT_STREAM_SCANS), which has the form of the meta log. Each
 * segment of it holds whole records. A scan that was cut short (the process
 * that wrote it was killed) leaves a gap in the numbers of both streams.
 *
 * A word is in the stream when it could be the address of a block: columns of
 * varints, its address in words of 8 bytes minus that of the word before, and
 * its value as a distance (include/memtrace/model.h) from the value before;
 * both start at 0 in each segment.
 */
enum mt_range_kind {
	MT_RANGE_MODULE = 1, /* writable data of a module: roots */
	MT_RANGE_STACK,	     /* of a thread, from its sp outward: roots */
	MT_RANGE_TLS,	     /* memory around a thread's TCB: roots */
	MT_RANGE_HEAP,	     /* [heap]: what lives in it counts */
	MT_RANGE_MAPPING,    /* others: where no block lives, weak roots */
	MT_RANGE_REGISTERS,  /* no range: `start` is a register's value */
	MT_RANGE_UNSEEN,     /* no range: `start` is enum mt_unseen, of `tid` */
};

/* What of a thread a scan has not. */
enum mt_unseen {
	MT_UNSEEN_REGISTERS, /* it was asleep in a system call: its stack is
				there, not all of its registers */
	MT_UNSEEN_THREAD,    /* it ran: its stack is whole, with what is dead */
	MT_UNSEEN_OTHERS,    /* threads beyond those that are listed */
};

struct mt_meta_range {
	uint64_t start, end;
	uint32_t kind; /* enum mt_range_kind */
	uint32_t tid;  /* stacks, registers */
	uint32_t scan; /* counts from 0 */
	uint32_t reserved;
};

enum mt_scan_status {
	MT_SCAN_WHOLE,
	MT_SCAN_UNREADABLE, /* /proc or memory could not be read */
	MT_SCAN_NO_FORK,    /* on request: the process could not be forked */
	MT_SCAN_NO_STOP,    /* on request: no signal was free to stop it by */
	MT_SCAN_TURNED_OFF, /* the program wants none */
};

enum mt_scan_why {
	MT_SCAN_AT_END,
	MT_SCAN_ON_REQUEST,
};

struct mt_meta_scan {
	uint64_t clock; /* blocks live then are what it is about */
	uint64_t first; /* number of its first word in the stream */
	uint64_t words;
	uint32_t scan;	 /* counts from 0 */
	uint32_t status; /* enum mt_scan_status */
	uint32_t node;	 /* the stack that called exit(), or 0 */
	uint32_t tid;	 /* of the thread that did */
	/* Since 1.2: */
	uint32_t why;	   /* enum mt_scan_why */
	uint32_t pause_us; /* on request: threads stood still so long; */
	uint32_t fork_us;  /* of that, the fork */
	uint32_t reserved;
};

/* What of struct mt_meta_scan the versions before 1.2 have. */
#define MT_META_SCAN_OLD_BYTES offsetof(struct mt_meta_scan, why)

/*
 * What the program said of its blocks, through LSan's interface. Between an
 * IGNORE and its HEED, what the thread allocates is not to be called leaked,
 * nor what hangs off it.
 */
enum mt_note {
	MT_NOTE_IGNORE = 1, /* __lsan_disable(), the outermost */
	MT_NOTE_HEED,	    /* __lsan_enable() */
	MT_NOTE_BLOCK,	    /* __lsan_ignore_object(): the one at `address` */
	MT_NOTE_ROOT,	    /* __lsan_register_root_region() */
	MT_NOTE_NO_ROOT,    /* __lsan_unregister_root_region() */
};

/* How many notes a recording keeps. */
#define MT_MAX_NOTES 131072u

struct mt_meta_note {
	uint64_t clock;
	uint64_t address, bytes;
	uint32_t note; /* enum mt_note */
	uint32_t tid;
};

/* What was given up in the whole run. */
struct mt_lost {
	uint64_t events;
	uint64_t stacks; /* events that kept no stack at all */
	uint64_t cut;	 /* events whose stack exceeded MT_MAX_FRAMES */
};

struct mt_meta_end {
	uint32_t end; /* enum mt_end */
	uint32_t signal;
	uint64_t clock, clock_ns;
	struct mt_lost lost;
};

/*
 * The names log: what the analyzer found out about the code addresses, so that
 * it is known where the program's files are not. Entries of varint type,
 * varint bytes and so many bytes of payload; of two about the same thing the
 * later counts. Strings are numbered from 1 in their order, 0 is none.
 */
enum mt_names_type {
	MT_NAMES_STRING = 1, /* text and a NUL */
	/*
	 * varint record number in MT_STREAM_PCS; then of each frame that it
	 * stands for, innermost first, four varints: strings for function
	 * (as people know it), linkage name and file; the line, 0: not known.
	 */
	MT_NAMES_FRAMES,
	/* varint id of the module, varint enum mt_names_state */
	MT_NAMES_MODULE,
};

/* What was known of a module. The numbers are part of the format. */
enum mt_names_state {
	MT_NAMES_LINES,	   /* debug info: functions, files and lines */
	MT_NAMES_SYMBOLS,  /* a symbol table only */
	MT_NAMES_EXPORTS,  /* the exported functions only */
	MT_NAMES_MISSING,  /* its file was not found */
	MT_NAMES_MISMATCH, /* its file was of another build */
};

/*
 * The live file: this head, then regions at multiples of the page size. A
 * region is entered in the directory before it is used; `regions` counts
 * the entries that are valid. The regions of META, PCS or NODES are of equal
 * size and form, by `index`, one array; the counts here say how much of it is
 * valid. An index that is missing was private memory: its records are lost.
 */
#define MT_LIVE_MAGIC "MTlive\1"
#define MT_LIVE_HEAD_BYTES (128u * 1024)

enum mt_region_type {
	MT_REGION_META = MT_STREAM_META,
	MT_REGION_PCS = MT_STREAM_PCS,
	MT_REGION_NODES = MT_STREAM_NODES,
	MT_REGION_SLOT = MT_STREAM_EVENTS, /* struct mt_slot */
	MT_REGION_IMAGE = MT_STREAM_IMAGE, /* a chunk; image.h */
};

struct mt_region {
	uint32_t type;
	uint32_t index;
	uint64_t offset;
	uint64_t bytes;
};

struct mt_live {
	char magic[8];
	uint16_t major, minor;
	uint32_t pid;
	uint64_t start_ticks; /* as in struct mt_meta_process */
	uint32_t end;	      /* enum mt_end, written by the recorder or the */
	uint32_t signal;      /* launcher, which alone knows of signals */
	uint64_t clock, clock_ns; /* a later pair than the start's */
	uint64_t meta_bytes;	  /* committed records of each stream */
	uint64_t pcs;
	uint64_t nodes;
	struct mt_lost lost;
	uint32_t regions;
	uint32_t reserved;
	struct mt_region region[];
};

/*
 * The mailbox: how a program that runs is told to do something. It is the end
 * of the live file's head, since 1.2. Who asks (one at a time, under a lock of
 * the live file, flock(2)) writes `command` and `text`, then makes `asked` one
 * more than `done`. The recorder acts when a thread of the program next looks,
 * then writes `result` and makes `done` the same as `asked`.
 *
 * `hold` is no part of that: who reads the heap image and the segments of a
 * bounded trace sets it ahead, if it is not further ahead already, and lets it
 * run out. Until then, but for no more than MT_MAX_HOLD_NS, the recorder folds
 * no events that it need not, so that both stay as they are.
 */
struct mt_mailbox {
	uint32_t asked, done;
	uint32_t command; /* enum mt_command */
	int32_t result;	  /* 0 or -errno; of a scan: its number */
	char text[MT_MAX_MARK_BYTES + 1];
	uint64_t hold; /* CLOCK_MONOTONIC in ns; 0: nobody reads */
};

#define MT_MAX_HOLD_NS 2000000000u

/* The numbers are part of the format. */
enum mt_command {
	MT_COMMAND_NONE,
	MT_COMMAND_SCAN,
	MT_COMMAND_START,
	MT_COMMAND_STOP,
	MT_COMMAND_MARK, /* `text`: its name */
	MT_COMMAND_SNAPSHOT = 20,
	MT_COMMAND_RATE, /* `text`: bytes, decimal */
};

#define MT_MAILBOX_OFF (MT_LIVE_HEAD_BYTES - 512)

#define MT_MAX_REGIONS \
	((MT_MAILBOX_OFF - sizeof(struct mt_live)) / sizeof(struct mt_region))

/*
 * A thread's buffer in the live file: `count` events, coded as in a segment,
 * the columns at `column_off` from the start of this struct. While `epoch`
 * is odd it is being turned over and holds nothing.
 */
struct mt_slot {
	uint32_t epoch;
	uint32_t count;
	uint32_t thread; /* index, or MT_NO_THREAD */
	uint32_t tid;
	uint64_t first; /* number of its first event in the thread */
	uint64_t base_time;
	uint32_t tick_shift;
	uint32_t reserved;
	uint32_t column_off[MT_COLUMNS];
	uint32_t column_bytes[MT_COLUMNS]; /* capacity */
};

#define MT_NO_THREAD 0xffffffffu

_Static_assert(sizeof(struct mt_pc) == 16, "disk format");
_Static_assert(sizeof(struct mt_node) == 8, "disk format");
_Static_assert(sizeof(struct mt_meta_format) == 16, "disk format");
_Static_assert(sizeof(struct mt_meta_process) == 48, "disk format");
_Static_assert(sizeof(struct mt_meta_module) == 40, "disk format");
_Static_assert(sizeof(struct mt_meta_thread) == 16, "disk format");
_Static_assert(sizeof(struct mt_meta_end) == 48, "disk format");
_Static_assert(sizeof(struct mt_region) == 24, "disk format");
_Static_assert(sizeof(struct mt_live) == 104, "disk format");
_Static_assert(sizeof(struct mt_slot) == 80, "disk format");
_Static_assert(sizeof(struct mt_meta_scan) == 56, "disk format");
_Static_assert(sizeof(struct mt_meta_note) == 32, "disk format");
_Static_assert(sizeof(struct mt_meta_memory) == 72, "disk format");
_Static_assert(sizeof(struct mt_meta_snapshot) == 40, "disk format");
_Static_assert(sizeof(struct mt_meta_cgroup) == 48, "disk format");
_Static_assert(sizeof(struct mt_meta_rate) == 16, "disk format");
_Static_assert(sizeof(struct mt_mailbox) == 280, "disk format");

#endif
