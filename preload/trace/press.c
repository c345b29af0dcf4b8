/* SPDX-License-Identifier: MIT */
/* Segments as they are in the file; see press.h. */
#include "press.h"

#include <errno.h>
#include <string.h>

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include "sys.h"

#define PRESSES 4
#define STACK_BYTES (64 * 1024)

/* What one thread at a time compresses with. */
struct press {
	struct sys_lock lock;
	ZSTD_CCtx *zstd;
	uint8_t *out;	/* MT_PRESSED_BYTES: head, extra, then zstd frames */
	uint8_t *stack; /* STACK_BYTES: the program's may be too small */
};

static struct {
	struct press press[PRESSES];
	ZSTD_DCtx *unzip;
} presses;

/* Give a press its memory at its first use; false: there is none. */
static bool is_ready(struct press *press, int level)
{
	size_t most = 0;

	if (press->zstd)
		return true;
	for (size_t bytes = 1024; bytes <= MT_JOURNAL_COLUMN_BYTES;
	     bytes *= 2) {
		size_t n = ZSTD_estimateCCtxSize_usingCParams(
			ZSTD_getCParams(level, bytes, 0));

		if (n > most)
			most = n;
	}

	void *workspace = sys_map(most, SYS_FORK_COPY);

	press->out = sys_map(MT_PRESSED_BYTES, SYS_FORK_COPY);
	press->stack = sys_map(STACK_BYTES, SYS_FORK_COPY);
	if (workspace && press->out && press->stack)
		press->zstd = ZSTD_initStaticCCtx(workspace, most);
	if (!press->zstd)
		return false;
	ZSTD_CCtx_setParameter(press->zstd, ZSTD_c_checksumFlag, 1);
	ZSTD_CCtx_setParameter(press->zstd, ZSTD_c_literalCompressionMode,
			       ZSTD_ps_enable);
	return true;
}

/* Take a press: a free one, else wait for the one of this thread's turn. */
static struct press *take(struct sys_signals *old)
{
	static uint32_t turn;
	uint32_t mine = __atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED);

	for (uint32_t i = 0; i < PRESSES; i++) {
		struct press *p = &presses.press[i];

		if (!__atomic_load_n(&p->lock.word, __ATOMIC_RELAXED)) {
			*old = sys_lock(&p->lock);
			return p;
		}
	}
	*old = sys_lock(&presses.press[mine % PRESSES].lock);
	return &presses.press[mine % PRESSES];
}

/* The arguments and the result of pack(), which has a stack of its own. */
struct packing {
	const struct mt_pressing *what;
	struct press *press;
	int error;
};

/* Lay out the head of a segment and what goes between it and the data. */
static void put_head(const struct mt_pressing *p, uint8_t *out,
		     size_t head_bytes, size_t data_bytes)
{
	struct mt_segment *h = p->head;

	h->skip_magic = MT_SKIP_SEGMENT;
	h->skip_bytes = (uint32_t)(head_bytes - 8);
	memcpy(h->magic, MT_SEGMENT_MAGIC, sizeof(h->magic));
	h->columns = (uint16_t)p->count;
	h->data_bytes = (uint32_t)data_bytes;
	h->extra_bytes = p->extra ? (uint32_t)p->extra->bytes : 0;
	h->check = 0;
	h->check = mt_check(MT_CHECK_INIT, h, sizeof(*h));
	if (p->extra)
		h->check = mt_check(h->check, p->extra->data, p->extra->bytes);
	memset(out, 0, head_bytes);
	memcpy(out, h, sizeof(*h));
	if (p->extra)
		memcpy(out + sizeof(*h), p->extra->data, p->extra->bytes);
}

/*
 * How a column is compressed: what ZSTD_CCtx_setParameter() takes, 0 for the
 * level's own.
 */
struct tune {
	int level;
	int hash_log;  /* a small table stays in the cache, and spares it */
	int min_match; /* bytes */
	int step;      /* between the places where matches are looked for */
};

/*
 * Measured on traces of cppcheck, python3 and sqlite3. Time steps and addresses
 * are noise: looking for matches in them finds some, which cost more than the
 * entropy code of the bytes. Control bytes and deeds repeat at length: short
 * matches cost more there than they save.
 */
static struct tune tune_of(const struct mt_pressing *p, unsigned int column)
{
	static const struct tune events[MT_COLUMNS] = {
		[MT_COL_CONTROL] = {1, 12, 7, 0},
		[MT_COL_STACK] = {1, 0, 0, 0},
		[MT_COL_SIZE] = {1, 12, 7, 0},
		[MT_COL_ADDRESS] = {-6, 0, 0, 0},
		[MT_COL_TIME] = {-6, 9, 7, 20},
	};
	struct tune plain = {p->level, 0, 0, 0};

	if (p->head->stream != MT_STREAM_EVENTS)
		return plain;
	if (events[column].level < 0 && p->level > 1)
		return (struct tune){events[column].level, 0, 0, 0};
	return p->level == 1 ? events[column] : plain;
}

/* Set what a column is compressed with. */
static void set_tune(ZSTD_CCtx *zstd, struct tune tune)
{
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, tune.level);
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_hashLog, tune.hash_log);
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_minMatch, tune.min_match);
	ZSTD_CCtx_setParameter(zstd, ZSTD_c_targetLength, tune.step);
}

/* Compress the columns and write the segment. Runs on the press's stack. */
static void pack(void *arg)
{
	struct packing *k = arg;
	const struct mt_pressing *p = k->what;
	uint8_t *out = k->press->out;
	size_t head = sizeof(*p->head) + (p->extra ? p->extra->bytes : 0);
	size_t at = MT_ALIGN_UP(head, 8ul) + 8, data = at;

	for (unsigned int i = 0; i < p->count; i++) {
		set_tune(k->press->zstd, tune_of(p, i));

		size_t n =
			ZSTD_compress2(k->press->zstd, out + at,
				       MT_PRESSED_BYTES - at,
				       p->columns[i].data, p->columns[i].bytes);

		if (ZSTD_isError(n)) {
			k->error = -ENOMEM;
			return;
		}
		at += n;
	}

	/* The head is as long as makes the whole a multiple of 8. */
	size_t data_bytes = at - data;

	head = MT_ALIGN_UP(head + data_bytes, 8ul) - data_bytes;
	put_head(p, out, head, data_bytes);
	memmove(out + head, out + data, data_bytes);
	k->error = p->write(p->head, out, head + data_bytes);
}

int mt_press(const struct mt_pressing *what)
{
	struct sys_signals old;
	struct packing k = {what, take(&old), -ENOMEM};

	if (is_ready(k.press, what->level))
		mt_call_on_stack(k.press->stack + STACK_BYTES, pack, &k);
	sys_unlock(&k.press->lock, old);
	return k.error;
}

/* Get what reading needs, at the first time. */
static bool may_read(void)
{
	size_t bytes = ZSTD_estimateDCtxSize();
	void *workspace;

	if (presses.unzip)
		return true;
	workspace = sys_map(bytes, SYS_FORK_COPY);
	if (workspace)
		presses.unzip = ZSTD_initStaticDCtx(workspace, bytes);
	return presses.unzip != NULL;
}

bool mt_unpress(const uint8_t *at, const uint8_t *end, uint8_t *buffer,
		struct mt_columns *columns)
{
	if (!may_read())
		return false;
	for (unsigned int i = 0; i < MT_COLUMNS; i++) {
		uint8_t *to = buffer + i * MT_JOURNAL_COLUMN_BYTES;
		size_t bytes = ZSTD_findFrameCompressedSize(at,
							    (size_t)(end - at)),
		       n;

		if (ZSTD_isError(bytes))
			return false;
		n = ZSTD_decompressDCtx(presses.unzip, to,
					MT_JOURNAL_COLUMN_BYTES, at, bytes);
		if (ZSTD_isError(n))
			return false;
		columns->at[i] = to;
		columns->end[i] = to + n;
		at += bytes;
	}
	return true;
}

void mt_press_reset(void)
{
	memset(&presses, 0, sizeof(presses));
}
