/* SPDX-License-Identifier: MIT */
/*
 * Variable-length integers (LEB128) and zigzag, for both sides of the trace.
 *
 * The writer never checks bounds: its caller has proved room for
 * MT_VARINT_MAX bytes. The reader checks every byte: its input is untrusted.
 */
#ifndef MEMTRACE_VARINT_H
#define MEMTRACE_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most bytes a 64-bit varint takes. */
#define MT_VARINT_MAX 10

/* Write `v` at `p` and return the byte after it. Context: any. */
static inline uint8_t *mt_varint_put(uint8_t *p, uint64_t v)
{
	while (v >= 0x80) {
		*p++ = (uint8_t)v | 0x80;
		v >>= 7;
	}
	*p++ = (uint8_t)v;
	return p;
}

/*
 * Read a varint at `p`, not past `end`, into `*v`, byte by byte; returns the
 * byte after it. NULL when it is cut short or exceeds 64 bits.
 */
static inline const uint8_t *mt_varint_read(const uint8_t *p,
					    const uint8_t *end, uint64_t *v)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 64 && p != end; shift += 7) {
		uint64_t bits = *p & 0x7f;

		if (shift == 63 && bits > 1)
			return NULL;
		value |= bits << shift;
		if (!(*p++ & 0x80)) {
			*v = value;
			return p;
		}
	}
	return NULL;
}

/*
 * Read a varint at `*p`, not past `end`, into `*v` and step `*p` over it.
 * False, with `*p` unspecified, when it is cut short or exceeds 64 bits.
 * The first three bytes without a loop: few have more.
 */
static inline bool mt_varint_get(const uint8_t **p, const uint8_t *end,
				 uint64_t *v)
{
	const uint8_t *at = *p;
	uint64_t long_one;

	if (end - at >= 3) {
		uint32_t value = at[0];

		*p = at + 1;
		*v = value;
		if (value < 0x80)
			return true;
		value += ((uint32_t)at[1] << 7) - 0x80;
		*p = at + 2;
		*v = value;
		if (value < 1u << 14)
			return true;
		value += ((uint32_t)at[2] << 14) - (1u << 14);
		*p = at + 3;
		*v = value;
		if (value < 1u << 21)
			return true;
	}
	at = mt_varint_read(at, end, &long_one);
	*p = at;
	*v = at ? long_one : 0;
	return at;
}

/* Map small signed values to small unsigned ones: 0 -1 1 -2 -> 0 1 2 3. */
static inline uint64_t mt_zigzag(int64_t v)
{
	return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

/* Undo mt_zigzag(). */
static inline int64_t mt_unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

#endif
