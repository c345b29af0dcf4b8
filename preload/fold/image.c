/* SPDX-License-Identifier: MIT */
/* The heap image in the live file; see image.h. */
#include "image.h"

#include <string.h>

#include "live.h"
#include "seal.h"
#include "sys.h"

#define CHUNKS (MT_IMAGE_BYTES / MT_IMAGE_CHUNK_BYTES)

/* The table of blocks begins with as many buckets. */
#define FIRST_BUCKETS 1024u

/* How much smaller the image is in the trace, at least: measured 2.6 to 4. */
#define SEAL_RATIO 2

/* What a batch of fold.c's events, and segments' index entries before it, may
 * enter in the undo log. */
#define BATCH_UNDO 16384

struct mt_image *mt_image;
struct mt_image_sums *mt_sums;
uint32_t mt_image_step = 1;
uint8_t *mt_image_base; /* MT_IMAGE_BYTES of addresses */

static struct {
	uint32_t kept;	     /* entries of the undo log */
	uint32_t freed;	     /* places that this step freed: the first and */
	uint32_t freed_last; /* the last; 0: none */
	uint32_t free_threads;
	uint32_t row_nodes;	     /* stacks whose words of rows are there */
	uint64_t there[CHUNKS / 64]; /* a bit a chunk */
} image;

static bool is_there(uint64_t chunk)
{
	return image.there[chunk / 64] >> chunk % 64 & 1;
}

/* Have the chunk that an offset is in; false: no memory. */
static bool have(uint64_t offset)
{
	uint64_t chunk = offset / MT_IMAGE_CHUNK_BYTES;

	if (is_there(chunk))
		return true;
	if (!mt_live_chunk((uint32_t)chunk,
			   mt_image_base + chunk * MT_IMAGE_CHUNK_BYTES,
			   MT_IMAGE_CHUNK_BYTES))
		return false;
	image.there[chunk / 64] |= 1ull << chunk % 64;
	return true;
}

static uint32_t *bucket(uint32_t i)
{
	return (uint32_t *)(mt_image_base + MT_IMAGE_BUCKETS) + i;
}

static uint32_t *row_of(uint32_t node)
{
	return (uint32_t *)(mt_image_base + MT_IMAGE_ROW_OF) + node;
}

static struct mt_image_row *row(uint32_t i)
{
	return (struct mt_image_row *)(mt_image_base + MT_IMAGE_ROWS) + i;
}

static struct mt_image_thread *thread(uint32_t i)
{
	return (struct mt_image_thread *)(mt_image_base + MT_IMAGE_THREADS) + i;
}

/* ---- Steps. ---- */

bool mt_image_init(void)
{
	memset(&image, 0, sizeof(image));
	mt_image_step = 1;
	mt_image_base = sys_reserve(MT_IMAGE_BYTES);
	if (!mt_image_base || !have(MT_IMAGE_HEAD) || !have(MT_IMAGE_UNDO) ||
	    !have(MT_IMAGE_THREADS) || !have(MT_IMAGE_ROWS) ||
	    !have(MT_IMAGE_BUCKETS) || !have(MT_IMAGE_BLOCKS)) {
		mt_image_reset();
		return false;
	}
	mt_image = (struct mt_image *)(mt_image_base + MT_IMAGE_HEAD);
	mt_image->sums[0].buckets = FIRST_BUCKETS;
	mt_image->sums[0].blocks = 1;
	mt_image->sums[0].rows = 1;
	barrier();
	memcpy(mt_image->magic, MT_IMAGE_MAGIC, sizeof(mt_image->magic));
	return true;
}

void mt_image_reset(void)
{
	if (mt_image_base)
		sys_unmap(mt_image_base, MT_IMAGE_BYTES);
	mt_image_base = NULL;
	mt_image = NULL;
}

void mt_image_begin(void)
{
	mt_sums = &mt_image->sums[mt_image_step % 2];
	*mt_sums = mt_image->sums[(mt_image_step - 1) % 2];
	image.kept = 0;
	image.freed = 0;
}

static inline void set_state(uint32_t step, uint32_t kept)
{
	barrier();
	__atomic_store_n(&mt_image->state, (uint64_t)step << 32 | kept,
			 __ATOMIC_RELEASE);
	barrier();
}

void mt_image_commit(void)
{
	/* Places are not used again in the step that freed them, or taking
	 * it back would have to bring their blocks back. */
	if (image.freed) {
		mt_image_block(image.freed_last)->next = mt_sums->free_block;
		mt_sums->free_block = image.freed;
	}
	set_state(mt_image_step++, 0);
}

void mt_image_keep(void *p, uint32_t bytes)
{
	struct mt_image_undo *undo =
		(struct mt_image_undo *)(mt_image_base + MT_IMAGE_UNDO);
	uint64_t *word = p;
	uint64_t offset = (uint64_t)((uint8_t *)p - mt_image_base);

	for (uint32_t i = 0; i < bytes / 8; i++)
		undo[image.kept++] =
			(struct mt_image_undo){offset + 8ull * i, word[i]};
	set_state(mt_image_step - 1, image.kept);
}

bool mt_image_is_step_full(void)
{
	return image.kept + BATCH_UNDO > MT_IMAGE_MAX_UNDO;
}

/* Enter the word of 8 bytes that a 32-bit one is in; it counts, and may be
 * changed, once set_state() has been told. */
static inline void enter_word(const uint32_t *p)
{
	const uint64_t *word = (uint64_t *)((uintptr_t)p & ~(uintptr_t)7);
	struct mt_image_undo *undo =
		(struct mt_image_undo *)(mt_image_base + MT_IMAGE_UNDO);

	undo[image.kept++] = (struct mt_image_undo){
		(uint64_t)((uint8_t *)word - mt_image_base), *word};
}

/* Keep one word, or two. */
static inline void keep_word(const uint32_t *p)
{
	enter_word(p);
	set_state(mt_image_step - 1, image.kept);
}

static inline void keep_words(const uint32_t *p, const uint32_t *q)
{
	enter_word(p);
	enter_word(q);
	set_state(mt_image_step - 1, image.kept);
}

/* Have the chunks of [offset, offset + bytes), of no more than a chunk. */
static bool have_all(uint64_t offset, uint64_t bytes)
{
	return have(offset) && have(offset + bytes - 1);
}

bool mt_image_reserve(uint32_t events)
{
	const struct mt_image_sums *s = mt_sums;

	return s->rows + events <= MT_IMAGE_MAX_ROWS &&
	       s->blocks + events <= MT_IMAGE_MAX_BLOCKS &&
	       s->buckets + 2ull * events <= MT_IMAGE_MAX_BUCKETS &&
	       have_all(MT_IMAGE_ROWS + s->rows * sizeof(struct mt_image_row),
			events * sizeof(struct mt_image_row)) &&
	       have_all(MT_IMAGE_BUCKETS + 4ull * s->buckets, 8ull * events) &&
	       have_all(MT_IMAGE_BLOCKS +
				s->blocks * sizeof(struct mt_image_block),
			events * sizeof(struct mt_image_block));
}

bool mt_image_has_row(uint32_t node)
{
	if (node < image.row_nodes)
		return true;
	while (have(MT_IMAGE_ROW_OF + 4ull * image.row_nodes) &&
	       node >= image.row_nodes)
		image.row_nodes += MT_IMAGE_CHUNK_BYTES / 4;
	return node < image.row_nodes;
}

/* ---- Blocks. ---- */

/* Add a bucket: it takes over a part of another one's blocks. */
static void split(void)
{
	uint32_t added = mt_sums->buckets++;
	uint32_t mask = UINT32_MAX >> __builtin_clz(added);
	uint32_t *from = bucket(added & mask >> 1), *to = bucket(added);

	keep_words(from, to);
	*to = 0;
	while (*from) {
		struct mt_image_block *b = mt_image_block(*from);
		uint32_t i = *from;

		if (mt_image_bucket(b->address, added + 1) != added) {
			from = &b->next;
			continue;
		}
		/* `from` may be a block's: each is kept before it changes. */
		keep_words(from, &b->next);
		*from = b->next;
		b->next = *to;
		*to = i;
	}
}

struct mt_image_block *mt_image_insert(uint32_t *link)
{
	uint32_t i = mt_sums->free_block;

	if (i) {
		keep_words(link, &mt_image_block(i)->next);
		mt_sums->free_block = mt_image_block(i)->next;
	} else {
		keep_word(link);
		i = mt_sums->blocks++;
	}
	*link = i;
	mt_image_block(i)->next = 0;
	return mt_image_block(i);
}

void mt_image_spread(void)
{
	/* Twice as many as blocks: a lookup meets no other one, mostly. */
	while (2 * mt_sums->live_blocks > mt_sums->buckets)
		split();
}

void mt_image_remove(uint32_t *link)
{
	uint32_t i = *link;
	struct mt_image_block *b = mt_image_block(i);

	keep_words(link, &b->next);
	*link = b->next;
	b->next = image.freed;
	if (!image.freed)
		image.freed_last = i;
	image.freed = i;
}

/* ---- Rows and threads. ---- */

struct mt_image_row *mt_image_open_row(uint32_t node)
{
	uint32_t *i = row_of(node);
	struct mt_image_row *r;

	if (!*i) {
		keep_word(i);
		*i = mt_sums->rows++;
		r = row(*i);
		memset(r, 0, sizeof(*r));
		r->node = node;
		r->step = mt_image_step;
		return r;
	}
	r = row(*i);
	if (r->step != mt_image_step) {
		mt_image_keep(r, sizeof(*r));
		r->step = mt_image_step;
	}
	return r;
}

uint32_t mt_image_thread_place(uint32_t index)
{
	uint32_t i = 0;

	if (image.free_threads)
		while (thread(i)->index != MT_NO_THREAD)
			i++;
	else if (mt_sums->threads == MT_IMAGE_MAX_THREADS ||
		 !have(MT_IMAGE_THREADS +
		       (mt_sums->threads + 1ull) * sizeof(*thread(0))))
		return MT_NO_THREAD;
	else
		i = mt_sums->threads++;
	mt_image_keep(thread(i), sizeof(*thread(i)));
	image.free_threads -= image.free_threads != 0;
	*thread(i) =
		(struct mt_image_thread){.index = index, .step = mt_image_step};
	return i;
}

struct mt_image_thread *mt_image_thread(uint32_t place)
{
	struct mt_image_thread *t = thread(place);

	if (t->step != mt_image_step) {
		mt_image_keep(t, sizeof(*t));
		t->step = mt_image_step;
	}
	return t;
}

void mt_image_thread_end(uint32_t place)
{
	mt_image_thread(place)->index = MT_NO_THREAD;
	image.free_threads++;
}

/* ---- The end. ---- */

/* Append a part of a chunk, unless it is zeros; false: it could not be. */
static bool seal_part(uint64_t offset)
{
	static const uint64_t zeros[64];
	const uint8_t *p = mt_image_base + offset;
	struct mt_bytes column = {p, MT_JOURNAL_COLUMN_BYTES};
	struct mt_segment head = {
		.stream = MT_STREAM_IMAGE,
		.first = offset,
		.count = MT_JOURNAL_COLUMN_BYTES,
	};
	bool empty = true;

	for (uint32_t i = 0; i < MT_JOURNAL_COLUMN_BYTES && empty;
	     i += sizeof(zeros))
		empty = memcmp(p + i, zeros, sizeof(zeros)) == 0;
	return empty || mt_seal_segment(&head, NULL, &column, 1) == 0;
}

/* Tell whether what is at an offset is a reader's business: not what was
 * needed to change the image. */
static bool is_sealed(uint64_t at)
{
	return at != MT_IMAGE_UNDO &&
	       (at < MT_IMAGE_BUCKETS || at >= MT_IMAGE_BLOCKS);
}

uint64_t mt_image_sealed_bytes(void)
{
	const struct mt_image_sums *s = mt_sums;

	return (s->blocks * sizeof(struct mt_image_block) +
		s->rows * sizeof(struct mt_image_row)) /
	       SEAL_RATIO;
}

bool mt_image_seal(void)
{
	bool done = true;

	for (uint64_t chunk = 0; chunk < CHUNKS && mt_image; chunk++) {
		uint64_t at = chunk * MT_IMAGE_CHUNK_BYTES;

		if (!is_there(chunk) || !is_sealed(at))
			continue;
		for (uint32_t i = 0; i < MT_IMAGE_CHUNK_BYTES && done;
		     i += MT_JOURNAL_COLUMN_BYTES)
			done = seal_part(at + i);
	}
	return done;
}
