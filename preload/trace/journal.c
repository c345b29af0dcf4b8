/* SPDX-License-Identifier: MIT */
/*
 * The trace file; see journal.h.
 *
 * At every instant the file is a valid Zstandard stream, whatever kills us
 * between two instructions or in the middle of a write. How:
 *
 *  - The file ends with reserved space, one skippable frame a page. It grows
 *    by pages that each hold such a frame already; a write that is cut short
 *    by a signal is cut between pages.
 *  - A thread claims a part of the space under the lock. It first makes the
 *    frame at the claim's start cover all pages that the claim touches, then
 *    writes a new frame's head behind the claim, then shortens the first
 *    frame to the claim. Each is a write of 8 bytes at a multiple of 8, which
 *    is there or not.
 *  - It fills the claim without the lock: that is inside a skippable frame.
 *    Last it turns the head of the claim, with one write of 8 bytes, into
 *    that of the segment.
 *
 * So a claim that was never finished stays space, and readers pass over it.
 *
 * A trace that is bounded grows up to its bound; then ring.h says where the
 * next segment goes. What it takes over is space already: a segment whose
 * events were folded becomes space by one write of 8 bytes, as a segment once
 * came to be, and several pieces of space become one likewise.
 * A child of ours that scans its copy of the memory appends too. It has a copy
 * of all this but of the tail, where the file ends, which is shared with it
 * then, with a word that says whose it is. Whoever has it may be killed: the
 * child is dead when it cannot be told of, we are when we are not its parent.
 * What was half done then needs no repair, since the tail is moved last: a
 * claim that is begun again does all over, and nothing was filled in yet.
 */
#include "journal.h"

#include <errno.h>
#include <string.h>

#include "arena.h"
#include "file.h"
#include "press.h"
#include "process.h"
#include "sys.h"

#define GROW_PAGES 16
/* Frames that the queue has room for at first. */
#define FIRST_FRAMES 1024
/* Definitions are given pieces of the bound, once the file is a ring. */
#define PIECE_PART 64
/* So often a claim waits a millisecond for events to be folded. */
#define FOLD_TRIES 20
/* Space that events leave to what a reader must have, on a full disk. */
#define SPARE_BYTES (64 * 1024)
/* Nothing of what a trace has on a full disk is given up below that. */
#define LEAST_BYTES (512u * 1024)

/* Where the file ends. */
struct tail {
	uint32_t owner;	   /* enum owner, of this struct */
	uint32_t closed;   /* nothing is appended any more */
	uint64_t end;	   /* where the next claim starts */
	uint64_t reserved; /* bytes of the file, in whole pages */
};

enum owner {
	NOBODY,
	PARENT,
	CHILD,
};

static struct {
	struct sys_lock lock; /* of what follows, down to `pages` */
	struct mt_file file;
	struct mt_ring ring;
	bool closing;		   /* nothing is folded any more */
	uint64_t piece, piece_end; /* space for definitions */
	bool allow_less;	   /* than the bound, when it cannot grow */
	int stuck;		   /* why it could not; 0: it could */
	struct tail *tail; /* `own`, or once there was a child a shared one */
	struct tail own;
	long child; /* that appends; 0: none; -1: one that is not known yet */
	unsigned int child_of; /* in the child: our parent; else 0 */
	uint8_t *pages;	       /* GROW_PAGES of empty space, to write */
	int level;
	bool (*fold)(void); /* without the lock */
	uint8_t *packed;    /* a segment as it is in the file, to be folded */
} journal;

/* Write all of `buf`; 0 or -errno. */
static int write_all(int fd, const void *buf, size_t n, uint64_t off)
{
	const char *p = buf;

	while (n) {
		long done = sys_pwrite(fd, p, n, off);

		if (done <= 0)
			return done ? (int)done : -EIO;
		p += done;
		off += (uint64_t)done;
		n -= (size_t)done;
	}
	return 0;
}

/* Write the 8 bytes of a skippable frame's head; it covers up to `to`. */
static int write_head(int fd, uint32_t magic, uint64_t off, uint64_t to)
{
	uint32_t head[2] = {magic, (uint32_t)(to - off - 8)};

	return write_all(fd, head, sizeof(head), off);
}

/* Whether the one that has the tail is gone. */
static bool is_owner_gone(void)
{
	if (journal.child_of)
		return sys_parent_pid() != journal.child_of;
	return journal.child >= 0 && sys_has_ended(journal.child);
}

/*
 * Take the tail, of which another process may have the lock; false: this is
 * the child, and its parent is gone.
 */
static bool take_tail(void)
{
	uint32_t me = journal.child_of ? CHILD : PARENT;

	for (unsigned int tries = 1;; tries++) {
		uint32_t free = NOBODY;

		if (__atomic_compare_exchange_n(&journal.tail->owner, &free, me,
						false, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return true;
		sys_sleep_us(20);
		if (tries % 16 || !is_owner_gone())
			continue;
		if (journal.child_of)
			return false;
		__atomic_compare_exchange_n(&journal.tail->owner, &free, NOBODY,
					    false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED);
	}
}

static void give_tail(void)
{
	__atomic_store_n(&journal.tail->owner, NOBODY, __ATOMIC_RELEASE);
}

/* Add pages of space until the file has `bytes`; 0 or -errno. */
static int grow(int fd, uint64_t bytes)
{
	uint64_t limit = sys_file_limit();

	while (journal.tail->reserved < bytes) {
		uint64_t n = GROW_PAGES * MT_PAGE_BYTES;
		int error;

		if (n > limit - journal.tail->reserved)
			n = MT_PAGE_BYTES;
		error = write_all(fd, journal.pages, n, journal.tail->reserved);
		if (error) {
			sys_truncate(fd, journal.tail->reserved);
			return error;
		}
		journal.tail->reserved += n;
	}
	return 0;
}

/* Make one piece of space of [start, end), then two, the first of `bytes`. */
static int split_space(int fd, uint64_t start, uint64_t bytes, uint64_t end)
{
	int error = write_head(fd, MT_SKIP_SPACE, start, end);

	if (!error && start + bytes < end)
		error = write_head(fd, MT_SKIP_SPACE, start + bytes, end);
	if (!error && start + bytes < end)
		error = write_head(fd, MT_SKIP_SPACE, start, start + bytes);
	return error;
}

/*
 * Claim `bytes` at the end of the file, which leaves `spare` bytes of space
 * behind them; 0 or -errno.
 */
static int claim_more(int fd, uint64_t bytes, uint64_t spare, uint64_t *off)
{
	uint64_t start = journal.tail->end, end = start + bytes;
	uint64_t needed = MT_ALIGN_UP(end + 8 + spare, MT_PAGE_BYTES);
	int error;

	if (journal.tail->closed)
		return -EBADF;
	/* Beyond the limit a write would be SIGXFSZ for the program. */
	if (needed > sys_file_limit())
		return -EFBIG;
	error = grow(fd, needed);
	if (!error)
		error = split_space(fd, start, bytes,
				    MT_ALIGN_UP(end, MT_PAGE_BYTES));
	if (!error)
		journal.tail->end = end;
	*off = start;
	return error;
}

/* Make room in the queue for three frames more; 0 or -errno. */
static int grow_queue(void)
{
	struct mt_ring *r = &journal.ring, old = *r;

	if (r->back - r->front + 3 <= r->room)
		return 0;
	r->room = old.room ? 2 * old.room : FIRST_FRAMES;
	r->frame = sys_map(r->room * sizeof(*r->frame), SYS_FORK_COPY);
	if (!r->frame) {
		*r = old;
		return -ENOMEM;
	}
	for (uint64_t i = r->front; i < r->back; i++)
		*mt_ring_frame(r, i) = *mt_ring_frame(&old, i);
	if (old.frame)
		sys_unmap(old.frame, old.room * sizeof(*old.frame));
	return 0;
}

/* Whether an error is that the file cannot grow. */
static bool is_full(int error)
{
	return error == -ENOSPC || error == -EDQUOT || error == -EFBIG;
}

/* Claim `bytes` where the ring says, as claim_in_ring(). */
static int claim_place(int fd, uint64_t bytes, struct mt_ring_frame *frame,
		       uint64_t *number)
{
	struct mt_ring *r = &journal.ring;
	uint64_t spare = frame->state == MT_RING_WRITING ? SPARE_BYTES : 0;
	enum mt_ring_place place = mt_ring_find(r, bytes);
	int error;

	journal.tail->end = r->tail;
	if (place == MT_RING_BLOCKED) {
		error = journal.closing
				? claim_more(fd, bytes, spare, &frame->offset)
				: -EAGAIN;
		return is_full(error) ? -EAGAIN : error;
	}
	if (place == MT_RING_GROW)
		error = claim_more(fd, bytes, spare, &frame->offset);
	else
		error = split_space(fd, r->at, bytes, r->end);
	if (error)
		return error;
	journal.tail->end = mt_ring_take(r, bytes, frame);
	*number = r->back - 1;
	return 0;
}

/*
 * Claim `bytes` (a multiple of 8) where the ring says. The frame is filled in
 * but for where it is. 0 or -errno; -EAGAIN: events are to be folded first.
 */
static int claim_in_ring(int fd, uint64_t bytes, struct mt_ring_frame *frame,
			 uint64_t *number)
{
	struct mt_ring *r = &journal.ring;
	uint64_t spare = frame->state == MT_RING_WRITING ? SPARE_BYTES : 0;
	int error;

	/* A child keeps to the file's end; the ring is its parent's. */
	if (!r->bound || journal.child_of)
		return claim_more(fd, bytes, spare, &frame->offset);
	error = grow_queue();
	if (error)
		return error;
	mt_ring_follow(r, journal.tail->end, journal.tail->reserved);
	error = claim_place(fd, bytes, frame, number);
	if (is_full(error) && !r->wrapped && journal.allow_less) {
		journal.stuck = -error;
		mt_ring_wrap(r);
		error = claim_place(fd, bytes, frame, number);
	}
	return error;
}

/*
 * Claim space for definitions, from a larger piece of it once the file is a
 * ring: it must not be cut in ever smaller pieces by what is there for good.
 */
static int claim_definition(int fd, uint64_t bytes, struct mt_ring_frame *frame)
{
	struct mt_ring *r = &journal.ring;
	uint64_t number, piece = mt_ring_bytes(r) / PIECE_PART;
	int error;

	/* What comes at the end takes the place of events, as far as it can. */
	frame->state = journal.closing ? MT_RING_LAST : MT_RING_PINNED;
	if (!r->wrapped || journal.child_of || journal.closing)
		return claim_in_ring(fd, bytes, frame, &number);
	if (journal.piece_end - journal.piece < bytes) {
		piece = MT_ALIGN_UP(piece > bytes ? piece : bytes, 8ul);
		error = claim_in_ring(fd, piece, frame, &number);
		if (error)
			return error;
		journal.piece = frame->offset;
		journal.piece_end = frame->offset + piece;
	}
	error = split_space(fd, journal.piece, bytes, journal.piece_end);
	frame->offset = journal.piece;
	if (!error)
		journal.piece += bytes;
	return error;
}

/* Claim space for a segment; of events, it is frame `*number`. */
static int claim(int fd, const struct mt_segment *head, uint64_t bytes,
		 struct mt_ring_frame *frame, uint64_t *number)
{
	*number = 0;
	*frame = (struct mt_ring_frame){
		.first = head->first,
		.count = head->count,
		.thread = head->thread,
		.base_time = head->base_time,
		.tick_shift = head->tick_shift,
		.state = MT_RING_WRITING,
	};
	if (head->stream == MT_STREAM_EVENTS)
		return claim_in_ring(fd, bytes, frame, number);
	return claim_definition(fd, bytes, frame);
}

/* Claim space under the lock, folding what is in the way. */
static int claim_patiently(const struct mt_segment *head, uint64_t bytes,
			   struct mt_ring_frame *frame, uint64_t *number,
			   int *fd)
{
	int error;

	for (int tries = 0; tries < FOLD_TRIES;) {
		struct sys_signals old = sys_lock(&journal.lock);

		*fd = mt_file_fd(&journal.file);
		error = -EBADF;
		if (*fd >= 0 && take_tail()) {
			error = claim(*fd, head, bytes, frame, number);
			give_tail();
		}
		sys_unlock(&journal.lock, old);
		if (error != -EAGAIN || !journal.fold)
			return error;
		mt_file_done(&journal.file, *fd);
		*fd = -1;
		if (!journal.fold()) {
			sys_sleep_us(1000);
			tries++;
		}
	}
	return -ENOSPC;
}

/* Say what a frame has become. */
static void settle(uint64_t number, enum mt_ring_state state)
{
	struct sys_signals old = sys_lock(&journal.lock);
	struct mt_ring_frame *f = mt_ring_frame(&journal.ring, number);

	f->state = state;
	if (state == MT_RING_FREE)
		journal.ring.free += f->bytes;
	sys_unlock(&journal.lock, old);
}

/* Claim space for a segment, fill it, and make it one; 0 or -errno. */
static int write_segment(const struct mt_segment *head, const uint8_t *segment,
			 size_t bytes)
{
	struct mt_ring_frame frame;
	uint64_t number = 0;
	int fd, error;

	error = claim_patiently(head, bytes, &frame, &number, &fd);
	if (!error)
		error = write_all(fd, segment + 8, bytes - 8, frame.offset + 8);
	if (!error)
		error = write_all(fd, segment, 8, frame.offset);
	mt_file_done(&journal.file, fd);
	if (number)
		settle(number, error ? MT_RING_FREE : MT_RING_EVENTS);
	return error;
}

int mt_journal_append(struct mt_segment *head, const struct mt_bytes *extra,
		      const struct mt_bytes *columns, unsigned int count)
{
	struct mt_pressing p = {
		.head = head,
		.extra = extra,
		.columns = columns,
		.count = count,
		.level = journal.level,
		.write = write_segment,
	};

	return mt_press(&p);
}

/* ---- What is folded. ---- */

void mt_journal_allow_less(void)
{
	__atomic_store_n(&journal.allow_less, true, __ATOMIC_RELAXED);
}

uint64_t mt_journal_bound(void)
{
	return mt_ring_bytes(&journal.ring);
}

int mt_journal_stuck(void)
{
	return __atomic_load_n(&journal.stuck, __ATOMIC_RELAXED);
}

void mt_journal_give_up(uint64_t bytes)
{
	struct sys_signals old = sys_lock(&journal.lock);
	struct mt_ring *r = &journal.ring;
	const struct mt_ring_frame *f = NULL;
	int fd = mt_file_fd(&journal.file);

	/* The head stays, and what is no whole page. */
	if (fd >= 0 && r->file_end - r->pinned > LEAST_BYTES)
		f = mt_ring_give_up(r, bytes + 2 * MT_PAGE_BYTES);
	if (f) {
		uint64_t end = f->offset + f->bytes;
		uint64_t from = MT_ALIGN_UP(f->offset + 8, MT_PAGE_BYTES);

		if (!write_head(fd, MT_SKIP_SPACE, f->offset, end))
			sys_punch(fd, from,
				  (end & ~(MT_PAGE_BYTES - 1)) - from);
	}
	mt_file_done(&journal.file, fd);
	sys_unlock(&journal.lock, old);
}

uint64_t mt_journal_left(void)
{
	return mt_ring_left(&journal.ring);
}

bool mt_journal_frame(uint64_t *number, struct mt_ring_frame *f)
{
	struct sys_signals old;
	bool there;

	/* Mostly there is none: not worth waiting for the lock. */
	if (*number >= __atomic_load_n(&journal.ring.back, __ATOMIC_ACQUIRE))
		return false;
	old = sys_lock(&journal.lock);

	if (*number < journal.ring.front)
		*number = journal.ring.front;
	there = *number < journal.ring.back;
	if (there)
		*f = *mt_ring_frame(&journal.ring, *number);
	sys_unlock(&journal.lock, old);
	return there && f->state != MT_RING_WRITING;
}

void mt_journal_closes(void)
{
	struct sys_signals old = sys_lock(&journal.lock);

	journal.closing = true;
	sys_unlock(&journal.lock, old);
}

void mt_journal_link(uint64_t number, uint64_t next)
{
	mt_ring_frame(&journal.ring, number)->next = next;
}

void mt_journal_free(uint64_t number)
{
	struct sys_signals old = sys_lock(&journal.lock);
	struct mt_ring_frame *f = mt_ring_frame(&journal.ring, number);
	int fd = mt_file_fd(&journal.file);

	if (fd >= 0 &&
	    !write_head(fd, MT_SKIP_SPACE, f->offset, f->offset + f->bytes)) {
		f->state = MT_RING_FREE;
		journal.ring.free += f->bytes;
	} else {
		f->state = MT_RING_PINNED;
	}
	mt_file_done(&journal.file, fd);
	sys_unlock(&journal.lock, old);
}

/* Read a frame of the file into `packed`. */
static bool read_packed(const struct mt_ring_frame *f)
{
	struct sys_signals old = sys_lock(&journal.lock);
	int fd = mt_file_fd(&journal.file);
	uint64_t done = 0;
	long n = 1;

	sys_unlock(&journal.lock, old);
	while (fd >= 0 && n > 0 && done < f->bytes) {
		n = sys_pread(fd, journal.packed + done, f->bytes - done,
			      f->offset + done);
		done += n > 0 ? (uint64_t)n : 0;
	}
	mt_file_done(&journal.file, fd);
	return done == f->bytes;
}

bool mt_journal_read(const struct mt_ring_frame *f,
		     struct mt_journal_events *events)
{
	struct mt_segment *head = &events->head;

	if (!journal.packed)
		journal.packed = sys_map(MT_PRESSED_BYTES, SYS_FORK_COPY);
	if (!journal.packed || f->bytes > MT_PRESSED_BYTES || !read_packed(f))
		return false;
	memcpy(head, journal.packed, sizeof(*head));
	events->packed = journal.packed + sizeof(*head);
	events->packed_end = events->packed + head->extra_bytes;
	return mt_unpress(journal.packed + 8 + head->skip_bytes,
			  journal.packed + f->bytes, events->buffer,
			  &events->columns);
}

void mt_journal_when_full(bool (*fold)(void))
{
	journal.fold = fold;
}

int mt_journal_open(const char *path, int level, uint64_t bound)
{
	int error, fd;

	memset(&journal, 0, sizeof(journal));
	mt_press_reset();
	journal.tail = &journal.own;
	journal.level = level;
	journal.ring.bound = bound;
	journal.ring.front = journal.ring.back = 1;
	journal.pages = mt_arena_alloc(GROW_PAGES * MT_PAGE_BYTES);
	if (!journal.pages)
		return -ENOMEM;
	for (int i = 0; i < GROW_PAGES; i++) {
		uint32_t head[2] = {MT_SKIP_SPACE, MT_PAGE_BYTES - 8};

		memcpy(journal.pages + i * MT_PAGE_BYTES, head, sizeof(head));
	}
	error = mt_file_create(&journal.file, path);
	if (error)
		return error;
	/* On a full disk, better no trace than one of no bytes. */
	fd = mt_file_fd(&journal.file);
	if (fd < 0)
		error = -EMFILE;
	else if (sys_file_limit() < MT_PAGE_BYTES)
		error = -EFBIG;
	else
		error = grow(fd, MT_PAGE_BYTES);
	mt_file_done(&journal.file, fd);
	if (error) {
		sys_unlink(path);
		mt_file_close(&journal.file);
	}
	return error;
}

void mt_journal_close(void)
{
	struct sys_signals old = sys_lock(&journal.lock);
	int fd = mt_file_fd(&journal.file);

	if (fd >= 0 && take_tail()) {
		journal.tail->closed = true;
		sys_truncate(fd, journal.tail->end);
		give_tail();
	}
	mt_file_done(&journal.file, fd);
	mt_file_close(&journal.file);
	sys_unlock(&journal.lock, old);
}

bool mt_journal_share(void)
{
	struct sys_signals old;
	struct tail *shared = journal.tail;

	if (shared == &journal.own) {
		shared = sys_map_shared(sizeof(*shared));
		if (!shared)
			return false;
		old = sys_lock(&journal.lock);
		*shared = journal.own;
		journal.tail = shared;
		sys_unlock(&journal.lock, old);
	}
	journal.child = -1;
	sys_share_with_forks(shared, sizeof(*shared), true);
	return true;
}

void mt_journal_shared(long child)
{
	journal.child = child;
	sys_share_with_forks(journal.tail, sizeof(*journal.tail), false);
}

int mt_journal_in_child(unsigned int parent)
{
	journal.child_of = parent;
	journal.lock.word = 0;
	mt_press_reset();
	journal.fold = NULL;
	return mt_file_fd(&journal.file);
}

void mt_journal_reset(void)
{
	struct mt_ring *r = &journal.ring;

	if (r->frame)
		sys_unmap(r->frame, r->room * sizeof(*r->frame));
	mt_file_close(&journal.file);
}

void mt_journal_detach(void)
{
	journal.own.closed = true;
	journal.tail = &journal.own;
}
