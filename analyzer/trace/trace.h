/* SPDX-License-Identifier: MIT */
/*
 * A trace as read from its file, and from the live file beside it while there
 * is one: who was recorded, its modules, stacks and threads, and where each
 * thread's events are. The events themselves are read through cursor.h.
 *
 * The input is untrusted. Damage never stops the reading: the segments that
 * are whole are used, the first thing that was wrong is kept in `damage`.
 */
#ifndef ANALYZER_TRACE_H
#define ANALYZER_TRACE_H

#include <memtrace/model.h>

#include "map.h"
#include "symframe.h"
#include "util.h"

/* A run of records of one stream: in the trace, or a slot of the live file. */
struct trace_segment {
	uint64_t offset;     /* of its head, in its file */
	const uint8_t *data; /* zstd frames; live: the struct mt_slot */
	uint64_t data_bytes; /* live: of the slot's region */
	uint64_t first;	     /* number of its first record */
	uint64_t base_time;  /* events: no event is earlier; clock units */
	uint32_t count;	     /* records */
	uint32_t thread;     /* events: index of the thread */
	uint16_t stream;     /* enum mt_stream */
	uint8_t columns;
	uint8_t tick_shift;
	bool live;
};

struct trace_segments {
	struct trace_segment *at;
	size_t count, room;
};

/* What the sealed segments of a stream take. */
struct trace_stream {
	uint64_t segments, records, bytes; /* bytes: compressed */
	uint64_t raw_bytes; /* of what was decompressed at the opening */
};

/* The streams' numbers are below. */
#define TRACE_STREAMS (MT_STREAM_IMAGE + 1)

struct trace_thread {
	uint32_t index;
	uint32_t tid; /* 0: not known */
	char *name;   /* the last it had, or NULL */
	/* With an image: events that are in it; and those of the segments
	 * whose index entries are. */
	uint64_t folded, entered;
	struct trace_segments segments; /* by number of the first event */
};

struct trace_module {
	char *path;
	uint8_t *build_id;
	uint32_t build_id_bytes;
	uint64_t bias, start, end; /* file address = pc - bias */
	bool unloaded;		   /* since when, that may be reused */
	bool named;		   /* the trace has names, and with them: */
	enum sym_state names;
};

struct trace_problem {
	uint32_t problem; /* enum mt_problem */
	uint32_t error;	  /* errno, or 0 */
	char *text;
};

/* A moment that the program named. */
struct trace_mark {
	uint64_t clock;
	uint32_t tid;
	uint32_t mark; /* enum mt_mark */
	char *name;
};

/* A range of memory that a scan read; path NULL: of no file. */
struct trace_range {
	uint64_t start, end;
	uint32_t kind; /* enum mt_range_kind */
	uint32_t tid, scan;
	char *path;
};

/* Private anonymous memory: [start, end), and what of it is resident. */
struct trace_extent {
	uint64_t start, end, resident;
	bool heap; /* it is [heap] */
};

/* A look at the resident set. */
struct trace_memory {
	struct mt_meta_memory m;
	struct trace_extent *extent; /* in the order of addresses */
	size_t count;
};

/* How the recording ended, beyond what enum mt_end says. */
enum trace_state {
	TRACE_ENDED,   /* `end` says how */
	TRACE_KILLED,  /* nothing says how, the process is gone */
	TRACE_RUNNING, /* the process is still there */
};

struct trace {
	char *path, *live_path; /* live_path: NULL when there is none */
	const uint8_t *map, *live;
	uint64_t map_bytes, live_bytes;

	uint16_t major, minor;
	struct mt_meta_process process;
	uint64_t end_clock, end_clock_ns; /* the latest pair known */
	enum trace_state state;
	uint32_t end; /* enum mt_end */
	uint32_t signal;
	struct mt_lost lost; /* as the recorder counted */

	char *exe, *host, *allocator, *options, *parent; /* may be NULL */
	char *command; /* arguments, a NUL behind each */
	size_t command_bytes;

	struct trace_module *modules; /* by id; path NULL: not described */
	size_t module_count;
	struct mt_pc *pcs;
	size_t pc_count;
	struct mt_node *nodes; /* parent < id and pc < pc_count hold */
	size_t node_count;
	struct trace_thread *threads; /* by index, those with events or names */
	size_t thread_count;
	struct trace_problem *problems;
	size_t problem_count;
	struct mt_meta_resident *residents; /* in the order of time, nearly */
	size_t resident_count;
	struct trace_mark *marks; /* the same */
	size_t mark_count;
	struct mt_meta_pause *pauses; /* the same */
	size_t pause_count;
	struct mt_meta_rate *rates; /* the same; none: nothing is sampled */
	size_t rate_count;
	struct mt_meta_scan *scans; /* those that are whole or say why not */
	size_t scan_count;
	struct trace_range *ranges;
	size_t range_count;
	struct mt_meta_note *notes; /* in the order of time, nearly */
	size_t note_count;
	char *suppressions;	       /* the program's own, or NULL */
	struct trace_memory *memories; /* in the order of time, nearly */
	size_t memory_count;
	struct mt_meta_snapshot *snapshots; /* the same */
	size_t snapshot_count;
	struct mt_meta_cgroup *cgroups; /* the same */
	size_t cgroup_count;
	char *cgroup; /* the directory of the control group, or NULL */

	struct trace_stream streams[TRACE_STREAMS]; /* by enum mt_stream */

	struct error damage; /* the first that was found */
	bool truncated;	     /* the file ends inside a segment */
	bool live_missing;   /* unfinished, and no live file found */
	uint64_t missing;    /* events between or in segments, not read */
	uint64_t lost_found; /* of lost.events: where segments are lacking */

	bool live_is_copy; /* of a process that still runs */
	bool torn;	   /* the same: of the events that were sealed meanwhile
			 some may be torn; the live file has them */
	bool follows;	   /* by trace_follow(): the image is left out, and
			      what was read may be written over */
	uint64_t cut; /* clock value up to which it is whole; UINT64_MAX: all */

	struct trace_names *names; /* that it carries, or NULL */
	struct image *image;	   /* what was folded, or NULL; see image.h */

	/* The rest is trace.c's, meta.c's and live.c's own. */
	struct trace_segments segments[TRACE_STREAMS];
	struct map thread_at; /* index -> place in `threads` */
	size_t thread_room, module_room, problem_room, scan_room, range_room,
		resident_room, mark_room, pause_room, note_room, memory_room,
		snapshot_room, cgroup_room, rate_room;
	uint8_t *meta, *names_log, *scans_log;
	size_t meta_bytes, names_log_bytes, scans_log_bytes, pc_room, node_room;
	void *unzip; /* ZSTD_DCtx */
};

/*
 * Read all of a trace but its events. 0, or -1 with `e` filled when there is
 * nothing to report about; `t` is to be closed in either case.
 */
int trace_open(struct trace *t, const char *path, struct error *e);

/*
 * Read what there is by now of a trace that is being recorded, `before` being
 * what there was: without the heap image, so cheaply, and for those only who
 * have had its first events. 0, or -1 with `e` filled. The trace is to be
 * opened anew if it is not of the same run any more; and when the events are
 * read, if some were gone: trace_is_behind(), told before what clock value
 * those are who were had already.
 */
int trace_follow(struct trace *t, const struct trace *before, struct error *e);
bool trace_is_same_run(const struct trace *t, const struct trace *before);
bool trace_is_behind(const struct trace *t, uint64_t clock);

/* Give back what takes much memory of a trace whose events were read: the
 * files, and the image. */
void trace_shrink(struct trace *t);

/*
 * Have a look at a trace that may be being written: who it is of, and whether
 * it runs. As trace_open(), but neither the events nor the heap image are to
 * be had.
 */
int trace_peek(struct trace *t, const char *path, struct error *e);

void trace_close(struct trace *t);

/* Convert a clock value to ns since the start of the recording. */
uint64_t trace_ns(const struct trace *t, uint64_t clock);

/* Convert a span of clock values to ns. */
uint64_t trace_span_ns(const struct trace *t, uint64_t span);

/* Convert ns since the start of the recording to a clock value. */
uint64_t trace_clock(const struct trace *t, uint64_t ns);

/* Take note that there was an event at a clock value: it lasted till then. */
void trace_extend(struct trace *t, uint64_t clock);

/* Return how long the recording lasted in ns. */
uint64_t trace_duration_ns(const struct trace *t);

/* Return the name of how it ended: "exit", "_exit", "signal", "killed"... */
const char *trace_end_name(const struct trace *t);

/*
 * Return how many frames the trace itself says that record `pc` of the code
 * addresses stands for, innermost first; 0: it does not say.
 */
size_t trace_frames(const struct trace *t, uint32_t pc,
		    const struct sym_frame **frame);

/* A whole segment or space of the file. Zeroed is before the first. */
struct trace_part {
	uint64_t offset, bytes;
	unsigned int stream; /* enum mt_stream; 0: space */
};

/* Find the next one, past what is not whole; false when there is none. */
bool trace_next_part(const struct trace *t, struct trace_part *p);

/* Is shown a head of sealed events, and its packed histogram. */
typedef void trace_entry(void *context, const struct mt_segment *head,
			 const uint8_t *packed);

/*
 * Show the index entries of all sealed events, thread by thread in the order
 * of events: nothing is decompressed. Returns the events of the live file,
 * which has no entries.
 */
uint64_t trace_entries(const struct trace *t, trace_entry *each, void *context);

/* What the index entries say together. */
struct trace_histogram {
	uint64_t requested[MT_SIZE_CLASSES]; /* allocations by size */
	uint64_t usable[MT_SIZE_CLASSES];    /* and by usable size */
	uint64_t freed[MT_SIZE_CLASSES];     /* frees by usable size */
	uint64_t allocations, frees;
	uint64_t allocated_bytes, allocated_usable_bytes, freed_usable_bytes;
	uint64_t unsealed; /* as trace_entries() returns it */
};

void trace_histogram(const struct trace *t, struct trace_histogram *h);

/* Add the entries of what was sealed since the last call for this trace, as it
 * was then; see trace_follow(). */
void trace_enter(struct trace *t, struct trace_histogram *h);

/* index.c, for trace.c: walk the file and enter its segments, damage is noted;
 * sort a list by the first record. */
void index_file(struct trace *t);
void index_sort(struct trace_segments *s);

/*
 * index.c, for entries.c: copy a segment's head and its histogram, for which
 * there is room for TRACE_MAX_EXTRA bytes. False: they are not there (any
 * more).
 */
#define TRACE_MAX_EXTRA (1u << 14)
bool trace_copy_entry(const struct trace *t, const struct trace_segment *s,
		      struct mt_segment *head, uint8_t *packed);

/* A buffer for the raw columns of one segment. */
struct trace_buffer {
	uint8_t *bytes;
	size_t room;
};

/*
 * Point `c` at the raw columns of a segment, decompressed into `b` unless it
 * is live. 0, or -1 with the damage noted in the trace.
 */
int trace_read_columns(struct trace *t, const struct trace_segment *s,
		       struct trace_buffer *b, struct mt_columns *c);

/*
 * Decompress the sealed events and words, which the opening leaves alone, so
 * that `raw_bytes` of all streams are complete. `progress` is told of bytes.
 * What is damaged is noted and left out.
 */
void trace_complete_raw_bytes(struct trace *t,
			      void (*progress)(uint64_t done, uint64_t total));

/*
 * Call for each word of a scan, in the order of the stream. 0, or -1 when some
 * are missing, with the damage noted in the trace.
 */
int trace_words(struct trace *t, const struct mt_meta_scan *scan,
		void (*each)(void *context, uint64_t address, uint64_t value),
		void *context);

/* Make a scan, by its number, the last one: forget those after it. False:
 * there is none of that number. */
bool trace_choose_scan(struct trace *t, uint32_t number);

/* Give the memory behind a segment's mapping back to the kernel. */
void trace_forget(struct trace *t, const struct trace_segment *s);

/* Note that `events` of a segment cannot be had. */
void trace_note_missing(struct trace *t, const struct trace_segment *s,
			uint64_t events, const char *why);

/* Return the thread of an index, entered when it is new. */
struct trace_thread *trace_thread(struct trace *t, uint32_t index);

/* meta.c: take the meta log apart. -1 when it is not a trace we can read. */
int meta_parse(struct trace *t, struct error *e);

/* noted.c: take a record of MEMORY, SNAPSHOT or CGROUP. */
void noted_parse(struct trace *t, unsigned int type, const uint8_t *bytes,
		 size_t n);
void noted_free(struct trace *t);

/* names.c: take the names log apart. */
void names_parse(struct trace *t);
void names_free(struct trace *t);

/*
 * image.c: read the heap image of a trace, if it has one, into t->image, and
 * into its threads how far they are folded. What is not sound of it is noted
 * as damage; the image is left out then.
 */
void image_read(struct trace *t);
void image_free(struct trace *t);

/* live.c: find and map the live file, and enter what it holds. */
void live_open(struct trace *t);
/* Tell whether the live file of a path has a heap image, and its state; see
 * memtrace/image.h. */
bool live_image_state(const char *path, uint64_t *state);
/* Return the clock of the last event in it, 0 if there is none. */
uint64_t live_image_clock(const char *path);
/*
 * Give `t` a copy of the live file of a path, which is being written: of the
 * heap image, or of the rest, which can be had in this order. False: it is not
 * there.
 */
enum live_part { LIVE_IMAGE, LIVE_REST };
bool live_copy(struct trace *t, const char *path, enum live_part part);
/*
 * snapshot.c: give `t` copies of the live file and, if it has a heap image, of
 * the trace of `from`, which are of one moment. -1 and `e` filled: it could not
 * be had. `t` has no live file then if the recording has ended meanwhile.
 */
int snapshot_take(struct trace *t, const struct trace *from, struct error *e);
/* Give it a copy of the live file only, without the image, for `cut`. False:
 * it is not there. */
bool snapshot_buffers(struct trace *t, const struct trace *from);
void live_read_streams(struct trace *t);
void live_add_slots(struct trace *t);
/* Return a chunk of the heap image from region `*i` on, which is stepped
 * over; false: there is none. */
bool live_chunk(const struct trace *t, uint32_t *i, uint32_t *index,
		const uint8_t **bytes, uint64_t *n);

/*
 * trace.c, for live.c: append records of a stream, the first of them with
 * the number `first`; those that are there already are skipped. -1: a gap.
 */
int trace_append_meta(struct trace *t, uint64_t first, const uint8_t *bytes,
		      uint64_t n);
int trace_append_pcs(struct trace *t, uint64_t first, const uint8_t *bytes,
		     uint64_t n);
int trace_append_node(struct trace *t, uint64_t number, struct mt_node node);

#endif
