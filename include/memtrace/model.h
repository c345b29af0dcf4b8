/* SPDX-License-Identifier: MIT */
/*
 * The event model: how events become columns of bytes, and back.
 *
 * Writer and reader keep the same model of the thread and code only what it
 * did not foresee. It foresees, per event:
 *
 *  - the stack, from the two stacks before it;
 *  - what that stack did the last time: kind, alignment, size;
 *  - an allocation's address: what its size class freed last (thread caches
 *    are LIFOs), at some depth of that list, or else the end of the block
 *    allocated before (fresh memory comes in order), or for a realloc the
 *    address just freed (it often stays);
 *  - a free's address: that of the block allocated as many allocations ago
 *    as at this stack's last free.
 *
 * An event costs one control byte, one byte of time, and bytes in the other
 * columns only for what was not foreseen. The columns are compressed apart
 * from each other, since their statistics differ.
 *
 * A model starts from mt_model_reset() at each segment, so every segment is
 * decoded by itself. Nothing here allocates or calls out. Context: any.
 */
#ifndef MEMTRACE_MODEL_H
#define MEMTRACE_MODEL_H

#include <stdbool.h>
#include <string.h>

#include <memtrace/format.h>
#include <memtrace/varint.h>

/*
 * The control byte. The address code means, for an allocation: 0 the last
 * freed of its class, 1 the one at the depth in MT_COL_ADDRESS, 2 a distance
 * there (mt_model_put_distance()), 3 the address is 0. For a free: 0 the
 * foreseen age, 1 the age in MT_COL_ADDRESS, 2 a distance there.
 */
#define MT_CTL_STACK 0x1u /* else varint in MT_COL_STACK */
#define MT_CTL_DEED 0x2u  /* else kind, align log2, varint size there */
#define MT_CTL_ADDR_SHIFT 2
#define MT_CTL_ADDR_MASK 0xcu
#define MT_CTL_RESERVED 0xf0u

enum { MT_ADDR_TOP, MT_ADDR_RANK, MT_ADDR_DISTANCE, MT_ADDR_NULL };

/* A time step of this many ticks or more is this byte and a varint. */
#define MT_TIME_ESCAPE 255u

/* The most bytes one event adds to any one column. */
#define MT_EVENT_COLUMN_BYTES 16

#define MT_MODEL_AGES 8192u /* allocations a free can look back on */
#define MT_MODEL_HASH 8192u
#define MT_MODEL_NEXT 2048u
#define MT_MODEL_DEEDS 1024u
#define MT_MODEL_LISTS 128u
#define MT_MODEL_DEPTH 8u
#define MT_NO_AGE 0xffffu

/* An event as both sides see it. */
struct mt_event {
	uint64_t time; /* the clock; decoded: to a tick */
	uint64_t address;
	uint64_t size;	    /* bytes, as format.h says per kind */
	uint32_t stack;	    /* node id */
	uint8_t kind;	    /* enum mt_kind */
	uint8_t align_log2; /* 0: not asked for */
};

/* What a stack did last. */
struct mt_deed {
	uint64_t size;
	uint32_t stack;
	uint16_t age; /* a free: allocations since its block's own */
	uint8_t kind;
	uint8_t align_log2;
};

/* The addresses one size class freed last. */
struct mt_freed {
	uint64_t address[MT_MODEL_DEPTH];
};

struct mt_model {
	uint64_t time;	      /* of the last event, in ticks */
	uint64_t last_free;   /* its address */
	uint64_t fresh;	      /* where the next fresh block would be */
	uint32_t context[2];  /* the stacks of the last two events */
	uint32_t allocations; /* so far */
	uint8_t list_top[MT_MODEL_LISTS];
	struct mt_freed list[MT_MODEL_LISTS];
	struct mt_deed deed[MT_MODEL_DEEDS];
	uint32_t next[MT_MODEL_NEXT];
	/* By allocation number: its address, and its list in the top bits. */
	uint64_t block[MT_MODEL_AGES];
	/* Writer only: by hash of the address, the allocation's number. */
	uint16_t number[MT_MODEL_HASH];
};

#define MT_BLOCK_LIST_SHIFT 48

/* Forget everything; `base_ticks` is what the first time step is from. */
static inline void mt_model_reset(struct mt_model *m, uint64_t base_ticks)
{
	memset(m, 0, offsetof(struct mt_model, block));
	memset(m->number, 0xff, sizeof(m->number));
	m->time = base_ticks;
}

static inline bool mt_kind_is_alloc(unsigned int kind)
{
	return kind <= MT_LAST_ALLOC;
}

static inline bool mt_kind_is_free(unsigned int kind)
{
	return kind >= MT_FREE && kind <= MT_LAST_FREE;
}

/* The list that blocks of a size are kept in once freed: a glibc bin. */
static inline unsigned int mt_model_list(uint64_t size)
{
	if (size <= 1032)
		return (unsigned int)((size + 23) >> 4);
	unsigned int c = mt_size_class(size) + 46;

	return c < MT_MODEL_LISTS ? c : MT_MODEL_LISTS - 1;
}

static inline uint32_t mt_model_mix(uint64_t v)
{
	return (uint32_t)((v * 0x9e3779b97f4a7c15u) >> 40);
}

static inline uint32_t *mt_model_next(struct mt_model *m)
{
	uint64_t v = ((uint64_t)m->context[1] << 32) | m->context[0];

	return &m->next[mt_model_mix(v) % MT_MODEL_NEXT];
}

static inline struct mt_deed *mt_model_deed(struct mt_model *m, uint32_t stack)
{
	return &m->deed[mt_model_mix(stack) % MT_MODEL_DEEDS];
}

static inline uint16_t *mt_model_number(struct mt_model *m, uint64_t address)
{
	return &m->number[mt_model_mix(address >> 4) % MT_MODEL_HASH];
}

/* Take the block at `depth` out of a list. */
static inline void mt_model_take(struct mt_model *m, unsigned int list,
				 unsigned int depth)
{
	uint64_t *a = m->list[list].address;
	unsigned int top = m->list_top[list];

	for (unsigned int i = depth; i > 0; i--)
		a[(top - i) % MT_MODEL_DEPTH] =
			a[(top - i + 1) % MT_MODEL_DEPTH];
	a[top % MT_MODEL_DEPTH] = 0;
	m->list_top[list] = (uint8_t)(top - 1);
}

/* Put a freed block on top of a list. */
static inline void mt_model_push(struct mt_model *m, unsigned int list,
				 uint64_t address)
{
	unsigned int top = ++m->list_top[list];

	m->list[list].address[top % MT_MODEL_DEPTH] = address;
}

/* Note an allocation: its number, and where the next fresh one would be. */
static inline void mt_model_allocated(struct mt_model *m, uint64_t address,
				      unsigned int list, uint64_t size)
{
	uint64_t chunk = size <= 24 ? 32 : (size + 23) & ~15ull;

	m->block[m->allocations++ % MT_MODEL_AGES] =
		address | (uint64_t)list << MT_BLOCK_LIST_SHIFT;
	m->fresh = address + chunk;
}

/*
 * A distance between addresses: zigzag; multiples of 16 without their zeros
 * and with a low bit of 0, others whole with a low bit of 1. A 64-bit
 * difference loses nothing: the top bits of an address are not used.
 */
static inline uint8_t *mt_model_put_distance(uint8_t *p, uint64_t from,
					     uint64_t to)
{
	int64_t d = (int64_t)(to - from);

	if (d % 16 == 0)
		return mt_varint_put(p, mt_zigzag(d / 16) << 1);
	return mt_varint_put(p, mt_zigzag(d) << 1 | 1);
}

/*
 * Return what stands for an address in the columns: for one beyond 2^48,
 * which is no memory, the like of it at the upper end of those below.
 */
static inline uint64_t mt_model_address(uint64_t address)
{
	if (address >> MT_BLOCK_LIST_SHIFT)
		return (address & 0xffffffffu) | 0xffff00000000u;
	return address;
}

static inline uint64_t mt_model_distance(uint64_t from, uint64_t code)
{
	uint64_t d = (uint64_t)mt_unzigzag(code >> 1);

	return from + (code & 1 ? d : d * 16);
}

/* What an allocation's distance is counted from. */
static inline uint64_t mt_model_fresh(const struct mt_model *m,
				      unsigned int kind)
{
	return kind == MT_REALLOC ? m->last_free : m->fresh;
}

/* Code an allocation's address; return the address code. */
static inline unsigned int mt_encode_alloc(struct mt_model *m, uint8_t **p,
					   const struct mt_event *e)
{
	uint64_t address = e->address;
	unsigned int list = mt_model_list(e->size);
	unsigned int top = m->list_top[list], code = MT_ADDR_TOP, depth = 0;
	uint64_t *a = m->list[list].address;

	if (!address)
		return MT_ADDR_NULL;
	while (depth < MT_MODEL_DEPTH &&
	       a[(top - depth) % MT_MODEL_DEPTH] != address)
		depth++;
	if (depth == MT_MODEL_DEPTH) {
		address = mt_model_address(address);
		*p = mt_model_put_distance(*p, mt_model_fresh(m, e->kind),
					   address);
		code = MT_ADDR_DISTANCE;
	} else {
		if (depth) {
			*(*p)++ = (uint8_t)depth;
			code = MT_ADDR_RANK;
		}
		mt_model_take(m, list, depth);
	}
	*mt_model_number(m, address) = (uint16_t)m->allocations;
	mt_model_allocated(m, address, list, e->size);
	return code;
}

/*
 * Tell whether a block is the thread's own, as far as the model knows: it was
 * allocated in this segment and not freed since. Writer only.
 */
static inline bool mt_model_is_own(struct mt_model *m, uint64_t address)
{
	uint32_t number = *mt_model_number(m, address);

	return number != MT_NO_AGE &&
	       (m->block[number % MT_MODEL_AGES] &
		((1ull << MT_BLOCK_LIST_SHIFT) - 1)) == address;
}

/* Code a freed address; return the address code. */
static inline unsigned int mt_encode_free(struct mt_model *m, uint8_t **p,
					  uint64_t address,
					  struct mt_deed *deed)
{
	unsigned int code = MT_ADDR_DISTANCE;
	uint16_t *number = mt_model_number(m, address);
	uint32_t age = m->allocations - *number;
	uint64_t block = m->block[*number % MT_MODEL_AGES];

	if (mt_model_is_own(m, address) && age <= MT_MODEL_AGES) {
		*number = MT_NO_AGE;
		code = age == deed->age ? MT_ADDR_TOP : MT_ADDR_RANK;
		if (code == MT_ADDR_RANK)
			*p = mt_varint_put(*p, age);
		deed->age = (uint16_t)age;
		mt_model_push(m, (unsigned int)(block >> MT_BLOCK_LIST_SHIFT),
			      address);
	} else {
		address = mt_model_address(address);
		*p = mt_model_put_distance(*p, m->last_free, address);
	}
	m->last_free = address;
	return code;
}

/*
 * Append `e` to the columns, whose ends are `col`; each must have room for
 * MT_EVENT_COLUMN_BYTES. `ticks` is e->time in ticks; earlier than the event
 * before counts as at the same tick. Addresses are below 2^48; for what else
 * a program may free see mt_model_address().
 */
static inline void mt_encode(struct mt_model *m, uint8_t *col[MT_COLUMNS],
			     const struct mt_event *e, uint64_t ticks)
{
	unsigned int ctl = MT_CTL_STACK | MT_CTL_DEED, code;
	uint64_t step = ticks > m->time ? ticks - m->time : 0;
	uint32_t *next = mt_model_next(m);
	struct mt_deed *deed = mt_model_deed(m, e->stack);

	m->time += step;
	if (step < MT_TIME_ESCAPE) {
		*col[MT_COL_TIME]++ = (uint8_t)step;
	} else {
		*col[MT_COL_TIME]++ = MT_TIME_ESCAPE;
		col[MT_COL_TIME] =
			mt_varint_put(col[MT_COL_TIME], step - MT_TIME_ESCAPE);
	}

	if (*next != e->stack) {
		*next = e->stack;
		ctl ^= MT_CTL_STACK;
		col[MT_COL_STACK] = mt_varint_put(col[MT_COL_STACK], e->stack);
	}
	m->context[1] = m->context[0];
	m->context[0] = e->stack;

	if (deed->stack != e->stack || deed->size != e->size ||
	    deed->kind != e->kind || deed->align_log2 != e->align_log2) {
		if (deed->stack != e->stack)
			deed->age = 0;
		deed->stack = e->stack;
		deed->size = e->size;
		deed->kind = e->kind;
		deed->align_log2 = e->align_log2;
		ctl ^= MT_CTL_DEED;
		*col[MT_COL_SIZE]++ = e->kind;
		*col[MT_COL_SIZE]++ = e->align_log2;
		col[MT_COL_SIZE] = mt_varint_put(col[MT_COL_SIZE], e->size);
	}

	if (mt_kind_is_alloc(e->kind))
		code = mt_encode_alloc(m, &col[MT_COL_ADDRESS], e);
	else
		code = mt_encode_free(m, &col[MT_COL_ADDRESS], e->address,
				      deed);
	*col[MT_COL_CONTROL]++ = (uint8_t)(ctl | code << MT_CTL_ADDR_SHIFT);
}

/* Where a reader stands in a segment's columns. */
struct mt_columns {
	const uint8_t *at[MT_COLUMNS];
	const uint8_t *end[MT_COLUMNS];
};

static inline bool mt_column_byte(struct mt_columns *c, enum mt_column i,
				  uint8_t *byte)
{
	if (c->at[i] == c->end[i])
		return false;
	*byte = *c->at[i]++;
	return true;
}

static inline bool mt_column_varint(struct mt_columns *c, enum mt_column i,
				    uint64_t *v)
{
	return mt_varint_get(&c->at[i], c->end[i], v);
}

/* Decode an allocation's address; false: the columns are damaged. */
static inline bool mt_decode_alloc(struct mt_model *m, struct mt_columns *c,
				   unsigned int code, struct mt_event *e)
{
	unsigned int list = mt_model_list(e->size);
	uint64_t v;
	uint8_t depth = 0;

	e->address = 0;
	if (code == MT_ADDR_NULL)
		return true;
	if (code == MT_ADDR_DISTANCE) {
		if (!mt_column_varint(c, MT_COL_ADDRESS, &v))
			return false;
		e->address = mt_model_distance(mt_model_fresh(m, e->kind), v);
	} else {
		if (code == MT_ADDR_RANK &&
		    !mt_column_byte(c, MT_COL_ADDRESS, &depth))
			return false;
		if (depth >= MT_MODEL_DEPTH)
			return false;
		e->address = m->list[list].address[(m->list_top[list] - depth) %
						   MT_MODEL_DEPTH];
		mt_model_take(m, list, depth);
	}
	if (!e->address || e->address >> MT_BLOCK_LIST_SHIFT)
		return false;
	mt_model_allocated(m, e->address, list, e->size);
	return true;
}

/* Decode a freed address; false: the columns are damaged. */
static inline bool mt_decode_free(struct mt_model *m, struct mt_columns *c,
				  unsigned int code, struct mt_deed *deed,
				  struct mt_event *e)
{
	uint64_t v = deed->age;

	if (code == MT_ADDR_NULL)
		return false;
	if (code != MT_ADDR_TOP && !mt_column_varint(c, MT_COL_ADDRESS, &v))
		return false;
	if (code == MT_ADDR_DISTANCE) {
		e->address = mt_model_distance(m->last_free, v);
		if (e->address >> MT_BLOCK_LIST_SHIFT)
			return false;
	} else {
		if (v > MT_MODEL_AGES || v > m->allocations || !v)
			return false;
		uint64_t block = m->block[(m->allocations - (uint32_t)v) %
					  MT_MODEL_AGES];

		e->address = block & ((1ull << MT_BLOCK_LIST_SHIFT) - 1);
		deed->age = (uint16_t)v;
		mt_model_push(m, (unsigned int)(block >> MT_BLOCK_LIST_SHIFT),
			      e->address);
	}
	m->last_free = e->address;
	return true;
}

/*
 * Decode the next event into `e`, its time in clock units to a tick of
 * `tick_shift`. False: the columns are cut short or damaged.
 */
static inline bool mt_decode(struct mt_model *m, struct mt_columns *c,
			     unsigned int tick_shift, struct mt_event *e)
{
	uint8_t ctl, step;
	uint64_t v;

	if (!mt_column_byte(c, MT_COL_CONTROL, &ctl) ||
	    !mt_column_byte(c, MT_COL_TIME, &step) || (ctl & MT_CTL_RESERVED))
		return false;
	m->time += step;
	if (step == MT_TIME_ESCAPE) {
		if (!mt_column_varint(c, MT_COL_TIME, &v))
			return false;
		m->time += v;
	}
	e->time = m->time << tick_shift;

	uint32_t *next = mt_model_next(m);

	if (!(ctl & MT_CTL_STACK)) {
		if (!mt_column_varint(c, MT_COL_STACK, &v) || v > UINT32_MAX)
			return false;
		*next = (uint32_t)v;
	}
	e->stack = *next;
	m->context[1] = m->context[0];
	m->context[0] = e->stack;

	struct mt_deed *deed = mt_model_deed(m, e->stack);

	if (!(ctl & MT_CTL_DEED)) {
		if (deed->stack != e->stack)
			deed->age = 0;
		deed->stack = e->stack;
		if (!mt_column_byte(c, MT_COL_SIZE, &deed->kind) ||
		    !mt_column_byte(c, MT_COL_SIZE, &deed->align_log2) ||
		    !mt_column_varint(c, MT_COL_SIZE, &deed->size) ||
		    deed->kind >= MT_KINDS || deed->align_log2 >= 64)
			return false;
	}
	e->kind = deed->kind;
	e->align_log2 = deed->align_log2;
	e->size = deed->size;

	unsigned int code = (ctl & MT_CTL_ADDR_MASK) >> MT_CTL_ADDR_SHIFT;

	if (mt_kind_is_alloc(e->kind))
		return mt_decode_alloc(m, c, code, e);
	return mt_decode_free(m, c, code, deed, e);
}

#endif
