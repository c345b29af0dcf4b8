/* SPDX-License-Identifier: MIT */
/*
 * Segments, written: what the analyzer adds to a trace.
 */
#ifndef ANALYZER_SEGMENT_H
#define ANALYZER_SEGMENT_H

#include <memtrace/format.h>
#include <stdio.h>

/*
 * Append `n` bytes of a stream whose records are bytes, in as many segments
 * as they need; the first is record 0. `clock` and `clock_ns` are a pair to
 * put into their heads. The file must be at its end, errors stay in it.
 */
void segment_write_bytes(FILE *f, enum mt_stream stream, const uint8_t *bytes,
			 uint64_t n, uint64_t clock, uint64_t clock_ns);

#endif
